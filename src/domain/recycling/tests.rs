#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::Recycled::{No, NothingKnown, OutOfRange, Unknown, Yes};
use super::TenureEvent::{Activated, Disconnected, PortedIn, PortedOut, Transferred};
use super::*;
use crate::domain::correction::{Ground, Reversal};
use crate::domain::id::DisputeId;
use crate::domain::tenure::{Insert, Ledger};
use crate::domain::testkit::{REST, at, day, ledger, line, moderator, number, tell};

const TODAY: &str = "2026-11-23";

fn file(ledger: Ledger) -> NumberFile {
    NumberFile { ledger, ..NumberFile::new(number()) }
}

fn asked(file: &NumberFile, on: &str) -> Recycled {
    changed_after(file, day(on), day(TODAY), REST)
}

#[track_caller]
fn answers(file: &NumberFile, expected: &[(&str, Recycled)]) {
    for (on, answer) in expected {
        assert_eq!(asked(file, on), *answer, "{on}");
    }
}

fn corrected(mut file: NumberFile, void_before: &str, assurance: Assurance) -> NumberFile {
    let ground = Ground::Dispute { id: DisputeId(uuid::Uuid::from_u128(1)) };
    file.decide(Effect::VoidBefore { day: day(void_before) }, assurance, ground, at("2026-06-01T04:00:00Z"));
    file
}

#[test]
fn a_tenure_proved_by_its_rest_is_a_change_of_hands() {
    let lines = [(Activated, "2019-05-01"), (Disconnected, "2024-12-01"), (Activated, "2025-03-15")];
    answers(
        &file(ledger(&lines)),
        &[
            ("2010-01-01", OutOfRange),
            ("2019-04-30", OutOfRange),
            ("2019-05-01", Yes),
            ("2024-11-30", Yes),
            // While it rested there was no contract.
            ("2024-12-01", Yes),
            ("2025-03-14", Yes),
            // The day on which the present holder signed.
            ("2025-03-15", No),
            (TODAY, No),
            ("2026-11-24", OutOfRange),
        ],
    );
}

#[test]
fn a_new_contract_within_the_rest_may_be_the_old_subscribers() {
    let lines = [(Activated, "2019-05-01"), (Disconnected, "2024-12-01"), (Activated, "2025-02-28")];
    answers(
        &file(ledger(&lines)),
        &[("2020-01-01", Unknown), ("2024-12-15", Unknown), ("2025-02-28", No), ("2019-04-30", OutOfRange)],
    );
    let rested = [(Disconnected, "2024-12-01"), (Activated, "2025-03-01")];
    answers(&file(ledger(&rested)), &[("2024-12-01", Yes), ("2024-11-30", OutOfRange)]);
    // A later change is proved whatever went before, and after.
    let mut lines = lines.to_vec();
    lines.extend([(Disconnected, "2025-06-01"), (Activated, "2025-12-01"), (Disconnected, "2026-11-01")]);
    answers(&file(ledger(&lines)), &[("2020-01-01", Yes), ("2025-11-30", Yes), ("2025-12-01", Unknown)]);
}

#[test]
fn a_line_that_is_missing_proves_nothing() {
    let twice = file(ledger(&[(Activated, "2019-05-01"), (Activated, "2025-03-15")]));
    answers(&twice, &[("2020-01-01", Unknown), ("2025-03-15", No)]);
    let once = file(ledger(&[(Activated, "2019-05-01")]));
    answers(&once, &[("2019-04-30", OutOfRange), ("2019-05-01", No), (TODAY, No)]);
}

#[test]
fn a_transfer_is_a_change_without_rest() {
    let lines = [(Activated, "2019-05-01"), (Transferred, "2023-07-01")];
    answers(&file(ledger(&lines)), &[("2019-05-01", Yes), ("2023-06-30", Yes), ("2023-07-01", No)]);
    let only = file(ledger(&[(Transferred, "2023-07-01")]));
    answers(&only, &[("2023-06-30", OutOfRange), ("2023-07-01", No)]);
}

#[test]
fn who_holds_a_disconnected_number_is_not_known() {
    let only = file(ledger(&[(Disconnected, "2024-12-01")]));
    answers(&only, &[("2024-11-30", OutOfRange), ("2024-12-01", Unknown), (TODAY, Unknown)]);
    let held = file(ledger(&[(Activated, "2019-05-01"), (Disconnected, "2024-12-01")]));
    answers(&held, &[("2020-01-01", Unknown), ("2025-01-01", Unknown)]);
}

#[test]
fn a_port_is_no_change_of_hands() {
    let mut ported = ledger(&[(Activated, "2019-05-01"), (PortedOut, "2022-01-01")]);
    answers(&file(ported.clone()), &[("2020-01-01", Unknown), ("2023-01-01", Unknown)]);
    tell(&mut ported, PortedIn, "2022-01-01", "cucc", Some("cmcc")).unwrap();
    answers(&file(ported.clone()), &[("2020-01-01", No), ("2021-12-31", No), ("2022-01-01", No)]);
    tell(&mut ported, Disconnected, "2024-12-01", "cucc", Some("cmcc")).unwrap();
    tell(&mut ported, Activated, "2025-03-15", "cucc", Some("cmcc")).unwrap();
    answers(&file(ported), &[("2020-01-01", Yes), ("2025-03-15", No)]);

    // It says nothing of who holds the number.
    let mut only = Ledger::default();
    tell(&mut only, PortedOut, "2022-01-01", "registry", Some("cmcc")).unwrap();
    answers(&file(only), &[("2023-01-01", NothingKnown)]);
}

#[test]
fn nothing_is_known_of_a_number_that_nobody_told_of() {
    let nothing = file(Ledger::default());
    answers(&nothing, &[("2020-01-01", NothingKnown), ("2026-11-24", OutOfRange)]);
    let mut named = nothing;
    let ground = Ground::Renewal;
    named.decide(Effect::ClearName, Assurance::Operator, ground, at("2026-06-01T04:00:00Z"));
    answers(&named, &[("2020-01-01", NothingKnown)]);
}

#[test]
fn an_operators_answers_prove_a_change_and_no_day_after_it() {
    let nothing = file(Ledger::default());
    // E is 29 January: changed after it, and after E - R.
    let known = corrected(nothing.clone(), "2025-01-30", Assurance::Operator);
    answers(
        &known,
        &[
            ("2024-10-30", OutOfRange),
            ("2024-10-31", Yes),
            ("2025-01-29", Yes),
            ("2025-01-30", Unknown),
            (TODAY, Unknown),
        ],
    );
    let by_papers = corrected(nothing, "2025-01-30", Assurance::Document);
    answers(&by_papers, &[("2025-01-29", NothingKnown)]);
    let mut reverted = known;
    let reversal = Reversal {
        first: moderator("alice"),
        second: moderator("bob"),
        reason: "wrong".into(),
        at: at("2026-07-01T04:00:00Z"),
    };
    reverted.decisions[0].reverted = Some(reversal);
    answers(&reverted, &[("2025-01-29", NothingKnown)]);

    // Beside lines that prove less.
    let late = file(ledger(&[(Activated, "2019-05-01"), (Disconnected, "2024-12-01")]));
    let late = corrected(late, "2025-01-30", Assurance::Operator);
    answers(&late, &[("2019-04-30", OutOfRange), ("2020-01-01", Yes), ("2025-01-30", Unknown)]);
    let silent = corrected(file(ledger(&[(Activated, "2019-05-01")])), "2025-01-30", Assurance::Operator);
    answers(&silent, &[("2025-01-29", Yes)]);
}

/// Who held the number when: days held, days until the next one, and whether
/// the next one is another.
fn history() -> impl Strategy<Value = Vec<(i32, i32, bool)>> {
    proptest::collection::vec((1..700i32, 1..300i32, any::<bool>()), 1..10)
}

proptest! {
    /// Against a history in which it is known who held the number: a yes and a
    /// no are always right, whatever is not known.
    #[test]
    fn a_yes_and_a_no_are_right(holders in history(), asked in 0..9_000i32) {
        let mut told = Ledger::default();
        let mut on = day("1999-05-31");
        let (mut held, mut subscriber) = (Vec::new(), 0);
        for (days, rest, same) in holders {
            let begins = line(Activated, on, "cmcc");
            prop_assert_eq!(told.insert(begins, day("2050-01-01"), None), Ok(Insert::Added));
            held.push((on, subscriber));
            on = plus_days(on, days);
            let ends = line(Disconnected, on, "cmcc");
            prop_assert_eq!(told.insert(ends, day("2050-01-01"), None), Ok(Insert::Added));
            on = plus_days(on, rest);
            // Within the rest the former subscriber may come back.
            subscriber += i32::from(rest >= REST || !same);
        }
        prop_assert_eq!(told.insert(line(Activated, on, "cmcc"), day("2050-01-01"), None), Ok(Insert::Added));
        held.push((on, subscriber));
        let asked = plus_days(day("1999-05-31"), asked);
        let then = held.iter().rfind(|(from, _)| *from <= asked).map(|(_, who)| *who);
        match changed_after(&file(told), asked, day("2050-01-01"), REST) {
            Yes => prop_assert_ne!(then, Some(subscriber)),
            No => prop_assert_eq!(then, Some(subscriber)),
            Unknown => {}
            OutOfRange | NothingKnown => prop_assert!(false, "it is within what was told"),
        }
    }
}
