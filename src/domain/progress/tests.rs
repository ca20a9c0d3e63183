#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::label::{Category, Source};
use crate::domain::testkit::{at, category_label, day, name_label};

const SERVED_AT: &str = "2026-06-10T00:00:00Z";

fn told(published: bool, stage: Option<Stage>) -> Told {
    Told { published, stage: stage.map(|stage| (stage, at(SERVED_AT))), refused: None }
}

fn refusing(told: &Told) -> Told {
    Told { refused: Some(("no_dated_reports".to_owned(), None)), ..told.clone() }
}

fn void() -> Option<Date> {
    Some(day("2025-03-01"))
}

fn marked(first: Option<&str>, observed_at: &str) -> Label {
    Label { observed_at: at(observed_at), ..category_label(Category::Express, first, Some("2026-06-01")) }
}

/// Marks from before and after 2025-03-01.
fn straddling(observed_at: &str) -> Label {
    marked(Some("2024-01-01"), observed_at)
}

#[test]
fn a_provider_goes_from_stage_to_stage() {
    for labels in [vec![], vec![straddling("2026-06-01T00:00:00Z")]] {
        let progress = |told: Told| progress(void(), &labels, &told).as_str();
        assert_eq!(progress(told(false, None)), "pending");
        assert_eq!(progress(told(true, None)), "published");
        for stage in Stage::ALL {
            assert_eq!(progress(told(true, Some(stage))), stage.as_str());
        }
    }
    assert!(Stage::ALL.is_sorted());
}

#[test]
fn a_refusal_is_shown_whatever_the_stage() {
    let refused = Progress::RefusedByProvider { code: "no_dated_reports".to_owned(), text: None };
    assert_eq!(refused.as_str(), "refused_by_provider");
    for stage in [None, Some(Stage::Received), Some(Stage::Applied), Some(Stage::Serving)] {
        let told = refusing(&told(true, stage));
        assert_eq!(progress(void(), &[straddling("2026-06-11T00:00:00Z")], &told), refused);
    }
}

#[test]
fn marks_of_the_present_tenure_are_not_covered() {
    let own = || marked(Some("2025-03-01"), "2026-06-11T00:00:00Z");
    let undated = || marked(None, "2026-06-01T00:00:00Z");
    for told in [told(false, None), told(true, Some(Stage::Serving)), refusing(&told(true, None))] {
        assert_eq!(progress(void(), &[own()], &told), Progress::NotCovered);
        assert_eq!(progress(void(), &[own(), own()], &told), Progress::NotCovered);
        for other in [undated(), straddling("2026-06-01T00:00:00Z")] {
            assert_ne!(progress(void(), &[own(), other], &told), Progress::NotCovered, "not all of them");
        }
        assert_ne!(progress(void(), &[], &told), Progress::NotCovered);
        assert_ne!(progress(None, &[own()], &told), Progress::NotCovered, "no tenure is known yet");
    }
}

#[test]
fn what_is_seen_again_after_serving_has_regressed() {
    let progress = |stage, label| progress(void(), &[label], &told(true, Some(stage)));
    let (before, later) = (SERVED_AT, "2026-06-10T00:00:01Z");
    assert_eq!(progress(Stage::Serving, straddling(later)), Progress::Regressed);
    assert_eq!(progress(Stage::Serving, straddling(before)), Progress::Acknowledged(Stage::Serving));
    for stage in [Stage::Received, Stage::Applied] {
        assert_eq!(progress(stage, straddling(later)), Progress::Acknowledged(stage));
    }
    // Nobody knows that an undated mark is a former holder's.
    assert_eq!(progress(Stage::Serving, marked(None, later)), Progress::Acknowledged(Stage::Serving));
    assert_eq!(progress(Stage::Serving, marked(Some("2025-02-28"), later)), Progress::Regressed);
    assert_eq!(Progress::Regressed.as_str(), "regressed");
}

#[test]
fn a_name_that_was_cleared_regresses_without_dates() {
    let name = |observed_at: &str| Label {
        observed_at: at(observed_at),
        ..name_label("dianhuabang", "张记面馆", Source::Business)
    };
    let progress = |label| progress(None, &[label], &told(true, Some(Stage::Serving)));
    assert_eq!(progress(name("2026-06-11T00:00:00Z")), Progress::Regressed);
    assert_eq!(progress(name(SERVED_AT)), Progress::Acknowledged(Stage::Serving));
}
