//! 显示名称与开户名称不一致: every row of its table.

use serde_json::{Value, json};
use zhengming::cli::demo::stand_in::Contract;
use zhengming::domain::uscc::Uscc;
use zhengming::store::Role;

use crate::support::{Dispute, World, day, seconds};

const NUMBER: &str = "+8613800138000";
const NAME: &str = "老王烧烤";
const COMPANY: &str = "厦门某某科技有限公司";
const USCC: &str = "91350211M000100Y46";

#[tokio::test]
async fn a_business_name_that_is_not_the_subscribers_falls() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[("张三", "2025-03-15", None)]);
    shown(&world, "dianhuabang", NAME, "business").await;
    let view = filed(&world, &[NAME], Value::Null).await.is("corrected").await;
    assert_eq!(view["correction"]["name_action"], "clear");
    assert_eq!(view["correction"]["void_before"], Value::Null);
    assert_eq!((&view["opened"], view.body.get("window")), (&Value::Null, None));
    assert!(!view.body.to_string().contains("张三"), "nobody learns the subscriber's name");
}

#[tokio::test]
async fn the_subscribers_own_name_stays() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[(NAME, "2025-03-15", None)]);
    shown(&world, "dianhuabang", NAME, "partner").await;
    filed(&world, &[NAME], Value::Null).await.refused_with("names_agree").await;
}

#[tokio::test]
async fn a_crowds_warning_in_the_shape_of_a_name_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[("张三", "2025-03-15", None)]);
    shown(&world, "dianhuabang", "冒充客服", "business").await;
    let dispute = filed(&world, &["冒充客服"], Value::Null).await;
    dispute.in_review_for("name_is_warning", &alice).await;
    assert_eq!(world.cmcc.asked_count(), 0);
}

#[tokio::test]
async fn a_name_whose_source_nobody_told_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[("张三", "2025-03-15", None)]);
    shown(&world, "dianhuabang", NAME, "unknown").await;
    let dispute = filed(&world, &[NAME], Value::Null).await;
    dispute.in_review_for("name_source_unknown", &alice).await;
}

#[tokio::test]
async fn a_name_that_no_provider_told_us_of_is_for_people_and_asks_nobody() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[("张三", "2025-03-15", None)]);
    // Else whoever has the telephone in hand could guess the subscriber's name.
    let dispute = filed(&world, &["张三"], Value::Null).await;
    dispute.in_review_for("name_source_unknown", &alice).await;
    assert_eq!(world.cmcc.asked_count(), 0);
}

#[tokio::test]
async fn a_name_of_which_the_operator_knows_nothing_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    shown(&world, "dianhuabang", NAME, "business").await;
    filed(&world, &[NAME], Value::Null).await.in_review_for("operator_unknown", &alice).await;
}

#[tokio::test]
async fn names_of_both_kinds_are_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[(NAME, "2025-03-15", None)]);
    shown(&world, "dianhuabang", NAME, "business").await;
    shown(&world, "baidu", "老李烧烤", "business").await;
    let holder = world.holder(NUMBER).await;
    let body = json!({ "reason": "name_mismatch", "labels": [
        { "provider": "dianhuabang", "name": NAME }, { "provider": "baidu", "name": "老李烧烤" }] });
    holder.files(body).await.in_review_for("names_mixed", &alice).await;
}

#[tokio::test]
async fn overriding_the_operators_word_needs_two_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    world.cmcc_knows(NUMBER, &[(NAME, "2025-03-15", None)]);
    shown(&world, "dianhuabang", NAME, "business").await;
    let dispute = filed(&world, &[NAME], Value::Null).await;
    dispute.refused_with("names_agree").await;
    world.advance(seconds(60));
    let dispute = dispute.with_fresh_token().await;
    let view = dispute.appeals("不是我的店").await.ok(200);
    assert_eq!(view["status"], "in_review");
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    let case = bob.takes_next().await.ok(200);
    assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
}

#[tokio::test]
async fn an_enterprise_has_its_verified_name_shown_as_a_lease() {
    let world = World::new().await;
    company(&world, COMPANY, Some(USCC));
    shown(&world, "dianhuabang", NAME, "business").await;
    let dispute = filed(&world, &[NAME], json!({ "name": COMPANY, "uscc": USCC })).await;
    let correction = dispute.is("corrected").await["correction"].clone();
    assert_eq!((&correction["name_action"], &correction["name"]), (&json!("set"), &json!(COMPANY)));
    assert_eq!(correction["name_until"], "2027-02-21");

    // Asked again after 30 days, and renewed.
    world.advance_days(30);
    world.work().await;
    let correction = dispute.look().await["correction"].clone();
    assert_eq!((&correction["reason"], &correction["name_until"]), (&json!("renewed"), &json!("2027-03-23")));

    // Anything but a match takes the name down.
    company(&world, "另一家公司", Some(USCC));
    world.advance_days(30);
    world.work().await;
    let correction = dispute.look().await["correction"].clone();
    assert_eq!(
        (&correction["reason"], &correction["name_action"]),
        (&json!("tenure_ended"), &json!("clear"))
    );
    assert_eq!(correction["name"], Value::Null);
}

#[tokio::test]
async fn a_shown_name_ends_with_its_tenure() {
    for event in ["disconnected", "ported_out"] {
        let world = World::new().await;
        company(&world, COMPANY, Some(USCC));
        shown(&world, "dianhuabang", NAME, "business").await;
        let dispute = filed(&world, &[NAME], json!({ "name": COMPANY, "uscc": USCC })).await;
        assert_eq!(dispute.is("corrected").await["correction"]["name_action"], "set");
        world.advance_days(3);
        let tally = world.pushes("cmcc", &[(NUMBER, event, "2026-11-25")]).await;
        assert_eq!((tally.accepted, tally.corrections), (1, 1), "{event}");
        let correction = dispute.look().await["correction"].clone();
        assert_eq!(correction["reason"], "tenure_ended", "{event}");
        assert_eq!((&correction["name_action"], &correction["name"]), (&json!("clear"), &Value::Null));
    }
}

#[tokio::test]
async fn a_name_or_code_that_is_not_the_enterprises_is_refused() {
    let world = World::new().await;
    company(&world, "福州某某科技有限公司", Some(USCC));
    shown(&world, "dianhuabang", NAME, "business").await;
    let dispute = filed(&world, &[NAME], json!({ "name": COMPANY, "uscc": USCC })).await;
    dispute.refused_with("identity_mismatch").await;
}

#[tokio::test]
async fn a_code_that_the_operator_does_not_keep_is_for_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    company(&world, COMPANY, None);
    shown(&world, "dianhuabang", NAME, "business").await;
    let dispute = filed(&world, &[NAME], json!({ "name": COMPANY, "uscc": USCC })).await;
    let case = dispute.in_review_for("operator_unknown", &alice).await;
    assert_eq!(case["show"]["uscc"], USCC);
}

#[tokio::test]
async fn a_shown_name_that_is_there_already_changes_nothing() {
    let world = World::new().await;
    shown(&world, "dianhuabang", "厦门某某科技", "business").await;
    let dispute = filed(&world, &["厦门某某科技"], json!({ "name": COMPANY, "uscc": USCC })).await;
    dispute.refused_with("names_agree").await;
    assert_eq!(world.cmcc.asked_count(), 0);
}

async fn shown(world: &World, provider: &str, name: &str, source: &str) {
    let label = json!({ "number": NUMBER, "kind": "name", "name": name, "source": source });
    let tally = world.shows(provider, &[label]).await;
    assert_eq!(tally.accepted, 1, "{tally:?}");
}

async fn filed<'a>(world: &'a World, names: &[&str], show: Value) -> Dispute<'a> {
    let labels: Vec<Value> =
        names.iter().map(|name| json!({ "provider": "dianhuabang", "name": name })).collect();
    let body = json!({ "reason": "name_mismatch", "labels": labels, "show": show });
    world.holder(NUMBER).await.files(body).await
}

fn company(world: &World, name: &str, uscc: Option<&str>) {
    let contract = Contract {
        holder: name.to_owned(),
        name: name.to_owned(),
        uscc: uscc.map(|uscc| Uscc::parse(uscc).unwrap()),
        from: day("2020-01-01"),
        until: None,
    };
    world.cmcc.set(world.number(NUMBER), vec![contract]);
}
