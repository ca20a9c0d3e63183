//! Every door with every key: what opens one opens no other, nor does a key
//! that is not quite right, or that has been revoked.

use super::house::{GATEWAY_TOKEN, House};
use super::people::People;
use super::routes::{ROUTES, Who, filled};
use super::wire::{Request, request};

const NUMBER: &str = "+8613800138001";

use Who::{Anyone, Claimant, Gateway, Holder, Moderator, Operator, Provider};

const KEYS: [Who; 6] = [Holder, Claimant, Provider, Operator, Moderator, Gateway];

/// Another letter at one place.
fn altered(key: &str, place: usize) -> String {
    let other = if key[place..].starts_with('A') { "B" } else { "A" };
    [&key[..place], other, &key[place + 1..]].concat()
}

fn call(method: &str, path: &str) -> Request {
    let call = request(method, path).field("idempotency-key", "doors");
    if method == "GET" { call } else { call.body("application/json", "{}") }
}

#[test]
fn a_key_opens_its_own_doors_and_no_other() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, NUMBER);
    let at = server.public;
    let mut tried = 0;
    for (path, methods) in ROUTES {
        let path = filled(path, &people);
        for (method, door) in methods.iter().filter(|(_, door)| !matches!(door, Anyone)) {
            let answers = |call: Request| {
                let reply = call.at(at);
                assert!(reply.status < 500, "{method} {path}: {reply:?}");
                reply.status
            };
            let own = door.credential(&people).unwrap();
            assert_eq!(answers(call(method, &path)), 401, "{method} {path} needs a key");
            for place in [own.len() - 1, own.len() / 2, 1] {
                let status = answers(call(method, &path).bearer(&altered(own, place)));
                assert_eq!(status, 401, "{method} {path} takes what is not quite a key");
            }
            for key in KEYS {
                let shown = key.credential(&people).unwrap();
                let status = answers(call(method, &path).bearer(shown));
                // 403 is said of keys of another kind, and to whoever has no such case in hand.
                let is_turned_away = status == 401 || status == 403 && shown != own;
                assert!(is_turned_away == (shown != own), "{method} {path}, a key of {key:?}: {status}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    server.stands();
}

/// And at once: nothing that was looked up before is remembered.
#[test]
fn what_is_revoked_opens_nothing() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, NUMBER);
    let at = server.public;
    let asks = |path: &str, key: &str| request("GET", path).bearer(key).at(at).status;
    let corrections = format!("/feed/v1/corrections/{}", &NUMBER[1..]);
    for path in ["/feed/v1/corrections", &corrections, "/feed/v1/snapshot"] {
        assert_ne!(asks(path, &people.provider), 401, "{path}");
    }
    assert_eq!(asks("/v1/moderation/queue", &people.moderator), 200);
    let run = |line: &str| house.run_beside(server.admin, line, "").done();
    for line in run("key list").lines() {
        let id = line.split_whitespace().next().expect("each line begins with an id").to_owned();
        if id.len() == 36 {
            run(&format!("key revoke {id}"));
        }
    }
    run("moderator disable li-lei");
    for path in ["/feed/v1/corrections", &corrections, "/feed/v1/snapshot"] {
        assert_eq!(asks(path, &people.provider), 401, "{path}");
    }
    assert_eq!(request("POST", "/v1/tenures").bearer(&people.operator).at(at).status, 401);
    assert_eq!(asks("/v1/moderation/queue", &people.moderator), 401);
    // Whoever holds a number has nothing to do with that.
    assert_eq!(asks("/v1/disputes", &people.holder), 200);
    assert_eq!(asks("/v1/disputes", GATEWAY_TOKEN), 401);
    server.stands();
}
