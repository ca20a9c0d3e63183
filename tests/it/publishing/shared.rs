//! Several instances over one database: one publishes, all show the same, and
//! who was paused, set back or never confirmed signs nothing.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use zhengming::domain::refusal::Refusal;
use zhengming::env::clock::MockClock;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::shared::{LEASE, Sharing};
use zhengming::feed::tiles::TilePlace;
use zhengming::feed::{Feed, FeedError};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{Store, StoreError};

use super::opening::append;
use crate::support::seconds;
use crate::support::service::signer;

const INTERVAL: Duration = Duration::from_millis(1);

/// Machines around one database.
struct Fleet {
    store: Arc<MemoryStore>,
    clock: MockClock,
}

struct Instance {
    feed: Feed,
    dir: TempDir,
}

impl Fleet {
    fn new() -> Self {
        let clock = MockClock::at("2026-11-23T03:04:05Z".parse().unwrap());
        Self { store: Arc::new(MemoryStore::new()), clock }
    }

    async fn joins(&self, me: &str) -> Instance {
        self.opens(me, tempfile::tempdir().unwrap()).await.unwrap()
    }

    async fn opens(&self, me: &str, dir: TempDir) -> Result<Instance, FeedError> {
        let sharing = Sharing { clock: Arc::new(self.clock.clone()), me: me.to_owned() };
        let feed = Feed::open_shared(self.store.clone(), dir.path(), signer(), sharing).await?;
        Ok(Instance { feed, dir })
    }

    /// The lease stands still for as long as one must see it.
    async fn waits_for_the_lease(&self, eyes: &Instance) {
        eyes.feed.publish().await.unwrap();
        self.clock.advance(LEASE);
    }
}

/// What every reader of it is shown.
fn note(instance: &Instance) -> String {
    instance.feed.newest().note.to_string()
}

#[tokio::test]
async fn one_publishes_and_all_show_the_same_bytes() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.joins("one").await, fleet.joins("other").await);
    append(&*fleet.store, 300).await;
    assert_eq!(one.feed.publish().await, Ok(300));
    append(&*fleet.store, 1).await;
    assert_eq!(other.feed.publish().await, Ok(300), "it shows, and does not publish");
    assert_eq!(note(&one), note(&other));
    assert_eq!(other.feed.page(299, 10).await.unwrap().next, 300);
    let late = fleet.joins("late").await;
    assert_eq!(note(&late), note(&one));
}

#[tokio::test]
async fn who_is_ahead_of_one_instance_is_answered_out_of_the_database() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.joins("one").await, fleet.joins("other").await);
    append(&*fleet.store, 5).await;
    one.feed.publish().await.unwrap();
    assert_eq!(other.feed.size(), 0);
    assert_eq!(other.feed.page(5, 10).await.unwrap().size, 5);
    let ahead = other.feed.page(6, 10).await.unwrap_err();
    assert_eq!(ahead, FeedError::Refused(Refusal::CursorAhead { size: 5 }));
}

#[tokio::test]
async fn the_tiles_of_a_checkpoint_are_with_every_instance() {
    let fleet = Fleet::new();
    let (one, hashes, entries) = (fleet.joins("one").await, fleet.joins("a").await, fleet.joins("b").await);
    append(&*fleet.store, 5).await;
    assert_eq!(one.feed.publish().await, Ok(5));
    let place = TilePlace { nth: 0, width: 5 };
    assert_eq!(hashes.feed.tile(0, place).await, one.feed.tile(0, place).await);
    assert_eq!(entries.feed.bundle(place, None).await, one.feed.bundle(place, None).await);
    assert!(one.feed.tile(0, place).await.unwrap().is_some());
    let beyond = TilePlace { nth: 0, width: 6 };
    assert_eq!(hashes.feed.tile(0, beyond).await, Ok(None));
    assert_eq!(entries.feed.bundle(beyond, None).await, Ok(None));
}

#[tokio::test]
async fn a_lease_that_stands_still_is_taken() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.joins("one").await, fleet.joins("other").await);
    append(&*fleet.store, 1).await;
    one.feed.publish().await.unwrap();
    fleet.waits_for_the_lease(&other).await;
    fleet.clock.advance(-LEASE);
    assert_eq!(other.feed.publish().await, Ok(1));
    // Renewed while the other looked on: seen anew, for as long again.
    fleet.clock.advance(seconds(3));
    one.feed.publish().await.unwrap();
    append(&*fleet.store, 1).await;
    fleet.clock.advance(seconds(3));
    assert_eq!(other.feed.publish().await, Ok(1));
    fleet.clock.advance(LEASE);
    assert_eq!(other.feed.publish().await, Ok(2), "and taken");
    append(&*fleet.store, 1).await;
    assert_eq!(one.feed.publish().await, Ok(2), "the first one follows");
}

#[tokio::test]
async fn who_was_paused_while_signing_records_nothing() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.joins("one").await, fleet.joins("other").await);
    append(&*fleet.store, 3).await;
    one.feed.publish().await.unwrap();
    append(&*fleet.store, 1).await;
    let signed = one.feed.sign(&one.feed.extend().await.unwrap()).unwrap();
    // Here it is stopped for longer than its lease.
    fleet.waits_for_the_lease(&other).await;
    append(&*fleet.store, 2).await;
    assert_eq!(other.feed.publish().await, Ok(6));
    let refused = one.feed.record(signed).await.unwrap_err();
    assert_eq!(refused, FeedError::Store(StoreError::Stale));
    assert_eq!(one.feed.publish().await, Ok(6));
    assert_eq!(note(&one), note(&other));
}

#[tokio::test]
async fn who_ends_in_order_keeps_nobody_waiting() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.joins("one").await, fleet.joins("other").await);
    append(&*fleet.store, 1).await;
    let stop = CancellationToken::new();
    let until_published = async {
        one.feed.wait_beyond(0, std::future::pending()).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(one.feed.publish_until(&stop, INTERVAL), until_published);
    ended.unwrap();
    append(&*fleet.store, 1).await;
    assert_eq!(other.feed.publish().await, Ok(2));
}

#[tokio::test]
async fn without_a_mark_one_serves_and_does_not_sign() {
    let fleet = Fleet::new();
    let first = fleet.joins("first").await;
    append(&*fleet.store, 3).await;
    first.feed.publish().await.unwrap();
    let late = fleet.joins("late").await;
    assert_eq!(late.feed.page(0, 10).await.unwrap().next, 3);
    append(&*fleet.store, 1).await;
    fleet.waits_for_the_lease(&late).await;
    assert_eq!(late.feed.publish().await, Ok(3));
    late.feed.confirm().unwrap();
    fleet.waits_for_the_lease(&late).await;
    assert_eq!(late.feed.publish().await, Ok(4));
    // It has its mark from now on.
    let Instance { feed, dir } = late;
    drop(feed);
    let again = fleet.opens("again", dir).await.unwrap();
    append(&*fleet.store, 1).await;
    fleet.waits_for_the_lease(&again).await;
    assert_eq!(again.feed.publish().await, Ok(5));
}

#[tokio::test]
async fn a_database_that_was_set_back_is_refused() {
    let fleet = Fleet::new();
    let one = fleet.joins("one").await;
    append(&*fleet.store, 3).await;
    one.feed.publish().await.unwrap();
    let backup = Fleet { store: Arc::new(MemoryStore::new()), clock: fleet.clock.clone() };
    append(&*backup.store, 2).await;
    let fresh = tempfile::tempdir().unwrap();
    Feed::open(backup.store.clone(), fresh.path(), signer()).await.unwrap();
    let refused = backup.opens("one", one.dir).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, FeedError::SetBack { signed: 3, known: 2, .. }), "{refused}");
}

#[tokio::test]
async fn instances_have_one_key() {
    let fleet = Fleet::new();
    let _first = fleet.joins("first").await;
    let dir = tempfile::tempdir().unwrap();
    let other = NoteSigner::new("localhost/feed", &[7; 32]).unwrap();
    let sharing = Sharing { clock: Arc::new(fleet.clock.clone()), me: "other".to_owned() };
    let store: Arc<dyn Store> = fleet.store.clone();
    let refused = Feed::open_shared(store, dir.path(), other, sharing).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, FeedError::OtherLog { .. }), "{refused}");
}
