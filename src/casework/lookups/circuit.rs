//! A provider that fails again and again is not asked for a while, so that it
//! does not cost everybody who looks the time that it is waited for.

use jiff::{SignedDuration, Timestamp};

use crate::domain::day::later;

/// In a row.
const FAILURES_MAX: u32 = 3;
const PAUSE_S: i64 = 30;
/// However long a pause the other side names.
const PAUSE_S_MAX: i64 = 600;

#[derive(Debug, Default)]
pub(super) struct Circuit {
    failures: u32,
    shut_until: Option<Timestamp>,
}

impl Circuit {
    /// Whether it may be asked now. After a pause one question is let through,
    /// and what becomes of that decides.
    pub(super) fn admits(&mut self, now: Timestamp) -> bool {
        match self.shut_until {
            Some(until) if now < until => return false,
            Some(_) => self.shut_until = Some(later(now, SignedDuration::from_secs(PAUSE_S))),
            None => {}
        }
        true
    }

    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// `retry_after_s`: a pause that the other side has named.
    pub(super) fn failed(&mut self, now: Timestamp, retry_after_s: Option<u64>) {
        self.failures = self.failures.saturating_add(1);
        let named = retry_after_s.map(|seconds| i64::try_from(seconds).unwrap_or(PAUSE_S_MAX));
        let pause_s = named.or((self.failures >= FAILURES_MAX).then_some(PAUSE_S));
        if let Some(pause_s) = pause_s {
            let until = later(now, SignedDuration::from_secs(pause_s.min(PAUSE_S_MAX)));
            self.shut_until = self.shut_until.max(Some(until));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_opens_after_a_few_failures_and_closes_with_an_answer() {
        let mut circuit = Circuit::default();
        let now = at("2026-11-23T03:00:00Z");
        let after = |seconds| later(now, SignedDuration::from_secs(seconds));
        circuit.failed(now, None);
        circuit.failed(now, None);
        assert!(circuit.admits(now));
        circuit.answered();
        circuit.failed(now, None);
        circuit.failed(now, None);
        assert!(circuit.admits(now), "it has answered meanwhile");
        circuit.failed(now, None);
        assert!(!circuit.admits(now) && !circuit.admits(after(29)));
        assert!(circuit.admits(after(30)));
        assert!(!circuit.admits(after(30)), "one question is enough to find out");
        circuit.failed(after(31), None);
        assert!(!circuit.admits(after(60)));
        assert!(circuit.admits(after(61)));
        circuit.answered();
        assert!(circuit.admits(after(61)) && circuit.admits(after(61)));
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept() {
        let mut circuit = Circuit::default();
        let now = at("2026-11-23T03:00:00Z");
        let after = |seconds| later(now, SignedDuration::from_secs(seconds));
        circuit.failed(now, Some(90));
        assert!(!circuit.admits(after(89)) && circuit.admits(after(90)));
        circuit.failed(now, Some(u64::MAX));
        assert!(!circuit.admits(after(599)) && circuit.admits(after(600)));
    }
}
