//! Chinese working days: Mondays to Fridays, less the statutory holidays,
//! plus the weekend days that are worked in their place.
//!
//! Absent: which of them is a deadline. Due dates are policy.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use crate::domain::reference::ReferenceError;

/// Holidays and make-up days, out of `working-days.toml`.
#[derive(Debug, Clone)]
pub struct WorkingDays {
    years: BTreeSet<i16>,
    /// Days that a notice names, and whether they are worked.
    named: BTreeMap<Date, bool>,
}

impl WorkingDays {
    pub fn from_toml(text: &str) -> Result<Self, ReferenceError> {
        let file: File = toml::from_str(text).map_err(error)?;
        let mut days = Self { years: BTreeSet::new(), named: BTreeMap::new() };
        for year in &file.year {
            days.add(year).map_err(|why| error(format!("year {}: {why}", year.year)))?;
        }
        Ok(days)
    }

    pub fn is_working_day(&self, day: Date) -> bool {
        self.named.get(&day).copied().unwrap_or_else(|| !is_weekend(day))
    }

    /// The `n`-th working day after `from`; `from` itself for 0.
    pub fn add_working_days(&self, from: Date, n: u32) -> Date {
        let mut day = from;
        let mut left = n;
        while left > 0 {
            let Ok(next) = day.tomorrow() else { return Date::MAX };
            day = next;
            left -= u32::from(self.is_working_day(day));
        }
        day
    }

    /// Whether a notice is known for the year. Without one its Mondays to
    /// Fridays count.
    pub fn has_data_for(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// The years among these that somebody should add.
    pub fn years_without_data(&self, years: RangeInclusive<i16>) -> Vec<i16> {
        years.filter(|year| !self.has_data_for(*year)).collect()
    }

    fn add(&mut self, year: &Year) -> Result<(), String> {
        if !self.years.insert(year.year) {
            return Err("it is given twice".to_owned());
        }
        for Holiday { name, from, to } in &year.holiday {
            if from > to || from.year() != year.year || to.year() != year.year {
                return Err(format!("holiday {name}: {from} to {to} is no part of the year"));
            }
            for day in from.series(jiff::Span::new().days(1)).take_while(|day| day <= to) {
                self.name(day, false)?;
            }
        }
        for day in &year.working {
            if day.year() != year.year {
                return Err(format!("working: {day} is no part of the year"));
            }
            if !is_weekend(*day) {
                return Err(format!("working: {day} is not a Saturday or Sunday"));
            }
            self.name(*day, true)?;
        }
        Ok(())
    }

    fn name(&mut self, day: Date, is_working: bool) -> Result<(), String> {
        match self.named.insert(day, is_working) {
            None => Ok(()),
            Some(_) => Err(format!("{day} is given twice")),
        }
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn error(why: impl std::fmt::Display) -> ReferenceError {
    ReferenceError::new("working-days.toml", why)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    year: Vec<Year>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: i16,
    /// For whoever reads the file.
    #[serde(default, rename = "notice")]
    _notice: String,
    holiday: Vec<Holiday>,
    working: Vec<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    from: Date,
    to: Date,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::reference::Reference;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn days() -> WorkingDays {
        Reference::built_in().working_days
    }

    #[test]
    fn holidays_rest_and_make_up_days_work() {
        let days = days();
        for (day, is_working) in [
            (date(2026, 1, 2), false),
            (date(2026, 1, 4), true),
            (date(2026, 2, 14), true),
            (date(2026, 2, 16), false),
            (date(2026, 2, 23), false),
            (date(2026, 2, 24), true),
            (date(2026, 9, 20), true),
            (date(2026, 10, 7), false),
            (date(2026, 10, 8), true),
            (date(2026, 11, 21), false),
            (date(2026, 11, 23), true),
            (date(2024, 2, 9), true),
            (date(2025, 10, 8), false),
        ] {
            assert_eq!(days.is_working_day(day), is_working, "{day}");
        }
    }

    #[test]
    fn each_year_has_as_many_working_days_as_its_notice_leaves() {
        let days = days();
        for (year, count) in [(2024, 251), (2025, 248), (2026, 248)] {
            let all = date(year, 1, 1).series(jiff::Span::new().days(1)).take_while(|d| d.year() == year);
            assert_eq!(all.filter(|day| days.is_working_day(*day)).count(), count, "{year}");
        }
    }

    #[test]
    fn deadlines_step_over_holidays() {
        let days = days();
        for (from, n, due) in [
            (date(2026, 11, 23), 0, date(2026, 11, 23)),
            (date(2026, 11, 21), 0, date(2026, 11, 21)),
            (date(2026, 11, 23), 1, date(2026, 11, 24)),
            (date(2026, 11, 20), 1, date(2026, 11, 23)),
            (date(2026, 2, 13), 1, date(2026, 2, 14)),
            (date(2026, 2, 14), 1, date(2026, 2, 24)),
            (date(2026, 2, 13), 5, date(2026, 2, 27)),
            (date(2026, 9, 30), 3, date(2026, 10, 10)),
            (Date::MAX, 1, Date::MAX),
        ] {
            assert_eq!(days.add_working_days(from, n), due, "{n} after {from}");
        }
    }

    #[test]
    fn a_year_without_data_counts_mondays_to_fridays() {
        let days = days();
        assert!(days.has_data_for(2026) && !days.has_data_for(2031));
        assert!(days.is_working_day(date(2031, 10, 1)));
        assert!(!days.is_working_day(date(2031, 10, 4)));
        assert_eq!(days.years_without_data(2023..=2026), vec![2023]);
        assert!(WorkingDays::from_toml("").unwrap().is_working_day(date(2026, 10, 1)));
    }

    #[test]
    fn a_broken_file_is_refused_by_the_key() {
        let year = |holiday: &str, working: &str| {
            format!("[[year]]\nyear = 2026\nholiday = [{holiday}]\nworking = [{working}]\n")
        };
        let new_year = r#"{ name = "元旦", from = "2026-01-01", to = "2026-01-03" }"#;
        assert!(WorkingDays::from_toml(&year(new_year, r#""2026-01-04""#)).is_ok());
        for (text, key) in [
            (year(&new_year.replace("01-01", "01-05"), ""), "year 2026: holiday 元旦"),
            (year(&new_year.replace("2026-01-01", "2025-12-31"), ""), "year 2026: holiday 元旦"),
            (year(&new_year.replace("01-03", "02-30"), ""), "to"),
            (year(&format!("{new_year}, {new_year}"), ""), "2026-01-01 is given twice"),
            (year(new_year, r#""2026-01-03""#), "2026-01-03 is given twice"),
            (year("", r#""2026-01-05""#), "working: 2026-01-05"),
            (year("", r#""2027-01-03""#), "working: 2027-01-03"),
            (year("", "").repeat(2), "year 2026: it is given twice"),
            ("[[year]]\nyear = 2026\nworking = []".to_owned(), "holiday"),
            ("[[yaer]]".to_owned(), "yaer"),
        ] {
            let error = WorkingDays::from_toml(&text).unwrap_err().to_string();
            assert!(error.starts_with("working-days.toml: ") && error.contains(key), "{key}: {error}");
        }
    }

    proptest! {
        #[test]
        fn the_nth_working_day_is_one_and_has_n_up_to_it(ordinal in 0i64..1500, n in 1u32..40) {
            let days = days();
            let from = date(2024, 1, 1).checked_add(jiff::Span::new().days(ordinal)).unwrap();
            let due = days.add_working_days(from, n);
            prop_assert!(days.is_working_day(due));
            let between = from.tomorrow().unwrap().series(jiff::Span::new().days(1)).take_while(|d| *d <= due);
            prop_assert_eq!(between.filter(|d| days.is_working_day(*d)).count(), n as usize);
        }
    }
}
