//! `zhengming key`, with a server running and without; and the admin listener
//! that it comes in by.

use serde_json::json;
use zhengming::casework::owner::owner_credential;
use zhengming::casework::secret::Secret;
use zhengming::env::clock::{Clock, SystemClock};

use super::child::{Ended, Server};
use super::house::{House, only_word};
use super::wire::{Request, get, post};

const ISSUE: &str = "key issue provider tencent --name 腾讯";

fn corrections(key: &str) -> Request {
    get("/feed/v1/corrections").bearer(key)
}

/// What `issue` printed.
fn key_and_id(printed: &str) -> (String, String) {
    let id = printed.split("key id ").nth(1).unwrap().split(';').next().unwrap();
    (only_word(printed, "zmp_"), id.to_owned())
}

fn is_listed(listed: &str, id: &str, words: &[&str], key: &str) {
    let line = listed.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(words.iter().all(|word| line.contains(word)), "{line}");
    assert!(!listed.contains(&key[4..20]) && !listed.contains("zmp_"), "{listed}");
}

#[test]
fn keys_come_and_go_while_the_server_runs() {
    let house = House::new();
    let server = house.serve();
    let run = |line: &str| house.run_beside(server.admin, line, "");

    let (key, id) = key_and_id(&run(ISSUE).done());
    corrections(&key).at(server.public).ok(200);
    is_listed(&run("key list").done(), &id, &["provider  tencent  腾讯", "valid"], &key);

    assert_eq!(run(&format!("key revoke {id}")).done(), "done\n");
    corrections(&key).at(server.public).refused(401, "unauthenticated");
    is_listed(&run("key list").done(), &id, &["revoked 20"], &key);
    run(&format!("key revoke {id}")).done();

    let operator = run("key issue operator cmcc --name 移动").done();
    let operator = only_word(&operator, "zmo_");
    corrections(&operator).at(server.public).refused(403, "forbidden");
    let unknown = run("key revoke 00000000-0000-7000-8000-000000000000").failed();
    assert!(unknown.contains("404 Not Found: there is no such thing here"), "{unknown}");
}

#[test]
fn keys_come_and_go_while_no_server_runs() {
    let house = House::new();
    assert_eq!(house.run("key list", "").done(), "");
    let (key, id) = key_and_id(&house.run(ISSUE, "").done());
    is_listed(&house.run("key list", "").done(), &id, &["provider  tencent  腾讯", "valid"], &key);
    let server = house.serve();
    corrections(&key).at(server.public).ok(200);
    assert_eq!(server.stopped().code, Some(0));
    house.run(&format!("key revoke {id}"), "").done();
    let server = house.serve();
    corrections(&key).at(server.public).refused(401, "unauthenticated");
    assert_eq!(server.stopped().code, Some(0));
    let unknown = house.run("key revoke 00000000-0000-7000-8000-000000000000", "").failed();
    assert_eq!(unknown.lines().last(), Some("zhengming: there is no such thing here"));
}

#[test]
fn a_keys_name_is_one_line_of_text() {
    let house = House::new();
    for name in ["", "two\nlines", "red\u{1b}[31m", &"长".repeat(121)] {
        let err = house.run(&format!("key issue provider tencent --name {name}"), "").failed();
        assert!(err.contains("name is malformed"), "{err}");
    }
    assert_eq!(house.run("key list", "").done(), "", "none was issued");
}

/// A credential for a path, made by whoever knows this secret file.
fn credential(house: &House, path: &str, seconds: i64) -> String {
    let secret = std::fs::read(house.path("zhengming-data/secret.key")).unwrap();
    let at = SystemClock.now() + jiff::SignedDuration::from_secs(seconds);
    owner_credential(&Secret::new(secret.try_into().unwrap()), at, path)
}

#[test]
fn who_cannot_read_the_secret_orders_nothing() {
    let house = House::new();
    let server = house.serve();
    let stranger = House::new();
    stranger.run("key list", "").done();
    let list = || post("/owner/orders", &json!({ "order": "list_keys" }));
    let right = credential(&house, "/owner/orders", 0);
    list().bearer(&right).at(server.admin).ok(200);
    for wrong in [
        credential(&stranger, "/owner/orders", 0),
        credential(&house, "/owner/labels", 0),
        credential(&house, "/owner/orders?a", 0),
        credential(&house, "/owner/orders", -120),
        credential(&house, "/owner/orders", 120),
        right[..right.len() - 1].to_owned(),
        right.split_once('.').unwrap().0.to_owned(),
        "9223372036854775807.00".to_owned(),
        "x".to_owned(),
    ] {
        list().bearer(&wrong).at(server.admin).refused(401, "unauthenticated");
    }
    for path in ["/owner/orders", "/owner/labels?provider=tencent", "/owner/tenures?operator=cmcc"] {
        post(path, &json!({})).at(server.admin).refused(401, "unauthenticated");
        post(path, &json!({})).bearer(&right).at(server.public).refused(404, "not_found");
    }
    list().bearer("").at(server.admin).refused(401, "unauthenticated");
    refuses_a_stranger(&stranger, &server);
}

fn refuses_a_stranger(stranger: &House, server: &Server) {
    let ended: Ended = stranger.run_beside(server.admin, ISSUE, "");
    assert_eq!(ended.out, "");
    let err = ended.failed();
    assert!(err.contains("the running service said 401 Unauthorized"), "{err}");
}
