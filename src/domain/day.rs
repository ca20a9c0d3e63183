//! Arithmetic on civil days that cannot fail: it stops at the calendar's ends.

use jiff::ToSpan;
use jiff::civil::Date;

pub fn plus_days(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

/// Days from `earlier` to `later`; negative where they are the other way round.
pub fn days_between(earlier: Date, later: Date) -> i32 {
    (later - earlier).get_days()
}
