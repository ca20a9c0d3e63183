//! What every engine promises about commits, the log and the audit chain.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use zhengming::domain::correction::Entry;
use zhengming::domain::number_file::NumberFile;
use zhengming::store::{
    CHANGES_PER_SET_MAX, Changeset, Claim, Key, LOG_ENTRIES_MAX, Receipt, Record, Store, StoreError, Stored,
    Versioned,
};

use crate::store::engines::on_each_engine;
use crate::support::audit::whole_chain;
use crate::support::dice::Dice;
use crate::support::records::{any, at, audit, claim, entry, number};

on_each_engine!([memory sled postgres] [
    what_is_put_is_read_back
    a_version_is_asked_for_and_moves
    a_version_never_comes_back
    a_stale_changeset_changes_nothing
    a_key_is_changed_once_in_a_changeset
    what_is_only_read_can_be_expected
    deleted_is_gone
    a_claim_is_taken_once
    an_increment_is_never_lost
    a_new_store_is_empty
    the_log_has_no_gaps
    the_log_tells_of_its_growth
    an_entry_supersedes_its_numbers_newest
    the_audit_chain_holds
    what_is_too_large_is_refused
    an_empty_changeset_is_a_barrier
    of_many_at_once_each_has_its_own_answer
]);

type Any = Arc<dyn Store>;

fn put(record: impl Stored) -> Changeset {
    let mut changeset = Changeset::default();
    changeset.put_new(record);
    changeset
}

fn log_of(entries: impl IntoIterator<Item = Entry>) -> Changeset {
    Changeset { entries: entries.into_iter().collect(), ..Changeset::default() }
}

async fn load(store: &Any, name: &str) -> Option<Versioned<Claim>> {
    store.load::<Claim>(&name.to_owned()).await.unwrap()
}

/// Commits, and reads what is there then.
async fn replace(store: &Any, mut old: Versioned<Claim>, value: &str) -> Versioned<Claim> {
    old.value.value = value.to_owned();
    let mut changeset = Changeset::default();
    changeset.put(old.clone());
    store.commit(changeset).await.unwrap();
    load(store, &old.value.name).await.unwrap()
}

async fn what_is_put_is_read_back(store: Any) {
    let mut dice = Dice::new(1);
    for _ in 0..300 {
        let record = any(&mut dice);
        let key = record.key();
        let version = store.get(&key).await.unwrap().map_or(0, |old| old.version);
        let mut changeset = Changeset::default();
        changeset.puts.push(zhengming::store::Put { record: record.clone(), expected: version });
        store.commit(changeset).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap().value, record);
    }
}

async fn a_version_is_asked_for_and_moves(store: Any) {
    store.commit(put(claim("a", 1))).await.unwrap();
    let first = load(&store, "a").await.unwrap();
    assert_ne!(first.version, 0);
    let second = replace(&store, first.clone(), "2").await;
    assert_ne!(second.version, first.version);
    assert_eq!(second.value.value, "2");
    for wrong in [0, first.version, second.version + 100] {
        let mut changeset = Changeset::default();
        changeset.put(Versioned { version: wrong, value: claim("a", 3) });
        assert_eq!(store.commit(changeset).await, Err(StoreError::Stale), "version {wrong}");
        let mut changeset = Changeset::default();
        changeset.deletes.push((Key::Claim("a".to_owned()), wrong));
        assert_eq!(store.commit(changeset).await, Err(StoreError::Stale), "version {wrong}");
    }
    assert_eq!(load(&store, "a").await, Some(second));
}

async fn a_version_never_comes_back(store: Any) {
    let mut seen = Vec::new();
    for _ in 0..4 {
        store.commit(put(claim("a", 1))).await.unwrap();
        let made = load(&store, "a").await.unwrap();
        let changed = replace(&store, made.clone(), "2").await;
        let mut changeset = Changeset::default();
        changeset.delete(&changed);
        store.commit(changeset).await.unwrap();
        seen.extend([made.version, changed.version]);
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

async fn a_stale_changeset_changes_nothing(store: Any) {
    store.commit(put(claim("there", 1))).await.unwrap();
    let mut changeset = put(claim("new", 1));
    changeset.put_new(claim("there", 2));
    changeset.entries.push(entry(number(1), None, "salt"));
    changeset.audit.push(audit("a"));
    assert_eq!(store.commit(changeset).await, Err(StoreError::Stale));
    assert_eq!(load(&store, "new").await, None);
    assert_eq!(load(&store, "there").await.unwrap().value.value, "1");
    assert_eq!(*store.log_size().borrow(), 0);
    assert_eq!(store.newest_entry(number(1)).await.unwrap(), None);
    assert!(store.audit(0, 10).await.unwrap().is_empty());
}

async fn a_key_is_changed_once_in_a_changeset(store: Any) {
    let mut twice = put(claim("a", 1));
    twice.put_new(claim("a", 1));
    assert_eq!(store.commit(twice).await, Err(StoreError::Stale));
    store.commit(put(claim("a", 1))).await.unwrap();
    let old = load(&store, "a").await.unwrap();
    let mut both = Changeset::default();
    both.put(old.clone());
    both.delete(&old);
    assert_eq!(store.commit(both).await, Err(StoreError::Stale));
    assert_eq!(load(&store, "a").await, Some(old));
}

async fn what_is_only_read_can_be_expected(store: Any) {
    store.commit(put(claim("read", 1))).await.unwrap();
    let read = load(&store, "read").await.unwrap();
    let on_what_was_read = |name: &str, version| {
        let mut changeset = put(claim(name, 1));
        changeset.expect(Key::Claim("read".to_owned()), version);
        changeset.expect(Key::Claim("absent".to_owned()), 0);
        changeset
    };
    store.commit(on_what_was_read("one", read.version)).await.unwrap();
    assert_eq!(load(&store, "read").await.unwrap().version, read.version, "only read");
    replace(&store, read.clone(), "2").await;
    assert_eq!(store.commit(on_what_was_read("two", read.version)).await, Err(StoreError::Stale));
    let newer = load(&store, "read").await.unwrap().version;
    store.commit(put(claim("absent", 1))).await.unwrap();
    assert_eq!(store.commit(on_what_was_read("two", newer)).await, Err(StoreError::Stale));
    // What the same changeset changes is expected as it was before.
    let mut changeset = put(claim("three", 1));
    changeset.expect(Key::Claim("three".to_owned()), 0);
    store.commit(changeset).await.unwrap();
}

async fn deleted_is_gone(store: Any) {
    store.commit(put(NumberFile::new(number(1)))).await.unwrap();
    let file = store.load::<NumberFile>(&number(1)).await.unwrap().unwrap();
    let mut changeset = Changeset::default();
    changeset.delete(&file);
    store.commit(changeset.clone()).await.unwrap();
    assert_eq!(store.load::<NumberFile>(&number(1)).await.unwrap(), None);
    assert_eq!(store.commit(changeset).await, Err(StoreError::Stale), "it is not at that version any more");
    store.commit(put(NumberFile::new(number(1)))).await.unwrap();
}

async fn a_claim_is_taken_once(store: Any) {
    for round in 0..5 {
        let name = format!("open:{round}");
        let takers = (0..64).map(|taker| {
            let (store, changeset) = (Arc::clone(&store), put(claim(&name, taker)));
            tokio::spawn(async move { (taker, store.commit(changeset).await) })
        });
        let answers = join_all(takers).await.into_iter().map(Result::unwrap);
        let (won, lost): (Vec<_>, Vec<_>) = answers.partition(|(_, answer)| answer.is_ok());
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|(_, answer)| *answer == Err(StoreError::Stale)));
        assert_eq!(load(&store, &name).await.unwrap().value.value, won[0].0.to_string());
    }
}

async fn an_increment_is_never_lost(store: Any) {
    store.commit(put(claim("count", 0))).await.unwrap();
    let workers = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..10 {
                loop {
                    let mut count = load(&store, "count").await.unwrap();
                    let next = count.value.value.parse::<u64>().unwrap() + 1;
                    count.value.value = next.to_string();
                    let mut changeset = Changeset::default();
                    changeset.put(count);
                    match store.commit(changeset).await {
                        Ok(_) => break,
                        Err(error) => assert_eq!(error, StoreError::Stale),
                    }
                }
            }
        })
    });
    join_all(workers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(load(&store, "count").await.unwrap().value.value, "80");
}

async fn a_new_store_is_empty(store: Any) {
    assert_eq!(load(&store, "a").await, None);
    assert_eq!(*store.log_size().borrow(), 0);
    assert!(store.log(0, 10).await.unwrap().is_empty());
    assert!(store.log(7, 10).await.unwrap().is_empty());
    assert!(store.audit(0, 10).await.unwrap().is_empty());
    assert_eq!(store.newest_entry(number(1)).await.unwrap(), None);
}

async fn the_log_has_no_gaps(store: Any) {
    let writers = (0..32u64).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut newest = None;
            let mut said = Vec::new();
            for round in 0..5u64 {
                let (mine, once) = (number(writer), number(1_000 + writer * 5 + round));
                let entries = [entry(mine, newest, format!("{writer}-{round}")), entry(once, None, "once")];
                let receipt = store.commit(log_of(entries.clone())).await.unwrap();
                let first = receipt.first_seq.unwrap();
                assert!(*store.log_size().borrow() > first + 1, "acknowledged is durable");
                said.extend([(first, entries[0].leaf()), (first + 1, entries[1].leaf())]);
                newest = Some(first);
            }
            said
        })
    });
    let mut said: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    said.sort_unstable();
    assert!(said.iter().map(|(seq, _)| *seq).eq(0..320), "each number once");
    assert_eq!(*store.log_size().borrow(), 320);
    let leaves: Vec<_> = said.into_iter().map(|(_, leaf)| leaf).collect();
    assert_eq!(store.log(0, LOG_ENTRIES_MAX + 1).await.unwrap(), leaves);
    assert_eq!(store.log(300, 5).await.unwrap(), leaves[300..305]);
    assert_eq!(store.log(318, 5).await.unwrap(), leaves[318..]);
    assert!(store.log(320, 5).await.unwrap().is_empty());
    assert!(store.log(u64::MAX, 5).await.unwrap().is_empty());
    assert!(store.log(0, 0).await.unwrap().is_empty());
}

async fn the_log_tells_of_its_growth(store: Any) {
    let mut size = store.log_size();
    store.commit(log_of([entry(number(1), None, "one")])).await.unwrap();
    assert!(size.has_changed().unwrap());
    assert_eq!(*size.borrow_and_update(), 1);
    store.commit(put(claim("a", 1))).await.unwrap();
    assert!(!size.has_changed().unwrap(), "that was no entry");
}

async fn an_entry_supersedes_its_numbers_newest(store: Any) {
    let one = number(1);
    let first = store.commit(log_of([entry(one, None, "0")])).await.unwrap();
    assert_eq!(first, Receipt { first_seq: Some(0) });
    for wrong in [None, Some(1), Some(7)] {
        assert_eq!(store.commit(log_of([entry(one, wrong, "x")])).await, Err(StoreError::Stale));
    }
    assert_eq!(store.commit(log_of([entry(number(2), Some(0), "x")])).await, Err(StoreError::Stale));
    // Several of one number in one changeset follow one another.
    let three = [entry(one, Some(0), "1"), entry(number(2), None, "2"), entry(one, Some(1), "3")];
    let receipt = store.commit(log_of(three)).await.unwrap();
    assert_eq!(receipt.first_seq, Some(1));
    let forked = [entry(one, Some(3), "4"), entry(one, Some(3), "5")];
    assert_eq!(store.commit(log_of(forked)).await, Err(StoreError::Stale));
    assert_eq!(store.newest_entry(one).await.unwrap(), Some(3));
    assert_eq!(store.newest_entry(number(2)).await.unwrap(), Some(2));
    assert_eq!(store.newest_entry(number(3)).await.unwrap(), None);
    assert_eq!(*store.log_size().borrow(), 4);
}

async fn the_audit_chain_holds(store: Any) {
    let writers = (0..16).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let lines = (0..3).map(|line| audit(format!("{writer}-{line}"))).collect();
            store.commit(Changeset { audit: lines, ..Changeset::default() }).await.unwrap();
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    let lines = whole_chain(&*store).await;
    assert_eq!(lines.len(), 48);
    for three in lines.chunks(3) {
        let writer = three[0].draft.subject.strip_suffix("-0").unwrap();
        let expected: Vec<_> = (0..3).map(|line| audit(format!("{writer}-{line}"))).collect();
        assert!(three.iter().map(|line| &line.draft).eq(&expected), "a changeset's lines stay together");
    }
    assert_eq!(store.audit(10, 5).await.unwrap(), lines[10..15]);
}

async fn what_is_too_large_is_refused(store: Any) {
    let too_large = |answer| matches!(answer, Err(StoreError::TooLarge(_)));
    assert!(too_large(store.commit(put(claim("a", "x".repeat(64 * 1024)))).await));
    let claims = |count: usize| {
        let mut changeset = Changeset::default();
        for nth in 0..count {
            changeset.put_new(claim(&format!("many-{nth}"), 1));
        }
        changeset
    };
    assert!(too_large(store.commit(claims(CHANGES_PER_SET_MAX + 1)).await));
    assert_eq!(load(&store, "many-0").await, None);
    store.commit(claims(CHANGES_PER_SET_MAX)).await.unwrap();
    store.commit(put(claim("a", "x".repeat(60 * 1024)))).await.unwrap();
    assert_eq!(load(&store, "a").await.unwrap().value.value.len(), 60 * 1024);
}

async fn an_empty_changeset_is_a_barrier(store: Any) {
    assert_eq!(store.commit(Changeset::default()).await, Ok(Receipt { first_seq: None }));
    store.commit(put(Claim { expires_at: Some(at(1)), ..claim("a", 1) })).await.unwrap();
    let before = load(&store, "a").await;
    assert_eq!(store.commit(Changeset::default()).await, Ok(Receipt { first_seq: None }));
    assert_eq!(load(&store, "a").await, before);
}

/// Some of them wait for the same write: each is answered for itself.
async fn of_many_at_once_each_has_its_own_answer(store: Any) {
    let taken = replace(&store, Versioned::new(claim("taken", 0)), "1").await;
    let changeset = |nth: u64| {
        let mut changeset = Changeset { audit: vec![audit(nth)], ..Changeset::default() };
        changeset.entries = vec![entry(number(nth), None, nth); usize::from(!nth.is_multiple_of(3))];
        changeset.put_new(claim(&format!("of {nth}"), nth));
        match nth % 10 {
            7 => changeset.put_new(claim("taken", nth)),
            8 => changeset.puts[0].record = Record::Claim(claim(&format!("of {nth}"), "x".repeat(70_000))),
            9 => changeset.expect(Key::Claim("taken".to_owned()), taken.version),
            _ => {}
        }
        changeset
    };
    let commits = (0..90).map(|nth| {
        let (store, changeset) = (Arc::clone(&store), changeset(nth));
        tokio::spawn(async move { store.commit(changeset).await })
    });
    for (nth, commit) in (0..).zip(commits.collect::<Vec<_>>()) {
        let answer = commit.await.unwrap();
        let is_there = load(&store, &format!("of {nth}")).await.is_some();
        match nth % 10 {
            7 => assert_eq!(answer, Err(StoreError::Stale), "{nth}"),
            8 => assert!(matches!(answer, Err(StoreError::TooLarge(_))), "{nth}: {answer:?}"),
            _ => match answer.unwrap().first_seq {
                Some(seq) => {
                    assert_eq!(store.log(seq, 1).await.unwrap(), [entry(number(nth), None, nth).leaf()]);
                }
                None => assert_eq!(nth % 3, 0),
            },
        }
        assert_eq!(is_there, nth % 10 != 7 && nth % 10 != 8, "{nth}");
    }
    let lines = store.audit(0, 100).await.unwrap();
    assert_eq!(lines.len(), 90 - 18);
    let said: BTreeSet<_> = lines.iter().map(|line| &line.draft.subject).collect();
    assert_eq!(said.len(), lines.len(), "each once");
}
