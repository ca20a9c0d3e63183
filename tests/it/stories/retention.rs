//! What is kept for how long, by the clock: everything that runs out goes when
//! it does, also after the service was off for a long time.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use zhengming::casework::Settings;
use zhengming::casework::actors::Owner;
use zhengming::env::clock::Clock;
use zhengming::store::{Changeset, Claim, Filing, Grant, Listing, Piece, Role, Store, Task, TaskKind};

use super::bulk::batch;
use super::documents::{asked, files_in, jpeg};
use crate::support::records::claim;
use crate::support::{Setup, World, seconds};

const NUMBER: &str = "+8613800138000";
const ANOTHER: &str = "+8613800138001";
const A_DAY_H: i64 = 24;

/// Something whose time will be over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Passing {
    ends_at: Timestamp,
    kind: String,
    record: String,
}

/// All that will run out, what ends first before the rest.
async fn passing(world: &World) -> Vec<Passing> {
    let store: &dyn Store = world.store.as_ref();
    let until = Timestamp::from_second(10_000_000_000).unwrap();
    let page = store.list(&Listing::Expired { until }, None, 1_000).await.unwrap();
    let told = page.records.into_iter().map(|found| {
        let json = serde_json::to_value(&found.value).unwrap();
        let ends_at = json["record"]["expires_at"].as_str().unwrap().parse().unwrap();
        Passing { ends_at, kind: json["kind"].as_str().unwrap().to_owned(), record: json.to_string() }
    });
    let mut told: Vec<Passing> = told.collect();
    told.sort();
    told
}

async fn purged(world: &World) -> Vec<Passing> {
    while world.casework.purge().await.unwrap() {}
    passing(world).await
}

/// Whatever is there, by kind.
async fn kinds(world: &World) -> BTreeSet<String> {
    let store: &dyn Store = world.store.as_ref();
    let mut everything = store.everything().await.unwrap();
    let mut kinds = BTreeSet::new();
    loop {
        let pieces = everything.next().await.unwrap();
        if pieces.is_empty() {
            return kinds;
        }
        for piece in pieces {
            if let Piece::Record(record) = piece {
                let json: Value = serde_json::to_value(&record).unwrap();
                kinds.insert(json["kind"].as_str().unwrap().to_owned());
            }
        }
    }
}

/// One of each kind that runs out, all of one moment.
async fn one_of_each() -> World {
    let settings = Settings { labels_per_provider_per_day: 9, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    world.asks_for_code(ANOTHER).await.ok(201);
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    dispute.hands_in(&[&jpeg(1)]).await.ok(201);
    dispute.withdraws().await.ok(200);
    let tencent = world.provider("tencent").await;
    tencent.uploads(&json!({ "number": ANOTHER, "kind": "category", "category": "express" })).await;
    let day = json!({ "phoneNumber": NUMBER, "specifiedDate": "2026-01-01" });
    world.client.post("/number-recycling/v0.2/check", &tencent.key, &day).await;
    let (owner, grant) = (Owner::at_the_command_line(), Grant::Operator("cmcc".parse().unwrap()));
    let (_, key) = world.casework.issue_key(owner, grant, "cmcc").await.unwrap();
    batch(&world, &key, "done", ANOTHER).await;
    world.work().await;
    world
}

#[tokio::test]
async fn whatever_runs_out_goes_a_day_after_its_end() {
    let world = one_of_each().await;
    let began = world.clock.now();
    let mut left = passing(&world).await;
    let kept_for: BTreeSet<(&str, i64)> =
        left.iter().map(|it| (it.kind.as_str(), it.ends_at.duration_since(began).as_mins())).collect();
    let hour = 60;
    let known = BTreeSet::from([
        ("verification", 10),
        ("verification", hour),
        ("session", 12 * hour),
        ("code_count", 24 * hour),
        ("label_count", 24 * hour),
        // A day's dates that a provider asked about; what a filing answered to its key; a batch's name.
        ("claim", 24 * hour),
        ("claim", 48 * hour),
        ("claim", 90 * 24 * hour),
        ("trace", 30 * 24 * hour),
        ("batch", 90 * 24 * hour),
    ]);
    assert_eq!(kept_for, known);
    while let Some(next) = left.first().cloned() {
        let due = next.ends_at + SignedDuration::from_hours(A_DAY_H);
        world.clock.set(due - seconds(1));
        assert_eq!(purged(&world).await, left, "before {due}");
        world.clock.set(due);
        left.retain(|it| it.ends_at > next.ends_at);
        assert_eq!(purged(&world).await, left, "at {due}");
    }
    // What was handed in has had its time too, and whoever works finds it.
    world.work().await;
    assert_eq!(files_in(&world), 0);
    let stays = ["access_key", "dispute", "label", "moderator", "number_file", "operator_state"];
    assert_eq!(kinds(&world).await, stays.map(str::to_owned).into(), "there is no end to these");
}

#[tokio::test]
async fn what_is_renewed_meanwhile_keeps_nothing_else_back() {
    let world = World::new().await;
    world.asks_for_code(NUMBER).await.ok(201);
    world.advance_days(3);
    world.store.outrun_once();
    assert_eq!(purged(&world).await, []);
}

const OVERDUE: u64 = 2_345;

/// As many claims as that, all of which have run out by the time.
async fn run_out(world: &World) {
    let store: &dyn Store = world.store.as_ref();
    let ends_at = Some(world.clock.now());
    for chunk in (0..OVERDUE).collect::<Vec<_>>().chunks(200) {
        let mut changeset = Changeset::default();
        for nth in chunk {
            changeset.put_new(Claim { expires_at: ends_at, ..claim(&format!("over-{nth}"), nth) });
        }
        store.commit(changeset).await.unwrap();
    }
}

#[tokio::test]
async fn after_a_year_off_all_that_is_overdue_goes_before_the_workers_first_rest() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    dispute.hands_in(&[&jpeg(1)]).await.ok(201);
    dispute.withdraws().await.ok(200);
    run_out(&world).await;
    // As a full disk leaves one: an upload that is done and could not be removed.
    let staging = world.documents_dir().join("..");
    let upload = |id: &str| staging.join(format!("{id}.lines"));
    let (old, young) = ("019ab000-0000-7000-8000-000000000000", "01a95dd2-d900-7000-8000-000000000000");
    world.advance_days(365);
    let worker = world.restarted([7; 32]);
    for id in [old, young] {
        fs::write(upload(id), "").unwrap();
    }

    tokio::time::pause();
    // Time stands still while anybody has something to do, and goes on with a rest.
    let first_rest = Duration::from_millis(1);
    let stop = CancellationToken::new();
    assert!(tokio::time::timeout(first_rest, worker.work(&stop)).await.is_err());
    tokio::time::resume();
    assert_eq!(passing(&world).await.len(), 0);
    assert!(!upload(old).exists() && upload(young).exists());
    assert_eq!(files_in(&world), 0);
    let store: &dyn Store = world.store.as_ref();
    let purge = TaskKind::PurgeDocuments(dispute.id.parse().unwrap());
    assert!(store.load::<Task>(&purge).await.unwrap().is_none());
    let purged = dispute.with_fresh_token().await.look().await.ok(200);
    assert!(purged["documents"][0]["purged_at"].is_string(), "{}", purged.body);
}

/// Its traces know it for 30 days.
#[tokio::test]
async fn a_list_does_not_say_for_ever_where_it_came_from() {
    let world = World::new().await;
    let clerk = world.holder("+8613900139000").await;
    let numbers: Vec<String> = (0..90).map(|nth| format!("+86138001380{nth:02}")).collect();
    let list = json!({
        "reason": "reassigned", "opened": "2025-03", "numbers": numbers,
        "enterprise": { "name": "厦门甲公司", "uscc": "91350211M000100Y46" },
    });
    let files = async |key: &str, list: &Value| {
        let key = [("idempotency-key", key)];
        world.client.post_with("/v1/filings", &clerk.token, &key, list).await.ok(201).text("id")
    };
    let filing = async |id: &str| {
        let store: &dyn Store = world.store.as_ref();
        store.load::<Filing>(&id.parse().unwrap()).await.unwrap().unwrap().value
    };
    let id = files("1", &list).await;
    let before = filing(&id).await;
    assert!(before.address.is_some() && before.parts > 1);
    world.work().await;
    let after = filing(&id).await;
    assert_eq!((after.address, after.parts_made), (None, before.parts));
    // Of these numbers all are filed already.
    let again = filing(&files("2", &list).await).await;
    assert_eq!((again.address, again.parts), (None, 0));
}
