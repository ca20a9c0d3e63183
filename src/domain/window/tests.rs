#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::domain::day::days_between;
use crate::domain::testkit::{REST, day};

fn around(opened: &str, today: &str) -> (String, String) {
    let window = Window::around(opened.parse().unwrap(), day(today), REST);
    (window.after.to_string(), window.until.to_string())
}

fn days(after: &str, until: &str) -> (String, String) {
    (after.to_owned(), until.to_owned())
}

#[test]
fn a_day_gives_the_days_next_to_it() {
    assert_eq!(around("2025-03-01", "2026-06-01"), days("2025-02-28", "2025-03-02"));
    assert_eq!(around("2024-02-29", "2026-06-01"), days("2024-02-28", "2024-03-01"));
    assert_eq!(around("2025-12-31", "2026-06-01"), days("2025-12-30", "2026-01-01"));
    // Tomorrow, so that an operator that reads "since" strictly can say yes.
    assert_eq!(around("2026-06-01", "2026-06-01"), days("2026-05-31", "2026-06-02"));
}

#[test]
fn a_month_gives_the_rest_around_it() {
    assert_eq!(around("2025-03", "2026-06-01"), days("2025-01-29", "2025-04-29"));
    assert_eq!(around("2025-02", "2026-06-01"), days("2024-12-29", "2025-03-29"));
    assert_eq!(around("2024-02", "2026-06-01"), days("2023-12-30", "2024-03-29"), "leap day");
    assert_eq!(around("2025-12", "2026-06-01"), days("2025-10-31", "2026-01-29"));
    // Never past today: the present month, its first day, and the one before.
    assert_eq!(around("2026-06", "2026-06-15"), days("2026-03-17", "2026-06-15"));
    assert_eq!(around("2026-06", "2026-06-01"), days("2026-03-03", "2026-06-01"));
    assert_eq!(around("2026-05", "2026-06-01"), days("2026-03-03", "2026-06-01"));
    assert_eq!(around("2026-05", "2026-06-29"), days("2026-03-31", "2026-06-29"));
    assert_eq!(around("2026-05", "2026-06-30"), days("2026-03-31", "2026-06-29"));
}

#[test]
fn a_window_says_what_stays_and_where_the_rest_began() {
    let window = Window { after: day("2025-02-28"), until: day("2025-03-02") };
    assert_eq!(window.void_before(), day("2025-03-01"));
    assert_eq!(window.rest_began_by(REST), day("2024-11-30"));
}

proptest! {
    #[test]
    fn a_window_holds_the_claim_and_is_no_wider_than_the_rest(ago in 0..9000i32, later in 0..400i32, is_day: bool) {
        let claimed = plus_days(day("2026-06-01"), -ago);
        let today = plus_days(claimed, later);
        let month = Opened::Month { year: claimed.year(), month: claimed.month() };
        let opened = if is_day { Opened::Day(claimed) } else { month };
        let window = Window::around(opened, today, REST);
        prop_assert!(days_between(window.after, window.until) <= REST);
        prop_assert!(window.after < opened.first_day() && opened.last_day().min(today) <= window.until);
        prop_assert!(window.until <= plus_days(today, 1));
    }
}
