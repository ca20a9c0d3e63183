use std::sync::Arc;

use super::*;
use crate::feed::fake::FakeStore;
use crate::feed::merkle::{Frontier, empty_root, leaf_hash};
use crate::feed::tests::{Open, open};
use crate::store::{Record, Store};

fn provider() -> ProviderId {
    "tencent".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn feed_of(entries: u64) -> (Arc<FakeStore>, Open) {
    let store = FakeStore::new(100);
    store.append_many(entries).await;
    let feed = open(&store).await;
    (store, feed)
}

async fn ack_of(feed: &Feed, size: u64, stage: Stage) -> Acknowledgement {
    let root = feed.root_at(size).unwrap().unwrap();
    Acknowledgement { size, root, stage, refused: Vec::new(), software: None }
}

fn refusing(seq: u64, code: &str, text: Option<&str>) -> RefusedEntry {
    RefusedEntry { seq, code: code.into(), text: text.map(str::to_owned) }
}

fn acks(store: &FakeStore) -> Vec<(Stage, u64, i64)> {
    let acks = store.records().into_iter().filter_map(|record| match record {
        Record::Ack(ack) => Some((ack.stage, ack.size, ack.at.as_second())),
        _ => None,
    });
    acks.collect()
}

fn refusals(store: &FakeStore) -> Vec<ProviderRefusal> {
    let refusals = store.records().into_iter().filter_map(|record| match record {
        Record::ProviderRefusal(refusal) => Some(refusal),
        _ => None,
    });
    refusals.collect()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, FeedError>) -> Refusal {
    match answer {
        Err(FeedError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_later_stage_implies_the_earlier_ones() {
    let (store, feed) = feed_of(5).await;
    let serving = ack_of(&feed, 5, Stage::Serving).await;
    let received = ack_of(&feed, 3, Stage::Received).await;
    assert!(feed.ack(&provider(), &received, at(1)).await.unwrap());
    let commits = store.commits();
    assert!(feed.ack(&provider(), &serving, at(2)).await.unwrap());
    assert_eq!(store.commits(), commits + 1);
    // When was entry 1 received? At 1: the first record above it says so.
    let expected =
        [(Stage::Received, 3, 1), (Stage::Received, 5, 2), (Stage::Applied, 5, 2), (Stage::Serving, 5, 2)];
    assert_eq!(acks(&store), expected);
}

#[tokio::test]
async fn how_far_a_provider_is_lies_ready() {
    let (store, feed) = feed_of(5).await;
    let mut ack = Acknowledgement { software: Some("x 1".into()), ..ack_of(&feed, 3, Stage::Applied).await };
    ack.refused = vec![refusing(1, "no_dated_reports", None), refusing(2, "no_dated_reports", None)];
    assert!(feed.ack(&provider(), &ack, at(1)).await.unwrap());
    let state = async || {
        let store: &dyn Store = store.as_ref();
        store.load::<ProviderState>(&provider()).await.unwrap().unwrap().value
    };
    let first = ProviderState {
        provider: provider(),
        sizes: [(Stage::Received, 3), (Stage::Applied, 3)].into(),
        refused: 2,
        software: Some("x 1".into()),
        acked_at: at(1),
    };
    assert_eq!(state().await, first);
    let later = ack_of(&feed, 5, Stage::Received).await;
    assert!(feed.ack(&provider(), &later, at(2)).await.unwrap());
    let further = [(Stage::Received, 5), (Stage::Applied, 3)].into();
    let second = ProviderState { sizes: further, acked_at: at(2), ..first };
    assert_eq!(state().await, second);
    // A new release says so, also where there is nothing else to say.
    let software = Some("x 2".to_owned());
    let renewed = Acknowledgement { software: software.clone(), ..later };
    assert!(!feed.ack(&provider(), &renewed, at(3)).await.unwrap());
    assert_eq!(state().await, ProviderState { software, acked_at: at(3), ..second });
}

#[tokio::test]
async fn saying_it_again_or_less_writes_nothing() {
    let (store, feed) = feed_of(5).await;
    let applied = ack_of(&feed, 4, Stage::Applied).await;
    assert!(feed.ack(&provider(), &applied, at(1)).await.unwrap());
    let (commits, kept) = (store.commits(), acks(&store));
    for (size, stage) in [(4, Stage::Applied), (4, Stage::Received), (2, Stage::Applied), (0, Stage::Serving)]
    {
        let again = ack_of(&feed, size, stage).await;
        assert!(!feed.ack(&provider(), &again, at(2)).await.unwrap());
    }
    assert_eq!((store.commits(), acks(&store)), (commits, kept));
    // Another provider has its own history.
    assert!(feed.ack(&"baidu".parse().unwrap(), &applied, at(3)).await.unwrap());
}

#[tokio::test]
async fn the_root_must_be_ours_at_that_size() {
    let (store, feed) = feed_of(5).await;
    let mut ack = ack_of(&feed, 4, Stage::Received).await;
    ack.refused = vec![refusing(9, "Bad", None)];
    ack.root[0] ^= 1;
    assert_eq!(refused(feed.ack(&provider(), &ack, at(1)).await), Refusal::Diverged);
    ack.size = 6;
    assert_eq!(refused(feed.ack(&provider(), &ack, at(1)).await), Refusal::CursorAhead { size: 5 });
    let elsewhere = Acknowledgement { size: 0, ..ack_of(&feed, 4, Stage::Received).await };
    assert_eq!(refused(feed.ack(&provider(), &elsewhere, at(1)).await), Refusal::Diverged);
    let nothing = Acknowledgement { root: empty_root(), ..elsewhere };
    assert!(!feed.ack(&provider(), &nothing, at(1)).await.unwrap());
    assert_eq!(acks(&store).len() + refusals(&store).len(), 0);
}

/// Durable and not published: who guesses it right is ahead, who does not has
/// another log.
#[tokio::test]
async fn the_root_is_looked_at_before_it_is_published() {
    let (store, feed) = feed_of(5).await;
    store.append_many(300).await;
    let mut tree = Frontier::default();
    for (size, leaf) in (1..).zip(store.leaves()) {
        tree.push(leaf_hash(&leaf));
        if size <= 5 {
            continue;
        }
        let ack = ack_of(&feed, 4, Stage::Received).await;
        let ack = Acknowledgement { size, root: tree.root(), ..ack };
        assert_eq!(refused(feed.ack(&provider(), &ack, at(1)).await), Refusal::CursorAhead { size: 5 });
        let other = Acknowledgement { root: empty_root(), ..ack };
        assert_eq!(refused(feed.ack(&provider(), &other, at(1)).await), Refusal::Diverged);
    }
    feed.publish().await.unwrap();
    let ack = ack_of(&feed, 305, Stage::Received).await;
    assert_eq!(ack.root, tree.root());
    assert!(feed.ack(&provider(), &ack, at(2)).await.unwrap());
}

#[tokio::test]
async fn what_is_malformed_is_refused_whole() {
    let (store, feed) = feed_of(5).await;
    let long = |chars| "长".repeat(chars);
    let malformed = [
        ("refused.seq", refusing(4, "fine", None)),
        ("refused.code", refusing(3, "", None)),
        ("refused.code", refusing(3, "_x", None)),
        ("refused.code", refusing(3, "No", None)),
        ("refused.code", refusing(3, &"a".repeat(65), None)),
        ("refused.text", refusing(3, "fine", Some(&long(501)))),
        ("refused.text", refusing(3, "fine", Some("\u{0}"))),
    ];
    let ack = ack_of(&feed, 4, Stage::Received).await;
    for (expected, entry) in malformed {
        let ack = Acknowledgement { refused: vec![refusing(0, "fine", None), entry], ..ack.clone() };
        let refusal = refused(feed.ack(&provider(), &ack, at(1)).await);
        assert!(matches!(refusal, Refusal::FieldMalformed { field, .. } if field == expected), "{refusal}");
    }
    let many = Acknowledgement { refused: vec![refusing(0, "fine", None); 1_001], ..ack.clone() };
    assert_eq!(refused(feed.ack(&provider(), &many, at(1)).await).code(), "field_malformed");
    let named = Acknowledgement { software: Some(long(101)), ..ack.clone() };
    assert_eq!(refused(feed.ack(&provider(), &named, at(1)).await).code(), "field_malformed");
    assert_eq!(acks(&store).len() + refusals(&store).len(), 0);

    let at_the_edge = Acknowledgement {
        refused: vec![refusing(3, &"a".repeat(64), Some(&long(500)))],
        software: Some(long(100)),
        ..ack
    };
    assert!(feed.ack(&provider(), &at_the_edge, at(1)).await.unwrap());
}

#[tokio::test]
async fn the_first_word_about_an_entry_stands() {
    let (store, feed) = feed_of(5).await;
    let mut ack = ack_of(&feed, 4, Stage::Applied).await;
    ack.refused = vec![refusing(1, "no_dated_reports", Some("没有日期")), refusing(1, "other", None)];
    assert!(feed.ack(&provider(), &ack, at(1)).await.unwrap());
    ack.refused = vec![refusing(1, "other", None), refusing(2, "unknown_number", None)];
    assert!(!feed.ack(&provider(), &ack, at(2)).await.unwrap());

    let kept = refusals(&store);
    let codes: Vec<_> = kept.iter().map(|it| (it.seq, it.code.as_str(), it.at.as_second())).collect();
    assert_eq!(codes, [(1, "no_dated_reports", 1), (2, "unknown_number", 2)]);
    let audit = store.audited();
    let lines: Vec<_> = audit.iter().map(|it| (&*it.actor, &*it.action, &*it.subject)).collect();
    assert_eq!(
        lines,
        [("provider:tencent", "entry_refused", "entry:1"), ("provider:tencent", "entry_refused", "entry:2")]
    );
    assert_eq!(audit[0].digest.as_ref().unwrap().len(), 64);
}

#[tokio::test]
async fn a_thousand_refusals_fit_the_bound_of_a_commit() {
    let (store, feed) = feed_of(1_000).await;
    let commits = store.commits();
    let mut ack = ack_of(&feed, 1_000, Stage::Serving).await;
    ack.refused = (0..1_000).map(|seq| refusing(seq, "unknown_number", None)).collect();
    assert!(feed.ack(&provider(), &ack, at(1)).await.unwrap());
    assert_eq!((refusals(&store).len(), acks(&store).len()), (1_000, 3));
    assert_eq!(store.commits(), commits + 6);
    const { assert!(REFUSED_PER_COMMIT_MAX + Stage::ALL.len() < store::CHANGES_PER_SET_MAX) };
}

fn rival(size: u64) -> Changeset {
    let mut set = Changeset::default();
    let mut state = nothing_said(&provider());
    let ack = Acknowledgement {
        size,
        root: empty_root(),
        stage: Stage::Received,
        refused: Vec::new(),
        software: None,
    };
    add_stages(&mut set, &mut state, &ack, &[Stage::Received], at(0));
    set.put_new(state);
    set
}

#[tokio::test]
async fn who_came_second_says_nothing_new() {
    let (store, feed) = feed_of(5).await;
    let received = ack_of(&feed, 4, Stage::Received).await;
    store.rival(rival(4));
    assert!(!feed.ack(&provider(), &received, at(1)).await.unwrap());
    assert_eq!(acks(&store), [(Stage::Received, 4, 0)]);
}

#[tokio::test]
async fn retries_are_bounded() {
    let (store, feed) = feed_of(9).await;
    let received = ack_of(&feed, 1, Stage::Received).await;
    let mut impossible = rival(1);
    impossible.puts[0].expected = 1;
    (0..9).for_each(|_| store.rival(impossible.clone()));
    let answer = feed.ack(&provider(), &received, at(1)).await;
    assert_eq!(answer, Err(StoreError::Stale.into()));
    assert!(acks(&store).is_empty());
    // Four rivals are left; the fifth try has none.
    assert!(feed.ack(&provider(), &received, at(1)).await.unwrap());
}
