//! A shown name is a lease: 90 days, asked again every 30.

use http::StatusCode;
use serde_json::{Value, json};
use zhengming::store::Role;

use super::{COMPANY, LANDLINE, files_one, is_anothers, is_companys};
use crate::support::{Answer, Dispute, World};

async fn shown(world: &World) -> Dispute<'_> {
    is_companys(world, LANDLINE);
    let dispute = files_one(world, LANDLINE, "name_mismatch", json!({ "show_name": true })).await;
    assert_eq!(until(&dispute.is("corrected").await), "2027-02-21");
    dispute
}

fn until(view: &Answer) -> String {
    assert_eq!(view["correction"]["name"], COMPANY, "{}", view.body);
    view["correction"]["name_until"].as_str().unwrap().to_owned()
}

/// The entry that ended it.
async fn taken_down(dispute: &Dispute<'_>) -> Value {
    let correction = dispute.look().await["correction"].clone();
    assert_eq!(
        (&correction["name_action"], &correction["reason"]),
        (&json!("clear"), &json!("tenure_ended"))
    );
    correction
}

#[tokio::test]
async fn it_is_renewed_every_thirty_days_though_nobody_knows_who_serves_the_landline() {
    let world = World::new().await;
    let dispute = shown(&world).await;
    let asked = world.cmcc.asked_count();
    for (nth, renewed_until) in ["2027-03-23", "2027-04-22", "2027-05-22"].into_iter().enumerate() {
        world.advance_days(29);
        world.work().await;
        assert_eq!(world.cmcc.asked_count(), asked + nth as u64, "not before its day");
        world.advance_days(1);
        world.work().await;
        let view = dispute.look().await;
        assert_eq!(
            (until(&view).as_str(), &view["correction"]["reason"]),
            (renewed_until, &json!("renewed"))
        );
    }
}

#[tokio::test]
async fn an_operator_that_knew_it_and_knows_it_no_more_takes_it_down() {
    let world = World::new().await;
    let dispute = shown(&world).await;
    world.cmcc.set(world.number(LANDLINE), Vec::new());
    world.advance_days(30);
    world.work().await;
    taken_down(&dispute).await;
}

#[tokio::test]
async fn while_operators_are_silent_it_lapses_by_itself() {
    let world = World::new().await;
    let dispute = shown(&world).await;
    world.cmcc.answer_with_status(world.number(LANDLINE), StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..100 {
        world.advance_days(1);
        world.work().await;
    }
    let view = dispute.look().await;
    assert_eq!((until(&view).as_str(), &view["correction"]["seq"]), ("2027-02-21", &json!(0)));
    let asked = world.cmcc.asked_count();
    world.advance_days(30);
    world.work().await;
    assert_eq!(world.cmcc.asked_count(), asked, "what has lapsed is not asked again");
}

#[tokio::test]
async fn an_operator_out_of_reach_is_asked_until_it_answers() {
    let world = World::new().await;
    let dispute = shown(&world).await;
    world.cmcc.answer_with_status(world.number(LANDLINE), StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..40 {
        world.advance_days(1);
        world.work().await;
    }
    assert_eq!(until(&dispute.look().await), "2027-02-21");
    world.cmcc.answer_again(world.number(LANDLINE));
    world.advance_days(1);
    world.work().await;
    assert_eq!(until(&dispute.look().await), "2027-04-03");
}

#[tokio::test]
async fn a_no_takes_it_down() {
    let world = World::new().await;
    let dispute = shown(&world).await;
    is_anothers(&world, LANDLINE);
    world.advance_days(30);
    world.work().await;
    let correction = taken_down(&dispute).await;
    world.advance_days(60);
    world.work().await;
    assert_eq!(dispute.look().await["correction"]["seq"], correction["seq"]);
}

#[tokio::test]
async fn the_end_of_the_line_takes_it_down_at_once() {
    for event in ["ported_out", "disconnected", "transferred"] {
        let world = World::new().await;
        let dispute = shown(&world).await;
        world.advance_days(3);
        let tally = world.pushes("cmcc", &[(LANDLINE, event, "2026-11-25")]).await;
        assert_eq!((tally.accepted, tally.corrections), (1, 1), "{event}");
        // A port does not end the tenure, the others do.
        let view = dispute.look().await;
        assert_eq!(view.status, if event == "transferred" { 401 } else { 200 });
        let number = LANDLINE.trim_start_matches('+');
        let provider = world.provider("tencent").await;
        let entry = world.client.get(&format!("/feed/v1/corrections/{number}"), &provider.key).await.ok(200);
        assert_eq!(
            (&entry["name_action"], &entry["reason"]),
            (&json!("clear"), &json!("tenure_ended")),
            "{event}"
        );
    }
}

#[tokio::test]
async fn a_name_that_two_people_brought_back_is_asked_by_its_own_code() {
    let world = World::new().await;
    let (alice, bob) =
        (world.moderator("alice", Role::Moderator).await, world.moderator("bob", Role::Moderator).await);
    let dispute = shown(&world).await;
    // Another enterprise's name is shown in its place, and that is taken back.
    is_anothers(&world, LANDLINE);
    let clerk = world.holder(super::CONTACT).await;
    let enterprise = json!({ "name": "福州某某科技有限公司", "uscc": "91440300708461136T" });
    let body = json!({ "reason": "name_mismatch", "show_name": true, "enterprise": enterprise,
        "numbers": [LANDLINE] });
    clerk.lists(&world, &body).await.ok(201);
    world.work().await;
    is_companys(&world, LANDLINE);
    let reason = json!({ "reason": "wrong" });
    alice.post("corrections/1/revert", &reason).await.ok(202);
    bob.post("corrections/1/revert", &reason).await.ok(200);
    assert_eq!(until(&dispute.look().await), "2027-02-21");
    world.advance_days(30);
    world.work().await;
    assert_eq!(until(&dispute.look().await), "2027-03-23");
}
