//! When snapshots are made, and what is done about it in the background.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Agreed, Log, SnapshotError, Snapshots, horizon};
use crate::domain::day::later;
use crate::env::clock::Clock;
use crate::feed::FeedError;
use crate::feed::checkpoint::Checkpoint;

/// How often to look whether a snapshot is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A disk that was full, or a store that was busy, is not tried each time.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// One more snapshot once the log has grown by a fifth.
const GROWTH_DENOMINATOR: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    pub snapshot_interval_s: u64,
    pub keep_entries_days: u32,
}

/// Whether to make one at `size`: the first as soon as there is an entry, then
/// whenever the log has grown by a fifth, or at all since the last interval.
///
/// The age of the newest is by its sum's time of change. That survives a
/// restart; it may be wrong in a folder that was copied, and then one comes
/// early or late. One from the future, by a clock that was set back, is as good
/// as old.
pub fn due(newest: Option<Agreed>, size: u64, now: Timestamp, interval_s: u64) -> bool {
    let Some(newest) = newest else { return size > 0 };
    let grown = size.saturating_sub(newest.size);
    let interval = SignedDuration::from_secs(i64::try_from(interval_s).unwrap_or(i64::MAX));
    let is_young = newest.at <= now && now < later(newest.at, interval);
    grown > 0 && (!is_young || grown.saturating_mul(GROWTH_DENOMINATOR) >= newest.size)
}

impl Snapshots {
    /// Makes snapshots when they are due, until told to stop. What fails is
    /// said, and tried again: the feed does without for a while.
    pub async fn snapshot_until(
        &self,
        log: &dyn Log,
        clock: &dyn Clock,
        rhythm: &Rhythm,
        stop: &CancellationToken,
    ) {
        if let Err(error) = self.move_horizon(log, rhythm, clock.now()).await {
            tracing::error!(%error, "it is not known which entries are old");
        }
        loop {
            let pause = match self.look(log, rhythm, clock.now(), stop).await {
                Ok(_) => LOOK_EVERY,
                Err(SnapshotError::Stopped) => return,
                Err(error) => {
                    tracing::error!(%error, "no snapshot could be made");
                    RETRY_AFTER
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes a snapshot if one is due, and moves the horizon then; whether it
    /// did.
    pub async fn look(
        &self,
        log: &dyn Log,
        rhythm: &Rhythm,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<bool, SnapshotError> {
        let Some(wanted) = self.wanted(log, rhythm, now).await? else { return Ok(false) };
        let Some(root) = log.root_at(wanted.size)? else { return Ok(false) };
        let made = self.take(log, &Checkpoint { size: wanted.size, root }, wanted.at, stop).await?;
        tracing::info!(size = made.sum.size, corrections = made.sum.count, "snapshot made");
        self.move_horizon(log, rhythm, now).await?;
        Ok(true)
    }

    /// The next snapshot to make.
    async fn wanted(
        &self,
        log: &dyn Log,
        rhythm: &Rhythm,
        now: Timestamp,
    ) -> Result<Option<Agreed>, FeedError> {
        let next = Agreed { size: log.checkpoint().size, at: now };
        let is_due = |newest| due(newest, next.size, now, rhythm.snapshot_interval_s);
        let ours = self.newest().map(|newest| Agreed { size: newest.sum.size, at: newest.at });
        let Some(mut agreed) = log.agreed().await? else { return Ok(is_due(ours).then_some(next)) };
        if is_due(agreed.last().copied()) {
            log.agree(next).await?;
            agreed = log.agreed().await?.unwrap_or_default();
        }
        Ok(agreed.into_iter().find(|agreed| ours.is_none_or(|ours| agreed.size > ours.size)))
    }

    /// Up to the older of the snapshots kept, but for what is young.
    async fn move_horizon(&self, log: &dyn Log, rhythm: &Rhythm, now: Timestamp) -> Result<(), FeedError> {
        if let Some(most) = self.older_size() {
            let oldest = horizon::oldest(log, most, rhythm.keep_entries_days, now).await?;
            self.horizon.advance(oldest);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    const DAY_S: u64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn newest(size: u64) -> Option<Agreed> {
        Some(Agreed { size, at: at(0) })
    }

    #[test]
    fn the_first_is_due_as_soon_as_there_is_an_entry() {
        assert!(!due(None, 0, at(0), DAY_S));
        assert!(due(None, 1, at(0), DAY_S));
    }

    #[test]
    fn the_next_is_due_by_growth_or_by_age() {
        for (size, age_s, is_due) in [
            (100, 0, false),
            (119, 0, false),
            (120, 0, true),
            (101, 86_399, false),
            (101, 86_400, true),
            (100, 86_400_000, false),
            (101, -1, true),
            (u64::MAX, 0, true),
            (99, 86_400, false),
        ] {
            assert_eq!(due(newest(100), size, at(age_s), DAY_S), is_due, "{size} after {age_s} s");
        }
        assert!(!due(newest(100), 101, at(86_400_000), u64::MAX), "no overflow");
    }
}
