//! Nobody learns anything about a number before control of it is proved.

use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::store::Role;

use super::{
    CONTACT, LANDLINE, came_to_company, dispute_of, files_one, is_anothers, is_companys, is_shown, landline,
    list, looks_at,
};
use crate::support::{Answer, Setup, World, seconds};

const MOBILE: &str = "+8613800138009";

#[tokio::test]
async fn a_number_of_which_all_is_known_looks_like_one_of_which_nothing_is() {
    let mut seen = Vec::new();
    for is_known in [false, true] {
        let world = World::new().await;
        if is_known {
            is_shown(&world, "dianhuabang", LANDLINE, "老王烧烤").await;
            let lines = [(LANDLINE, "disconnected", "2024-06-01"), (LANDLINE, "activated", "2025-03-15")];
            assert_eq!(world.pushes("cmcc", &lines).await.corrections, 1);
        }
        let dispute = files_one(&world, LANDLINE, "reassigned", json!({})).await;
        let in_review = dispute.is("in_review").await;
        // A new holder, of whom whoever filed is not to learn.
        world.advance_days(100);
        if is_known {
            world.pushes("cmcc", &[(LANDLINE, "disconnected", "2026-11-24")]).await;
        }
        seen.push((in_review.body.clone(), dispute.is("in_review").await.body));
    }
    let [unknown, known] = seen.try_into().unwrap();
    let blind = |view: Value| view.to_string().replace(view["id"].as_str().unwrap(), "…");
    assert_eq!(blind(unknown.0), blind(known.0));
    assert_eq!(blind(unknown.1), blind(known.1));
}

#[tokio::test]
async fn once_control_is_proved_all_is_shown() {
    let world = World::new().await;
    is_shown(&world, "dianhuabang", LANDLINE, "老王烧烤").await;
    came_to_company(&world, LANDLINE);
    let dispute = files_one(&world, LANDLINE, "reassigned", json!({ "opened": "2025-03" })).await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["providers"][0]["provider"], "dianhuabang");
    assert_eq!(view["correction"]["void_before"], "2025-01-30");
}

#[tokio::test]
async fn two_parties_never_meet_over_a_number() {
    let settings = Settings { codes_per_number_per_day: 0, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let holder = world.holder(MOBILE).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03" });
    let own = holder.sends(&body).await.ok(201);
    // The enterprise is not told that there is one, nor the holder of theirs.
    let dispute = files_one(&world, MOBILE, "reassigned", json!({ "opened": "2025-03" })).await;
    dispute.is("in_review").await;
    let mine = world.client.get("/v1/disputes", &holder.token).await.ok(200);
    assert_eq!(mine["disputes"].as_array().unwrap().len(), 1);
    assert_eq!(mine["disputes"][0]["id"], own["id"]);
    assert_eq!(world.messages_to(MOBILE).len(), 1, "the code");
    holder.sends(&body).await.refused(409, "dispute_open");
    // Quotas are each party's own.
    for _ in 0..3 {
        world.advance(seconds(60));
        let holder = world.holder(MOBILE).await;
        let mine = world.client.get("/v1/disputes", &holder.token).await.ok(200);
        for one in mine["disputes"].as_array().unwrap() {
            let one = Answer { body: one.clone(), ..mine.clone() };
            world.dispute(&one).withdraws().await;
        }
        holder.sends(&body).await.ok(201);
    }
    let clerk = world.holder(CONTACT).await;
    dispute.withdraws().await.ok(200);
    let again = clerk.lists(&world, &list("reassigned", &[MOBILE], json!({}))).await.ok(201);
    assert_eq!(again["accepted"], 1);
}

#[tokio::test]
async fn a_new_tenure_closes_what_an_enterprise_left_open() {
    let world = World::new().await;
    let numbers = [landline(0), landline(1)];
    is_companys(&world, &numbers[0]);
    is_shown(&world, "dianhuabang", &numbers[0], "冒充客服").await;
    let clerk = world.holder(CONTACT).await;
    let labels = json!({ "labels": [{ "provider": "dianhuabang", "name": "冒充客服" }] });
    let body = list("name_mismatch", &[&numbers[0], &numbers[1]], labels);
    let filed = clerk.lists(&world, &body).await.ok(201);
    world.work().await;
    let (proved, unproved) = (dispute_of(&world, &filed, 0), dispute_of(&world, &filed, 1));
    proved.is("in_review").await;
    unproved.is("in_review").await;
    world.advance_days(2);
    let lines =
        [(numbers[0].as_str(), "transferred", "2026-11-24"), (&numbers[1], "transferred", "2026-11-24")];
    world.pushes("cmcc", &lines).await;
    // The former holder's token is dead; whoever proved nothing learns nothing.
    proved.look().await.refused(401, "unauthenticated");
    unproved.refused_with("control_unproved").await;
    let view = looks_at(&world, &filed).await.ok(200);
    assert_eq!(view["by_status"], json!({ "withdrawn": 1, "refused": 1 }));
    let alice = world.moderator("alice", Role::Moderator).await;
    alice.takes_next().await.ok(204);
    world.work().await;
    assert_eq!(world.messages_to(CONTACT).len(), 2);

    // A fresh proof of the contact does not open the next holder's file.
    let clerk = world.holder(CONTACT).await;
    let path = format!("/v1/filings/{}", filed.text("id"));
    let fresh = world.client.get(&path, &clerk.token).await.ok(200);
    dispute_of(&world, &fresh, 0).look().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_refusal_for_a_mismatch_tells_no_more() {
    let world = World::new().await;
    is_shown(&world, "dianhuabang", LANDLINE, "老王烧烤").await;
    is_anothers(&world, LANDLINE);
    let dispute = files_one(&world, LANDLINE, "reassigned", json!({ "opened": "2025-03" })).await;
    let view = dispute.refused_with("identity_mismatch").await;
    assert_eq!((&view["providers"], &view["correction"]), (&json!([]), &Value::Null));
    assert!(!view.body.to_string().contains("福州"), "{}", view.body);
}

#[tokio::test]
async fn who_asks_for_a_code_to_a_landline_is_shown_the_way() {
    let world = World::new().await;
    let refused = world.asks_for_code(LANDLINE).await.refused(422, "sms_unreachable");
    assert!(refused.text("detail").contains("/v1/filings"));
}
