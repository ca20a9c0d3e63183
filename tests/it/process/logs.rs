//! What the service writes to its log while everybody calls, at the level of
//! whoever hunts an error: nothing that a reader of logs must not know.

use serde_json::{Value, json};

use super::child::{Process, Server};
use super::house::House;
use super::people::{PASSWORD, People};
use super::wire::{get, post, request};

const NUMBER: &str = "+8613800138001";
const CONTACT: &str = "+8613700137002";
const UNKNOWN: &str = "+8613900139003";
const NAME: &str = "迅达快递同安驿站";
const NOTE: &str = "我的电话总被当成快递";
const WRONG_PASSWORD: &str = "wrong horse battery";
const WRONG_TOKEN: &str = "zmp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const LABELS: &str = "number,kind,code,name,source\n\
    +8613800138001,category,55,,crowd\n\
    +8613800138001,name,,迅达快递同安驿站,partner\n\
    8613900139003,category,55,,crowd\n\
    +8613900139003,name,迅达快递同安驿站\n";
const TENURES: &str = "{\"number\":\"+8613800138001\",\"event\":\"disconnected\",\"on\":\"2024-01-01\"}\n\
    {\"number\":\"+8613800138001\",\"event\":\"activated\",\"on\":\"2024-06-01\"}\n\
    {\"number\":\"+8618900139003\",\"event\":\"activated\",\"on\":\"2024-06-01\"}\n\
    {\"number\":\"+8613900139003\",\"event\":\"迅达快递同安驿站\"\n";

/// Calls of every kind, right and wrong ones.
fn story(server: &Server, people: &People) {
    let at = server.public;
    let verify = |number: &str| post("/v1/verifications", &json!({ "number": number, "method": "sms_code" }));
    verify("+861390013900").at(at).refused(400, "number_malformed");
    verify(UNKNOWN).at(at).ok(201);
    post("/v1/verifications", &json!({ "number": UNKNOWN, "name": NAME }))
        .at(at)
        .refused(400, "field_unknown");
    let (id, code) = &people.verification;
    let confirm = format!("/v1/verifications/{id}/confirm");
    post(&confirm, &json!({ "code": code })).at(at);
    post(&confirm, &json!({ "code": format!("{code}9") })).at(at);
    post(&confirm, &json!({ "code": code, "token": people.holder })).at(at).refused(400, "field_unknown");

    let file = json!({ "reason": "name_mismatch", "note": NOTE, "contact": CONTACT,
        "labels": [{ "provider": "tencent", "name": NAME }] });
    post("/v1/disputes", &file).bearer(&people.holder).field("idempotency-key", NUMBER).at(at).ok(201);
    post("/v1/disputes", &file).bearer(&people.claimant).field("idempotency-key", "2").at(at).ok(401);

    for (path, key, media_type, body) in [
        ("/v1/labels", &people.provider, "text/csv", LABELS),
        ("/v1/tenures", &people.operator, "application/x-ndjson", TENURES),
    ] {
        let told = request("POST", path).bearer(key).body(media_type, body).at(at).ok(200).json();
        assert_eq!((&told["accepted"], &told["rejected"]), (&json!(2), &json!(2)), "{told}");
        request("POST", path)
            .bearer(WRONG_TOKEN)
            .body(media_type, body)
            .at(at)
            .refused(401, "unauthenticated");
    }
    get("/v1/labels").bearer(&people.holder).at(at);
    let inbound = format!("/v1/sms/inbound?token={WRONG_TOKEN}&from={NUMBER}&to=10690000&text={code}&at=0");
    get(&inbound).at(at).refused(401, "unauthenticated");
    let text = json!({ "from": NUMBER, "to": "10690000", "text": code, "at": NOTE });
    post("/v1/sms/inbound", &text).bearer(WRONG_TOKEN).at(at).refused(401, "unauthenticated");
    get(&format!("/v1/sms/delivery?id={id}&seal={WRONG_TOKEN}&status=1"))
        .at(at)
        .refused(401, "unauthenticated");

    let dispute = format!("/v1/disputes/{}", people.dispute);
    get(&dispute).bearer(&people.claimant).at(at);
    post(&format!("{dispute}/appeal"), &json!({ "text": NOTE })).bearer(&people.claimant).at(at);
    get(&format!("/v1/disputes/{}?token={}", people.dispute, people.claimant)).at(at).ok(401);

    let log_in = |password: &str| json!({ "name": "li-lei", "password": password, "totp": "123456" });
    post("/v1/moderation/session", &log_in(WRONG_PASSWORD)).at(at).refused(401, "login_wrong");
    post("/v1/moderation/session", &log_in(PASSWORD)).at(at).refused(401, "login_wrong");
    post("/v1/moderation/next", &json!({})).bearer(&people.moderator).at(at);
    get("/v1/moderation/audit").bearer(&people.moderator).at(at).ok(200);

    for path in ["/feed/v1/corrections?wait=30", "/feed/v1/corrections/8613800138001"] {
        get(path).bearer(&people.provider).at(at).ok(200);
        get(path).bearer(WRONG_TOKEN).at(at).ok(401);
    }
    get(&format!("/d/{}/{NUMBER}", people.claimant)).at(at).ok(404);
    get(&format!("/{NAME}?number={NUMBER}&code={code}")).at(at);
    request(&people.holder, "/v1/challenge").at(at).ok(405);
    get("/v1/challenge").field("cookie", &people.holder).field("x-forwarded-for", "203.0.113.77").at(at);
}

/// What must not be read in the log, with what it is.
fn secrets(people: &People) -> Vec<(&'static str, String)> {
    let totp_secret = people.otpauth_uri.split("secret=").nth(1).unwrap();
    let mut secrets = vec![
        ("a password", PASSWORD.to_owned()),
        ("a wrong password", WRONG_PASSWORD.to_owned()),
        ("a name", NAME.to_owned()),
        ("a name's beginning", NAME[..12].to_owned()),
        ("a note", NOTE.to_owned()),
        ("an address", "203.0.113.77".to_owned()),
        ("a TOTP secret", totp_secret.split('&').next().unwrap().to_owned()),
        ("a code", format!("\"{}\"", people.verification.1)),
        ("a code", format!(" {}", people.verification.1)),
        ("a code", format!("={}", people.verification.1)),
    ];
    for token in [&people.provider, &people.operator, &people.holder, &people.claimant, &people.moderator] {
        secrets.push(("a token", token.clone()));
        secrets.push(("a part of a token", token[4..24].to_owned()));
    }
    secrets.push(("a wrong token", WRONG_TOKEN[..20].to_owned()));
    for number in [NUMBER, CONTACT, UNKNOWN] {
        secrets.push(("a number", number[1..].to_owned()));
        secrets.push(("a national number", number[3..].to_owned()));
    }
    secrets
}

fn is_clean(log: &str, secrets: &[(&str, String)]) {
    for line in log.lines() {
        for (what, secret) in secrets {
            assert!(!line.contains(secret), "{what} is in the log: {line}");
        }
    }
}

#[test]
fn the_log_tells_what_happened_and_no_secret() {
    for level in ["debug", "trace"] {
        let house = House::new();
        let server = Server::start(house.command(&format!("serve --log {level} --log-format json")));
        let people = People::gather(&house, &server, NUMBER);
        story(&server, &people);
        let log = server.stopped().err;
        is_clean(&log, &secrets(&people));

        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
        assert!(answered.len() > 25, "{log}");
        for line in &answered {
            assert_eq!(line["span"]["request_id"].as_str().map(str::len), Some(36), "{line}");
            assert!(line["path"].is_string() && line["status"].is_u64(), "{line}");
        }
        let paths: Vec<&str> = answered.iter().map(|line| line["path"].as_str().unwrap()).collect();
        assert!(paths.contains(&"/feed/v1/corrections/{}") && paths.contains(&"(unrouted)"), "{paths:?}");
        let of_requests = lines.iter().filter(|line| line["target"] == "zhengming::http::request_log");
        assert_eq!(of_requests.count(), answered.len());
    }
}

#[test]
fn commands_keep_secrets_from_their_log_as_well() {
    let house = House::new();
    let server = house.serve();
    for beside in [true, false] {
        let run = |line: &str, input: &str| {
            let mut command = house.command(&format!("{line} --log trace"));
            let admin = if beside { server.admin.to_string() } else { "127.0.0.1:0".to_owned() };
            let data = if beside { "zhengming-data" } else { "other" };
            command.env("ZHENGMING_ADMIN_LISTEN", admin).env("ZHENGMING_DATA_DIR", data);
            Process::start(command, input.as_bytes()).ended()
        };
        let issued = run("key issue provider tencent --name 腾讯", "");
        let added = run("moderator add li-lei --role admin --password-stdin", PASSWORD);
        let imported = run("import labels - --provider tencent", LABELS);
        assert_eq!((issued.code, added.code, imported.code), (Some(0), Some(0), Some(0)), "{added:?}");
        let secrets = [
            ("a key", issued.out[4..24].to_owned()),
            ("a password", PASSWORD.to_owned()),
            ("a TOTP secret", added.out.split("secret=").nth(1).unwrap()[..16].to_owned()),
            ("a name", NAME.to_owned()),
            ("a number", NUMBER[1..].to_owned()),
            ("a credential", "Bearer".to_owned()),
        ];
        is_clean(&(issued.err + &added.err + &imported.err), &secrets);
    }
}
