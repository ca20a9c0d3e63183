//! Control of a number: codes, their quotas and their ends.

use serde_json::json;
use zhengming::casework::Settings;
use zhengming::http::limits::LimitsConfig;

use crate::support::{Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

#[tokio::test]
async fn a_code_that_was_sent_opens_the_number() {
    let world = World::new().await;
    let started = world.asks_for_code(NUMBER).await.ok(201);
    assert_eq!(
        (&started["method"], &started["expires_at"]),
        (&json!("sms_code"), &json!("2026-11-23T03:10:00Z"))
    );
    assert_eq!(started.headers["location"], format!("/v1/verifications/{}", started.text("id")));
    world.work().await;
    let id = started.text("id");
    let path = format!("/v1/verifications/{id}");
    let pending = world.client.get(&path, "").await.ok(200).body;
    assert_eq!(pending, json!({ "status": "pending", "delivery": "accepted" }));
    let confirmed = world.confirms(&id, &world.last_code(NUMBER)).await.ok(200);
    assert!(confirmed.text("token").starts_with("zmh_"));
    assert_eq!(confirmed["number"], NUMBER);
    let status = world.client.get(&path, "").await.ok(200).body;
    assert_eq!(
        status,
        json!({ "status": "confirmed", "delivery": "accepted" }),
        "its token was told already"
    );

    // Once is enough.
    let before = world.changes();
    world.confirms(&id, &world.last_code(NUMBER)).await.refused(410, "verification_spent");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn five_wrong_codes_spend_a_verification() {
    let world = World::new().await;
    let id = world.asks_for_code(NUMBER).await.ok(201).text("id");
    world.work().await;
    let right = world.last_code(NUMBER);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for attempts_left in [4, 3, 2, 1, 0] {
        let answer = world.confirms(&id, wrong).await.refused(422, "code_wrong");
        assert_eq!(answer["attempts_left"], attempts_left);
    }
    let before = world.changes();
    world.confirms(&id, &right).await.refused(410, "verification_spent");
    assert_eq!(world.changes(), before);
    let status = world.client.get(&format!("/v1/verifications/{id}"), "").await.ok(200);
    assert_eq!(status["status"], "spent");
}

#[tokio::test]
async fn a_code_expires() {
    let world = World::new().await;
    let id = world.asks_for_code(NUMBER).await.ok(201).text("id");
    world.work().await;
    world.advance(seconds(600));
    let before = world.changes();
    world.confirms(&id, &world.last_code(NUMBER)).await.refused(410, "verification_spent");
    assert_eq!(world.changes(), before);
    assert_eq!(world.client.get(&format!("/v1/verifications/{id}"), "").await["status"], "spent");
}

#[tokio::test]
async fn over_the_quota_the_answer_is_the_same_and_nothing_is_sent() {
    let world = World::new().await;
    for _ in 0..5 {
        world.asks_for_code(NUMBER).await.ok(201);
    }
    world.work().await;
    assert_eq!(world.messages_to(NUMBER).len(), 5);
    let sixth = world.asks_for_code(NUMBER).await.ok(201);
    world.work().await;
    assert_eq!(world.messages_to(NUMBER).len(), 5);
    assert_eq!(sixth.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["expires_at", "id", "method"]);
    // Not even the code that would have been sent opens it.
    let id = sixth.text("id");
    let owner = zhengming::casework::actors::Owner::at_the_command_line();
    let code = world.casework.code_for(owner, id.parse().unwrap());
    world.confirms(&id, &code).await.refused(422, "code_wrong");

    // Another number has its own quota, and tomorrow is another day.
    world.asks_for_code("+8613800138001").await.ok(201);
    world.advance_days(1);
    world.asks_for_code(NUMBER).await.ok(201);
    world.work().await;
    assert_eq!(world.messages_to("+8613800138001").len(), 0, "a code is not sent after it has expired");
    assert_eq!(world.messages_to(NUMBER).len(), 6);
}

#[tokio::test]
async fn numbers_that_cannot_be_reached_are_refused_with_their_reason() {
    let world = World::new().await;
    for (number, status, code) in [
        ("", 400, "number_malformed"),
        ("13800138000", 400, "number_malformed"),
        ("+86138001380001", 400, "number_malformed"),
        ("+86 138 0013 8000", 400, "number_malformed"),
        ("+8610086", 400, "number_malformed"),
        ("+14155550100", 422, "number_unsupported"),
        ("+861062345678", 422, "sms_unreachable"),
        ("+864001234567", 422, "sms_unreachable"),
        ("+8695588", 422, "sms_unreachable"),
    ] {
        world.asks_for_code(number).await.refused(status, code);
    }
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn malformed_requests_change_nothing() {
    let world = World::new().await;
    for (body, code) in [
        (json!({}), "body_malformed"),
        (json!([]), "body_malformed"),
        (json!({ "number": 13800138000u64, "method": "sms_code" }), "field_malformed"),
        (json!({ "number": NUMBER, "method": "fax" }), "field_malformed"),
        (json!({ "number": NUMBER, "method": "sms_code", "admin": true }), "field_unknown"),
        (json!({ "number": NUMBER, "method": "sms_code", "altcha": 1 }), "field_malformed"),
        (json!({ "number": null, "method": "sms_code" }), "field_malformed"),
    ] {
        world.client.post("/v1/verifications", "", &body).await.refused(400, code);
    }
    assert_eq!(world.changes(), 0);
    for path in ["/v1/verifications/7", "/v1/verifications/no-uuid", "/v1/verifications/7/confirm"] {
        world.client.get(path, "").await.refused(404, "not_found");
    }
    let nobodys = "/v1/verifications/0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f";
    world.client.get(nobodys, "").await.refused(404, "not_found");
    world.client.get("/v1/verifications", "").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn a_token_is_good_for_an_hour() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    holder.sees().await.ok(200);
    world.advance(seconds(3_600));
    holder.sees().await.refused(401, "unauthenticated");
    for token in ["", "zmh_", "zmh_AAAA", "zmd_AAAA", "x"] {
        let answer = world.client.get("/v1/labels", token).await.refused(401, "unauthenticated");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn messages_speak_the_language_that_was_asked_for() {
    let world = World::new().await;
    let body = json!({ "number": NUMBER, "method": "sms_code" });
    let fields = [("accept-language", "en-GB,en;q=0.9")];
    world.client.post_with("/v1/verifications", "", &fields, &body).await.ok(201);
    world.work().await;
    assert!(world.messages_to(NUMBER)[0].starts_with("[Zhengming] Your code is "));
}

#[tokio::test]
async fn an_address_beyond_its_rate_waits() {
    let limits = LimitsConfig { verifications_per_address_per_hour: 2, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    let first = world.asks_for_code(NUMBER).await.ok(201);
    assert_eq!(first.headers["ratelimit"], "\"verifications\";r=1;t=1800");
    world.asks_for_code(NUMBER).await.ok(201);
    let before = world.changes();
    let refused = world.asks_for_code(NUMBER).await.refused(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "1800");
    assert_eq!(world.changes(), before);
    world.advance(seconds(1_800));
    world.asks_for_code(NUMBER).await.ok(201);
}

#[tokio::test]
async fn whoever_holds_a_token_waits_beyond_the_numbers_rate() {
    let limits = LimitsConfig { requests_per_number_per_second: 1, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    let (holder, other) = (world.holder(NUMBER).await, world.holder("+8613900139000").await);
    for _ in 0..5 {
        holder.sees().await.ok(200);
    }
    let refused = holder.sees().await.refused(429, "too_many_requests");
    assert_eq!(refused.headers["ratelimit"], "\"number\";r=0;t=1");
    other.sees().await.ok(200);
    world.advance(seconds(1));
    holder.sees().await.ok(200);
}

#[tokio::test]
async fn the_service_sends_so_many_messages_a_minute() {
    let settings = Settings { sms_per_minute: 1, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let numbers = [NUMBER, "+8613900139000"];
    for number in numbers {
        world.asks_for_code(number).await.ok(201);
    }
    let sent = |world: &World| numbers.iter().map(|number| world.messages_to(number).len()).sum::<usize>();
    world.work().await;
    assert_eq!(sent(&world), 1);
    world.advance(seconds(60));
    world.work().await;
    assert_eq!(sent(&world), 2, "late is not lost");
}

#[tokio::test]
async fn what_has_run_out_is_told_for_a_day_and_then_forgotten() {
    let world = World::new().await;
    let path = format!("/v1/verifications/{}", world.asks_for_code(NUMBER).await.ok(201).text("id"));
    world.advance(seconds(601));
    assert!(!world.casework.purge().await.unwrap());
    assert_eq!(world.client.get(&path, "").await.ok(200)["status"], "spent");
    world.advance_days(1);
    world.casework.purge().await.unwrap();
    world.client.get(&path, "").await.refused(404, "not_found");
}
