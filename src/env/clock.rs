//! What time it is, and how much of it has passed: by the machine, or as a test
//! or the demo sets it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until told otherwise. Clones share one time.
#[derive(Debug, Clone)]
pub struct MockClock {
    now: Arc<Mutex<Timestamp>>,
}

impl MockClock {
    pub fn at(now: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(now)) }
    }

    /// # Panics
    /// Beyond the year 9999.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(by).expect("tests and the demo stay within the years that jiff counts");
    }

    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Monotonic time since some fixed moment, from whoever owns the clock.
#[derive(Clone)]
pub struct Elapsed(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Elapsed {
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The operating system's monotonic clock.
    pub fn monotonic() -> Self {
        let start = Instant::now();
        Self::new(move || start.elapsed())
    }

    pub fn read(&self) -> Duration {
        (self.0)()
    }
}

/// Time that stands still.
impl Default for Elapsed {
    fn default() -> Self {
        Self::new(Duration::default)
    }
}

impl fmt::Debug for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Elapsed")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_mock_clock_share_one_time() {
        let clock = MockClock::at("2026-11-23T03:04:05Z".parse().unwrap());
        let other = clock.clone();
        clock.advance(SignedDuration::from_hours(24));
        assert_eq!(other.now().to_string(), "2026-11-24T03:04:05Z");
        other.set("2025-03-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2025-03-01T00:00:00Z");
    }

    #[test]
    fn a_mock_clock_stands_still_and_goes_back_when_told() {
        let clock = MockClock::at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        clock.advance(SignedDuration::from_secs(-1));
        assert!(clock.now() < Timestamp::UNIX_EPOCH);
    }
}
