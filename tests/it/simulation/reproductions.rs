//! Stories that once broke a promise, as short as they could be told, with
//! what the log comes to say.

use std::sync::Arc;

use zhengming::domain::correction::EntryReason::{self, NameMismatch, Reverted, TenureEnded};
use zhengming::domain::reference::Reference;

use super::life::Chapter::{self, Handed, Held, Rest};
use super::op::Mood::{Clueless, Down, Lagging};
use super::op::Op::{File, Operators, Pass, Prove, Push, Revert, Work};
use super::op::{Op, Says, Scene};
use super::tell;

/// A town opens on this day of its numbers' lives.
const TODAY: i32 = 783;

fn holds(lives: &[&[Chapter]], truthful: bool, story: &[Op], log: &[EntryReason]) {
    let scene = Scene {
        lives: lives.iter().map(|life| life.to_vec()).collect(),
        truthful,
        follows_ports: true,
        releases_per_operator_per_day: 0,
        publish_all_releases: false,
    };
    let told = tell(&scene, story, &Arc::new(Reference::built_in()));
    assert_eq!(told.as_deref(), Ok(log));
}

fn days(count: i64) -> Op {
    Pass { minutes: 24 * 60 * count }
}

fn file(says: Says) -> Op {
    File { nth_token: 0, says }
}

/// Two people bring back a name that its renewal took down; its renewal's
/// task had gone with it.
#[test]
fn a_name_that_is_brought_back_is_asked_again() {
    let story = [
        Prove { number: 0 },
        file(Says::ShowMine),
        Work,
        Operators(Clueless),
        days(42),
        Work,
        Revert { by: 0, nth: 0 },
        Revert { by: 1, nth: 0 },
    ];
    holds(&[&[Held(1), Handed, Held(1)]], false, &story, &[NameMismatch, TenureEnded, Reverted]);
}

/// The ledger knows of the end, the operator's answers do not yet.
#[test]
fn a_name_is_not_shown_after_its_tenure_has_ended() {
    let story = [
        Prove { number: 0 },
        Operators(Down),
        file(Says::ShowMine),
        days(4),
        Push { by: 0, mask: u32::MAX },
        Operators(Lagging(8)),
        Work,
    ];
    holds(&[&[Held(1), Handed, Held(TODAY + 1), Rest(120)]], true, &story, &[]);
}

/// The name that is taken back had come after one of the tenure before.
#[test]
fn a_reversal_does_not_bring_back_a_former_holders_name() {
    let story = [
        Prove { number: 0 },
        file(Says::ShowMine),
        Work,
        days(22),
        Prove { number: 0 },
        file(Says::ShowMine),
        Work,
        Push { by: 0, mask: u32::MAX },
        Revert { by: 0, nth: 0 },
        Revert { by: 1, nth: 0 },
    ];
    holds(
        &[&[Held(1), Handed, Held(TODAY + 9), Handed]],
        true,
        &story,
        &[NameMismatch, NameMismatch, Reverted],
    );
}

/// The next holder asks for the former one's name while the operator still
/// knows no other.
#[test]
fn a_name_that_was_confirmed_late_ends_with_the_news_of_a_transfer() {
    let story = [
        Prove { number: 0 },
        Operators(Lagging(8)),
        Op::Mark { number: 0, provider: 0, day: 0, lasts: 0, is_name: true, harm: false },
        file(Says::ShowAnothers),
        Work,
        Push { by: 0, mask: u32::MAX },
    ];
    let life = [Held(1), Handed, Held(TODAY - 4), Handed];
    holds(&[&life], true, &story, &[NameMismatch, TenureEnded]);
}

/// As before, and the transfer is news already when they ask.
#[test]
fn a_name_is_not_confirmed_by_answers_from_before_a_known_transfer() {
    let story = [
        Prove { number: 0 },
        Operators(Lagging(8)),
        Op::Mark { number: 0, provider: 0, day: 0, lasts: 0, is_name: true, harm: false },
        Push { by: 0, mask: u32::MAX },
        file(Says::ShowAnothers),
        Work,
        days(10),
        Work,
    ];
    let life = [Held(1), Handed, Held(TODAY - 4), Handed];
    holds(&[&life], true, &story, &[]);
}
