//! An operator that is down for an hour, or for days: disputes are delayed,
//! none is lost, and each is decided once it is back.

use jiff::SignedDuration;

use super::wire::{Door, Mood};
use super::{Ends, NEW_HOLDER, TIMEOUT_MS, clock, ends, knows, world};
use crate::support::{Dispute, World, day};
use zhengming::store::Role;

const DISPUTES: usize = 12;

fn numbers() -> Vec<String> {
    (0..DISPUTES).map(|place| format!("+8613800138{place:03}")).collect()
}

async fn everybody_files<'a>(world: &'a World, door: &Door) -> Vec<(Dispute<'a>, String)> {
    let mut filed = Vec::new();
    for number in numbers() {
        knows(door, world, &number, NEW_HOLDER);
        let dispute = world.holder(&number).await.files_reassigned("2025-03").await;
        dispute.is("checking").await;
        filed.push((dispute, number));
    }
    filed
}

async fn goes_by(world: &World, minutes: i64, times: u32) {
    for _ in 0..times {
        world.advance(SignedDuration::from_mins(minutes));
        world.work().await;
    }
}

#[tokio::test]
async fn an_hour() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    door.is(Mood::Says(503, "UNAVAILABLE", None));
    let filed = everybody_files(&world, &door).await;
    goes_by(&world, 1, 60).await;
    for (dispute, _) in &filed {
        dispute.is("checking").await;
    }
    // Five to shut the breaker; then one after 30, 60, 120, 240, 480, 600 s…
    let asked = door.correlators().len();
    assert!((10..=16).contains(&asked), "left alone, with a probe now and then: {asked}");

    door.is(Mood::Well);
    goes_by(&world, 10, 12).await;
    for (dispute, number) in &filed {
        ends(&world, dispute, number, Ends::VoidBefore("2025-01-30")).await;
    }
    assert_eq!(door.correlators().len(), asked + 3 * DISPUTES, "each question once");
}

#[tokio::test]
async fn three_days() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    door.is(Mood::HangsUp);
    let filed = everybody_files(&world, &door).await;
    goes_by(&world, 20, 3 * 20).await;
    for (dispute, _) in &filed {
        dispute.is("checking").await;
    }
    goes_by(&world, 20, 3 * 52).await;
    // People can see to them after a day and a bit.
    for (dispute, _) in &filed {
        dispute.is("in_review").await;
    }
    // One has been taken in hand, one has been asked for documents.
    let alice = world.moderator("alice", Role::Moderator).await;
    let taken = alice.takes_next().await.ok(200);
    let bob = world.moderator("bob", Role::Moderator).await;
    let asked = bob.takes_next().await.ok(200);
    bob.decides(&asked, "ask").await.ok(200);

    door.is(Mood::Well);
    world.advance(SignedDuration::from_mins(10));
    world.work().await;
    let of = |id: &str| filed.iter().find(|(dispute, _)| dispute.id == id).unwrap();
    of(&taken.text("id")).0.is("in_review").await;
    goes_by(&world, 20, 9).await;
    for (dispute, number) in &filed {
        if dispute.id == asked.text("id") {
            dispute.is("needs_evidence").await;
        } else {
            ends(&world, dispute, number, Ends::VoidBefore("2025-01-30")).await;
        }
    }
}

#[tokio::test]
async fn the_other_operators_are_asked_meanwhile() {
    let clock = clock();
    let down = Door::open(&clock, day("2000-01-01")).await;
    let well = Door::open(&clock, day("2000-01-01")).await;
    let operators = vec![down.asked("cmcc", true, TIMEOUT_MS), well.asked("cucc", true, TIMEOUT_MS)];
    let world = world(&clock, operators).await;
    down.is(Mood::HangsUp);
    everybody_files(&world, &down).await;
    let number = "+8613000138000";
    knows(&well, &world, number, NEW_HOLDER);
    let dispute = world.holder(number).await.files_reassigned("2025-03").await;
    ends(&world, &dispute, number, Ends::VoidBefore("2025-01-30")).await;
}
