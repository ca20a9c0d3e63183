//! Two publishers over one store: neither signs another root for a size than
//! the other, whoever comes first.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::watch;
use zhengming::domain::number::Number;
use zhengming::feed::checkpoint::Checkpoint;
use zhengming::feed::{Extended, Feed, FeedError, Recorded, Signed};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record};
use zhengming::store::{LOG_ENTRIES_MAX, LogHead, Store, StoreError, Versioned};

use super::naive;
use super::opening::append;
use crate::support::service::signer;

const RACES: u64 = 40;

async fn publisher(store: &Arc<MemoryStore>) -> (Feed, TempDir) {
    over(store.clone()).await.unwrap()
}

async fn over(store: Arc<dyn Store>) -> Result<(Feed, TempDir), FeedError> {
    let dir = tempfile::tempdir().unwrap();
    Ok((Feed::open(store, dir.path(), signer()).await?, dir))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_race_and_sign_the_same() {
    let store = Arc::new(MemoryStore::new());
    let rivals = [publisher(&store).await, publisher(&store).await];
    for _ in 0..RACES {
        let writer = async {
            for count in 1..8 {
                append(&*store, count).await;
                tokio::task::yield_now().await;
            }
        };
        let publish = |nth: usize| {
            let feed = &rivals[nth].0;
            async move {
                for _ in 0..5 {
                    let round = feed.publish().await;
                    assert!(round.as_ref().map_or_else(FeedError::is_passing, |_| true), "{round:?}");
                }
            }
        };
        tokio::join!(writer, publish(0), publish(1));
    }
    let leaves = store.log(0, LOG_ENTRIES_MAX).await.unwrap();
    for (feed, dir) in &rivals {
        // A rival may have been ahead the last time.
        while feed.publish().await != Ok(leaves.len() as u64) {}
        naive::assert_files(&dir.path().join(feed.verifier().id()), &leaves);
        assert_eq!(feed.newest().checkpoint.root, naive::root(&naive::leaf_hashes(&leaves)));
    }
}

/// Every order in which two rounds can go through their steps.
#[tokio::test]
async fn in_whatever_order_their_steps_come() {
    for order in orders(4, 4) {
        let store = Arc::new(MemoryStore::new());
        let rivals = [publisher(&store).await, publisher(&store).await];
        let mut rounds = [Round::default(), Round::default()];
        let mut signed = BTreeMap::new();
        let mut recorded = 0;
        for who in &order {
            // The log grows all the time.
            append(&*store, 1).await;
            let (feed, round) = (&rivals[*who].0, &mut rounds[*who]);
            round.step(feed).await;
            if let Round::Signed(new) = round {
                let new = Checkpoint::open(new.note(), feed.verifier()).unwrap();
                assert!(*signed.entry(new.size).or_insert(new.root) == new.root, "{order:?}");
            }
            let head = (store.clone() as Arc<dyn Store>).load::<LogHead>(&()).await.unwrap();
            let size = head.map_or(0, |head| head.value.size);
            assert!(recorded <= size && feed.size() <= size, "{order:?}: the head goes back");
            recorded = size;
        }
        append(&*store, 1).await;
        let leaves = store.log(0, LOG_ENTRIES_MAX).await.unwrap();
        for (feed, _) in &rivals {
            assert_eq!(feed.publish().await, Ok(leaves.len() as u64), "{order:?}");
        }
        for (size, root) in signed {
            assert_eq!(root, naive::root(&naive::leaf_hashes(&leaves[..size as usize])));
        }
    }
}

/// All orders of `left` steps of one and `right` of the other.
fn orders(left: usize, right: usize) -> Vec<Vec<usize>> {
    if left + right == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (who, left, right) in [(0, left.checked_sub(1), Some(right)), (1, Some(left), right.checked_sub(1))] {
        if let (Some(left), Some(right)) = (left, right) {
            all.extend(orders(left, right).into_iter().map(|rest| [vec![who], rest].concat()));
        }
    }
    all
}

/// How far a round is; one that has failed in passing stays where it is.
#[derive(Debug, Default)]
enum Round {
    #[default]
    Begun,
    Extended(Extended),
    Signed(Signed),
    Recorded(Recorded),
    Over,
}

impl Round {
    async fn step(&mut self, feed: &Feed) {
        *self = match std::mem::replace(self, Self::Over) {
            Self::Begun => Self::Extended(feed.extend().await.unwrap()),
            Self::Extended(extended) => Self::Signed(feed.sign(&extended).unwrap()),
            Self::Signed(signed) => match feed.record(signed).await {
                Ok(recorded) => Self::Recorded(recorded),
                Err(error) if error.is_passing() => Self::Over,
                Err(error) => panic!("{error}"),
            },
            Self::Recorded(recorded) => {
                feed.show(recorded).unwrap();
                Self::Over
            }
            Self::Over => Self::Over,
        };
    }
}

#[tokio::test]
async fn who_is_overtaken_shows_nothing_and_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let ((slow, _slow_dir), (quick, _quick_dir)) = (publisher(&store).await, publisher(&store).await);
    append(&*store, 10).await;
    let signed = slow.sign(&slow.extend().await.unwrap()).unwrap();
    append(&*store, 2).await;
    assert_eq!(quick.publish().await, Ok(12));
    let overtaken = slow.record(signed).await.unwrap_err();
    assert!(overtaken.is_passing(), "{overtaken}");
    assert_eq!(slow.size(), 0);
    assert_eq!(slow.publish().await, Ok(12));
    assert_eq!(slow.newest(), quick.newest());
}

/// A publisher that reads one entry otherwise than it was committed.
#[tokio::test]
async fn who_reads_another_log_can_record_nothing() {
    for other in [0, 4, 9] {
        for grows_by in [0, 1, 300] {
            let store = Arc::new(MemoryStore::new());
            append(&*store, 10).await;
            let (honest, _honest_dir) = publisher(&store).await;
            let first = honest.newest();
            append(&*store, grows_by).await;
            let astray = Arc::new(Astray { inner: store.clone(), other });
            let refused = over(astray).await.unwrap_err();
            assert!(matches!(refused, FeedError::Fatal(_)), "{refused}");
            assert_eq!(honest.newest(), first);
            assert_eq!(honest.publish().await, Ok(10 + grows_by));
        }
    }
}

/// It may come first: then it is the honest one that is told.
#[tokio::test]
async fn who_comes_second_with_another_root_is_told() {
    let store = Arc::new(MemoryStore::new());
    let (honest, _honest_dir) = publisher(&store).await;
    let astray = Arc::new(Astray { inner: store.clone(), other: 3 });
    let (astray, _dir) = over(astray).await.unwrap();
    append(&*store, 10).await;
    let signed = honest.sign(&honest.extend().await.unwrap()).unwrap();
    assert_eq!(astray.publish().await, Ok(10));
    let refused = honest.record(signed).await.unwrap_err();
    assert!(matches!(refused, FeedError::Fatal(_)), "{refused}");
    append(&*store, 10).await;
    assert!(matches!(honest.publish().await, Err(FeedError::Fatal(_))));
    assert_eq!(honest.size(), 0, "and shows nothing");
}

/// Another leaf in one place.
#[derive(Debug)]
struct Astray {
    inner: Arc<MemoryStore>,
    other: u64,
}

#[async_trait]
impl Store for Astray {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.inner.list(listing, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut leaves = self.inner.log(after, limit).await?;
        if let Some(leaf) = self.other.checked_sub(after).and_then(|nth| leaves.get_mut(nth as usize)) {
            leaf[20] ^= 1;
        }
        Ok(leaves)
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.inner.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.inner.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.inner.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.inner.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        self.inner.commit(changeset).await
    }
}
