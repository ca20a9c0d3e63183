//! From which entry on the log is handed out.
//!
//! What lies behind the horizon is refused and not removed: inclusion proofs
//! and receipts need it, and nobody is served it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::Log;
use crate::domain::day::later;
use crate::feed::tiles::TILE_WIDTH;
use crate::feed::{FeedError, render};

/// Moves forward only. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Horizon(Arc<AtomicU64>);

impl Horizon {
    /// The first entry that is handed out.
    pub fn oldest(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn advance(&self, oldest: u64) {
        self.0.fetch_max(oldest, Ordering::AcqRel);
    }
}

/// The largest whole number of bundles, and not above `most`, before which
/// every entry is older than `keep_days`.
///
/// It is found by halving, as if `at` grew along the log. It nearly does: it
/// is read just before the commit that decides the order, by the clock of one
/// machine or of a few. Where it does not, the horizon is off by entries that
/// differ by seconds, out of those that are months old; and whoever is refused
/// finds all they say in a snapshot, for none lies behind the horizon.
pub async fn oldest(log: &dyn Log, most: u64, keep_days: u32, now: Timestamp) -> Result<u64, FeedError> {
    let keep = SignedDuration::from_hours(24 * i64::from(keep_days));
    let (mut old, mut end) = (0, most / TILE_WIDTH);
    while old < end {
        let bundles = old + (end - old).div_ceil(2);
        let last = bundles * TILE_WIDTH - 1;
        let leaves = log.leaves(last, last + 1).await?;
        let leaf = leaves.first().expect("an entry of a snapshot is in the log");
        if later(render::entry(last, leaf)?.at, keep) < now {
            old = bundles;
        } else {
            end = bundles - 1;
        }
    }
    Ok(old * TILE_WIDTH)
}
