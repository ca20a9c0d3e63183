//! An operator that behaves badly, in every way there is: an answer that means
//! "unknown" goes to people, everything else delays and loses nothing.

use jiff::SignedDuration;
use serde_json::{Value, json};
use zhengming::store::Role;

use super::wire::{Door, Mood};
use super::{Ends, NEW_HOLDER, NUMBER, TIMEOUT_MS, clock, ends, knows, world};
use crate::support::{World, day, seconds};

const ANOTHER: &str = "+8613800138001";
/// For those who never answer.
const SHORT_MS: u64 = 150;

/// The state of the operator's gateway while it behaves so.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Unknown,
    /// Put off, and decided once the operator is well.
    Delayed(&'static str),
}

use Then::{Delayed, Unknown};

fn says(status: u16, code: &'static str) -> Mood {
    Mood::Says(status, code, None)
}

fn token(mood: Mood) -> Mood {
    Mood::Token(Box::new(mood))
}

fn moods() -> Vec<(&'static str, Mood, u64, Then)> {
    let writes = |body: &str| Mood::Writes(body.to_owned());
    let mac = json!({ "access_token": "t", "token_type": "mac", "expires_in": 300 });
    let expired = json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 0 });
    vec![
        ("401", says(401, "UNAUTHENTICATED"), TIMEOUT_MS, Delayed("refused_us")),
        ("403", says(403, "PERMISSION_DENIED"), TIMEOUT_MS, Delayed("refused_us")),
        ("404", says(404, "IDENTIFIER_NOT_FOUND"), TIMEOUT_MS, Unknown),
        ("422", says(422, "SERVICE_NOT_APPLICABLE"), TIMEOUT_MS, Unknown),
        ("400", says(400, "INVALID_ARGUMENT"), TIMEOUT_MS, Delayed("refused_us")),
        ("out of range", says(400, "OUT_OF_RANGE"), TIMEOUT_MS, Unknown),
        ("429", says(429, "TOO_MANY_REQUESTS"), TIMEOUT_MS, Delayed("failing")),
        ("500", says(500, "INTERNAL"), TIMEOUT_MS, Delayed("failing")),
        ("503", says(503, "UNAVAILABLE"), TIMEOUT_MS, Delayed("failing")),
        ("garbage", writes("<html>"), TIMEOUT_MS, Delayed("failing")),
        ("a wrong type", writes(r#"{"tenureDateCheck":"true"}"#), TIMEOUT_MS, Delayed("failing")),
        ("nothing in it", writes("{}"), TIMEOUT_MS, Unknown),
        ("huge", writes(&" ".repeat(10_000_000)), TIMEOUT_MS, Delayed("failing")),
        ("hangs up", Mood::HangsUp, TIMEOUT_MS, Delayed("failing")),
        ("silent", Mood::Silent, SHORT_MS, Delayed("failing")),
        ("a byte at a time", Mood::Drips, SHORT_MS, Delayed("failing")),
        ("token: 401", token(says(401, "invalid_client")), TIMEOUT_MS, Delayed("refused_us")),
        ("token: 503", token(says(503, "")), TIMEOUT_MS, Delayed("failing")),
        ("token: silent", token(Mood::Silent), SHORT_MS, Delayed("failing")),
        ("token: wrong type", token(writes(&mac.to_string())), TIMEOUT_MS, Delayed("refused_us")),
        ("token: garbage", token(writes("<html>")), TIMEOUT_MS, Delayed("failing")),
        ("token: expired", token(writes(&expired.to_string())), TIMEOUT_MS, Delayed("refused_us")),
    ]
}

/// The operator's gateway, as admins see it.
async fn gateway(world: &World) -> Value {
    let admin = world.moderator(&format!("admin-{}", world.changes()), Role::Admin).await;
    let gateways = admin.get("gateways").await.ok(200);
    let gateways = gateways.body.as_array().unwrap().clone();
    gateways.into_iter().find(|gateway| gateway["name"] == "operator:cmcc").unwrap()
}

#[tokio::test]
async fn each_ends_as_it_should() {
    for (tale, mood, timeout_ms, then) in moods() {
        println!("{tale}");
        let clock = clock();
        let door = Door::open(&clock, day("2000-01-01")).await;
        // Silence has to end soon; a loaded machine's answers need not.
        let world = world(&clock, vec![door.asked("cmcc", true, timeout_ms)]).await;
        knows(&door, &world, NUMBER, NEW_HOLDER);
        door.is(mood);
        let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
        match then {
            Unknown => {
                ends(&world, &dispute, NUMBER, Ends::Review("operator_unknown")).await;
                assert_eq!(gateway(&world).await["state"], "ok");
            }
            Delayed(state) => {
                dispute.is("checking").await;
                let gateway = gateway(&world).await;
                assert_eq!(gateway["state"], state, "{gateway}");
                assert!(gateway["why"].as_str().unwrap().len() > 2, "{gateway}");
                let (shown, digits) = (gateway.to_string(), NUMBER.trim_start_matches('+'));
                assert!(!shown.contains(digits) && !shown.contains("secret"), "{gateway}");
                door.is(Mood::Well);
                decides_at_last(&world, &door).await;
                ends(&world, &dispute, NUMBER, Ends::VoidBefore("2025-01-30")).await;
            }
        }
    }
}

/// What came slowly may do so for a few tries more.
async fn decides_at_last(world: &World, door: &Door) {
    let mut asked = 0;
    for _ in 0..20 {
        world.advance(SignedDuration::from_hours(1));
        world.work().await;
        if door.correlators().len() == asked {
            return;
        }
        asked = door.correlators().len();
    }
}

#[tokio::test]
async fn nobody_listens() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    knows(&door, &world, NUMBER, NEW_HOLDER);
    door.close().await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("checking").await;
    let seen = gateway(&world).await;
    assert_eq!((&seen["state"], &seen["failures"]), (&json!("failing"), &json!(1)));
    assert!(seen["why"].as_str().unwrap().starts_with("no connection: "), "{seen}");
    door.reopen().await;
    world.advance(seconds(2));
    world.work().await;
    ends(&world, &dispute, NUMBER, Ends::VoidBefore("2025-01-30")).await;
    assert_eq!(gateway(&world).await["state"], "ok");
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_and_nobody_notices() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    for number in [NUMBER, ANOTHER] {
        knows(&door, &world, number, NEW_HOLDER);
        let dispute = world.holder(number).await.files_reassigned("2025-03").await;
        ends(&world, &dispute, number, Ends::VoidBefore("2025-01-30")).await;
        door.stand_in().revoke_tokens();
    }
}

#[tokio::test]
async fn a_pause_that_it_asks_for_counts_for_every_number() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    knows(&door, &world, NUMBER, NEW_HOLDER);
    knows(&door, &world, ANOTHER, NEW_HOLDER);
    door.is(Mood::Says(429, "TOO_MANY_REQUESTS", Some("120")));
    let first = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    assert_eq!(door.correlators().len(), 1);
    let paused = gateway(&world).await;
    assert_eq!((&paused["state"], &paused["why"]), (&json!("paused"), &json!("429 TOO_MANY_REQUESTS")));

    door.is(Mood::Well);
    let second = world.holder(ANOTHER).await.files_reassigned("2025-03").await;
    for _ in 0..11 {
        world.advance(seconds(10));
        world.work().await;
    }
    assert_eq!(door.correlators().len(), 1, "nobody asks before the 120 s are over");
    world.advance(seconds(20));
    world.work().await;
    world.advance(seconds(120));
    world.work().await;
    for (dispute, number) in [(first, NUMBER), (second, ANOTHER)] {
        ends(&world, &dispute, number, Ends::VoidBefore("2025-01-30")).await;
    }
    assert_eq!(gateway(&world).await["state"], "ok");
}
