//! Arithmetic on days and instants that cannot fail: it stops at the calendar's
//! ends.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

pub fn plus_days(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

/// `YYYY-MM-DD` and nothing else that a date parser may also take.
pub fn parse_day(text: &str) -> Option<Date> {
    if text.len() != "YYYY-MM-DD".len() {
        return None;
    }
    text.parse().ok()
}

pub fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Days from `earlier` to `later`; negative where they are the other way round.
pub fn days_between(earlier: Date, later: Date) -> i32 {
    (later - earlier).get_days()
}
