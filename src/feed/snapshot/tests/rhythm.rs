//! When snapshots are made, and what of the log they make old.

use jiff::SignedDuration;

use super::*;

const RHYTHM: Rhythm = Rhythm { snapshot_interval_s: 86_400, keep_entries_days: 180 };

/// An entry an hour.
fn hours(count: u64) -> FakeLog {
    let mut log = FakeLog { page: 1_000, ..FakeLog::default() };
    let at = |hour: u64| now() + SignedDuration::from_hours(hour as i64);
    (0..count).for_each(|hour| log.push((hour % 200) as u8, false, at(hour)));
    log
}

#[tokio::test]
async fn the_horizon_lies_between_bundles_and_below_the_older_snapshot() {
    let log = hours(1_100);
    let oldest = async |most, hour: i64| {
        let later = now() + SignedDuration::from_hours(24 + hour) + SignedDuration::from_secs(1);
        horizon::oldest(&log, most, 1, later).await.unwrap()
    };
    for (most, hour, expected) in [
        (1_100, -1, 0),
        (1_100, 254, 0),
        (1_100, 255, 256),
        (1_100, 510, 256),
        (1_100, 511, 512),
        (1_100, 1_023, 1_024),
        (1_100, 100_000, 1_024),
        (1_023, 100_000, 768),
        (255, 100_000, 0),
        (0, 100_000, 0),
    ] {
        assert_eq!(oldest(most, hour).await, expected, "at most {most}, after {hour} hours");
    }
}

#[tokio::test]
async fn a_look_makes_what_is_due_and_moves_the_horizon() {
    let mut log = hours(600);
    let shelved = Shelved::new(&log).await;
    let long_after = now() + SignedDuration::from_hours(24 * 365);
    let look = async |log: &FakeLog, at| {
        shelved.snapshots.look(log, &RHYTHM, at, &CancellationToken::new()).await.unwrap()
    };
    assert!(look(&log, long_after).await);
    assert_eq!(shelved.horizon.oldest(), 0, "one alone may be gone tomorrow");
    assert!(!look(&log, long_after).await);
    log.push(1, false, long_after);
    assert!(!look(&log, long_after).await);
    assert!(look(&log, long_after + SignedDuration::from_hours(24)).await);
    assert_eq!((shelved.sizes(), shelved.horizon.oldest()), (vec![600, 601], 512));

    shelved.horizon.advance(256);
    assert_eq!(shelved.horizon.oldest(), 512, "never back");
}

#[tokio::test]
async fn in_the_background_they_are_made_until_the_stop() {
    let mut log = hours(600);
    let shelved = Shelved::new(&log).await;
    shelved.take(&log, 512).await.unwrap();
    shelved.take(&log, 599).await.unwrap();
    log.push(1, false, now());
    let long_after = now() + SignedDuration::from_hours(24 * 365);
    let clock = crate::env::clock::MockClock::at(long_after);
    let shelved = shelved.reopened(&log).await;
    let stop = CancellationToken::new();
    let snapshots = &shelved.snapshots;
    let made = async {
        while snapshots.newest().unwrap().sum.size < 601 {
            tokio::task::yield_now().await;
        }
        assert_eq!(shelved.horizon.oldest(), 512, "known from the start");
        stop.cancel();
    };
    tokio::join!(snapshots.snapshot_until(&log, &clock, &RHYTHM, &stop), made);
    assert_eq!(shelved.sizes(), [599, 601]);
}
