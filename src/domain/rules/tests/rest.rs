//! Complaints from the time of rest.

use jiff::civil::Date;
use proptest::prelude::*;

use super::filed_for;
use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::dispute::{Actor, Flag, What};
use crate::domain::evidence::Answer::{self, No, Unknown, Yes};
use crate::domain::evidence::Question;
use crate::domain::label::{Category, Label, LabelKind, Source};
use crate::domain::rules::Step;
use crate::domain::testkit::{REST, World, category_label, day, noon};
use crate::domain::window::Window;

/// Somebody says "May 2026" on 1 September; the contract began on 11 May.
const BEGAN: &str = "2026-05-11";
const TODAY: &str = "2026-09-01";

fn window() -> Window {
    Window { after: day("2026-03-31"), until: day("2026-06-29") }
}

/// An operator by whose records somebody else had the number until then.
fn says(began: Date) -> impl Fn(&str, &Question) -> Answer {
    move |_, question| match question {
        Question::HeldSince { day } if began <= *day => Yes,
        Question::ChangedAfter { day } if *day < began => Yes,
        _ => No,
    }
}

fn complaints(first: &str, last: &str) -> Label {
    category_label(Category::Harass, Some(first), Some(last))
}

fn world(labels: Vec<Label>, today: &str) -> World {
    World { labels, ..World::of(filed_for(Some(window())), day(today)) }
}

/// What is decided, and how many questions that takes.
fn decided(label: Label, today: &str) -> (Step, usize) {
    let (step, asked) = world(vec![label], today).play(says(day(BEGAN)));
    (step, asked.len())
}

fn is_approved(step: &Step) -> bool {
    matches!(step, Step::Approve { effect: Effect::VoidBefore { day }, .. } if *day == window().void_before())
}

#[test]
fn a_former_holders_complaints_cost_no_question() {
    let (step, asked) = decided(complaints("2025-06-01", "2025-12-30"), TODAY);
    assert!(is_approved(&step) && asked == 3, "{step:?} after {asked}");
}

#[test]
fn who_handed_the_number_on_without_rest_waits_until_it_is_quiet() {
    let label = || complaints("2025-06-01", "2026-05-09");
    let (step, asked) = decided(label(), "2026-08-08");
    assert_eq!(step, Step::Refuse("not_rested"));
    // 90 days are told apart by seven yes or no.
    assert!((3 + 6..=3 + 7).contains(&asked), "{asked}");
    let (step, _) = decided(label(), "2026-08-09");
    assert!(is_approved(&step), "quiet for 90 days since it changed hands: {step:?}");
    // Silence before it changed hands was no rest.
    let (step, _) = decided(complaints("2025-06-01", "2026-02-20"), "2026-06-29");
    assert_eq!(step, Step::Refuse("not_rested"));
}

#[test]
fn complaints_that_went_on_are_remembered() {
    let mut label = complaints("2025-06-01", "2026-08-30");
    assert!(is_approved(&decided(label.clone(), TODAY).0), "nobody knows of any in between");
    label.marked_before = vec![day("2026-01-20"), day("2026-05-02"), day("2026-06-20")];
    assert_eq!(decided(label.clone(), "2026-12-01").0, Step::Refuse("not_rested"));
    label.marked_before = vec![day("2026-01-20"), day("2026-06-20")];
    assert!(is_approved(&decided(label, TODAY).0), "of the former holder, and of the present one");
}

#[test]
fn what_the_present_holder_is_marked_for_is_no_objection() {
    let (step, asked) = decided(complaints("2026-05-20", "2026-06-20"), TODAY);
    assert!(is_approved(&step) && asked > 3, "{step:?} after {asked}");
}

#[test]
fn a_copy_and_a_name_are_no_complaints() {
    let copied = Label { source: Source::Partner, ..complaints("2026-05-01", "2026-05-01") };
    let named = Label { kind: LabelKind::Name, ..complaints("2026-05-01", "2026-05-01") };
    for label in [copied, named] {
        let (step, asked) = decided(label, "2026-07-01");
        assert!(is_approved(&step) && asked == 3, "{step:?} after {asked}");
    }
}

#[test]
fn an_operator_that_cannot_say_it_closer_is_taken_at_its_word() {
    let (until, after) = (window().until, window().after);
    let vague = move |_: &str, question: &Question| match question {
        Question::HeldSince { day } if *day != until => Unknown,
        Question::ChangedAfter { day } if *day > after => Unknown,
        _ => Yes,
    };
    let label = complaints("2025-06-01", "2026-05-09");
    let (step, asked) = world(vec![label], "2026-07-15").play(vague);
    assert!(is_approved(&step), "{step:?} after {asked:?}");
}

#[test]
fn an_appeal_is_for_two_people() {
    let mut world = world(vec![complaints("2025-06-01", "2026-05-09")], "2026-08-01");
    world.dispute.apply(noon(world.today), Actor::Holder, What::Appealed { text: "not me".to_owned() });
    let (step, _) = world.play(says(day(BEGAN)));
    let flags = vec![Flag::Appeal, Flag::MarkedAtRest];
    assert_eq!(step, Step::Review { flags, told: Vec::new() });
}

#[test]
fn an_accusation_counts_from_the_time_of_rest_only() {
    let accused = |day: &str| category_label(Category::Fraud, Some(day), Some(day));
    for at_rest in ["2026-04-02", "2026-05-10"] {
        assert_eq!(decided(accused(at_rest), TODAY).0, super::reviewed(Flag::HarmAtRest), "{at_rest}");
    }
    // After the day on which it changed hands, or before the rest: these tell nothing.
    for other in ["2026-05-11", "2026-06-20", "2026-02-09"] {
        let (step, asked) = decided(accused(other), "2026-12-01");
        assert!(is_approved(&step) && asked > 3, "{other}: {step:?} after {asked}");
    }
    // Where the operator says yes to everything all days count that may be meant.
    let yes = |_: &str, _: &Question| Yes;
    for (day, is_accused) in [("2026-04-02", true), ("2026-06-29", true), ("2026-03-30", false)] {
        let (step, _) = world(vec![accused(day)], TODAY).play(yes);
        assert_eq!(step == super::reviewed(Flag::HarmAtRest), is_accused, "{day}: {step:?}");
        assert!(is_accused || is_approved(&step), "{day}: {step:?}");
    }
}

proptest! {
    /// Whenever it began, and whenever somebody complained.
    #[test]
    fn complaints_count_from_the_rest_and_from_no_other_day(
        began in 1..=90i32,
        marked in -250..150i32,
        waited in 0..200i32,
    ) {
        let began = plus_days(window().after, began);
        let marked = plus_days(began, marked);
        let today = plus_days(window().until, waited).max(marked);
        let text = marked.to_string();
        let label = category_label(Category::AdSales, Some(&text), Some(&text));
        let (step, asked) = world(vec![label], &today.to_string()).play(says(began));
        let at_rest = plus_days(began, -REST) <= marked && marked < began;
        let is_quiet = (today - began).get_days() >= REST;
        prop_assert_eq!(step == Step::Refuse("not_rested"), at_rest && !is_quiet, "{:?}", step);
        prop_assert!(asked.len() <= 3 + 8);
    }
}
