//! Rounds for ever: as soon as there is news, and after an error again and
//! again, more and more slowly. There is nothing that a mirror gives up on,
//! since nothing that goes wrong touches what it has.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::env::entropy::Entropy;
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::round::Mirror;

/// Checkpoints come once a second at most.
const ROUND_EVERY_S: u64 = 1;
const BACK_OFF_MS_MAX: u64 = 60_000;
/// However long the service wants to be left alone.
const RETRY_AFTER_S_MAX: u64 = 600;

/// Ends when told to, or where only other arguments can help.
pub async fn follow(
    mirror: &Mirror,
    entropy: &dyn Entropy,
    stop: &CancellationToken,
) -> Result<(), MirrorError> {
    stop.run_until_cancelled(rounds(mirror, entropy)).await.unwrap_or(Ok(()))
}

async fn rounds(mirror: &Mirror, entropy: &dyn Entropy) -> Result<(), MirrorError> {
    let mut beat = interval(Duration::from_secs(ROUND_EVERY_S));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0;
    loop {
        beat.tick().await;
        match one(mirror).await {
            Ok(()) => failures = 0,
            Err(error) if error.is_usage() => return Err(error),
            Err(error) => {
                failures += 1;
                let pause = pause(failures, error.retry_after_s(), entropy);
                tracing::error!(%error, retry_in_ms = pause.as_millis() as u64, "the data stays what it was");
                sleep(pause).await;
            }
        }
    }
}

/// A round, and the wait for something new.
async fn one(mirror: &Mirror) -> Result<(), MirrorError> {
    let round = mirror.catch_up().await?;
    if round.new > 0 {
        tracing::info!(size = round.size, new = round.new, acked = round.is_acknowledged, "caught up");
    }
    mirror.settle().await?;
    sleep(round.rest).await;
    Ok(mirror.news(round.size).await?)
}

/// A second, then twice as long each time, up to a minute; a random half of
/// it, so that many mirrors do not come back all at once.
fn pause(failures: u32, retry_after_s: Option<u64>, entropy: &dyn Entropy) -> Duration {
    let whole_ms = (1_000u64 << (failures - 1).min(6)).min(BACK_OFF_MS_MAX);
    let mut random = [0; 8];
    entropy.fill(&mut random);
    let pause_ms = whole_ms / 2 + u64::from_be_bytes(random) % (whole_ms / 2 + 1);
    let asked_for_ms = retry_after_s.unwrap_or(0).min(RETRY_AFTER_S_MAX) * 1_000;
    Duration::from_millis(pause_ms.max(asked_for_ms))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::env::entropy::SeededEntropy;

    #[test]
    fn pauses_grow_to_a_minute_and_never_agree() {
        let entropy = SeededEntropy::new(7);
        for (failures, whole_ms) in [(1, 1_000), (2, 2_000), (5, 16_000), (7, 60_000), (1_000_000, 60_000)] {
            let pauses: Vec<_> = (0..8).map(|_| pause(failures, None, &entropy).as_millis()).collect();
            assert!(pauses.iter().all(|ms| (whole_ms / 2..=whole_ms).contains(ms)), "{pauses:?}");
            assert!(pauses.iter().any(|ms| *ms != pauses[0]), "{pauses:?}");
        }
    }

    #[test]
    fn what_the_service_asks_for_is_kept_within_bounds() {
        let entropy = SeededEntropy::new(7);
        assert_eq!(pause(1, Some(30), &entropy), Duration::from_secs(30));
        assert_eq!(pause(1, Some(u64::MAX), &entropy), Duration::from_secs(RETRY_AFTER_S_MAX));
        assert!(pause(7, Some(1), &entropy) >= Duration::from_secs(30));
    }
}
