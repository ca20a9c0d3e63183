//! What is counted of the log: how long it is, how old its newest checkpoint is,
//! what waits to be published, and how far behind each provider is. Looked up
//! when it is asked for, at the cost of one entry, and of two records for each
//! provider.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::domain::id::ProviderId;
use crate::env::clock::Clock;
use crate::env::metrics::{Gauges, Registry, named};
use crate::feed::{Feed, FeedError, render};

#[derive(Debug, Default)]
pub(super) struct Meters {
    pub(super) failures: Counter,
    shown: Option<Shown>,
    entries: Gauge,
    oldest: Gauge,
    publishing: Gauge,
    leading: Gauge,
    unpublished: Gauge,
    unpublished_seconds: Gauges<0>,
    checkpoint_age: Gauges<0>,
    behind: Gauges<1>,
    seconds_behind: Gauges<1>,
}

/// When a checkpoint was shown last, for who has a clock.
#[derive(Debug)]
struct Shown {
    clock: Arc<dyn Clock>,
    at: Mutex<Timestamp>,
}

/// What is durable and cannot be seen yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    pub entries: u64,
    /// Since the first of them was decided.
    pub seconds: u64,
}

impl Meters {
    pub(super) fn note_shown(&self) {
        if let Some(shown) = &self.shown {
            *shown.at.lock().unwrap_or_else(PoisonError::into_inner) = shown.clock.now();
        }
    }
}

impl Feed {
    /// Tells the age of its checkpoint by this clock, from now on.
    pub fn timed_by(mut self, clock: Arc<dyn Clock>) -> Self {
        let at = Mutex::new(clock.now());
        self.meters.shown = Some(Shown { clock, at });
        self
    }

    /// Since this process has shown the newest checkpoint. One that is old says
    /// nothing by itself: without new entries there is none to sign.
    pub fn checkpoint_age_s(&self) -> Option<u64> {
        let shown = self.meters.shown.as_ref()?;
        let at = *shown.at.lock().unwrap_or_else(PoisonError::into_inner);
        Some(seconds_between(at, shown.clock.now()))
    }

    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, FeedError> {
        let (published, durable) = (self.size(), *self.store.log_size().borrow());
        let entries = durable.saturating_sub(published);
        if entries == 0 {
            return Ok(Backlog::default());
        }
        let first = self.leaf(published).await?;
        let seconds = seconds_between(render::entry(published, &first)?.at, now);
        Ok(Backlog { entries, seconds })
    }

    pub fn register(&self, registry: &mut Registry) {
        let Meters { failures, entries, oldest, publishing, leading, unpublished, .. } = &self.meters;
        let Meters { unpublished_seconds, checkpoint_age, behind, seconds_behind, .. } = &self.meters;
        let help = "Rounds of publishing that failed and are tried again";
        registry.register("zhengming_feed_publish_failures", help, failures.clone());
        registry.register("zhengming_feed_entries", "Entries that are published", entries.clone());
        let help = "Entries before this one are no longer handed out";
        registry.register("zhengming_feed_oldest_entry", help, oldest.clone());
        let help = "Whether the last round of publishing went well";
        registry.register("zhengming_feed_publishing", help, publishing.clone());
        let help = "Whether this instance is the one that publishes";
        registry.register("zhengming_feed_leading", help, leading.clone());
        let help = "Entries that are durable and not published yet";
        registry.register("zhengming_feed_unpublished_entries", help, unpublished.clone());
        let help = "Since the first entry that is not published yet was decided";
        registry.register("zhengming_feed_unpublished_seconds", help, unpublished_seconds.clone());
        let help = "Since this process has shown the newest checkpoint";
        registry.register("zhengming_feed_checkpoint_age_seconds", help, checkpoint_age.clone());
        let help = "Published entries that a provider does not serve yet";
        registry.register("zhengming_provider_lag_entries", help, behind.clone());
        let help = "Since the first entry that a provider does not serve yet was decided";
        registry.register("zhengming_provider_lag_seconds", help, seconds_behind.clone());
    }

    /// Looks up what is registered. What cannot be looked up, or not in time, is
    /// not shown.
    pub async fn measure(&self, providers: impl Future<Output = Vec<ProviderId>>, now: Timestamp) {
        let meters = &self.meters;
        meters.entries.set(gauge(self.size()));
        meters.oldest.set(gauge(self.oldest()));
        meters.publishing.set(i64::from(self.is_publishing()));
        meters.leading.set(i64::from(self.is_leading()));
        let all = [&meters.unpublished_seconds, &meters.checkpoint_age];
        all.iter().for_each(|meter| meter.clear());
        [&meters.behind, &meters.seconds_behind].iter().for_each(|meter| meter.clear());
        if let Some(age_s) = self.checkpoint_age_s() {
            meters.checkpoint_age.get_or_create(&[]).set(gauge(age_s));
        }
        if let Ok(backlog) = self.backlog(now).await {
            meters.unpublished.set(gauge(backlog.entries));
            meters.unpublished_seconds.get_or_create(&[]).set(gauge(backlog.seconds));
        }
        for provider in providers.await {
            if let Ok(lag) = self.lag(&provider, now).await {
                let labels = [named("provider", provider.as_str())];
                meters.behind.get_or_create(&labels).set(gauge(lag.entries_behind));
                meters.seconds_behind.get_or_create(&labels).set(gauge(lag.seconds_behind));
            }
        }
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// None where a clock was set back.
fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    to.duration_since(from).as_secs().try_into().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::SignedDuration;
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;
    use crate::domain::correction::Entry;
    use crate::env::clock::MockClock;
    use crate::feed::fake::{FakeStore, entry};
    use crate::feed::tests::signer;

    #[tokio::test]
    async fn what_waits_is_told_until_it_is_published() {
        let store = FakeStore::new(100);
        let clock = MockClock::at(Timestamp::from_second(1_000).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::open(store.clone(), folder.path(), signer()).await.unwrap();
        let feed = feed.timed_by(Arc::new(clock.clone()));
        assert_eq!(feed.backlog(clock.now()).await, Ok(Backlog::default()));
        for second in [1_010, 1_020] {
            let at = Timestamp::from_second(second).unwrap();
            store.append(Entry { at, ..entry(8_613_800_000_000 + second as u64, None, false) }).await;
        }
        clock.advance(SignedDuration::from_secs(40));
        assert_eq!(feed.backlog(clock.now()).await, Ok(Backlog { entries: 2, seconds: 30 }));
        assert_eq!(feed.checkpoint_age_s(), Some(40));

        let mut registry = Registry::default();
        feed.register(&mut registry);
        let shown = async || {
            feed.measure(async { vec!["tencent".parse().unwrap()] }, clock.now()).await;
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        let text = shown().await;
        for line in [
            "zhengming_feed_entries 0",
            "zhengming_feed_unpublished_entries 2",
            "zhengming_feed_unpublished_seconds 30",
            "zhengming_feed_checkpoint_age_seconds 40",
            "zhengming_provider_lag_entries{provider=\"tencent\"} 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no {line} in {text}");
        }
        feed.publish().await.unwrap();
        let text = shown().await;
        for line in [
            "zhengming_feed_entries 2",
            "zhengming_feed_unpublished_entries 0",
            "zhengming_feed_unpublished_seconds 0",
            "zhengming_feed_checkpoint_age_seconds 0",
            "zhengming_provider_lag_entries{provider=\"tencent\"} 2",
            "zhengming_provider_lag_seconds{provider=\"tencent\"} 30",
        ] {
            assert!(text.lines().any(|shown| shown == line), "no {line} in {text}");
        }
    }
}
