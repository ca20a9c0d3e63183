//! How many messages the whole service sends in a minute: they cost money.
//!
//! One instance counts in memory, for a restart is no way to send many. Where
//! several share the store, each takes small shares of the minute out of it and
//! sends on those, so that all of them together never send more.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::casework::{Casework, Result};
use crate::domain::day::later;
use crate::store::{Changeset, Claim, Versioned};

/// The row that several instances share: the minute, and how many of its
/// messages are taken.
const SHARED: &str = "sms-minute";
/// An instance takes so much of a minute's messages at once; what it does not
/// send of them is nobody's.
const SHARES_PER_MINUTE: u32 = 20;

/// What may still be sent in a minute.
#[derive(Debug, Default)]
pub(super) struct Sending(Mutex<Places>);

#[derive(Debug, Default, Clone, Copy)]
struct Places {
    minute: i64,
    left: u32,
}

impl Sending {
    /// Takes a place, if there is one in this minute.
    fn take(&self, minute: i64) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = places.minute == minute && places.left > 0;
        places.left -= u32::from(is_there);
        is_there
    }

    /// None yet in this minute.
    fn is_new(&self, minute: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).minute != minute
    }

    fn add(&self, minute: i64, share: u32) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if places.minute == minute { places.left } else { 0 };
        *places = Places { minute, left: left + share };
    }
}

impl Casework {
    /// Takes a place in this minute, or says when the next one begins.
    pub(super) async fn may_send(&self) -> Result<std::result::Result<(), Timestamp>> {
        let most = self.parts.settings.sms_per_minute;
        let minute = self.now().as_second().div_euclid(60);
        if most == 0 || self.sending.take(minute) {
            return Ok(Ok(()));
        }
        let share = match self.has_others {
            true => self.retrying(|| self.take_share(minute, most)).await?,
            false if self.sending.is_new(minute) => most,
            false => 0,
        };
        self.sending.add(minute, share);
        if self.sending.take(minute) {
            return Ok(Ok(()));
        }
        Ok(Err(Timestamp::from_second((minute + 1) * 60).unwrap_or(Timestamp::MAX)))
    }

    async fn take_share(&self, minute: i64, most: u32) -> Result<u32> {
        let found = self.store().load::<Claim>(&SHARED.to_owned()).await?;
        let version = found.as_ref().map_or(0, |found| found.version);
        let before = found.and_then(|found| read(&found.value.value));
        let taken = before.filter(|(of, _)| *of == minute).map_or(0, |(_, taken)| taken);
        let share = (most / SHARES_PER_MINUTE).max(1).min(most.saturating_sub(taken));
        if share == 0 {
            return Ok(0);
        }
        let value = format!("{minute} {}", taken + share);
        let expires_at = Some(later(self.now(), SignedDuration::from_mins(2)));
        let mut changeset = Changeset::default();
        changeset.put(Versioned { version, value: Claim { name: SHARED.to_owned(), value, expires_at } });
        self.commit(changeset).await?;
        Ok(share)
    }
}

fn read(value: &str) -> Option<(i64, u32)> {
    let (minute, taken) = value.split_once(' ')?;
    Some((minute.parse().ok()?, taken.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::casework::testkit;
    use crate::env::clock::MockClock;
    use crate::store::memory::MemoryStore;

    const NOW: &str = "2026-11-23T03:04:59Z";

    fn instance(store: &Arc<MemoryStore>, clock: &MockClock, most: u32) -> (Casework, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let mut parts = testkit::parts(store, clock, dir.path());
        parts.settings.sms_per_minute = most;
        (Casework::new(parts), dir)
    }

    #[tokio::test]
    async fn a_minute_has_so_many_messages_and_the_next_one_has_them_anew() {
        let (store, clock) = (Arc::new(MemoryStore::new()), MockClock::at(NOW.parse().unwrap()));
        let (casework, _dir) = instance(&store, &clock, 2);
        assert_eq!(casework.may_send().await, Ok(Ok(())));
        assert_eq!(casework.may_send().await, Ok(Ok(())));
        let next: Timestamp = "2026-11-23T03:05:00Z".parse().unwrap();
        assert_eq!(casework.may_send().await, Ok(Err(next)));
        clock.set(next);
        assert_eq!(casework.may_send().await, Ok(Ok(())));
        let (free, _dir) = instance(&store, &clock, 0);
        assert_eq!(free.may_send().await, Ok(Ok(())), "0 switches it off");
    }

    #[tokio::test]
    async fn all_instances_together_send_no_more() {
        let (store, clock) = (Arc::new(MemoryStore::new()), MockClock::at(NOW.parse().unwrap()));
        for most in [1, 7, 45] {
            clock.advance(SignedDuration::from_mins(1));
            let fleet = [(); 3].map(|()| instance(&store, &clock, most));
            let fleet = fleet.map(|(casework, dir)| (casework.with_others(3), dir));
            let mut sent = 0;
            for _ in 0..most + 5 {
                for (casework, _) in &fleet {
                    sent += u32::from(casework.may_send().await.unwrap().is_ok());
                }
            }
            assert_eq!(sent, most);
        }
    }
}
