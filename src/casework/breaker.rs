//! A circuit breaker: whoever does not answer is left alone for a while, and
//! then asked by one caller before all the others. Time is an argument.
//!
//! Absent: whom it stands in front of, and what becomes of work that it holds
//! back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::day::later;

/// So many failures in a row shut it.
const FAILURES_MAX: u32 = 5;
/// For how long at first; twice as long after each probe that failed.
const SHUT_S: i64 = 30;
const SHUT_S_MAX: i64 = 600;
/// Nobody has to wait for longer, whatever the other side asks for.
const PAUSE_S_MAX: u64 = 3_600;
/// A probe that has not come back by then is given up, and another may go.
const PROBE_S: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaker {
    state: State,
    /// In a row.
    failures: u32,
    /// Probes that failed since it was shut.
    probes_failed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Closed,
    OpenUntil(Timestamp),
    /// One caller has gone ahead.
    HalfOpenUntil(Timestamp),
}

/// One for each gateway, by its name. In memory, for a restart may well try
/// anew.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<BTreeMap<String, Breaker>>);

impl Breakers {
    pub(super) fn of<T>(&self, gateway: &str, look: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(breakers.entry(gateway.to_owned()).or_default())
    }
}

/// What its states are called.
pub(super) const STATES: [&str; 3] = ["closed", "open", "half_open"];

impl Breaker {
    /// What a caller would meet now.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.state {
            State::Closed => "closed",
            State::OpenUntil(until) if now < until => "open",
            // The next one goes ahead, or has gone.
            State::OpenUntil(_) | State::HalfOpenUntil(_) => "half_open",
        }
    }

    /// Lets a caller through, or says when to come again.
    pub fn enter(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match self.state {
            State::Closed => Ok(()),
            State::OpenUntil(until) | State::HalfOpenUntil(until) if now < until => Err(until),
            State::OpenUntil(_) | State::HalfOpenUntil(_) => {
                self.state = State::HalfOpenUntil(later(now, SignedDuration::from_secs(PROBE_S)));
                Ok(())
            }
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// `pause_s` is what the other side asked for: it counts for everybody.
    pub fn failed(&mut self, now: Timestamp, pause_s: Option<u64>) {
        self.failures = self.failures.saturating_add(1);
        let pause_s = pause_s.map_or(0, |pause_s| pause_s.min(PAUSE_S_MAX) as i64);
        let shut_s = match self.state {
            State::Closed if self.failures < FAILURES_MAX => 0,
            State::Closed => SHUT_S,
            State::HalfOpenUntil(_) => {
                self.probes_failed = self.probes_failed.saturating_add(1);
                (SHUT_S << self.probes_failed.min(10)).min(SHUT_S_MAX)
            }
            // Asked before it was shut: only a longer pause is news.
            State::OpenUntil(_) => 0,
        };
        let until = later(now, SignedDuration::from_secs(pause_s.max(shut_s)));
        match self.state {
            State::OpenUntil(shut_until) => self.state = State::OpenUntil(shut_until.max(until)),
            _ if until > now => self.state = State::OpenUntil(until),
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn shut_at(second: i64) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.enter(at(second)), Ok(()));
            breaker.failed(at(second), None);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_shut_it_and_a_success_between_them_does_not() {
        let mut breaker = shut_at(0);
        assert_eq!(breaker.enter(at(0)), Err(at(SHUT_S)));
        assert_eq!(breaker.enter(at(SHUT_S - 1)), Err(at(SHUT_S)));

        let mut breaker = Breaker::default();
        for _ in 0..20 {
            for _ in 1..FAILURES_MAX {
                breaker.failed(at(0), None);
            }
            breaker.succeeded();
        }
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn one_goes_ahead_and_opens_it_for_all() {
        let mut breaker = shut_at(0);
        assert_eq!([0, SHUT_S].map(|second| breaker.state(at(second))), ["open", "half_open"]);
        assert_eq!(breaker.enter(at(SHUT_S)), Ok(()));
        assert_eq!(breaker.enter(at(SHUT_S)), Err(at(SHUT_S + PROBE_S)), "only one");
        assert_eq!(breaker.state(at(SHUT_S)), "half_open");
        breaker.succeeded();
        assert_eq!(breaker.state(at(SHUT_S)), "closed");
        assert_eq!(breaker.enter(at(SHUT_S)), Ok(()));
        assert_eq!(breaker.enter(at(SHUT_S)), Ok(()));
    }

    #[test]
    fn each_probe_that_fails_doubles_the_wait_up_to_a_limit() {
        let mut breaker = shut_at(0);
        let mut now = SHUT_S;
        for wait in [60, 120, 240, 480, 600, 600, 600] {
            assert_eq!(breaker.enter(at(now)), Ok(()));
            breaker.failed(at(now), None);
            assert_eq!(breaker.enter(at(now)), Err(at(now + wait)));
            now += wait;
        }
        for _ in 0..100 {
            assert_eq!(breaker.enter(at(now)), Ok(()));
            breaker.failed(at(now), None);
            now += SHUT_S_MAX;
        }
    }

    #[test]
    fn a_probe_that_never_comes_back_is_followed_by_another() {
        let mut breaker = shut_at(0);
        assert_eq!(breaker.enter(at(SHUT_S)), Ok(()));
        assert_eq!(breaker.enter(at(SHUT_S + PROBE_S)), Ok(()));
        assert!(breaker.enter(at(SHUT_S + PROBE_S)).is_err());
    }

    #[test]
    fn a_pause_counts_for_everybody_from_the_first_failure() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), Some(7));
        assert_eq!(breaker.enter(at(6)), Err(at(7)));
        assert_eq!(breaker.enter(at(7)), Ok(()));

        let mut breaker = Breaker::default();
        breaker.failed(at(0), Some(u64::MAX));
        assert_eq!(breaker.enter(at(0)), Err(at(PAUSE_S_MAX as i64)), "and no longer than an hour");
    }

    #[test]
    fn who_was_under_way_when_it_was_shut_changes_little() {
        let mut breaker = shut_at(0);
        for _ in 0..100 {
            breaker.failed(at(1), None);
        }
        assert_eq!(breaker.enter(at(1)), Err(at(SHUT_S)));
        breaker.failed(at(2), Some(100));
        assert_eq!(breaker.enter(at(2)), Err(at(102)));
        breaker.succeeded();
        assert_eq!(breaker.enter(at(2)), Ok(()), "an answer is an answer");
    }
}
