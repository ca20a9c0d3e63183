//! A dispute in its claimant's hands: its token, its end, its appeal, and the
//! next tenure.

use jiff::SignedDuration;
use serde_json::{Value, json};
use zhengming::feed::receipt::Receipt;
use zhengming::store::Role;

use crate::support::{World, day, seconds};

const NUMBER: &str = "+8613800138000";
const ANOTHER: &str = "+8613800138001";

#[tokio::test]
async fn a_token_opens_its_own_dispute_only() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let mine = holder.files_reassigned("2025-03").await;
    let theirs = world.holder(ANOTHER).await.files_reassigned("2025-03").await;
    let before = world.changes();
    let path = format!("/v1/disputes/{}", theirs.id);
    world.client.get(&path, &mine.token).await.refused(403, "forbidden");
    for action in ["withdraw", "appeal"] {
        let path = format!("{path}/{action}");
        world.client.post(&path, &mine.token, &json!({ "text": "x" })).await.refused(403, "forbidden");
    }
    world.client.get(&path, &holder.token).await.refused(401, "unauthenticated");
    world.client.get(&path, "").await.refused(401, "unauthenticated");
    world.client.get("/v1/disputes", &mine.token).await.refused(401, "unauthenticated");
    world.client.get("/v1/disputes/no-uuid", &mine.token).await.refused(404, "not_found");
    assert_eq!(world.changes(), before);
    theirs.is("in_review").await;
}

#[tokio::test]
async fn a_holder_finds_their_disputes_again() {
    let world = World::new().await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    world.advance(seconds(7_200));
    let holder = world.holder(NUMBER).await;
    let mine = world.client.get("/v1/disputes", &holder.token).await.ok(200);
    assert_eq!(mine["next"], Value::Null);
    let listed = &mine["disputes"][0];
    assert_eq!((listed["id"].as_str(), &listed["status"]), (Some(&*dispute.id), &json!("in_review")));
    let token = listed["token"].as_str().unwrap();
    world.client.get(&format!("/v1/disputes/{}", dispute.id), token).await.ok(200);
}

#[tokio::test]
async fn a_withdrawn_dispute_stays_withdrawn() {
    let world = World::new().await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let path = format!("/v1/disputes/{}/withdraw", dispute.id);
    let before = world.changes();
    let body = json!({ "why": "x" });
    world.client.post(&path, &dispute.token, &body).await.refused(400, "field_unknown");
    assert_eq!(world.changes(), before);
    assert_eq!(dispute.withdraws().await.ok(200)["status"], "withdrawn");
    let before = world.changes();
    let refused = dispute.withdraws().await.refused(409, "wrong_state");
    assert_eq!(refused["state"], "withdrawn");
    dispute.appeals("因为").await.refused(409, "wrong_state");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn an_appeal_needs_fresh_control_and_another_moderator() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "refuse").await.ok(200)["status"], "refused");
    let view = dispute.is("refused").await;
    assert_eq!(view["refusal"]["code"], "looked_at_it");
    assert!(view["refusal"]["text"].as_str().unwrap().ends_with("给您的说明"));
    assert!(!view.body.to_string().contains("for colleagues only"));

    let before = world.changes();
    dispute.appeals("我有合同").await.refused(403, "fresh_control_needed");
    assert_eq!(world.changes(), before);

    world.advance(seconds(60));
    let dispute = dispute.with_fresh_token().await;
    let before = world.changes();
    for text in ["", "  \n", "a\tb", &"字".repeat(501)] {
        dispute.appeals(text).await.refused(400, "field_malformed");
    }
    assert_eq!(world.changes(), before);
    assert_eq!(dispute.appeals("我有合同").await.ok(200)["status"], "in_review");

    alice.takes_next().await.ok(204);
    let case = bob.takes_next().await.ok(200);
    assert_eq!(case["flags"], json!(["operator_unknown", "appeal"]));
    assert_eq!(case["events"].as_array().unwrap().last().unwrap()["what"]["text"], "我有合同");
    let before = world.changes();
    alice.decides(&case, "approve").await.refused(403, "same_person");
    assert_eq!(world.changes(), before);
    assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
    let view = dispute.is("corrected").await;
    assert_eq!(view["correction"]["assurance"], "document");
    assert_eq!(view.body.get("refusal"), None);
}

#[tokio::test]
async fn a_new_tenure_closes_what_the_former_holder_left_open() {
    let world = World::new().await;
    let former = world.holder(NUMBER).await;
    let dispute = former.files_reassigned("2025-03").await;
    dispute.is("in_review").await;
    for _ in 0..3 {
        former
            .sends(&json!({ "reason": "name_mismatch", "labels": [{ "provider": "baidu", "name": "x" }] }))
            .await;
    }
    world.advance_days(120);
    let tally = world
        .pushes("cmcc", &[(NUMBER, "disconnected", "2026-12-01"), (NUMBER, "activated", "2027-03-15")])
        .await;
    assert_eq!((tally.accepted, tally.rejected), (2, 0));
    dispute.look().await.refused(401, "unauthenticated");
    dispute.withdraws().await.refused(401, "unauthenticated");
    let path = format!("/v1/disputes/{}/appeal", dispute.id);
    world.client.post(&path, &dispute.token, &json!({ "text": "x" })).await.refused(401, "unauthenticated");

    // The next holder finds an empty desk, and may file at once.
    let next = world.holder(NUMBER).await;
    let mine = world.client.get("/v1/disputes", &next.token).await.ok(200);
    assert_eq!(mine["disputes"], json!([]));
    let senior = world.moderator("carol", Role::Senior).await;
    let left = senior.looks_at(&dispute.id).await.ok(200);
    assert_eq!(left["status"], "withdrawn");
    let last = left["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"]["by_new_tenure"], &last["actor"]["is"]), (&json!(true), &json!("rule")));
    let dispute = next.files(json!({ "reason": "reassigned", "opened": null, "labels": [] })).await;
    assert_eq!(dispute.is("corrected").await["correction"]["void_before"], "2027-03-15");
}

#[tokio::test]
async fn a_holders_token_dies_with_the_tenure() {
    let world = World::new().await;
    let former = world.holder(NUMBER).await;
    former.sees().await.ok(200);
    // The night falls, and in the morning the number is another's.
    world.clock.set("2026-11-23T15:59:00Z".parse().unwrap());
    let former = world.holder(NUMBER).await;
    world.advance(seconds(600));
    world.pushes("cmcc", &[(NUMBER, "transferred", "2026-11-24")]).await;
    let before = world.changes();
    former.sees().await.refused(401, "unauthenticated");
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
    former.sends_with_key("k", &body).await.refused(401, "unauthenticated");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn on_the_day_of_the_change_the_hour_of_the_news_counts() {
    let world = World::new().await;
    let former = world.holder(NUMBER).await;
    for _ in 0..3 {
        former.files_reassigned("2025-03").await.withdraws().await.ok(200);
    }
    let dispute = former.files_reassigned("2025-03").await;
    world.advance(SignedDuration::from_millis(2));
    world
        .pushes("cmcc", &[(NUMBER, "disconnected", "2026-08-01"), (NUMBER, "activated", "2026-11-23")])
        .await;
    former.sees().await.refused(401, "unauthenticated");
    dispute.look().await.refused(401, "unauthenticated");
    world.advance(SignedDuration::from_millis(2));
    let next = world.holder(NUMBER).await;
    assert_eq!(next.sees().await.ok(200)["tenure_began_on"], "2026-11-23");
    assert_eq!(world.client.get("/v1/disputes", &next.token).await.ok(200)["disputes"], json!([]));
    next.files(json!({ "reason": "reassigned", "opened": null })).await.is("corrected").await;
    let senior = world.moderator("carol", Role::Senior).await;
    assert_eq!(senior.looks_at(&dispute.id).await.ok(200)["status"], "withdrawn");
}

#[tokio::test]
async fn a_proof_right_after_the_decision_is_fresh() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[("present", "2019-05-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.refused_with("no_change_of_holder").await;
    world.advance(SignedDuration::from_millis(2));
    dispute.with_fresh_token().await.appeals("我有合同").await.ok(200);
}

#[tokio::test]
async fn quotas_start_anew_with_a_tenure() {
    let world = World::new().await;
    let former = world.holder(NUMBER).await;
    for _ in 0..4 {
        former.files_reassigned("2025-03").await.withdraws().await.ok(200);
    }
    world.advance_days(2);
    world.pushes("cmcc", &[(NUMBER, "transferred", "2026-11-24")]).await;
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("in_review").await;
}

#[tokio::test]
async fn an_overdue_case_says_so() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    assert_eq!(dispute.look().await["overdue"], false);
    assert_eq!(alice.get("queue").await.ok(200)["overdue"], 0);
    world.clock.set("2026-11-30T15:59:59Z".parse().unwrap());
    assert_eq!(dispute.look().await["overdue"], false, "the last day is not over in Shanghai");
    world.advance(seconds(1));
    assert_eq!(dispute.look().await["overdue"], true);
    let bob = world.moderator("bob", Role::Moderator).await;
    assert_eq!(bob.get("queue").await.ok(200)["overdue"], 1);
}

#[tokio::test]
async fn a_receipt_proves_what_was_published() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let receipt = async |token: &str| {
        let request = format!(
            "GET /v1/disputes/{}/receipt HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n",
            dispute.id
        );
        world.client.bytes(request.as_bytes()).await
    };
    world.work().await;
    let answer = receipt(&dispute.token).await;
    assert!(answer.starts_with("HTTP/1.1 409 ") && answer.contains("not_published"), "{answer}");

    world.service.feed.publish().await.unwrap();
    let answer = receipt(&dispute.token).await;
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain"), "{head}");
    let (entry, checkpoint) = text.parse::<Receipt>().unwrap().verify(world.service.feed.verifier()).unwrap();
    assert_eq!((entry.number.to_string(), entry.void_before), (NUMBER.to_owned(), Some(day("2025-01-30"))));
    assert_eq!(checkpoint.size, 1);
    assert!(receipt("zmd_somebody").await.starts_with("HTTP/1.1 401 "));
}
