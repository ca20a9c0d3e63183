#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::domain::day::plus_days;
use crate::domain::name::{NAME_CHARS_MAX, parse_name};
use crate::domain::testkit::{at, day, moderator, number};

fn decision(effect: Effect, assurance: Assurance) -> Decision {
    Decision {
        at: at("2026-06-01T04:00:00Z"),
        ground: Ground::LabelArrived,
        effect,
        assurance,
        reverted: None,
    }
}

fn reversal() -> Reversal {
    Reversal {
        first: moderator("wang"),
        second: moderator("li"),
        reason: "wrong".to_owned(),
        at: at("2026-06-02T04:00:00Z"),
    }
}

fn decisions() -> impl Strategy<Value = Vec<Decision>> {
    proptest::collection::vec(any_decision(), 0..9)
}

fn any_decision() -> impl Strategy<Value = Decision> {
    // Few days and names, so that some meet.
    let on = |days: i32| plus_days(day("2025-01-01"), days);
    let effect = prop_oneof![
        3 => (0..6i32).prop_map(move |days| Effect::VoidBefore { day: on(days) }),
        1 => Just(Effect::ClearName),
        1 => ("[甲乙]", 0..6i32).prop_map(move |(name, days)| Effect::SetName { name, until: on(days) }),
    ];
    let assurance = prop_oneof![Just(Assurance::Document), Just(Assurance::Operator)];
    (effect, assurance, prop::bool::weighted(0.3)).prop_map(|(effect, assurance, reverted)| Decision {
        reverted: reverted.then(reversal),
        ..decision(effect, assurance)
    })
}

fn is_void(decision: &Decision) -> bool {
    matches!(decision.effect, Effect::VoidBefore { .. })
}

proptest! {
    #[test]
    fn the_order_of_void_decisions_does_not_matter(decisions in decisions(), turn in any::<prop::sample::Index>()) {
        let (mut voids, names): (Vec<_>, Vec<_>) = decisions.iter().cloned().partition(is_void);
        if !voids.is_empty() {
            let by = turn.index(voids.len());
            voids.rotate_left(by);
        }
        prop_assert_eq!(in_force(&[voids.clone(), names.clone()].concat()), in_force(&decisions));
        prop_assert_eq!(in_force(&[names, voids].concat()), in_force(&decisions));
    }

    #[test]
    fn the_newest_name_decision_wins(decisions in decisions(), name in "[丙丁]") {
        let until = day("2026-01-01");
        let set = decision(Effect::SetName { name: name.clone(), until }, Assurance::Operator);
        let correction = in_force(&[&decisions[..], &[set]].concat()).unwrap();
        prop_assert_eq!(correction.name_action, NameAction::Set);
        prop_assert_eq!((correction.name, correction.name_until), (Some(name), Some(until)));
        let clear = decision(Effect::ClearName, Assurance::Operator);
        let correction = in_force(&[&decisions[..], &[clear]].concat()).unwrap();
        prop_assert_eq!(correction.name_action, NameAction::Clear);
        prop_assert_eq!((correction.name, correction.name_until), (None, None));
    }

    #[test]
    fn reverting_gives_the_fold_without_it(
        decisions in proptest::collection::vec(any_decision(), 1..9),
        which in any::<prop::sample::Index>(),
    ) {
        let which = which.index(decisions.len());
        let mut reverted = decisions.clone();
        reverted[which].reverted = Some(reversal());
        let mut without = decisions.clone();
        without.remove(which);
        prop_assert_eq!(in_force(&reverted), in_force(&without));
        for decision in &mut reverted {
            decision.reverted = Some(reversal());
        }
        prop_assert_eq!(in_force(&reverted), None);
    }

    #[test]
    fn the_fold_is_as_strong_as_its_weakest_part(decisions in decisions()) {
        let standing = || decisions.iter().filter(|decision| decision.reverted.is_none());
        let latest = standing().filter_map(|decision| match decision.effect {
            Effect::VoidBefore { day } => Some(day),
            _ => None,
        }).max();
        let named = standing().rfind(|decision| !is_void(decision));
        let rests_on = standing().filter(|decision| match decision.effect {
            Effect::VoidBefore { day } => Some(day) == latest,
            _ => false,
        });
        let weakest = rests_on.chain(named).map(|decision| decision.assurance).min();
        let correction = in_force(&decisions);
        prop_assert_eq!(correction.as_ref().map(|correction| correction.assurance), weakest);
        prop_assert_eq!(correction.and_then(|correction| correction.void_before), latest);
    }

    #[test]
    fn void_before_never_moves_back(decisions in decisions(), more in decisions()) {
        let before = |decisions: &[Decision]| in_force(decisions).and_then(|correction| correction.void_before);
        prop_assert!(before(&decisions) <= before(&[decisions.clone(), more].concat()));
    }
}

#[test]
fn nothing_decided_is_nothing_in_force() {
    assert_eq!(in_force(&[]), None);
}

const SALT: &str = "AAECAwQFBgcICQoLDA0ODw";

fn entry(correction: Option<InForce>, reason: EntryReason, supersedes: Option<u64>) -> Entry {
    Entry::new(
        number(),
        correction,
        reason,
        supersedes,
        at("2026-11-23T03:04:05.987654321Z"),
        SALT.to_owned(),
    )
}

fn leaf(entry: &Entry) -> String {
    let leaf = String::from_utf8(entry.leaf()).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&leaf).unwrap(), *entry);
    leaf
}

#[test]
fn an_entry_is_these_bytes() {
    let void = decision(Effect::VoidBefore { day: day("2025-03-01") }, Assurance::Operator);
    let reassigned = entry(in_force(std::slice::from_ref(&void)), EntryReason::Reassigned, None);
    assert_eq!(
        leaf(&reassigned),
        r#"{"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"keep","name":null,"name_until":null,"reason":"reassigned","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#
    );
    let set = Effect::SetName { name: "“A\"\\B” 饭店/🍜".to_owned(), until: day("2027-02-21") };
    let shown = entry(in_force(&[void, decision(set, Assurance::Document)]), EntryReason::Renewed, Some(41));
    assert_eq!(
        leaf(&shown),
        r#"{"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"set","name":"“A\"\\B” 饭店/🍜","name_until":"2027-02-21","reason":"renewed","assurance":"document","withdrawn":false,"supersedes":41,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#
    );
    let cleared = in_force(&[decision(Effect::ClearName, Assurance::Operator)]);
    assert_eq!(
        leaf(&entry(cleared, EntryReason::TenureEnded, Some(0))),
        r#"{"v":1,"number":"+8613800138000","void_before":null,"name_action":"clear","name":null,"name_until":null,"reason":"tenure_ended","assurance":"operator","withdrawn":false,"supersedes":0,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#
    );
    assert_eq!(
        leaf(&entry(None, EntryReason::Reverted, Some(u64::MAX))),
        r#"{"v":1,"number":"+8613800138000","void_before":null,"name_action":"keep","name":null,"name_until":null,"reason":"reverted","assurance":"operator","withdrawn":true,"supersedes":18446744073709551615,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#
    );
}

#[test]
fn reasons_are_spelled_like_this() {
    use EntryReason::{NameMismatch, Reassigned, Released, Renewed, Reverted, TenureEnded};
    let all = [Reassigned, NameMismatch, Released, TenureEnded, Renewed, Reverted];
    let spelled = r#"["reassigned","name_mismatch","released","tenure_ended","renewed","reverted"]"#;
    assert_eq!(serde_json::to_string(&all).unwrap(), spelled);
}

#[test]
fn no_entry_is_longer_than_its_bound() {
    // Four bytes, two bytes escaped to two, and what no parser lets in: six.
    for (c, is_name) in [('🍜', true), ('"', true), ('\\', true), ('饭', true), ('\u{1}', false)] {
        let name = c.to_string().repeat(NAME_CHARS_MAX);
        assert_eq!(parse_name(&name).is_ok(), is_name);
        let longest = Entry {
            number: Number::from_digits(999_999_999_999_999).unwrap(),
            reason: EntryReason::NameMismatch,
            supersedes: Some(u64::MAX),
            void_before: Some(day("2025-03-01")),
            name_action: NameAction::Clear,
            name: Some(name),
            name_until: Some(day("2027-02-21")),
            ..entry(None, EntryReason::Reverted, None)
        };
        let leaf = serde_json::to_vec(&longest).unwrap();
        assert!(leaf.len() <= ENTRY_BYTES_MAX, "{c:?}: {}", leaf.len());
    }
}

#[test]
fn instants_of_entries_are_whole_seconds() {
    for (instant, second) in [
        ("2026-11-23T03:04:05.999999999Z", "2026-11-23T03:04:05Z"),
        ("2026-11-23T03:04:05Z", "2026-11-23T03:04:05Z"),
    ] {
        assert_eq!(whole_seconds(at(instant)), at(second));
    }
    assert_eq!(whole_seconds(Timestamp::MAX).subsec_nanosecond(), 0);
    assert_eq!(whole_seconds(Timestamp::MIN).subsec_nanosecond(), 0);
}
