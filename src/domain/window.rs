//! The date window: how a half-remembered month becomes three yes/no
//! questions, none of which can do harm.
//!
//! (E, D] lies around the day that the holder names and is at most as wide as
//! the rest R. A tenure that began in it was preceded by R days at rest, so
//! the former holder had left by E, and `E + 1 day` takes away all of the
//! former holder's marks and none of the present one's.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::day::plus_days;
use crate::domain::opened::Opened;

/// How far past the end of a claimed month the window reaches.
const MONTH_SLACK_DAYS: i32 = 29;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// E: the tenure began after this day.
    pub after: Date,
    /// D: the tenure began on or before this day.
    pub until: Date,
}

impl Window {
    pub fn around(opened: Opened, today: Date, rest_days: i32) -> Self {
        match opened {
            // An operator may read "longer than" strictly, hence the day more.
            Opened::Day(day) => Self { after: plus_days(day, -1), until: plus_days(day, 1) },
            Opened::Month { .. } => {
                let until = plus_days(opened.last_day(), MONTH_SLACK_DAYS).min(today);
                Self { after: plus_days(until, -rest_days), until }
            }
        }
    }

    /// The first day whose marks stay.
    pub fn void_before(self) -> Date {
        plus_days(self.after, 1)
    }

    /// E - R: a change of holder before it may be a reinstatement.
    pub fn rest_began_by(self, rest_days: i32) -> Date {
        plus_days(self.after, -rest_days)
    }
}

#[cfg(test)]
mod tests;
