//! Uploads over the days: who is told of what follows from them, how much of
//! it there may be, and how long it is remembered.

use http::Method;
use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::casework::actors::Owner;
use zhengming::store::{Batch, Grant, Listing, Record, Role, Store};

use crate::support::{Answer, Provider, Setup, World};

const NUMBER: &str = "+8613800138000";
const OTHERS: [&str; 3] = ["+8613800138001", "+8613800138002", "+8613800138003"];

fn settings() -> Settings {
    Setup::default().settings
}

async fn world_with(settings: Settings) -> World {
    World::with(Setup { settings, ..Setup::default() }).await
}

fn mark(number: &str) -> Value {
    json!({ "number": number, "kind": "category", "category": "express", "first_marked_on": "2024-05-01" })
}

fn release(number: &str) -> [(&str, &str, &str); 2] {
    [(number, "disconnected", "2024-11-01"), (number, "activated", "2025-03-01")]
}

#[tokio::test]
async fn an_automatic_correction_tells_the_holder_nothing() {
    let world = World::new().await;
    // What the former holder left open ends with it, and he is told nothing.
    let dispute = world.holder(NUMBER).await.files_reassigned("2019-05").await;
    dispute.is("in_review").await;
    let before = world.messages_to(NUMBER).len();
    world.shows("tencent", &[mark(NUMBER)]).await;
    world.advance_days(1);
    let gone = (NUMBER, "disconnected", "2026-01-01");
    world.pushes("cmcc", &[gone, (NUMBER, "activated", "2026-11-24")]).await;
    world.shows("baidu", &[mark(NUMBER)]).await;
    for _ in 0..100 {
        world.work().await;
        world.advance_days(1);
    }
    assert_eq!(world.service.feed.publish().await.unwrap(), 1);
    assert_eq!(world.messages_to(NUMBER).len(), before, "{:?}", world.messages_to(NUMBER));
    dispute.look().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn releases_are_counted_over_24_hours() {
    let world = world_with(Settings { releases_per_operator_per_day: 2, ..settings() }).await;
    world.shows("tencent", &OTHERS.map(mark)).await;
    world.shows("tencent", &[mark(NUMBER)]).await;
    let tally = world.pushes("cmcc", &release(OTHERS[0])).await;
    assert_eq!((tally.corrections, tally.held), (1, 0));
    world.advance(jiff::SignedDuration::from_hours(23));
    assert_eq!(world.pushes("cmcc", &release(OTHERS[1])).await.corrections, 1);
    assert_eq!(world.pushes("cmcc", &release(NUMBER)).await.held, 1);
    // What was released first is a day old, and its place is free.
    world.advance(jiff::SignedDuration::from_hours(1));
    assert_eq!(world.pushes("cmcc", &release(OTHERS[2])).await.corrections, 1);
    let again = world.pushes("cmcc", &release(NUMBER)).await;
    assert_eq!((again.unchanged, again.held), (1, 1), "what is held is not known");
}

async fn uploads(world: &World, provider: &Provider<'_>, numbers: &[&str]) -> Answer {
    let bearer = format!("Bearer {}", provider.key);
    let fields = [("authorization", bearer.as_str()), ("content-type", "application/x-ndjson")];
    let lines: String = numbers.iter().map(|number| mark(number).to_string() + "\n").collect();
    world.client.send(Method::POST, "/v1/labels", &fields, Some(lines.into_bytes())).await
}

#[tokio::test]
async fn a_provider_puts_so_many_labels_a_day() {
    let world = world_with(Settings { labels_per_provider_per_day: 3, ..settings() }).await;
    let tencent = world.provider("tencent").await;
    let two = uploads(&world, &tencent, &OTHERS[..2]).await.ok(200);
    assert_eq!(two["accepted"], 2);
    // What is sent again costs nothing; the rest of an upload is rejected.
    let more = uploads(&world, &tencent, &[OTHERS[0], OTHERS[1], NUMBER, OTHERS[2]]).await.ok(200);
    let expected = json!({ "accepted": 1, "unchanged": 2, "rejected": 1,
                           "errors": [{ "line": 4, "code": "quota_exhausted" }] });
    assert_eq!(more.body, expected);
    let refused = uploads(&world, &tencent, &[OTHERS[2]]).await.refused(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], (24 * 3_600 + 1).to_string());
    // Others have days of their own, and the owner has no limit.
    uploads(&world, &world.provider("baidu").await, &[OTHERS[2]]).await.ok(200);
    assert_eq!(world.shows("tencent", &[mark("+8613800138009")]).await.accepted, 1);
    world.advance_days(1);
    assert_eq!(uploads(&world, &tencent, &[OTHERS[2]]).await.ok(200)["accepted"], 1);

    let store: &dyn Store = world.store.as_ref();
    let audit = store.audit(0, 100).await.unwrap().into_iter();
    let uploads = audit.filter(|line| line.draft.action == "labels_uploaded");
    let told: Vec<String> =
        uploads.map(|line| format!("{} {}", line.draft.actor, line.draft.subject)).collect();
    assert_eq!(told.len(), 5, "one line for each upload");
    assert_eq!(told[1], "provider:tencent lines:4 accepted:1 unchanged:2 rejected:1 corrections:0");
    assert!(told[3].starts_with("owner:tencent lines:1 accepted:1 "), "{told:?}");
}

#[tokio::test]
async fn a_label_beyond_the_quota_corrects_nothing() {
    let world = world_with(Settings { labels_per_provider_per_day: 1, ..settings() }).await;
    world.pushes("cmcc", &release(NUMBER)).await;
    let tencent = world.provider("tencent").await;
    uploads(&world, &tencent, &[OTHERS[0], NUMBER]).await.ok(200);
    assert_eq!(world.service.feed.publish().await.unwrap(), 0);
}

/// An operator's upload under a name.
pub async fn batch(world: &World, key: &str, name: &str, number: &str) -> Answer {
    let lines = release(number)
        .map(|(number, event, on)| json!({ "number": number, "event": event, "on": on }).to_string() + "\n");
    let bearer = format!("Bearer {key}");
    let fields = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", name),
    ];
    world.client.send(Method::POST, "/v1/tenures", &fields, Some(lines.concat().into_bytes())).await.ok(200)
}

/// Batches, and names of those that are over, once time has passed and what
/// ran out is purged.
async fn remembered_after(world: &World, days: i64) -> (usize, usize) {
    world.advance_days(days);
    while world.casework.purge().await.unwrap() {}
    let store: &dyn Store = world.store.as_ref();
    let open = store.all::<Batch>(&Listing::OpenBatches).await.unwrap().len();
    let until = jiff::Timestamp::from_second(10_000_000_000).unwrap();
    let passing = store.list(&Listing::Expired { until }, None, 1_000).await.unwrap().records;
    let count = |is: fn(&Record) -> bool| passing.iter().filter(|found| is(&found.value)).count();
    let names = count(|record| matches!(record, Record::Claim(claim) if claim.name.starts_with("batch:")));
    (open + count(|record| matches!(record, Record::Batch(_))), names)
}

#[tokio::test]
async fn a_batch_is_forgotten_90_days_after_its_end() {
    let world = world_with(Settings { releases_per_operator_per_day: 1, ..settings() }).await;
    let (owner, grant) = (Owner::at_the_command_line(), Grant::Operator("cmcc".parse().unwrap()));
    let (_, key) = world.casework.issue_key(owner, grant, "cmcc").await.unwrap();
    world.shows("tencent", &OTHERS.map(mark)).await;
    let done = batch(&world, &key, "done", OTHERS[0]).await;
    let held = batch(&world, &key, "held", OTHERS[1]).await;
    assert_eq!((&done["corrections"], &held["held"]), (&json!(1), &json!(1)));
    assert_eq!(remembered_after(&world, 80).await, (2, 1));
    assert_eq!(batch(&world, &key, "done", OTHERS[0]).await.body, done.body);
    // One that is held is not over, however long it is.
    assert_eq!(remembered_after(&world, 12).await, (1, 0));
    assert_eq!(batch(&world, &key, "held", OTHERS[1]).await.body, held.body);

    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let id = alice.get("batches").await["batches"][0]["id"].as_str().unwrap().to_owned();
    alice.post(&format!("batches/{id}/discard"), &json!({})).await.ok(202);
    bob.post(&format!("batches/{id}/discard"), &json!({})).await.ok(200);
    assert_eq!(remembered_after(&world, 89).await, (1, 1));
    assert_eq!(batch(&world, &key, "held", OTHERS[1]).await.body, held.body);
    assert_eq!(remembered_after(&world, 3).await, (0, 0));
    // The name is free; what it brought is known still.
    assert_eq!(batch(&world, &key, "done", OTHERS[0]).await["unchanged"], 2);
}
