#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::TenureEvent::{Activated, Disconnected, PortedIn, PortedOut, Transferred};
use super::*;
use crate::domain::day::plus_days;
use crate::domain::testkit::{REST, day, ledger, line, op, tell};

const ADDED: Result<Insert, LineError> = Ok(Insert::Added);
const UNCHANGED: Result<Insert, LineError> = Ok(Insert::Unchanged);
const NOT_YOURS: Result<Insert, LineError> = Err(LineError::NotYourNumber);

/// Holders one after the other: days held, days until the next one.
fn history() -> impl Strategy<Value = Vec<TenureLine>> {
    let holder = (1..700i32, 1..300i32, any::<bool>());
    proptest::collection::vec(holder, 1..12).prop_map(|holders| {
        let mut on = day("1999-05-31");
        let mut lines = vec![line(Activated, on, "cmcc")];
        for (held, rest, transferred) in holders {
            on = plus_days(on, held);
            if transferred {
                lines.push(line(Transferred, on, "cmcc"));
                continue;
            }
            lines.push(line(Disconnected, on, "cmcc"));
            on = plus_days(on, rest);
            lines.push(line(Activated, on, "cmcc"));
        }
        lines
    })
}

fn filled(lines: &[TenureLine]) -> Ledger {
    let mut ledger = Ledger::default();
    for line in lines {
        assert_eq!(ledger.insert(line.clone(), day("2050-01-01"), Some(&op("cmcc"))), ADDED);
    }
    ledger
}

/// A number that moved from one operator to another, told by the registry, the
/// operator that it left, or both; what was said before and after, and what
/// the former operator went on to say.
fn moved() -> impl Strategy<Value = Vec<TenureLine>> {
    let event = prop_oneof![Just(Activated), Just(Disconnected), Just(Transferred)];
    let said = proptest::collection::vec((1..400i32, event), 0..5);
    (said.clone(), said.clone(), said, 0..3u8, 0..5i32).prop_map(|(before, stale, after, port, lag)| {
        let (mut on, mut lines) = (day("2001-05-31"), Vec::new());
        let mut say = |mut on, said: Vec<(i32, TenureEvent)>, who| {
            for (days, event) in said {
                on = plus_days(on, days);
                lines.push(line(event, on, who));
            }
            on
        };
        on = plus_days(say(on, before, "cmcc"), 1);
        say(on, stale, "cmcc");
        let arrived = plus_days(on, lag);
        say(arrived, after, "cucc");
        lines.extend((port != 0).then(|| line(PortedOut, on, "registry")));
        lines.extend((port != 1).then(|| line(PortedOut, on, "cmcc")));
        lines.push(line(PortedIn, arrived, "cucc"));
        lines
    })
}

proptest! {
    /// Operators send again what was refused, until nothing is news.
    #[test]
    fn in_the_end_the_order_does_not_matter(
        (lines, shuffled) in moved().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let told = |lines: &[TenureLine]| {
            let mut ledger = Ledger::default();
            let mut tell = |line: &TenureLine| {
                ledger.insert(line.clone(), day("2050-01-01"), Some(&op("cmcc"))) == ADDED
            };
            while lines.iter().filter(|line| tell(line)).count() > 0 {}
            ledger
        };
        let (one, other) = (told(&lines), told(&shuffled));
        let standing = |ledger: &Ledger| ledger.standing().cloned().collect::<Vec<_>>();
        prop_assert_eq!(standing(&one), standing(&other));
        prop_assert_eq!(one.proven(REST), other.proven(REST));
        prop_assert_eq!(one.serving(None), other.serving(None));
        prop_assert_eq!((one.began_on(), one.is_disconnected()), (other.began_on(), other.is_disconnected()));
    }

    #[test]
    fn lines_in_any_order_make_the_same_ledger(
        (lines, shuffled) in history().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let ledger = filled(&shuffled);
        prop_assert_eq!(ledger.lines(), &lines[..]);
        prop_assert_eq!(&ledger, &filled(&lines));
        // Sent again, in whatever order, nothing changes.
        let mut again = ledger.clone();
        for line in &shuffled {
            prop_assert_eq!(again.insert(line.clone(), day("2050-01-01"), Some(&op("cmcc"))), UNCHANGED);
        }
        prop_assert_eq!(&again, &ledger);
        // What is proved is a beginning with its rest, and the newest one.
        let began = lines.iter().rfind(|line| line.event.begins()).map(|line| line.on);
        prop_assert_eq!(ledger.began_on(), began);
        if let Some(tenure) = ledger.proven(REST) {
            prop_assert_eq!(Some(tenure.began_on), began);
            prop_assert!(plus_days(tenure.former_ended_on, REST) <= tenure.began_on);
        }
    }

    #[test]
    fn a_ledger_keeps_the_newest_lines(
        order in Just((0..LINES_PER_NUMBER_MAX as i32 + 9).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut ledger = Ledger::default();
        for days in order {
            let event = if days % 2 == 0 { Activated } else { Disconnected };
            let line = line(event, plus_days(day("2000-01-01"), days), "cmcc");
            prop_assert!(ledger.insert(line, day("2050-01-01"), None).is_ok());
        }
        prop_assert_eq!(ledger.lines().len(), LINES_PER_NUMBER_MAX);
        prop_assert_eq!(ledger.known_from(), Some(day("2000-01-10")));
        prop_assert!(ledger.lines().is_sorted_by_key(|line| line.on));
    }
}

#[test]
fn the_future_is_not_known() {
    let (today, home) = (day("2026-06-01"), op("cmcc"));
    let mut ledger = Ledger::default();
    let tomorrow = line(Activated, day("2026-06-02"), "cmcc");
    assert_eq!(ledger.insert(tomorrow, today, Some(&home)), Err(LineError::InFuture));
    assert_eq!(ledger.insert(line(Activated, today, "cmcc"), today, Some(&home)), ADDED);
}

#[test]
fn one_day_has_one_thing_to_tell() {
    for (first, second) in [(Activated, Disconnected), (Disconnected, Activated), (Activated, Transferred)] {
        let mut ledger = ledger(&[(Disconnected, "2020-01-01")]);
        let mut told = |event, seconds| {
            let received_at = Timestamp::from_second(seconds).unwrap();
            let line = TenureLine { received_at, ..line(event, day("2020-06-01"), "cmcc") };
            ledger.insert(line, day("2030-01-01"), Some(&op("cmcc")))
        };
        assert_eq!(told(first, 1), ADDED);
        assert_eq!(told(second, 2), Err(LineError::Contradicts));
        assert_eq!((told(first, 3), told(second, 3)), (UNCHANGED, Err(LineError::Contradicts)), "again");
        assert_eq!(ledger.lines().len(), 3);
        assert_eq!(ledger.proven(REST), None, "{first:?}, then {second:?}");
        // A port of that day is no contradiction, and later days are clear.
        assert_eq!(tell(&mut ledger, PortedIn, "2020-06-01", "cmcc", Some("cmcc")), ADDED);
        assert_eq!(tell(&mut ledger, Disconnected, "2024-01-01", "cmcc", Some("cmcc")), ADDED);
        assert_eq!(tell(&mut ledger, Activated, "2024-06-01", "cmcc", Some("cmcc")), ADDED);
        assert!(ledger.proven(REST).is_some());
    }
}

#[test]
fn only_a_rest_after_a_disconnection_proves_a_new_holder() {
    let proven = |lines: &[(TenureEvent, &str)]| ledger(lines).proven(REST).map(|tenure| tenure.began_on);
    let (gone, rested, early) =
        ((Disconnected, "2025-01-01"), (Activated, "2025-04-01"), (Activated, "2025-03-31"));
    assert_eq!(proven(&[]), None);
    assert_eq!(proven(&[rested]), None);
    assert_eq!(proven(&[gone]), None);
    assert_eq!(proven(&[gone, early]), None, "89 days");
    assert_eq!(proven(&[gone, rested]), Some(day("2025-04-01")), "90 days");
    assert_eq!(proven(&[gone, rested, (Transferred, "2025-05-01")]), None);
    assert_eq!(proven(&[gone, rested, (Disconnected, "2025-05-01")]), None);
    assert_eq!(proven(&[gone, rested, (Activated, "2025-09-01")]), None, "nobody left in between");
    assert_eq!(proven(&[(Activated, "2024-01-01"), rested]), None);
    // A port is no change of holder, but behind it the ledger may see nothing.
    assert_eq!(
        proven(&[gone, (PortedOut, "2025-02-01"), (PortedIn, "2025-02-01"), rested]),
        Some(day(rested.1))
    );
    assert_eq!(proven(&[gone, rested, (PortedOut, "2025-05-01")]), None);
    assert_eq!(
        proven(&[gone, rested, (PortedOut, "2025-05-01"), (PortedIn, "2025-06-01")]),
        Some(day(rested.1))
    );
}

#[test]
fn a_ledger_says_whether_somebody_has_the_number() {
    let empty = Ledger::default();
    assert_eq!((empty.began_on(), empty.known_from(), empty.is_disconnected()), (None, None, false));
    let gone = ledger(&[(Activated, "2020-01-01"), (Disconnected, "2021-01-01")]);
    assert_eq!((gone.began_on(), gone.is_disconnected()), (Some(day("2020-01-01")), true));
    let ported = ledger(&[(Disconnected, "2021-01-01"), (PortedOut, "2021-02-01")]);
    assert!(ported.is_disconnected(), "a port gives the number to nobody");
    let held = ledger(&[(Disconnected, "2021-01-01"), (Transferred, "2021-02-01")]);
    assert_eq!((held.began_on(), held.is_disconnected()), (Some(day("2021-02-01")), false));
    assert_eq!(held.known_from(), Some(day("2021-01-01")));
}

#[test]
fn a_port_is_known_from_its_day_on() {
    let mut ledger = Ledger::default();
    assert_eq!(tell(&mut ledger, PortedOut, "2025-03-01", "registry", Some("cmcc")), ADDED);
    assert!(ledger.ported_since(day("2025-03-01")));
    assert!(!ledger.ported_since(day("2025-03-02")));
    assert!(!ledger_without_ports().ported_since(day("2000-01-01")));
}

fn ledger_without_ports() -> Ledger {
    ledger(&[(Activated, "2020-01-01"), (Disconnected, "2021-01-01")])
}

#[test]
fn the_operator_of_the_range_speaks_until_a_port() {
    let home = Some("cmcc");
    let mut ledger = Ledger::default();
    assert_eq!(tell(&mut ledger, Activated, "2020-01-01", "cucc", home), NOT_YOURS);
    assert_eq!(tell(&mut ledger, PortedIn, "2020-01-01", "cucc", home), NOT_YOURS, "nobody let it go");
    assert_eq!(tell(&mut ledger, Activated, "2020-01-01", "cmcc", home), ADDED);
    assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "cmcc", home), ADDED);
    assert_eq!(tell(&mut ledger, Disconnected, "2022-02-01", "cmcc", home), NOT_YOURS);
    assert_eq!(tell(&mut ledger, Disconnected, "2022-02-01", "cucc", home), NOT_YOURS, "not arrived yet");
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-01", "cucc", home), ADDED);
    assert_eq!(ledger.serving(Some(&op("cmcc"))), Some(&op("cucc")));
    assert_eq!(tell(&mut ledger, Disconnected, "2022-02-01", "cucc", home), ADDED);
    assert_eq!(tell(&mut ledger, Activated, "2023-01-01", "cmcc", home), NOT_YOURS);
    // Of the days when it served, the former operator may still speak.
    assert_eq!(tell(&mut ledger, Transferred, "2021-01-01", "cmcc", home), ADDED);
    assert_eq!(tell(&mut ledger, Transferred, "2021-02-01", "cucc", home), NOT_YOURS);
}

#[test]
fn the_registry_speaks_of_ports_only() {
    let home = Some("cmcc");
    let mut ledger = Ledger::default();
    for event in [Activated, Disconnected, Transferred] {
        assert_eq!(tell(&mut ledger, event, "2022-01-01", "registry", home), NOT_YOURS);
    }
    assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "registry", home), ADDED);
    assert_eq!(ledger.serving(Some(&op("cmcc"))), Some(&op("cmcc")), "it does not say where to");
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-02", "cucc", home), ADDED);
    assert_eq!(ledger.serving(Some(&op("cmcc"))), Some(&op("cucc")));
}

#[test]
fn without_a_plan_the_first_to_speak_serves() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.serving(None), None);
    assert_eq!(tell(&mut ledger, PortedIn, "2019-01-01", "registry", None), ADDED);
    let mut ledger = Ledger::default();
    assert_eq!(tell(&mut ledger, Activated, "2020-01-01", "cucc", None), ADDED);
    assert_eq!(tell(&mut ledger, Disconnected, "2021-01-01", "cmcc", None), NOT_YOURS);
    assert_eq!(tell(&mut ledger, Activated, "2018-01-01", "cmcc", None), NOT_YOURS);
    assert_eq!(ledger.serving(None), Some(&op("cucc")));
    // Also of the days before its first line, also after the number left it.
    assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "cucc", None), ADDED);
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-01", "cmcc", None), ADDED);
    assert_eq!(tell(&mut ledger, Disconnected, "2019-01-01", "cucc", None), ADDED);
    assert_eq!(tell(&mut ledger, Disconnected, "2018-01-01", "cmcc", None), NOT_YOURS);
}

#[test]
fn a_line_sent_again_is_unchanged_whoever_serves_now() {
    let mut ledger = Ledger::default();
    let story = [
        (Activated, "2020-01-01", "cucc"),
        (PortedOut, "2022-01-01", "cucc"),
        (PortedOut, "2022-01-01", "registry"),
        (PortedIn, "2022-01-01", "cmcc"),
        (PortedIn, "2022-01-01", "registry"),
        (Disconnected, "2023-01-01", "cmcc"),
    ];
    for (event, on, by) in story {
        assert_eq!(tell(&mut ledger, event, on, by, None), ADDED, "{event:?} by {by}");
    }
    let before = ledger.clone();
    for (event, on, by) in story {
        assert_eq!(tell(&mut ledger, event, on, by, None), UNCHANGED, "{event:?} by {by}");
    }
    assert_eq!(ledger, before);
}

#[test]
fn the_registry_confirming_an_arrival_unseats_nobody() {
    let home = Some("cmcc");
    for confirmed_on in ["2022-01-01", "2022-01-03"] {
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "registry", home), ADDED);
        assert_eq!(tell(&mut ledger, PortedIn, "2022-01-01", "cucc", home), ADDED);
        assert_eq!(tell(&mut ledger, PortedIn, confirmed_on, "registry", home), ADDED);
        assert_eq!(tell(&mut ledger, PortedIn, "2022-01-04", "ctcc", home), NOT_YOURS);
        assert_eq!(tell(&mut ledger, Disconnected, "2022-01-05", "cucc", home), ADDED);
    }
}

#[test]
fn the_first_to_tell_of_an_arrival_serves() {
    let home = Some("cmcc");
    let mut ledger = Ledger::default();
    assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "cmcc", home), ADDED);
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-05", "cucc", home), ADDED);
    for on in ["2022-01-01", "2022-01-03", "2022-01-05", "2022-01-06"] {
        assert_eq!(tell(&mut ledger, PortedIn, on, "ctcc", home), NOT_YOURS, "on {on}");
    }
    assert_eq!(ledger.serving(Some(&op("cmcc"))), Some(&op("cucc")));
}

#[test]
fn a_number_that_went_out_of_sight_proves_nothing() {
    let mut ledger = ledger(&[(Disconnected, "2020-01-01"), (Activated, "2020-06-01")]);
    assert!(ledger.proven(REST).is_some());
    assert_eq!(tell(&mut ledger, PortedOut, "2022-01-01", "registry", Some("cmcc")), ADDED);
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-01", "registry", Some("cmcc")), ADDED);
    assert_eq!(ledger.proven(REST), None, "where it arrived nobody told");
    assert_eq!(tell(&mut ledger, PortedIn, "2022-01-01", "cucc", Some("cmcc")), ADDED);
    assert!(ledger.proven(REST).is_some());
}

#[test]
fn a_port_told_late_takes_away_what_was_proved_without_it() {
    let home = Some("cmcc");
    let mut ledger = ledger(&[(Disconnected, "2024-11-01"), (Activated, "2025-03-01")]);
    assert!(ledger.proven(REST).is_some() && !ledger.mistook_for_beginning(day("2025-03-01")));
    // In the middle of the rest it had left: whoever activated it was not asked.
    assert_eq!(tell(&mut ledger, PortedOut, "2025-01-01", "registry", home), ADDED);
    assert_eq!((ledger.proven(REST), ledger.began_on()), (None, None));
    assert!(ledger.mistook_for_beginning(day("2025-03-01")));
    assert!(!ledger.mistook_for_beginning(day("2024-11-02")), "the end was told by whose it was");
    assert_eq!(tell(&mut ledger, Disconnected, "2026-01-01", "cmcc", home), NOT_YOURS);
    assert_eq!(tell(&mut ledger, Activated, "2025-03-01", "cmcc", home), UNCHANGED);
    // What the former operator wrongly said keeps nobody from arriving.
    assert_eq!(tell(&mut ledger, PortedIn, "2025-01-02", "cucc", home), ADDED);
    assert_eq!(ledger.proven(REST), None, "disconnected, and nobody's since");
    assert_eq!(tell(&mut ledger, Activated, "2025-02-02", "cucc", home), ADDED);
    let proven = ledger.proven(REST).unwrap();
    assert_eq!((proven.former_ended_on, proven.began_on), (day("2024-11-01"), day("2025-02-02")));
}

#[test]
fn an_end_is_mistaken_that_another_told_of() {
    let mut ledger = ledger(&[(Disconnected, "2024-11-01"), (Activated, "2025-03-01")]);
    assert_eq!(tell(&mut ledger, PortedOut, "2024-10-01", "registry", Some("cmcc")), ADDED);
    assert!(ledger.mistook_for_beginning(day("2024-11-02")));
    assert!(!ledger.mistook_for_beginning(day("2024-11-01")));
}

#[test]
fn a_port_after_what_was_proved_takes_nothing_away() {
    let mut ledger = ledger(&[(Disconnected, "2024-11-01"), (Activated, "2025-03-01")]);
    assert_eq!(tell(&mut ledger, PortedOut, "2025-03-02", "registry", Some("cmcc")), ADDED);
    assert_eq!(ledger.proven(REST), None, "out of sight");
    assert!(!ledger.mistook_for_beginning(day("2025-03-01")));
    assert_eq!(tell(&mut ledger, PortedIn, "2025-03-02", "cucc", Some("cmcc")), ADDED);
    assert_eq!(ledger.proven(REST).unwrap().began_on, day("2025-03-01"));
}

#[test]
fn two_operators_at_odds_prove_nothing_together() {
    for (first, then) in [("cmcc", "cucc"), ("cucc", "cmcc")] {
        for home in [Some("cmcc"), Some("cucc"), None] {
            let mut ledger = Ledger::default();
            let gone = tell(&mut ledger, Disconnected, "2024-11-01", first, home);
            let begun = tell(&mut ledger, Activated, "2025-03-01", then, home);
            assert!(gone == NOT_YOURS || begun == NOT_YOURS, "{gone:?} {begun:?}");
            assert_eq!(ledger.proven(REST), None);
        }
    }
}
