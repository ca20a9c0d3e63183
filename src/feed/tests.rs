use super::fake::{FakeStore, entry, number};
use super::*;
use crate::feed::merkle::leaf_hash;
use crate::feed::merkle::tests::naive_root;
use crate::feed::render::PageForm;

const A: u64 = 8_613_800_138_000;
const B: u64 = 8_613_900_139_000;

/// A feed and the folder that it lasts as long as.
pub(super) struct Open {
    feed: Feed,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for Open {
    type Target = Feed;
    fn deref(&self) -> &Feed {
        &self.feed
    }
}

pub(super) fn signer() -> NoteSigner {
    NoteSigner::new("localhost/feed", &[7; 32]).unwrap()
}

pub(super) async fn open(store: &Arc<FakeStore>) -> Open {
    let folder = tempfile::tempdir().unwrap();
    Open { feed: Feed::open(store.clone(), folder.path(), signer()).await.unwrap(), _folder: folder }
}

fn refused<T: fmt::Debug>(answer: Result<T, FeedError>) -> Refusal {
    match answer {
        Err(FeedError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn naive(leaves: &[Vec<u8>]) -> Hash {
    naive_root(&leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>())
}

#[tokio::test]
async fn opening_publishes_the_whole_log() {
    let store = FakeStore::new(7);
    store.append_many(30).await;
    let feed = open(&store).await;
    assert_eq!(feed.size(), 30);
    for size in 0..=30 {
        assert_eq!(feed.root_at(size).unwrap(), Some(naive(&store.leaves()[..size as usize])));
    }
    assert_eq!(feed.root_at(31).unwrap(), None);
}

#[tokio::test]
async fn an_entry_is_there_once_it_is_under_a_checkpoint() {
    let store = FakeStore::new(100);
    let feed = open(&store).await;
    for size in 1..=5u64 {
        store.append(entry(A, size.checked_sub(2), false)).await;
        assert_eq!(feed.size(), size - 1);
        assert_eq!(feed.entry(size - 1).await.unwrap(), None);
        assert_eq!(refused(feed.page(size, 1).await), Refusal::CursorAhead { size: size - 1 });
        assert_eq!(feed.publish().await.unwrap(), size);
        assert!(feed.entry(size - 1).await.unwrap().is_some());
        let note = feed.newest().note;
        let checkpoint = Checkpoint::open(&note, feed.verifier()).unwrap();
        assert_eq!(checkpoint, Checkpoint { size, root: naive(&store.leaves()) });
    }
}

#[tokio::test]
async fn an_empty_log_has_a_checkpoint_too() {
    let feed = open(&FakeStore::new(1)).await;
    let note = feed.newest().note;
    let checkpoint = Checkpoint::open(&note, feed.verifier()).unwrap();
    assert_eq!(checkpoint, Checkpoint { size: 0, root: merkle::empty_root() });
}

#[tokio::test]
async fn those_who_publish_together_publish_the_same() {
    let store = FakeStore::new(3);
    let feed = open(&store).await;
    store.append_many(40).await;
    let sizes = futures_util::future::join_all((0..8).map(|_| feed.publish())).await;
    assert!(sizes.into_iter().all(|size| size.unwrap() == 40));
    assert_eq!(feed.root_at(40).unwrap(), Some(naive(&store.leaves())));
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let store = FakeStore::new(4);
    store.append_many(10).await;
    let feed = open(&store).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = feed.page(after, 3).await.unwrap();
        assert_eq!((page.first, page.size), (after, 10));
        let leaves = feed.leaves_of(&page).await.unwrap();
        assert_eq!(leaves.len() as u64, page.next - page.first);
        if leaves.is_empty() {
            assert_eq!(page.next, 10);
            break;
        }
        seen.extend((page.first..).zip(leaves));
        after = page.next;
    }
    assert_eq!(seen, (0..).zip(store.leaves()).collect::<Vec<_>>());
    // Whatever the store gives at once.
    assert_eq!(feed.page(0, usize::MAX).await.unwrap().next, 10);
    assert_eq!(feed.page(5, 0).await.unwrap().next, 5);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_served_is_refused() {
    let store = FakeStore::new(100);
    store.append_many(2).await;
    let feed = open(&store).await;
    assert_eq!(feed.page(2, 10).await.unwrap().next, 2);
    assert_eq!(refused(feed.page(3, 10).await), Refusal::CursorAhead { size: 2 });
    assert_eq!(refused(feed.page(u64::MAX, 10).await), Refusal::CursorAhead { size: 2 });
}

#[tokio::test]
async fn waiting_ends_with_growth_or_with_patience() {
    let store = FakeStore::new(100);
    store.append_many(1).await;
    let feed = open(&store).await;
    assert_eq!(feed.wait_beyond(0, std::future::pending()).await, 1);
    assert_eq!(feed.wait_beyond(1, std::future::ready(())).await, 1);
    store.append(entry(A, None, false)).await;
    let (size, published) = tokio::join!(feed.wait_beyond(1, std::future::pending()), feed.publish());
    assert_eq!((size, published), (2, Ok(2)));
}

#[tokio::test]
async fn the_newest_published_entry_of_a_number_is_in_force() {
    let store = FakeStore::new(100);
    let feed = open(&store).await;
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), None);
    store.append(entry(A, None, false)).await;
    store.append(entry(B, None, false)).await;
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), None, "not published");
    feed.publish().await.unwrap();
    store.append(entry(A, Some(0), false)).await;
    let in_force = |seq: usize| Some((seq as u64, store.leaves()[seq].clone()));
    assert_eq!(
        feed.correction_of(number(A)).await.unwrap(),
        in_force(0),
        "what is not published hides nothing"
    );
    feed.publish().await.unwrap();
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), in_force(2));
    assert_eq!(feed.correction_of(number(B)).await.unwrap(), in_force(1));

    store.append(entry(A, Some(2), true)).await;
    store.append(entry(A, Some(3), false)).await;
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), in_force(2));
    feed.publish().await.unwrap();
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), in_force(4));
    store.append(entry(A, Some(4), true)).await;
    feed.publish().await.unwrap();
    assert_eq!(feed.correction_of(number(A)).await.unwrap(), None, "withdrawn");
}

#[tokio::test]
async fn a_correction_that_is_not_durable_yet_hides_nothing() {
    let store = FakeStore::new(100);
    store.append(entry(A, None, false)).await;
    let feed = open(&store).await;
    store.append_unflushed(entry(A, Some(0), true));
    let (found, ()) = tokio::join!(feed.correction_of(number(A)), async { store.flush() });
    assert_eq!(found.unwrap(), Some((0, store.leaves()[0].clone())));
}

#[tokio::test]
async fn one_entry_by_its_number() {
    let store = FakeStore::new(100);
    store.append_many(3).await;
    let feed = open(&store).await;
    assert_eq!(feed.entry(2).await.unwrap(), Some(store.leaves()[2].clone()));
    assert_eq!(feed.entry(3).await.unwrap(), None);
    assert_eq!(feed.entry(u64::MAX).await.unwrap(), None);
}

#[tokio::test]
async fn a_request_may_move_between_threads() {
    fn movable<T: Send>(future: T) -> T {
        future
    }
    let feed = open(&FakeStore::new(1)).await;
    assert_eq!(movable(feed.wait_beyond(0, std::future::ready(()))).await, 0);
    assert_eq!(movable(feed.publish()).await, Ok(0));
    let page = movable(feed.page(0, 1)).await.unwrap();
    assert!(movable(feed.page_body(&page, PageForm::Ndjson)).await.unwrap().bytes.is_empty());
    assert_eq!(movable(feed.correction_of(number(A))).await.unwrap(), None);
}

#[tokio::test]
async fn damage_is_said_aloud() {
    let store = FakeStore::new(100);
    store.append(entry(A, None, false)).await;
    let feed = open(&store).await;
    // Not published yet: what is, is read from the log's own files.
    store.append(entry(A, Some(0), false)).await;
    store.damage(0);
    assert!(feed.entry(0).await.unwrap().is_some());
    store.damage(1);
    let answer = feed.correction_of(number(A)).await;
    assert!(matches!(answer, Err(FeedError::Store(StoreError::Fatal(_)))), "{answer:?}");
}
