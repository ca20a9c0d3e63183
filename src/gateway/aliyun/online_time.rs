//! A range of months on the net (在网时长), and what it says about a day.
//!
//! The documentation does not say how months are counted, nor as of which day.
//! So a range says yes or no only where it would with any way of counting:
//! months of the calendar, months of 30 or 31 days, as of today or as of a
//! month ago. Everything else is unknown, and that is often.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::day::plus_days;
use crate::domain::evidence::Answer;

/// How old an answer may be.
const LAG_DAYS: i32 = 31;
const MONTH_DAYS_MIN: i32 = 30;
const MONTH_DAYS_MAX: i32 = 31;

/// So many months at least, and fewer than so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Months {
    from: i32,
    below: Option<i32>,
}

impl Months {
    /// By the enumeration of `DescribePhoneNumberOnlineTime`; -1 (none found)
    /// and 0 (the number is not in order) say nothing.
    pub fn of_code(code: &str) -> Option<Self> {
        let (from, below) = match code {
            "1" => (0, Some(3)),
            "2" => (3, Some(6)),
            "3" => (6, Some(12)),
            "4" => (12, Some(24)),
            "5" => (24, None),
            _ => return None,
        };
        Some(Self { from, below })
    }

    /// Has the subscriber held the number since `day`?
    pub fn held_since(self, day: Date, today: Date) -> Answer {
        if self.began_by(today) <= day {
            Answer::Yes
        } else if self.began_after(today).is_some_and(|earliest| day <= earliest) {
            Answer::No
        } else {
            Answer::Unknown
        }
    }

    /// The last day on which the tenure can have begun.
    fn began_by(self, today: Date) -> Date {
        let by_calendar = today.saturating_sub(self.from.months()).last_of_month();
        by_calendar.max(plus_days(today, -self.from * MONTH_DAYS_MIN)).min(today)
    }

    /// A day after which it must have begun.
    fn began_after(self, today: Date) -> Option<Date> {
        self.below.map(|below| plus_days(today, -LAG_DAYS - below * MONTH_DAYS_MAX))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use Answer::{No, Unknown, Yes};
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 23);

    #[test]
    fn only_what_is_certain_is_said() {
        for (code, day, answer) in [
            // [0, 3): began after 2026-07-22, and by today.
            ("1", date(2026, 11, 23), Yes),
            ("1", date(2026, 11, 22), Unknown),
            ("1", date(2026, 7, 23), Unknown),
            ("1", date(2026, 7, 21), No),
            ("1", date(2020, 1, 1), No),
            // [3, 6): by 2026-08-31.
            ("2", date(2026, 8, 31), Yes),
            ("2", date(2026, 8, 30), Unknown),
            ("2", date(2026, 4, 21), Unknown),
            ("2", date(2026, 4, 20), No),
            // [6, 12): by 2026-05-31.
            ("3", date(2026, 5, 31), Yes),
            ("3", date(2026, 5, 30), Unknown),
            ("3", date(2025, 10, 15), No),
            // [12, 24): by 2025-11-30; 360 days ago is 2025-11-28.
            ("4", date(2025, 11, 30), Yes),
            ("4", date(2025, 11, 29), Unknown),
            ("4", date(2024, 10, 9), No),
            // [24, ∞): by 2024-12-03, 720 days ago; and no end.
            ("5", date(2024, 12, 3), Yes),
            ("5", date(2024, 12, 2), Unknown),
            ("5", date(1987, 1, 1), Unknown),
        ] {
            let months = Months::of_code(code).unwrap();
            assert_eq!(months.held_since(day, TODAY), answer, "{code} {day}");
        }
        for code in ["-1", "0", "6", "", "24"] {
            assert_eq!(Months::of_code(code), None, "{code}");
        }
    }

    /// However the other side counts months, and however old its answer is.
    #[test]
    fn no_way_of_counting_makes_it_wrong() {
        let counts: [fn(Date, Date) -> i32; 4] = [
            |began, as_of| {
                let whole = (i32::from(as_of.year()) - i32::from(began.year())) * 12
                    + i32::from(as_of.month())
                    - i32::from(began.month());
                whole - i32::from(as_of.day() < began.day())
            },
            |began, as_of| {
                (i32::from(as_of.year()) - i32::from(began.year())) * 12 + i32::from(as_of.month())
                    - i32::from(began.month())
            },
            |began, as_of| (as_of - began).get_days() / 30,
            |began, as_of| (as_of - began).get_days() / 31,
        ];
        let code_of = |months: i32| match months {
            ..3 => "1",
            3..6 => "2",
            6..12 => "3",
            12..24 => "4",
            _ => "5",
        };
        for today in [TODAY, date(2026, 3, 31), date(2024, 2, 29), date(2026, 3, 1)] {
            for began in (0..900).step_by(7).map(|days| plus_days(today, -days)) {
                for as_of in [0, 8, 31].map(|days| plus_days(today, -days)) {
                    for months in counts.iter().filter(|_| began <= as_of).map(|count| count(began, as_of)) {
                        let months = Months::of_code(code_of(months)).unwrap();
                        for day in (0..1_000).step_by(5).map(|days| plus_days(today, -days)) {
                            let wrong = if began <= day { No } else { Yes };
                            let said = months.held_since(day, today);
                            assert_ne!(said, wrong, "{months:?} began {began} as of {as_of}, {day}? {today}");
                        }
                    }
                }
            }
        }
    }
}
