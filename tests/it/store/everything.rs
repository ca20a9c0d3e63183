//! What every engine promises about reading everything: it is what one commit
//! left, whoever writes meanwhile.

use std::sync::Arc;

use futures_util::future::join_all;
use zhengming::store::memory::MemoryStore;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{
    CHANGES_PER_SET_MAX, Changeset, Everything, Extent, Key, Piece, Put, Record, Store, StoreError, Stored,
};

use crate::store::engines::{on_each_engine, sled_options};
use crate::support::dice::Dice;
use crate::support::history::{History, random_changeset};
use crate::support::records::{audit, claim, entry, number};

on_each_engine!([memory sled postgres] [
    of_nothing_there_is_nothing
    all_there_is_is_read_once
    it_is_what_was_there_at_the_beginning
    no_commit_is_read_by_halves
    what_is_acknowledged_is_in_it
    two_read_at_once
]);

type Any = Arc<dyn Store>;

/// All pieces that are left.
async fn rest(everything: &mut dyn Everything) -> Vec<Piece> {
    let mut pieces = Vec::new();
    loop {
        let more = everything.next().await.unwrap();
        if more.is_empty() {
            return pieces;
        }
        pieces.extend(more);
    }
}

async fn whole(store: &Any) -> (Extent, Vec<Piece>) {
    let mut everything = store.everything().await.unwrap();
    let pieces = rest(&mut *everything).await;
    (everything.extent().clone(), pieces)
}

/// By pages that end in the middle of things: an engine's page is at most so
/// long.
async fn fill(store: &Any, name: &str, count: usize) {
    for from in (0..count).step_by(CHANGES_PER_SET_MAX) {
        let mut changeset = Changeset::default();
        for nth in from..count.min(from + CHANGES_PER_SET_MAX) {
            changeset.put_new(claim(&format!("{name}-{nth:05}"), 0));
        }
        store.commit(changeset).await.unwrap();
    }
}

async fn of_nothing_there_is_nothing(store: Any) {
    let (extent, pieces) = whole(&store).await;
    assert_eq!(pieces, []);
    assert_eq!((extent.log_size, extent.audit_size, extent.audit_hash), (0, 0, "0".repeat(64)));
}

async fn all_there_is_is_read_once(store: Any) {
    let mut history = History::default();
    let mut dice = Dice::new(11);
    for _ in 0..120 {
        history.play(&*store, random_changeset(&mut dice, &*store).await).await;
    }
    let (extent, pieces) = whole(&store).await;
    history.is(&extent, &pieces);
}

async fn it_is_what_was_there_at_the_beginning(store: Any) {
    let mut history = History::default();
    let mut dice = Dice::new(12);
    for _ in 0..60 {
        history.play(&*store, random_changeset(&mut dice, &*store).await).await;
    }
    // More than fit on a page, so that much is still to be read.
    fill(&store, "filling", 2_300).await;
    history.filled("filling", 2_300);
    let mut everything = store.everything().await.unwrap();
    let mut later = history.clone();
    let mut pieces = Vec::new();
    loop {
        for _ in 0..12 {
            later.play(&*store, random_changeset(&mut dice, &*store).await).await;
        }
        // What is far ahead is changed, deleted and joined.
        let mut changeset = Changeset::default();
        for nth in (0..2_300).rev().step_by(40) {
            let name = format!("filling-{nth:05}");
            let Some(found) = store.get(&Key::Claim(name.clone())).await.unwrap() else { continue };
            match dice.roll(2) {
                0 => changeset.deletes.push((Key::Claim(name), found.version)),
                _ => {
                    let record = claim(&name, dice.next()).into_record();
                    changeset.puts.push(Put { record, expected: found.version });
                }
            }
        }
        changeset.put_new(claim(&format!("zzz-{}", pieces.len()), 1));
        changeset.entries.push(entry(number(900 + pieces.len() as u64), None, "later"));
        changeset.audit.push(audit("later"));
        store.commit(changeset).await.unwrap();
        let more = everything.next().await.unwrap();
        if more.is_empty() {
            break;
        }
        pieces.extend(more);
    }
    history.is(&everything.extent().clone(), &pieces);
}

/// Each commit moves two records and adds an entry and a line: their numbers
/// are the same in every state that was ever committed.
async fn no_commit_is_read_by_halves(store: Any) {
    fill(&store, "between", 1_500).await;
    let mut changeset = Changeset::default();
    changeset.put_new(claim("a", 0));
    changeset.put_new(claim("z", 0));
    store.commit(changeset).await.unwrap();
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for round in 1..=150_u64 {
                let mut changeset = Changeset::default();
                for name in ["a", "z"] {
                    let expected = store.get(&Key::Claim(name.into())).await.unwrap().unwrap().version;
                    changeset.puts.push(Put { record: claim(name, round).into_record(), expected });
                }
                changeset.entries.push(entry(number(round), None, round));
                changeset.audit.push(audit(round));
                store.commit(changeset).await.unwrap();
            }
        })
    };
    let mut rounds = Vec::new();
    while !writer.is_finished() {
        let (extent, pieces) = whole(&store).await;
        let value = |wanted: &str| {
            let found = pieces.iter().find_map(|piece| match piece {
                Piece::Record(record) => match &**record {
                    Record::Claim(claim) if claim.name == wanted => Some(claim.value.parse::<u64>().unwrap()),
                    _ => None,
                },
                _ => None,
            });
            found.unwrap()
        };
        let entries = pieces.iter().filter(|piece| matches!(piece, Piece::Entry { .. })).count() as u64;
        let lines = pieces.iter().filter(|piece| matches!(piece, Piece::Audit { .. })).count() as u64;
        assert_eq!([value("z"), entries, lines, extent.log_size, extent.audit_size], [value("a"); 5]);
        assert!(
            !pieces.iter().any(|piece| matches!(piece, Piece::Damage(_))),
            "indexes are of one moment too"
        );
        rounds.push(entries);
    }
    writer.await.unwrap();
    assert!(rounds.is_sorted());
}

async fn what_is_acknowledged_is_in_it(store: Any) {
    let writers = (0..8_u64).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for round in 0..10_u64 {
                let name = format!("{writer}-{round}");
                let mut changeset = Changeset::default();
                changeset.put_new(claim(&name, 1));
                store.commit(changeset).await.unwrap();
                // Others may be reading: then it is not for us to read.
                let mut everything = loop {
                    match store.everything().await {
                        Ok(everything) => break everything,
                        Err(StoreError::Lapsed(_)) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                };
                let mine = Piece::Record(Box::new(claim(&name, 1).into_record()));
                assert!(rest(&mut *everything).await.contains(&mine));
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
}

async fn two_read_at_once(store: Any) {
    fill(&store, "one", 10).await;
    let mut first = store.everything().await.unwrap();
    fill(&store, "two", 10).await;
    let mut second = store.everything().await.unwrap();
    fill(&store, "three", 10).await;
    assert_eq!(rest(&mut *first).await.len(), 10);
    assert_eq!(rest(&mut *second).await.len(), 20);
    assert_eq!(rest(&mut *second).await, [], "the end stays the end");
    drop((first, second));
    assert_eq!(whole(&store).await.1.len(), 30);
}

#[tokio::test]
async fn a_reader_that_waits_too_long_lapses_and_the_writers_do_not_notice() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions { kept_bytes_max: 20_000, ..sled_options(&dir) };
    let store: Any = Arc::new(SledStore::open(&options).unwrap());
    fill(&store, "old", 1_500).await;
    let mut everything = store.everything().await.unwrap();
    everything.next().await.unwrap();
    fill(&store, "young", 500).await;
    assert!(matches!(everything.next().await, Err(StoreError::Lapsed(_))));
    drop(everything);
    assert_eq!(whole(&store).await.1.len(), 2_000, "the next one is well");
}

#[tokio::test]
async fn a_store_that_was_dropped_is_read_to_its_end() {
    let store: Any = Arc::new(MemoryStore::new());
    fill(&store, "a", 3_000).await;
    let mut everything = store.everything().await.unwrap();
    drop(store);
    assert_eq!(rest(&mut *everything).await.len(), 3_000);
}
