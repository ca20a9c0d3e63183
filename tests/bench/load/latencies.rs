//! How long answers took, each of them.

use std::time::Duration;

/// In microseconds.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Within which so many of a thousand were answered, in milliseconds; none
    /// where there was no answer.
    pub fn within_ms(&mut self, of_thousand: [usize; 4]) -> Option<[f64; 4]> {
        self.0.sort_unstable();
        let last = self.0.len().checked_sub(1)?;
        Some(of_thousand.map(|share| f64::from(self.0[(last * share).div_ceil(1_000)]) / 1e3))
    }
}
