//! 二次放号: every row of the decision table, asked of a real CAMARA operator.

use serde_json::{Value, json};
use zhengming::cli::demo::stand_in::Api;
use zhengming::domain::progress::Stage;
use zhengming::store::Role;

use crate::support::{Setup, World, day};

const NUMBER: &str = "+8613800138000";

#[tokio::test]
async fn a_new_holder_who_remembers_the_month_is_corrected() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    world.shows("tencent", &[express(Some("2023-06-01"))]).await;
    let holder = world.holder(NUMBER).await;

    let labels = holder.sees().await.ok(200);
    assert_eq!(labels["labels"][0]["provider_name"], "腾讯手机管家");
    assert_eq!(labels["labels"][0]["text"], "快递送餐");
    assert_eq!(labels["labels"][0].get("name"), None);
    assert_eq!((&labels["correction"], &labels["missing"]), (&Value::Null, &json!([])));
    assert_eq!(labels.body.get("tenure_began_on"), None);
    assert_eq!(labels.headers["cache-control"], "no-store");

    let dispute = holder.files_reassigned("2025-03").await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["window"], json!({ "after": "2025-01-29", "until": "2025-04-29" }));
    assert_eq!(view["opened"], "2025-03");
    let correction = &view["correction"];
    assert_eq!(correction["void_before"], "2025-01-30");
    assert_eq!((&correction["seq"], &correction["assurance"]), (&json!(0), &json!("operator")));
    assert_eq!((correction.get("salt"), correction.get("v")), (None, None));
    assert_eq!(view["providers"][0]["status"], "published");
    let events: Vec<&str> =
        view["timeline"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    let asked = ["operator_answered"; 3];
    assert_eq!(events, [&["filed"], &asked[..], &["approved", "published"]].concat());
    assert!(world.messages_to(NUMBER).last().unwrap().contains("已通过"));

    // No more is asked than the three questions.
    let asked: Vec<_> = world.cmcc.asked().iter().map(|asked| (asked.api, asked.day.unwrap())).collect();
    assert_eq!(
        asked,
        [
            (Api::Tenure, day("2025-04-29")),
            (Api::Recycling, day("2025-01-29")),
            (Api::Recycling, day("2024-10-31")),
        ]
    );
}

#[tokio::test]
async fn who_sees_the_decision_sees_the_correction() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    world.hold_flush();
    assert_eq!(dispute.is("corrected").await["correction"]["void_before"], "2025-01-30");
}

#[tokio::test]
async fn a_day_that_is_remembered_makes_a_narrow_window() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03-15").await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["window"], json!({ "after": "2025-03-14", "until": "2025-03-16" }));
    assert_eq!(view["correction"]["void_before"], "2025-03-15");
}

#[tokio::test]
async fn opened_later_than_one_thinks_is_refused_and_one_may_file_again() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    let holder = world.holder(NUMBER).await;
    let view = holder.files_reassigned("2024-08").await.refused_with("not_held_since").await;
    assert!(view["refusal"]["text"].as_str().unwrap().contains("重新提交"));
    assert_eq!(world.cmcc.asked_count(), 1, "nothing is asked that is not needed");
    holder.files_reassigned("2025-03").await.is("corrected").await;
}

#[tokio::test]
async fn a_holder_from_the_beginning_has_made_the_marks() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[("present", "2019-05-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.refused_with("no_change_of_holder").await;
    assert_eq!(world.cmcc.asked_count(), 2);
}

#[tokio::test]
async fn a_reinstatement_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[("same", "2019-05-01", Some("2025-01-20")), ("same", "2025-03-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let case = dispute.in_review_for("reinstatement", &alice).await;
    assert_eq!(case["evidence"].as_array().unwrap().len(), 3);
    assert_eq!(case["evidence"][2]["answer"], "no");
}

#[tokio::test]
async fn what_the_operator_does_not_know_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.in_review_for("operator_unknown", &alice).await;
}

#[tokio::test]
async fn an_operator_out_of_reach_is_asked_again_and_at_last_counts_as_unknown() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    world.cmcc.answer_with_status(world.number(NUMBER), http::StatusCode::SERVICE_UNAVAILABLE);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("checking").await;
    for _ in 0..48 {
        world.advance(jiff::SignedDuration::from_hours(1));
        world.work().await;
    }
    let alice = world.moderator("alice", Role::Moderator).await;
    dispute.in_review_for("operator_unknown", &alice).await;
}

#[tokio::test]
async fn an_outage_only_delays() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    world.cmcc.answer_with_status(world.number(NUMBER), http::StatusCode::SERVICE_UNAVAILABLE);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("checking").await;
    world.cmcc.answer_again(world.number(NUMBER));
    world.advance(jiff::SignedDuration::from_secs(2));
    world.work().await;
    dispute.is("corrected").await;
}

#[tokio::test]
async fn a_fresh_number_is_asked_again_daily_until_the_operator_has_published_it() {
    let world = World::new().await;
    // Cancelled in August and given out on the 18th, which the operator will
    // tell on the 25th.
    let former = ("former", "2019-05-01", Some("2026-08-01"));
    world.cmcc_knows(NUMBER, &[former]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2026-11").await;
    let view = dispute.is("checking").await;
    assert_eq!(view["window"], json!({ "after": "2026-08-25", "until": "2026-11-23" }));
    assert_eq!(view["timeline"].as_array().unwrap().last().unwrap()["event"], "asking_again");

    let asked = world.cmcc.asked_count();
    world.advance(jiff::SignedDuration::from_hours(23));
    world.work().await;
    assert_eq!(world.cmcc.asked_count(), asked, "once a day is enough");
    world.advance(jiff::SignedDuration::from_hours(1));
    world.work().await;
    assert_eq!(world.cmcc.asked_count(), asked + 1);
    dispute.is("checking").await;

    world.cmcc_knows(NUMBER, &[former, ("present", "2026-11-18", None)]);
    world.advance_days(1);
    world.work().await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["correction"]["void_before"], "2026-08-26");
}

#[tokio::test]
async fn a_no_counts_once_the_window_has_left_the_operators_lag() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[("present", "2019-05-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2026-11").await;
    for _ in 0..7 {
        dispute.is("checking").await;
        world.advance_days(1);
        world.work().await;
    }
    dispute.is("checking").await;
    world.advance_days(1);
    world.work().await;
    dispute.refused_with("no_change_of_holder").await;
}

#[tokio::test]
async fn an_operator_that_does_not_see_through_ports_is_not_believed() {
    let world = World::with(Setup { follows_ports: false, ..Setup::default() }).await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.in_review_for("ported", &alice).await;
}

#[tokio::test]
async fn the_registrys_silence_is_enough() {
    let world = World::with(Setup { follows_ports: false, ..Setup::default() }).await;
    world.cmcc_knows_new_holder(NUMBER);
    world.pushes("registry", &[("+8613800138001", "ported_out", "2026-11-20")]).await;
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("corrected").await;
}

#[tokio::test]
async fn a_registry_that_fell_silent_says_nothing() {
    let world = World::with(Setup { follows_ports: false, ..Setup::default() }).await;
    world.cmcc_knows_new_holder(NUMBER);
    world.pushes("registry", &[("+8613800138001", "ported_out", "2026-11-20")]).await;
    world.advance_days(9);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let alice = world.moderator("alice", Role::Moderator).await;
    dispute.in_review_for("ported", &alice).await;
}

#[tokio::test]
async fn a_port_that_the_registry_knows_of_is_for_people() {
    let world = World::with(Setup { follows_ports: false, ..Setup::default() }).await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows_new_holder(NUMBER);
    world.pushes("registry", &[(NUMBER, "ported_out", "2024-12-15")]).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.in_review_for("ported", &alice).await;
}

#[tokio::test]
async fn a_ledger_that_ends_with_a_disconnection_is_late() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.pushes("cmcc", &[(NUMBER, "disconnected", "2024-12-01")]).await;
    let holder = world.holder(NUMBER).await;
    let before = world.changes();
    let unknown = json!({ "reason": "reassigned", "opened": null, "labels": [] });
    holder.sends(&unknown).await.refused(422, "opened_needed");
    assert_eq!(world.changes(), before);
    holder.files_reassigned("2025-03").await.in_review_for("ledger_late", &alice).await;
}

#[tokio::test]
async fn where_the_ledger_proves_the_tenure_nobody_needs_to_remember_anything() {
    let world = World::new().await;
    world
        .pushes("cmcc", &[(NUMBER, "disconnected", "2024-12-01"), (NUMBER, "activated", "2025-03-15")])
        .await;
    let holder = world.holder(NUMBER).await;
    assert_eq!(holder.sees().await.ok(200)["tenure_began_on"], "2025-03-15");
    let dispute = holder.files(json!({ "reason": "reassigned", "opened": null, "labels": [] })).await;
    let view = dispute.is("corrected").await;
    assert_eq!(view["opened"], Value::Null);
    assert_eq!(view.body.get("window"), None);
    assert_eq!(view["correction"]["void_before"], "2025-03-15");
    assert_eq!(world.cmcc.asked_count(), 0, "the ledger knows");
}

#[tokio::test]
async fn a_ledger_without_rest_proves_nothing() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    world
        .pushes("cmcc", &[(NUMBER, "disconnected", "2025-02-01"), (NUMBER, "activated", "2025-03-15")])
        .await;
    let holder = world.holder(NUMBER).await;
    assert_eq!(holder.sees().await.body.get("tenure_began_on"), None);
    let unknown = json!({ "reason": "reassigned", "opened": null });
    holder.sends(&unknown).await.refused(422, "opened_needed");
    holder.files_reassigned("2025-03").await.is("corrected").await;
    assert_eq!(world.cmcc.asked_count(), 3);
}

#[tokio::test]
async fn harm_reported_from_a_number_at_rest_needs_two_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    world.cmcc_knows_new_holder(NUMBER);
    let fraud = json!({ "number": NUMBER, "kind": "category", "category": "fraud", "source": "crowd",
        "count": 12, "first_marked_on": "2025-02-10", "last_marked_on": "2025-02-11" });
    world.shows("baidu", &[fraud]).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let case = dispute.in_review_for("harm_at_rest", &alice).await;
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    dispute.is("awaiting_second").await;
    assert_eq!(world.service.feed.publish().await.unwrap(), 0);

    alice.takes_next().await.ok(204);
    let case = bob.takes_next().await.ok(200);
    assert_eq!(case["first_approval_by"], "alice");
    assert_eq!(
        case["events"].as_array().unwrap().last().unwrap()["what"]["ruling"]["note"],
        "for colleagues only"
    );
    assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
    let view = dispute.is("corrected").await;
    assert!(!view.body.to_string().contains("for colleagues only"));
}

#[tokio::test]
async fn providers_go_their_own_ways() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    world.shows("tencent", &[express(Some("2023-06-01"))]).await;
    world.shows("baidu", &[express(Some("2025-09-01"))]).await;
    world.shows("teddymobile", &[express(None)]).await;
    let holder = world.holder(NUMBER).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03",
        "labels": [{ "provider": "sogou", "category": "express" }] });
    let dispute = holder.files(body).await;
    world.advance_days(1);
    world.acknowledges("tencent", Stage::Serving, &[]).await;
    world.acknowledges("sogou", Stage::Received, &[]).await;
    world.acknowledges("teddymobile", Stage::Applied, &[(0, "no_dated_reports")]).await;
    let view = dispute.look().await.ok(200);
    let providers: Vec<(&str, &str, Option<&str>)> = view["providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["provider"].as_str().unwrap(), one["status"].as_str().unwrap(), one["appeal_url"].as_str())
        })
        .collect();
    assert_eq!(
        providers,
        [
            ("baidu", "not_covered", Some("https://haoma.baidu.com/appeal")),
            ("sogou", "received", None),
            ("teddymobile", "refused_by_provider", Some("https://www.teddymobile.cn")),
            ("tencent", "serving", None),
        ]
    );

    world.advance_days(1);
    world.shows("tencent", &[express(Some("2023-06-01"))]).await;
    assert_eq!(dispute.look().await["providers"][3]["status"], "regressed");
}

fn express(first_marked_on: Option<&str>) -> Value {
    json!({ "number": NUMBER, "kind": "category", "category": "express", "source": "crowd", "count": 20,
        "first_marked_on": first_marked_on })
}
