//! What a clerk sends, and what becomes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zhengming::store::Role;

use super::{
    COMPANY, CONTACT, LANDLINE, USCC, came_to_company, dispute_of, files_one, is_anothers, is_companys,
    is_shown, landline, list, looks_at,
};
use crate::support::{Answer, World, seconds};

#[tokio::test]
async fn a_landline_is_corrected_by_the_operators_match_and_the_window() {
    let world = World::new().await;
    came_to_company(&world, LANDLINE);
    let dispute = files_one(&world, LANDLINE, "reassigned", json!({ "opened": "2025-03" })).await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["correction"]["void_before"], "2025-01-30");
    let events: Vec<_> = view["timeline"].as_array().unwrap().iter().map(|one| &one["event"]).collect();
    assert_eq!(events[..3], [&json!("filed"), &json!("operator_answered"), &json!("control_proved")]);
    assert_eq!(world.messages_to(CONTACT).len(), 2, "a code, and that all is decided");
    assert!(world.messages_to(LANDLINE).is_empty());
}

#[tokio::test]
async fn a_verified_name_is_shown_without_naming_any_other() {
    let world = World::new().await;
    is_companys(&world, LANDLINE);
    let dispute = files_one(&world, LANDLINE, "name_mismatch", json!({ "show_name": true })).await;
    let correction = dispute.is("corrected").await["correction"].clone();
    assert_eq!((&correction["name_action"], &correction["name"]), (&json!("set"), &json!(COMPANY)));
    assert_eq!(world.cmcc.asked_count(), 1);
}

#[tokio::test]
async fn a_displayed_name_falls() {
    let world = World::new().await;
    is_companys(&world, LANDLINE);
    is_shown(&world, "dianhuabang", LANDLINE, "老王烧烤").await;
    let labels = json!([{ "provider": "dianhuabang", "name": "老王烧烤" }]);
    let dispute = files_one(&world, LANDLINE, "name_mismatch", json!({ "labels": labels })).await;
    assert_eq!(dispute.is("corrected").await["correction"]["name_action"], "clear");
}

#[tokio::test]
async fn another_enterprises_number_is_refused_and_nothing_else_is_asked() {
    let world = World::new().await;
    is_anothers(&world, LANDLINE);
    let dispute = files_one(&world, LANDLINE, "reassigned", json!({ "opened": "2025-03" })).await;
    dispute.refused_with("identity_mismatch").await;
    assert_eq!(world.cmcc.asked_count(), 1);
}

#[tokio::test]
async fn what_no_operator_knows_needs_two_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let dispute = files_one(&world, LANDLINE, "reassigned", json!({ "opened": "2025-03" })).await;
    let case = dispute.in_review_for("control_unproved", &alice).await;
    assert_eq!((&case["control"]["by"], &case["control"]["uscc"]), (&json!("enterprise"), &json!(USCC)));
    assert_eq!(case["control_proved"], false);
    assert!(case["why"][0]["text"].as_str().unwrap().contains("两人"));
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    let case = bob.takes_next().await.ok(200);
    assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
    assert_eq!(dispute.is("corrected").await["correction"]["assurance"], "document");
}

#[tokio::test]
async fn five_hundred_numbers_at_once_give_one_message() {
    let world = World::new().await;
    let numbers: Vec<String> = (0..500).map(landline).collect();
    for (nth, number) in numbers.iter().enumerate() {
        match nth % 50 {
            49 => is_anothers(&world, number),
            _ => is_companys(&world, number),
        }
    }
    let clerk = world.holder(CONTACT).await;
    let all: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let body = list("name_mismatch", &all, json!({ "show_name": true }));
    let filed = clerk.lists_with_key(&world, "once", &body).await.ok(201);
    assert_eq!(filed.headers["location"], format!("/v1/filings/{}", filed.text("id")));
    assert_eq!((&filed["accepted"], &filed["rejected"]), (&json!(500), &json!([])));
    assert_eq!(looks_at(&world, &filed).await.ok(200)["by_status"], json!({ "pending": 500 }));
    let again = clerk.lists_with_key(&world, "once", &body).await.ok(201);
    assert_eq!(again.body, filed.body, "sent again, it is the same");
    clerk
        .lists_with_key(&world, "once", &list("reassigned", &all, json!({})))
        .await
        .refused(422, "idempotency_key_reused");

    world.work().await;
    let view = looks_at(&world, &filed).await.ok(200);
    assert_eq!(view["by_status"], json!({ "corrected": 490, "refused": 10 }));
    let told: Vec<_> = view["disputes"].as_array().unwrap().iter().map(|one| &one["number"]).collect();
    assert_eq!(told, all);
    let ids: BTreeSet<_> = ids(&view);
    assert_eq!((ids.len(), &ids), (500, &self::ids(&filed)));
    assert_eq!(world.messages_to(CONTACT).len(), 2, "a code, and one for all of them");
    let last = world.messages_to(CONTACT).pop().unwrap();
    assert!(last.contains("全部处理完毕") && !last.contains("1062340"), "{last}");
    dispute_of(&world, &filed, 49).refused_with("identity_mismatch").await;
    dispute_of(&world, &filed, 499).is("refused").await;

    let again = clerk.lists_with_key(&world, "twice", &body).await.ok(201);
    assert_eq!(again["accepted"], 500, "what is decided may be filed again");
}

fn ids(filed: &Answer) -> BTreeSet<String> {
    let disputes = filed["disputes"].as_array().unwrap();
    disputes.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_file_says_of_each_number_what_differs() {
    let world = World::new().await;
    for nth in 0..4 {
        came_to_company(&world, &landline(nth));
    }
    let clerk = world.holder(CONTACT).await;
    let name = "%E5%8E%A6%E9%97%A8%E6%9F%90%E6%9F%90%E7%A7%91%E6%8A%80%E6%9C%89%E9%99%90%E5%85%AC%E5%8F%B8";
    let query = format!("reason=reassigned&name={name}&uscc={USCC}&opened=2025-03&note=%E5%A4%A7%E6%A5%BC");
    let csv = "\u{feff}number,opened,provider,name\r\n\
        +861062340000,,,\r\n\
        +861062340001,2025-03-15,,\r\n\
        +861062340002,2027-01,,\r\n\
        +861062340003,,baidu,老王烧烤\r\n\
        +861062340003,,tencent,老李烧烤\r\n\
        +861062340000,,,\r\n\
        +14155552671,,,\r\n\
        010-62340000,,,\r\n\
        \r\n\
        +861062340001,2025-13,,\r\n";
    let filed = clerk.lists_csv(&world, &query, csv).await.ok(201);
    assert_eq!(filed["accepted"], 3, "{}", filed.body);
    let rejected = json!([
        { "line": 4, "number": "+861062340002", "code": "in_future" },
        { "line": 7, "number": "+861062340000", "code": "dispute_open" },
        { "line": 8, "number": "+14155552671", "code": "number_unsupported" },
        { "line": 9, "number": null, "code": "number_malformed" },
        { "line": 11, "number": null, "code": "date_malformed" },
    ]);
    assert_eq!(filed["rejected"], rejected);
    world.work().await;
    let view = looks_at(&world, &filed).await.ok(200);
    assert_eq!((&view["by_status"], &view["rejected"]), (&json!({ "corrected": 3 }), &rejected));
    let first = dispute_of(&world, &filed, 0).look().await.ok(200);
    assert_eq!(first["correction"]["void_before"], "2025-01-30");
    let second = dispute_of(&world, &filed, 1).look().await.ok(200);
    assert_eq!(
        (&second["opened"], &second["correction"]["void_before"]),
        (&json!("2025-03-15"), &json!("2025-03-15"))
    );
    let third = dispute_of(&world, &filed, 2).look().await.ok(200);
    let providers: Vec<_> =
        third["providers"].as_array().unwrap().iter().map(|one| &one["provider"]).collect();
    assert_eq!(providers, ["baidu", "tencent"]);
}

#[tokio::test]
async fn what_is_wrong_with_the_whole_list_is_said() {
    let world = World::new().await;
    let clerk = world.holder(CONTACT).await;
    let wrong = |more: Value| list("reassigned", &[LANDLINE], more);
    let uscc = json!({ "enterprise": { "name": COMPANY, "uscc": "91350211M000100Y43" } });
    clerk.lists(&world, &wrong(uscc)).await.refused(422, "uscc_wrong");
    clerk.lists(&world, &list("reassigned", &[], json!({}))).await.refused(400, "field_malformed");
    let many: Vec<String> = (0..501).map(landline).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    clerk.lists(&world, &list("reassigned", &many, json!({}))).await.refused(400, "field_malformed");
    clerk.lists(&world, &wrong(json!({ "show_name": true }))).await.refused(400, "field_unknown");
    clerk.lists(&world, &wrong(json!({ "opened": "soon" }))).await.refused(400, "field_malformed");
    clerk.lists(&world, &wrong(json!({ "colour": "red" }))).await.refused(400, "field_unknown");
    let stray = json!({ "labels": [{ "number": CONTACT, "provider": "baidu" }] });
    clerk.lists(&world, &wrong(stray)).await.refused(400, "field_malformed");
    world
        .client
        .post("/v1/filings", &clerk.token, &wrong(json!({})))
        .await
        .refused(400, "idempotency_key_missing");
    world
        .client
        .post_with("/v1/filings", "zmh_no", &[("idempotency-key", "1")], &wrong(json!({})))
        .await
        .refused(401, "unauthenticated");
    clerk.lists_csv(&world, "reason=reassigned", "number\n").await.refused(400, "query_malformed");
    let nameless = clerk.lists(&world, &list("name_mismatch", &[LANDLINE], json!({}))).await.ok(201);
    assert_eq!(nameless["rejected"], json!([{ "index": 0, "number": LANDLINE, "code": "label_needed" }]));
    assert_eq!(world.cmcc.asked_count(), 0);
}

#[tokio::test]
async fn one_open_dispute_and_four_in_ninety_days() {
    let world = World::new().await;
    let clerk = world.holder(CONTACT).await;
    let body = list("reassigned", &[LANDLINE], json!({ "opened": "2025-03" }));
    let code = |filed: &Answer| filed["rejected"][0]["code"].clone();
    let mut open = Vec::new();
    for nth in 0..4 {
        let filed = clerk.lists(&world, &body).await.ok(201);
        world.advance(seconds(60));
        // Two lists at once: the slower one is told when it is looked at.
        let slower = clerk.lists(&world, &body).await.ok(201);
        assert_eq!((&filed["accepted"], &slower["accepted"]), (&json!(1), &json!(1)), "{nth}");
        world.work().await;
        let view = looks_at(&world, &slower).await.ok(200);
        assert_eq!((&view["accepted"], &view["rejected"][0]["code"]), (&json!(0), &json!("dispute_open")));
        assert_eq!(code(&clerk.lists(&world, &body).await.ok(201)), "dispute_open");
        open.push(dispute_of(&world, &filed, 0));
        open[nth].is("in_review").await;
        open[nth].withdraws().await.ok(200);
    }
    assert_eq!(code(&clerk.lists(&world, &body).await.ok(201)), "filings_exhausted");
    let other = list("name_mismatch", &[LANDLINE], json!({ "show_name": true }));
    assert_eq!(clerk.lists(&world, &other).await.ok(201)["accepted"], 1, "for each reason");
    world.advance_days(91);
    let clerk = world.holder(CONTACT).await;
    assert_eq!(clerk.lists(&world, &body).await.ok(201)["accepted"], 1);
}

#[tokio::test]
async fn the_contact_opens_the_list_again_and_nobody_else_does() {
    let world = World::new().await;
    is_anothers(&world, LANDLINE);
    let clerk = world.holder(CONTACT).await;
    let filed =
        clerk.lists(&world, &list("reassigned", &[LANDLINE], json!({ "opened": "2025-03" }))).await.ok(201);
    world.work().await;
    let path = format!("/v1/filings/{}", filed.text("id"));
    world.advance(seconds(60));
    // An appeal needs fresh control: of the contact.
    let dispute = dispute_of(&world, &filed, 0);
    dispute.appeals("是我们的号码").await.refused(403, "fresh_control_needed");
    let clerk = world.holder(CONTACT).await;
    let fresh = world.client.get(&path, &clerk.token).await.ok(200);
    assert_eq!(dispute_of(&world, &fresh, 0).appeals("是我们的号码").await.ok(200)["status"], "in_review");

    let stranger = world.holder("+8613800138001").await;
    world.client.get(&path, &stranger.token).await.refused(404, "not_found");
    let other = clerk.lists(&world, &list("reassigned", &[&landline(1)], json!({}))).await.ok(201);
    world.client.get(&path, &other.text("token")).await.refused(403, "forbidden");
    world.client.get(&path, &dispute.token).await.refused(401, "unauthenticated");
    // The contact's next holder does not have it.
    world.advance_days(2);
    world.pushes("cmcc", &[(CONTACT, "transferred", "2026-11-24")]).await;
    world.client.get(&path, &fresh.text("token")).await.refused(401, "unauthenticated");
    dispute_of(&world, &fresh, 0).look().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn documents_are_asked_for_once_in_a_message() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let clerk = world.holder(CONTACT).await;
    let numbers: Vec<String> = (0..3).map(landline).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let filed =
        clerk.lists(&world, &list("reassigned", &numbers, json!({ "opened": "2025-03" }))).await.ok(201);
    world.work().await;
    for _ in 0..3 {
        let case = alice.takes_next().await.ok(200);
        alice.decides(&case, "ask").await.ok(200);
        world.work().await;
    }
    assert_eq!(world.messages_to(CONTACT).len(), 2);
    assert!(world.messages_to(CONTACT)[1].contains("补充材料"));
    // All ends with what nobody decided: two lapse, one is withdrawn.
    dispute_of(&world, &filed, 0).withdraws().await.ok(200);
    world.work().await;
    assert_eq!(world.messages_to(CONTACT).len(), 2);
    world.advance_days(17);
    world.work().await;
    let view = looks_at(&world, &filed).await.ok(200);
    assert_eq!(view["by_status"], json!({ "refused": 2, "withdrawn": 1 }));
    assert_eq!(world.messages_to(CONTACT).len(), 3);
}
