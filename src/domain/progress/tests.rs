#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::correction::{EntryReason, InForce, NameAction};
use crate::domain::day::plus_days;
use crate::domain::evidence::Assurance;
use crate::domain::label::{Category, Regression, Source};
use crate::domain::testkit::{at, category_label, day, name_label, number};

const DECIDED_AT: &str = "2026-06-01T00:00:00Z";
const SERVED_AT: &str = "2026-06-10T00:00:00Z";
const LATER: &str = "2026-06-10T00:00:01Z";

fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

fn told(published: bool, stage: Option<Stage>) -> Told {
    let reached = |reached: &Stage| Some(*reached) <= stage;
    let stages = Stage::ALL.into_iter().filter(reached).map(|stage| (stage, at(SERVED_AT)));
    Told { published, stages: stages.collect(), refused: None }
}

fn refusing(told: &Told) -> Told {
    let refused = Refused { at: at(SERVED_AT), code: "no_dated_reports".to_owned(), text: None };
    Told { refused: Some(refused), ..told.clone() }
}

fn void() -> Effect {
    Effect::VoidBefore { day: day("2025-03-01") }
}

fn of(effect: &Effect, labels: &[Label], told: &Told) -> Course {
    course(Decided { effect, at: at(DECIDED_AT), seq: 7 }, labels, told, day_of)
}

fn progress_of(effect: &Effect, labels: &[Label], told: &Told) -> Progress {
    of(effect, labels, told).progress
}

fn marked(first: Option<&str>) -> Label {
    category_label(Category::Express, first, Some("2026-06-01"))
}

/// Marks from before and after 2025-03-01.
fn straddling() -> Label {
    marked(Some("2024-01-01"))
}

fn back(label: Label, seq: u64) -> Label {
    Label { regressed: Some(Regression { seq, seen_at: at(LATER) }), ..label }
}

#[test]
fn a_provider_goes_from_stage_to_stage() {
    for labels in [vec![], vec![straddling()]] {
        let progress = |told: Told| progress_of(&void(), &labels, &told).as_str();
        assert_eq!(progress(told(false, None)), "pending");
        assert_eq!(progress(told(true, None)), "published");
        for stage in Stage::ALL {
            assert_eq!(progress(told(true, Some(stage))), stage.as_str());
        }
    }
    assert!(Stage::ALL.is_sorted());
}

#[test]
fn stages_of_one_moment_are_one_step() {
    let early = at("2026-06-02T00:00:00Z");
    let stages = vec![(Stage::Received, early), (Stage::Applied, early), (Stage::Serving, at(SERVED_AT))];
    let told = Told { published: true, stages, refused: None };
    let expected = [
        (early, Progress::Acknowledged(Stage::Applied)),
        (at(SERVED_AT), Progress::Acknowledged(Stage::Serving)),
    ];
    assert_eq!(of(&void(), &[], &told).steps, expected);
    assert_eq!(of(&void(), &[back(straddling(), 7)], &told).steps[..2], expected);
    assert_eq!(of(&void(), &[back(straddling(), 7)], &told).steps[2], (at(LATER), Progress::Regressed));
}

#[test]
fn a_refusal_is_shown_whatever_the_stage() {
    let refused = Progress::RefusedByProvider { code: "no_dated_reports".to_owned(), text: None };
    assert_eq!(refused.as_str(), "refused_by_provider");
    for stage in [None, Some(Stage::Received), Some(Stage::Applied), Some(Stage::Serving)] {
        let course = of(&void(), &[back(straddling(), 7)], &refusing(&told(true, stage)));
        assert_eq!(course.progress, refused);
        assert_eq!(
            course.steps,
            [(at(SERVED_AT), refused.clone())],
            "what it did not follow it does not serve"
        );
    }
    let early = at("2026-06-02T00:00:00Z");
    let told = Told { stages: vec![(Stage::Received, early)], ..refusing(&told(true, None)) };
    let expected = [(early, Progress::Acknowledged(Stage::Received)), (at(SERVED_AT), refused)];
    assert_eq!(of(&void(), &[], &told).steps, expected);
}

#[test]
fn marks_of_the_present_tenure_are_not_covered() {
    let own = || marked(Some("2025-03-01"));
    let undated = || marked(None);
    for told in [told(false, None), told(true, Some(Stage::Serving)), refusing(&told(true, None))] {
        for labels in [&[own()][..], &[own(), own()]] {
            let course = of(&void(), labels, &told);
            assert_eq!((course.progress, course.steps), (Progress::NotCovered, vec![]));
        }
        for other in [undated(), straddling()] {
            let progress = progress_of(&void(), &[own(), other], &told);
            assert_ne!(progress, Progress::NotCovered, "not all of them");
        }
        assert_ne!(progress_of(&void(), &[], &told), Progress::NotCovered);
        assert_ne!(
            progress_of(&Effect::ClearName, &[own()], &told),
            Progress::NotCovered,
            "no marks' affair"
        );
    }
}

#[test]
fn what_came_back_has_regressed_where_it_is_this_corrections_affair() {
    let serving = told(true, Some(Stage::Serving));
    let progress = |effect: &Effect, label| progress_of(effect, &[label], &serving);
    assert_eq!(progress(&void(), back(straddling(), 7)), Progress::Regressed);
    assert_eq!(progress(&void(), back(straddling(), 9)), Progress::Regressed, "what came later takes it up");
    let serves = Progress::Acknowledged(Stage::Serving);
    assert_eq!(progress(&void(), back(straddling(), 6)), serves, "not seen since this one is served");
    assert_eq!(progress(&void(), straddling()), serves);
    // The name came back; the dispute was about marks.
    let name = || back(name_label("dianhuabang", "张记面馆", Source::Business), 7);
    assert_eq!(progress(&void(), name()), serves);
    assert_eq!(progress(&Effect::ClearName, name()), Progress::Regressed);
    assert_eq!(Progress::Regressed.as_str(), "regressed");
}

fn entry(void_before: Option<&str>, name_action: NameAction) -> Entry {
    let is_set = name_action == NameAction::Set;
    let correction = InForce {
        void_before: void_before.map(day),
        name_action,
        name: is_set.then(|| "厦门某某科技有限公司".to_owned()),
        name_until: is_set.then(|| day("2026-08-30")),
        assurance: Assurance::Operator,
    };
    Entry::new(number(), Some(correction), EntryReason::Reassigned, None, at(DECIDED_AT), String::new())
}

fn seen(label: Label, observed_at: &str) -> Label {
    Label { observed_at: at(observed_at), ..label }
}

fn regressed(label: &Label, entries: &[Entry]) -> bool {
    has_regressed(label, entries, at(SERVED_AT), day_of)
}

#[test]
fn a_mark_regresses_when_seen_after_serving() {
    let entries = [entry(Some("2025-03-01"), NameAction::Keep)];
    let seen_later = |first| regressed(&seen(marked(first), LATER), &entries);
    assert!(seen_later(Some("2024-01-01")) && seen_later(Some("2025-02-28")));
    assert!(!seen_later(Some("2025-03-01")));
    assert!(!seen_later(None), "nobody knows that an undated mark is a former holder's");
    assert!(!regressed(&seen(straddling(), SERVED_AT), &entries), "not after");
    assert!(!regressed(&seen(straddling(), LATER), &[]), "nothing was corrected");
}

#[test]
fn what_is_no_longer_said_or_was_not_served_is_not_held_against_a_provider() {
    let (said, unsaid) = (entry(Some("2025-03-01"), NameAction::Keep), entry(None, NameAction::Keep));
    let label = seen(straddling(), LATER);
    assert!(regressed(&label, &[said.clone(), said.clone()]));
    assert!(!regressed(&label, &[unsaid.clone(), said.clone()]), "taken back");
    assert!(!regressed(&label, &[said.clone(), unsaid.clone()]), "what it serves did not say so");
    let withdrawn = Entry::new(number(), None, EntryReason::Reverted, Some(0), at(DECIDED_AT), String::new());
    assert!(!regressed(&label, &[withdrawn, said]));
}

#[test]
fn a_name_regresses_by_what_the_correction_says_of_names() {
    let name = |text, first| {
        let label = name_label("dianhuabang", text, Source::Business);
        seen(Label { first_marked_on: first, ..label }, LATER)
    };
    let clear = [entry(None, NameAction::Clear)];
    assert!(regressed(&name("张记面馆", None), &clear), "names seldom have a date");
    assert!(regressed(&name("张记面馆", Some(day("2026-05-31"))), &clear));
    assert!(!regressed(&name("张记面馆", Some(day("2026-06-01"))), &clear), "not known before");
    let set = [entry(None, NameAction::Set)];
    assert!(regressed(&name("张记面馆", None), &set));
    assert!(!regressed(&name("厦门某某科技", None), &set), "the right name");
    assert!(!regressed(&seen(name("张记面馆", None), "2026-08-31T00:00:00Z"), &set), "the lease is over");
    assert!(!regressed(&name("张记面馆", None), &[entry(Some("2025-03-01"), NameAction::Keep)]));
    for correction in [clear, set] {
        assert!(!regressed(&seen(straddling(), LATER), &correction), "a mark is no name");
    }
}

proptest! {
    /// The present holder's marks never regress, nor does what was not seen
    /// since, whatever else is said.
    #[test]
    fn only_old_marks_that_are_seen_again_regress(
        void in -400i32..400,
        first in prop::option::of(-400i32..400),
        seen_after_s in -100_000i64..100_000,
        action in prop::sample::select(&[NameAction::Keep, NameAction::Clear, NameAction::Set][..]),
    ) {
        let began = plus_days(day("2025-03-01"), void);
        let mut said = entry(None, action);
        said.void_before = Some(began);
        let mut label = marked(None);
        label.first_marked_on = first.map(|first| plus_days(day("2025-03-01"), first));
        label.observed_at = at(SERVED_AT) + jiff::SignedDuration::from_secs(seen_after_s);
        let expected = seen_after_s > 0 && label.first_marked_on.is_some_and(|first| first < began);
        prop_assert_eq!(regressed(&label, &[said]), expected);
    }
}
