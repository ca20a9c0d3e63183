//! Filings that have too much in common: flagged, slowed, and still decided.

use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::store::Role;

use crate::support::{Answer, Dispute, Moderator, Setup, World, seconds};

const MOST: u32 = 3;

async fn world() -> World {
    let settings = Settings { cluster_filings_per_30_days: MOST, ..Setup::default().settings };
    World::with(Setup { settings, ..Setup::default() }).await
}

/// Files for a number of its own block, or of one block.
async fn files<'a>(world: &'a World, number: &str, more: Value) -> Dispute<'a> {
    world.cmcc_knows_new_holder(number);
    let mut body = json!({ "reason": "reassigned", "opened": "2025-03" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.holder(number).await.files(body).await
}

fn neighbour(nth: u32) -> String {
    format!("+86138001380{nth:02}")
}

fn far_off(nth: u32) -> String {
    format!("+861380{nth:03}0000")
}

async fn why(senior: &Moderator<'_>, dispute: &Dispute<'_>) -> Value {
    senior.looks_at(&dispute.id).await.ok(200)["why"].clone()
}

#[tokio::test]
async fn adjacent_numbers_are_flagged_and_slowed_and_decided_by_the_same_rules() {
    let world = world().await;
    let senior = world.moderator("chen", Role::Senior).await;
    for nth in 0..MOST {
        files(&world, &neighbour(nth), json!({})).await.is("corrected").await;
    }
    for nth in MOST..MOST + 2 {
        let dispute = files(&world, &neighbour(nth), json!({})).await;
        let view = dispute.is("checking").await;
        let events: Vec<_> = view["timeline"].as_array().unwrap().iter().map(|one| &one["event"]).collect();
        assert_eq!(events, ["filed"], "the holder is not told");
        let why = why(&senior, &dispute).await;
        assert_eq!((&why[0]["flag"], &why[0]["filings"]), (&json!("neighbours_cluster"), &json!(nth + 1)));
        assert_eq!(why[0]["days"], 30);
        assert!(why[0]["text"].as_str().unwrap().contains("相邻号码"));
        // The longer the more there are: five minutes for each beyond chance.
        let minutes = i64::from(nth + 1 - MOST) * 5;
        world.advance(seconds(minutes * 60 - 1));
        world.work().await;
        dispute.is("checking").await;
        world.advance(seconds(1));
        world.work().await;
        let view = dispute.is("corrected").await;
        assert_eq!(view["correction"]["void_before"], "2025-01-30");
    }
    let apart = files(&world, &far_off(7), json!({})).await;
    apart.is("corrected").await;
    assert_eq!(why(&senior, &apart).await, json!([]));
}

#[tokio::test]
async fn one_contact_is_seen_and_no_contact_is_none() {
    let world = world().await;
    let senior = world.moderator("chen", Role::Senior).await;
    let contact = json!({ "contact": "+8613900139000" });
    for nth in 0..MOST {
        files(&world, &far_off(nth), contact.clone()).await.is("corrected").await;
    }
    let dispute = files(&world, &far_off(MOST), contact).await;
    dispute.is("checking").await;
    assert_eq!(why(&senior, &dispute).await[0]["flag"], "contact_cluster");
    for nth in 10..20 {
        files(&world, &far_off(nth), json!({})).await.is("corrected").await;
    }
}

#[tokio::test]
async fn one_address_is_seen_when_it_sends_very_many_and_is_kept_by_nobody() {
    let world = world().await;
    let senior = world.moderator("chen", Role::Senior).await;
    for nth in 0..MOST * 20 {
        files(&world, &far_off(nth), json!({})).await.is("corrected").await;
    }
    let dispute = files(&world, &far_off(MOST * 20), json!({})).await;
    dispute.is("checking").await;
    let case = senior.looks_at(&dispute.id).await.ok(200);
    assert_eq!(
        (&case["why"][0]["flag"], &case["why"][0]["filings"]),
        (&json!("address_cluster"), &json!(61))
    );
    assert!(!case.body.to_string().contains("127.0.0"));
}

#[tokio::test]
async fn what_is_long_ago_is_forgotten() {
    let world = world().await;
    for nth in 0..MOST {
        files(&world, &neighbour(nth), json!({})).await.is("corrected").await;
    }
    world.advance_days(31);
    files(&world, &neighbour(50), json!({})).await.is("corrected").await;
    let before = world.changes();
    while world.casework.purge().await.unwrap() {}
    world.advance_days(2);
    while world.casework.purge().await.unwrap() {}
    assert!(world.changes() > before, "traces are deleted once they have run out");
}

#[tokio::test]
async fn a_list_of_neighbours_is_one_filing_and_no_cluster() {
    let world = world().await;
    let senior = world.moderator("chen", Role::Senior).await;
    let clerk = world.holder("+8613900139000").await;
    let filed = lists(&world, &clerk.token, "1", &(0..90).map(neighbour).collect::<Vec<_>>()).await;
    world.work().await;
    for nth in [0, 45, 89] {
        let dispute = listed(&world, &filed, nth);
        dispute.is("in_review").await;
        let why = why(&senior, &dispute).await;
        assert_eq!(why.as_array().unwrap().len(), 1, "{why}");
        assert_eq!(why[0]["flag"], "control_unproved");
    }
    for nth in 90..92 {
        files(&world, &neighbour(nth), json!({})).await.is("corrected").await;
    }
    files(&world, &neighbour(92), json!({})).await.is("checking").await;
    // Lists in great number are as much of a crowd as anything.
    for nth in 1..MOST {
        lists(&world, &clerk.token, &format!("more-{nth}"), &[far_off(nth)]).await;
        world.work().await;
    }
    let last = lists(&world, &clerk.token, "last", &[far_off(9), far_off(10)]).await;
    world.work().await;
    for nth in 0..2 {
        let dispute = listed(&world, &last, nth);
        dispute.is("checking").await;
        assert_eq!(why(&senior, &dispute).await[0]["flag"], "contact_cluster");
    }
    world.advance(seconds(600));
    world.work().await;
    listed(&world, &last, 1).is("in_review").await;
    let queue = senior.get("queue").await.ok(200);
    assert_eq!(queue["by_flag"]["contact_cluster"], 2);
    let told =
        queue["flags"].as_array().unwrap().iter().find(|one| one["flag"] == "contact_cluster").unwrap();
    assert_eq!((&told["cases"], told["text"].as_str().unwrap().is_empty()), (&json!(2), false));
}

#[tokio::test]
async fn nought_switches_it_off() {
    let settings = Settings { cluster_filings_per_30_days: 0, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    for nth in 0..15 {
        files(&world, &neighbour(nth), json!({ "contact": "+8613900139000" })).await.is("corrected").await;
    }
}

async fn lists(world: &World, token: &str, key: &str, numbers: &[String]) -> Answer {
    let enterprise = json!({ "name": "厦门某某科技有限公司", "uscc": "91350211M000100Y46" });
    let body =
        json!({ "reason": "reassigned", "opened": "2025-03", "enterprise": enterprise, "numbers": numbers });
    world.client.post_with("/v1/filings", token, &[("idempotency-key", key)], &body).await.ok(201)
}

fn listed<'a>(world: &'a World, filed: &Answer, nth: usize) -> Dispute<'a> {
    world.dispute(&Answer { body: filed["disputes"][nth].clone(), ..filed.clone() })
}
