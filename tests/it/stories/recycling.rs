//! Number Recycling over HTTP: what is answered, in CAMARA's own words.

use http::Method;
use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::http::limits::LimitsConfig;
use zhengming::store::Grant;

use crate::support::audit::whole_chain;
use crate::support::{Answer, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";
const PATH: &str = "/number-recycling/v0.2/check";
const CORRELATOR: &str = "b4333c46-49c0_4f62:80d7;f0./<ef>{930}";

async fn asks(world: &World, key: &str, body: &Value) -> Answer {
    let answer = world.client.post(PATH, key, body).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["x-correlator"].len() >= 36, "one is made where none came");
    answer
}

async fn checks(world: &World, key: &str, number: &str, day: &str) -> Answer {
    asks(world, key, &json!({ "phoneNumber": number, "specifiedDate": day })).await
}

#[track_caller]
fn is_error(answer: &Answer, status: u16, code: &str) {
    let error = answer.body.as_object().unwrap();
    assert_eq!((answer.status, &error["code"]), (status, &json!(code)), "{}", answer.body);
    assert_eq!((error.len(), &error["status"]), (3, &json!(status)), "{}", answer.body);
    assert!(error["message"].as_str().unwrap().len() > 20);
}

/// With no limit on the days that are asked about.
fn unlimited() -> Setup {
    let settings = Settings { recycling_dates_per_number_per_day: 0, ..Setup::default().settings };
    Setup { settings, ..Setup::default() }
}

#[tokio::test]
async fn a_ledger_answers_from_its_first_day_on() {
    let world = World::with(unlimited()).await;
    let key = world.provider("tencent").await.key;
    let told = [
        (NUMBER, "activated", "2019-05-01"),
        (NUMBER, "disconnected", "2024-12-01"),
        (NUMBER, "activated", "2025-03-15"),
        ("+8613800138001", "disconnected", "2024-12-01"),
    ];
    world.pushes("cmcc", &told).await;
    for (day, is_recycled) in [
        ("2019-05-01", true),
        ("2023-12-22", true),
        ("2025-01-01", true),
        ("2025-03-15", false),
        ("2026-11-23", false),
    ] {
        let answer = checks(&world, &key, NUMBER, day).await.ok(200);
        assert_eq!(answer.body, json!({ "phoneNumberRecycled": is_recycled }), "{day}");
    }
    for day in ["2019-04-30", "1900-01-01", "2026-11-24", "9999-12-31"] {
        is_error(&checks(&world, &key, NUMBER, day).await, 400, "OUT_OF_RANGE");
    }
    let rests = checks(&world, &key, "+8613800138001", "2025-01-01").await;
    is_error(&rests, 422, "SERVICE_NOT_APPLICABLE");
    for stranger in ["+8613800138002", "+123456789", "+12345"] {
        is_error(&checks(&world, &key, stranger, "2025-01-01").await, 404, "IDENTIFIER_NOT_FOUND");
    }
}

#[tokio::test]
async fn what_operators_answered_is_known_as_well() {
    let world = World::with(unlimited()).await;
    let key = world.provider("tencent").await.key;
    world.cmcc_knows_new_holder(NUMBER);
    is_error(&checks(&world, &key, NUMBER, "2025-01-01").await, 404, "IDENTIFIER_NOT_FOUND");
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("corrected").await;
    // D is 29 April, so that E is 29 January.
    assert_eq!(checks(&world, &key, NUMBER, "2025-01-29").await.ok(200)["phoneNumberRecycled"], true);
    is_error(&checks(&world, &key, NUMBER, "2025-01-30").await, 422, "SERVICE_NOT_APPLICABLE");
    is_error(&checks(&world, &key, NUMBER, "2024-10-30").await, 400, "OUT_OF_RANGE");
}

#[tokio::test]
async fn whoever_asks_wrongly_is_told_so_in_camaras_words() {
    let world = World::with(unlimited()).await;
    let key = world.provider("tencent").await.key;
    let day = "2025-01-01";
    is_error(&asks(&world, &key, &json!({ "specifiedDate": day })).await, 422, "MISSING_IDENTIFIER");
    for body in [
        json!({ "phoneNumber": NUMBER }),
        json!({ "phoneNumber": NUMBER, "specifiedDate": "2025-13-01" }),
        json!({ "phoneNumber": NUMBER, "specifiedDate": "20250101" }),
        json!({ "phoneNumber": NUMBER, "specifiedDate": "2025-01-01T00:00:00Z" }),
        json!({ "phoneNumber": NUMBER, "specifiedDate": 20250101 }),
        json!({ "phoneNumber": "13800138000", "specifiedDate": day }),
        json!({ "phoneNumber": "+0013800138000", "specifiedDate": day }),
        json!({ "phoneNumber": "+1234", "specifiedDate": day }),
        json!({ "phoneNumber": "+1234567890123456", "specifiedDate": day }),
        json!({ "phoneNumber": NUMBER, "specifiedDate": day, "maxAge": 3 }),
        json!([NUMBER, day, 1]),
    ] {
        is_error(&asks(&world, &key, &body).await, 400, "INVALID_ARGUMENT");
    }
    let body = json!({ "phoneNumber": NUMBER, "specifiedDate": day });
    let stranger = asks(&world, "zmp_nobodys", &body).await;
    is_error(&stranger, 401, "UNAUTHENTICATED");
    assert_eq!(stranger.headers["www-authenticate"], "Bearer");
    let grant = Grant::Operator("cmcc".parse().unwrap());
    let owner = zhengming::casework::actors::Owner::at_the_command_line();
    let (_, operator) = world.casework.issue_key(owner, grant, "an operator").await.unwrap();
    is_error(&asks(&world, &operator, &body).await, 403, "PERMISSION_DENIED");
    let holder = world.holder(NUMBER).await;
    is_error(&asks(&world, &holder.token, &body).await, 401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_edge_speaks_camara_too() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.provider("tencent").await.key);
    let body = json!({ "phoneNumber": NUMBER, "specifiedDate": "2025-01-01" }).to_string().into_bytes();
    let send = async |method: Method, fields: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(fields);
        world.client.send(method, PATH, &all, Some(body.to_vec())).await
    };
    let json = ("content-type", "application/json");
    let correlated = send(Method::POST, &[json, ("x-correlator", CORRELATOR)], &body).await;
    is_error(&correlated, 404, "IDENTIFIER_NOT_FOUND");
    assert_eq!(correlated.headers["x-correlator"], CORRELATOR);
    for malformed in ["a b", "ä", "a\"", &"x".repeat(257)] {
        let answer = send(Method::POST, &[json, ("x-correlator", malformed)], &body).await;
        is_error(&answer, 400, "INVALID_ARGUMENT");
        assert_ne!(answer.headers["x-correlator"].as_bytes(), malformed.as_bytes());
    }
    let twice = [json, ("x-correlator", "a"), ("x-correlator", "b")];
    is_error(&send(Method::POST, &twice, &body).await, 400, "INVALID_ARGUMENT");
    is_error(&send(Method::POST, &[json, ("x-correlator", "")], &body).await, 404, "IDENTIFIER_NOT_FOUND");
    let text = send(Method::POST, &[("content-type", "text/plain")], &body).await;
    is_error(&text, 415, "UNSUPPORTED_MEDIA_TYPE");
    is_error(&send(Method::POST, &[json], &[b' '; 5_000]).await, 413, "PAYLOAD_TOO_LARGE");
    let put = send(Method::PUT, &[json], &body).await;
    is_error(&put, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(put.headers["allow"], "POST, OPTIONS");
    assert!(put.headers.contains_key("x-correlator"));
}

#[tokio::test]
async fn a_few_days_of_a_number_and_no_more() {
    let world = World::new().await;
    let (tencent, baidu) = (world.provider("tencent").await.key, world.provider("baidu").await.key);
    world.pushes("cmcc", &[(NUMBER, "activated", "2019-05-01")]).await;
    let asked = async |day: &str| checks(&world, &tencent, NUMBER, day).await;
    for day in ["2020-01-01", "2020-01-02", "2020-01-01", "2010-01-01", "2020-01-02"] {
        assert_ne!(asked(day).await.status, 429, "{day}");
    }
    world.advance(seconds(3_600));
    let refused = asked("2020-01-03").await;
    is_error(&refused, 429, "QUOTA_EXCEEDED");
    assert_eq!(refused.headers["retry-after"], (23 * 3_600).to_string().as_str());
    is_error(&asked("2030-01-01").await, 400, "OUT_OF_RANGE");
    asked("2020-01-01").await.ok(200);
    checks(&world, &baidu, NUMBER, "2020-01-03").await.ok(200);
    is_error(&checks(&world, &tencent, "+8613800138001", "2020-01-03").await, 404, "IDENTIFIER_NOT_FOUND");
    world.advance(seconds(23 * 3_600));
    asked("2020-01-03").await.ok(200);
    asked("2020-01-04").await.ok(200);
}

#[tokio::test]
async fn a_rate_is_told_in_camaras_words() {
    let limits = LimitsConfig { requests_per_provider_per_second: 1, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..unlimited() }).await;
    let key = world.provider("tencent").await.key;
    for _ in 0..5 {
        is_error(&checks(&world, &key, NUMBER, "2020-01-01").await, 404, "IDENTIFIER_NOT_FOUND");
    }
    let refused = checks(&world, &key, NUMBER, "2020-01-01").await;
    is_error(&refused, 429, "TOO_MANY_REQUESTS");
    assert_eq!(refused.headers["retry-after"], "1");
}

#[tokio::test]
async fn each_check_is_in_the_audit() {
    let world = World::new().await;
    let key = world.provider("tencent").await.key;
    let before = whole_chain(world.store.as_ref()).await.len();
    checks(&world, &key, NUMBER, "2020-01-01").await;
    checks(&world, &key, NUMBER, "2020-01-01").await;
    let lines = whole_chain(world.store.as_ref()).await;
    let of = |line: &zhengming::store::AuditLine| {
        let draft = &line.draft;
        (draft.actor.clone(), draft.action.clone(), draft.subject.clone())
    };
    let one = (
        "provider:tencent".to_owned(),
        "number_recycling_checked".to_owned(),
        "number:+86138****8000".to_owned(),
    );
    let told: Vec<_> = lines[before..].iter().map(of).collect();
    assert_eq!(told, [one.clone(), one]);
}
