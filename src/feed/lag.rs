//! How far behind a provider is: what lies between the newest entry that
//! providers can see and the newest that this one says it serves.
//!
//! Absent: who the providers are, and when one was last seen
//! (`casework::providers`).

use jiff::Timestamp;

use crate::domain::id::ProviderId;
use crate::domain::progress::Stage;
use crate::feed::{Feed, FeedError, render};
use crate::store::ProviderState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// What the provider said; `None`: nothing yet.
    pub state: Option<ProviderState>,
    pub entries_behind: u64,
    /// Since the first entry that is not served was decided.
    pub seconds_behind: u64,
}

impl Lag {
    /// The size of the log that the provider has at a stage.
    pub fn size(&self, stage: Stage) -> u64 {
        self.state.as_ref().map_or(0, |state| state.size(stage))
    }
}

impl Feed {
    pub async fn lag(&self, provider: &ProviderId, now: Timestamp) -> Result<Lag, FeedError> {
        let state = self.store.load::<ProviderState>(provider).await?.map(|state| state.value);
        let mut lag = Lag { state, entries_behind: 0, seconds_behind: 0 };
        let (served, published) = (lag.size(Stage::Serving), self.size());
        lag.entries_behind = published.saturating_sub(served);
        // Who is behind what is still kept is behind all of that at least.
        let next = served.max(self.oldest());
        if let Some(leaf) = self.entry(next).await? {
            let waited = now.duration_since(render::entry(next, &leaf)?.at);
            lag.seconds_behind = waited.as_secs().try_into().unwrap_or_default();
        }
        Ok(lag)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::correction::Entry;
    use crate::feed::Acknowledgement;
    use crate::feed::fake::{FakeStore, entry};
    use crate::feed::tests::open;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_provider_is_behind_by_what_it_does_not_serve() {
        let store = FakeStore::new(100);
        for second in [100, 200, 300] {
            let number = 8_613_800_000_000 + second as u64;
            store.append(Entry { at: at(second), ..entry(number, None, false) }).await;
        }
        let feed = open(&store).await;
        let tencent = "tencent".parse().unwrap();
        let behind = async |now| {
            let lag = feed.lag(&tencent, at(now)).await.unwrap();
            (lag.size(Stage::Received), lag.size(Stage::Serving), lag.entries_behind, lag.seconds_behind)
        };
        assert_eq!(behind(1_000).await, (0, 0, 3, 900));
        for (size, stage, expected) in [
            (3, Stage::Received, (3, 0, 3, 900)),
            (2, Stage::Serving, (3, 2, 1, 700)),
            (3, Stage::Serving, (3, 3, 0, 0)),
        ] {
            let root = feed.root_at(size).unwrap().unwrap();
            let ack = Acknowledgement { size, root, stage, refused: Vec::new(), software: None };
            feed.ack(&tencent, &ack, at(900)).await.unwrap();
            assert_eq!(behind(1_000).await, expected);
        }
        store.append(Entry { at: at(2_000), ..entry(8_613_800_000_000, None, false) }).await;
        feed.publish().await.unwrap();
        assert_eq!(behind(1_000).await, (3, 3, 1, 0), "a clock that was set back");
    }
}
