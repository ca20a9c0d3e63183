//! How many verifications were started lately. In memory: after a restart the
//! first minute tells again.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

const MINUTES: usize = 3;

/// Counts for each of the last minutes that had any, the latest first.
#[derive(Debug, Default)]
pub(super) struct Load(Mutex<[(i64, u32); MINUTES]>);

impl Load {
    pub(super) fn count(&self, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minute(now);
        if counts[0].0 != minute {
            counts.rotate_right(1);
            counts[0] = (minute, 0);
        }
        counts[0].1 = counts[0].1.saturating_add(1);
    }

    /// In the busiest of the last minutes, the present one among them.
    pub(super) fn per_minute(&self, now: Timestamp) -> u32 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = minute(now) - MINUTES as i64;
        counts.iter().filter(|(minute, _)| *minute > from).map(|(_, count)| *count).max().unwrap_or(0)
    }
}

fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_of_the_last_three_minutes_counts() {
        let load = Load::default();
        let at = |text: &str| format!("2026-11-23T{text}Z").parse().unwrap();
        assert_eq!(load.per_minute(at("03:00:00")), 0);
        for now in ["03:00:59", "03:00:59", "03:01:00", "03:05:00"] {
            load.count(at(now));
        }
        assert_eq!(load.per_minute(at("03:05:30")), 1, "what is older counts no more");
        load.count(at("03:06:00"));
        load.count(at("03:06:00"));
        let seen = ["03:06:00", "03:08:59", "03:09:00"].map(|now| load.per_minute(at(now)));
        assert_eq!(seen, [2, 2, 0]);
    }
}
