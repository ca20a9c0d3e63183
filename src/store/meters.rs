//! What a store counts of its commits: how they ended, how many share one
//! flush, and how long that takes.

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::env::clock::Elapsed;
use crate::env::metrics::{Counters, Gauges, Registry, is};
use crate::store::StoreError;
use crate::store::queue::Answer;

const OUTCOMES: [&str; 7] = ["ok", "stale", "busy", "too_large", "unsure", "lapsed", "fatal"];

/// In seconds: from a fast disk's flush to one that hardly goes on.
const FLUSHES: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Clones count together. By default its clock stands still.
#[derive(Debug, Clone)]
pub struct Meters {
    clock: Elapsed,
    commits: Counters<1>,
    groups: Histogram,
    flushes: Histogram,
    /// Absent where the disk is somebody else's.
    disk_free: Gauges<0>,
    disk_free_min: Gauges<0>,
}

impl Meters {
    pub fn new(clock: Elapsed) -> Self {
        let commits = Counters::default();
        for outcome in OUTCOMES {
            drop(commits.get_or_create(&[is("outcome", outcome)]));
        }
        Self {
            clock,
            commits,
            groups: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            flushes: Histogram::new(FLUSHES),
            disk_free: Gauges::default(),
            disk_free_min: Gauges::default(),
        }
    }

    pub fn register(&self, registry: &mut Registry) {
        let help = "Changesets that were committed or refused, by outcome";
        registry.register("zhengming_store_commits", help, self.commits.clone());
        let help = "Changesets that shared one flush";
        registry.register("zhengming_store_group_changesets", help, self.groups.clone());
        let help =
            "Until a group of changesets was durable: flush, sync and high-water mark, or the transaction";
        registry.register("zhengming_store_flush_duration_seconds", help, self.flushes.clone());
        let help = "Free space on the database's disk, at the last commit";
        registry.register("zhengming_store_disk_free_bytes", help, self.disk_free.clone());
        let help = "With less free space nothing is written";
        registry.register("zhengming_store_disk_free_bytes_min", help, self.disk_free_min.clone());
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.read()
    }

    /// So many changesets at once.
    pub(super) fn flushed(&self, began: Duration, changesets: usize) {
        self.groups.observe(changesets as f64);
        self.flushes.observe(self.now().saturating_sub(began).as_secs_f64());
    }

    pub(super) fn answered(&self, answer: &Answer) {
        self.count(answer.as_ref().map_or_else(outcome_of, |_| "ok"));
    }

    /// What did not even get into the queue.
    pub(super) fn refused(&self, error: StoreError) -> StoreError {
        self.count(outcome_of(&error));
        error
    }

    pub(super) fn disk(&self, free_bytes: u64, free_bytes_min: u64) {
        let gauge = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.disk_free.get_or_create(&[]).set(gauge(free_bytes));
        self.disk_free_min.get_or_create(&[]).set(gauge(free_bytes_min));
    }

    fn count(&self, outcome: &'static str) {
        self.commits.get_or_create(&[is("outcome", outcome)]).inc();
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new(Elapsed::default())
    }
}

fn outcome_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Stale => "stale",
        StoreError::Busy(_) => "busy",
        StoreError::TooLarge(_) => "too_large",
        StoreError::Unsure => "unsure",
        StoreError::Lapsed(_) => "lapsed",
        StoreError::Fatal(_) => "fatal",
    }
}
