//! What only the sled engine has: a file that can be damaged, a mark beside
//! it, a queue that can be full.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;
use zhengming::store::sled::{OpenError, SledOptions, SledStore};
use zhengming::store::{Changeset, Claim, Listing, LogHead, Put, Store, StoreError, Versioned};

use crate::store::engines::sled_options;
use crate::support::audit::whole_chain;
use crate::support::dice::Dice;
use crate::support::files::copy;
use crate::support::records::{self, at, audit, claim, entry, log_head, number, session};

fn open(options: &SledOptions) -> Result<Arc<dyn Store>, OpenError> {
    SledStore::open(options).map(|store| Arc::new(store) as Arc<dyn Store>)
}

/// Commits `from..to`: each a claim, a log entry and an audit line.
async fn write(store: &Arc<dyn Store>, from: u64, to: u64) {
    for nth in from..to {
        let mut changeset = Changeset::default();
        changeset.put_new(claim(&format!("claim-{nth}"), "needle"));
        changeset.entries.push(entry(number(nth), None, nth));
        changeset.audit.push(audit(nth));
        store.commit(changeset).await.unwrap();
    }
}

async fn claims(store: &Arc<dyn Store>, count: u64) -> bool {
    for nth in 0..count {
        if store.load::<Claim>(&format!("claim-{nth}")).await.unwrap().is_none() {
            return false;
        }
    }
    true
}

async fn written(options: &SledOptions, from: u64, to: u64) {
    write(&open(options).unwrap(), from, to).await;
}

const OPEN_TRIES_MAX: u32 = 100_000;

/// The database without our store above it. A thread of sled's pool may hold
/// the lock for a moment after the store is gone.
pub fn below(dir: &Path) -> ::sled::Db {
    for _ in 0..OPEN_TRIES_MAX {
        if let Ok(db) = ::sled::open(dir) {
            return db;
        }
        std::thread::yield_now();
    }
    ::sled::open(dir).unwrap()
}

/// Changes a value below the store's feet.
fn tamper(options: &SledOptions, is_it: impl Fn(&[u8], &[u8]) -> bool, change: impl Fn(&mut Vec<u8>)) {
    let db = below(&options.dir);
    let found = db.iter().map(Result::unwrap).find(|(key, value)| is_it(key, value));
    let (key, value) = found.unwrap();
    let mut value = value.to_vec();
    change(&mut value);
    db.insert(key, value).unwrap();
    db.flush().unwrap();
}

fn is_claim(key: &[u8], value: &[u8]) -> bool {
    key.ends_with(b"claim-3") && value.windows(6).any(|window| window == b"needle")
}

fn fixture() -> (TempDir, SledOptions) {
    let dir = tempfile::tempdir().unwrap();
    let options = sled_options(&dir);
    (dir, options)
}

#[tokio::test]
async fn reopening_sees_all() {
    let (_dir, options) = fixture();
    let newest = {
        let store = open(&options).unwrap();
        write(&store, 0, 20).await;
        let mut changeset = Changeset::default();
        changeset.put_new(session(1, at(5)));
        store.commit(changeset).await.unwrap();
        store.load::<Claim>(&"claim-19".to_owned()).await.unwrap().unwrap()
    };
    let store = open(&options).unwrap();
    assert!(claims(&store, 20).await);
    assert_eq!(*store.log_size().borrow(), 20);
    assert_eq!(store.newest_entry(number(7)).await.unwrap(), Some(7));
    assert_eq!(whole_chain(&*store).await.len(), 20);
    assert_eq!(store.list(&Listing::Expired { until: at(5) }, None, 9).await.unwrap().records.len(), 1);
    // Versions go on from where they were.
    write(&store, 20, 21).await;
    let next = store.load::<Claim>(&"claim-20".to_owned()).await.unwrap().unwrap();
    assert!(next.version > newest.version);
    assert_eq!(whole_chain(&*store).await.len(), 21);
}

#[tokio::test]
async fn records_of_a_newer_release_are_refused() {
    let (_dir, options) = fixture();
    written(&options, 0, 5).await;
    tamper(&options, is_claim, |value| value[0] = 2);
    let store = SledStore::open(&options).unwrap();
    let failed = store.failed();
    let store: Arc<dyn Store> = Arc::new(store);
    let read = store.load::<Claim>(&"claim-3".to_owned()).await;
    assert!(matches!(read, Err(StoreError::Fatal(why)) if why.contains("newer release")));
    assert!(*failed.borrow(), "the process has to end");
    assert!(matches!(store.commit(Changeset::default()).await, Err(StoreError::Fatal(_))));
    drop(store);
    tamper(&options, |key, _| key == [0], |value| value[0] = 2);
    assert!(open(&options).unwrap_err().to_string().contains("newer release"));
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    let (_dir, options) = fixture();
    written(&options, 0, 5).await;
    tamper(&options, is_claim, |value| *value.last_mut().unwrap() ^= 1);
    let store = open(&options).unwrap();
    let read = store.load::<Claim>(&"claim-3".to_owned()).await;
    assert!(matches!(read, Err(StoreError::Fatal(why)) if why.starts_with("the claim whose key")));
}

#[tokio::test]
async fn a_database_behind_its_mark_is_refused() {
    let (dir, options) = fixture();
    written(&options, 0, 5).await;
    let old = dir.path().join("old");
    copy(&options.dir, &old);
    written(&options, 5, 8).await;
    fs::remove_dir_all(&options.dir).unwrap();
    copy(&old, &options.dir);
    let refused = open(&options).unwrap_err();
    assert!(matches!(refused, OpenError::Behind { .. }));
    let said = refused.to_string();
    assert!(said.contains("only 5 of 8 log entries") && said.contains("store import"), "{said}");
    // An empty one in its place is behind as well.
    fs::remove_dir_all(&options.dir).unwrap();
    assert!(matches!(open(&options), Err(OpenError::Behind { .. })));
    // On purpose it is taken, and the mark is its own from then on.
    written(&SledOptions { adopt: true, ..options.clone() }, 0, 1).await;
    assert!(claims(&open(&options).unwrap(), 1).await);
}

/// Publishes what there is.
async fn publish(options: &SledOptions, head: LogHead) {
    let store = open(options).unwrap();
    let mut changeset = Changeset::default();
    let known = store.load::<LogHead>(&()).await.unwrap();
    changeset.put(Versioned { version: known.map_or(0, |known| known.version), value: head });
    store.commit(changeset).await.unwrap();
}

#[tokio::test]
async fn a_database_that_has_not_signed_what_its_mark_knows_is_refused() {
    let (dir, options) = fixture();
    written(&options, 0, 5).await;
    publish(&options, log_head(3)).await;
    copy(&options.dir, &dir.path().join("backup"));
    publish(&options, log_head(5)).await;
    open(&options).unwrap();
    fs::remove_dir_all(&options.dir).unwrap();
    copy(&dir.path().join("backup"), &options.dir);
    let refused = open(&options).unwrap_err().to_string();
    assert!(refused.contains("only 3 of 5 log entries under a signed checkpoint"), "{refused}");
}

/// As many commits, as many entries, but other ones: a history of its own.
#[tokio::test]
async fn a_database_that_signed_something_else_is_refused() {
    let (dir, options) = fixture();
    written(&options, 0, 5).await;
    copy(&options.dir, &dir.path().join("backup"));
    publish(&options, log_head(5)).await;
    let mark = fs::read(&options.mark_path).unwrap();
    fs::remove_dir_all(&options.dir).unwrap();
    copy(&dir.path().join("backup"), &options.dir);
    let adopting = SledOptions { adopt: true, ..options.clone() };
    publish(&adopting, LogHead { root: [8; 32], ..log_head(5) }).await;
    fs::write(&options.mark_path, mark).unwrap();
    let refused = open(&options).unwrap_err().to_string();
    assert!(refused.contains("another root"), "{refused}");
    written(&adopting, 5, 6).await;
    open(&options).unwrap();
}

#[tokio::test]
async fn a_database_without_its_mark_is_refused_unless_adopted() {
    let (_dir, options) = fixture();
    written(&options, 0, 5).await;
    fs::remove_file(&options.mark_path).unwrap();
    assert!(matches!(open(&options), Err(OpenError::NoMark { what: "missing", commit: 5, .. })));
    let adopted = open(&SledOptions { adopt: true, ..options.clone() }).unwrap();
    assert!(claims(&adopted, 5).await);
    drop(adopted);
    assert!(matches!(open(&options), Err(OpenError::NoMark { .. })), "nothing is decided by looking");
    written(&SledOptions { adopt: true, ..options.clone() }, 5, 6).await;
    assert!(claims(&open(&options).unwrap(), 6).await, "it has a mark again");
}

#[tokio::test]
async fn one_torn_slot_of_the_mark_does_no_harm_and_two_are_refused() {
    let (_dir, options) = fixture();
    let tear = |at: usize| {
        let mut mark = fs::read(&options.mark_path).unwrap();
        mark[at..at + 40].fill(0xee);
        fs::write(&options.mark_path, mark).unwrap();
    };
    for (round, slot) in [0, 4096, 0, 4096].into_iter().enumerate() {
        let round = round as u64;
        written(&options, round * 3, round * 3 + 3).await;
        tear(slot);
        assert!(claims(&open(&options).unwrap(), round * 3 + 3).await);
    }
    tear(0);
    tear(4096);
    assert!(matches!(open(&options), Err(OpenError::NoMark { what: "damaged", .. })));
}

#[tokio::test]
async fn a_database_ahead_of_its_mark_is_fine() {
    let (_dir, options) = fixture();
    written(&options, 0, 5).await;
    let mark = fs::read(&options.mark_path).unwrap();
    written(&options, 5, 6).await;
    fs::write(&options.mark_path, mark).unwrap();
    assert!(claims(&open(&options).unwrap(), 6).await);
}

/// sled itself opens such a file without a word.
#[tokio::test]
async fn a_lost_tail_is_noticed() {
    let (dir, options) = fixture();
    written(&options, 0, 300).await;
    let whole = dir.path().join("whole");
    copy(&options.dir, &whole);
    let bytes = fs::read(whole.join("db")).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    let mut refused = 0;
    for cut in [1, 100, 1_024, 10_000, 60_000] {
        fs::remove_dir_all(&options.dir).unwrap();
        copy(&whole, &options.dir);
        File::options().write(true).open(options.dir.join("db")).unwrap().set_len(used - cut).unwrap();
        match open(&options) {
            Ok(store) => assert!(claims(&store, 300).await, "lost without a word: {cut}"),
            Err(OpenError::Behind { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn a_full_disk_is_said_before_anything_is_taken() {
    let (_dir, options) = fixture();
    let store = open(&SledOptions { disk_free_bytes_min: u64::MAX, ..options.clone() }).unwrap();
    let mut changeset = Changeset::default();
    changeset.put_new(claim("claim-0", 1));
    assert!(matches!(store.commit(changeset).await, Err(StoreError::Busy(_))));
    assert_eq!(store.load::<Claim>(&"claim-0".to_owned()).await.unwrap(), None);
    drop(store);
    written(&options, 0, 1).await;
}

#[tokio::test]
async fn what_is_refused_as_busy_was_not_taken() {
    let (_dir, options) = fixture();
    let store = open(&SledOptions { queue_changesets_max: 1, group_changesets_max: 1, ..options }).unwrap();
    let commits = (0..500).map(|nth| {
        let mut changeset = Changeset::default();
        changeset.put_new(claim(&format!("claim-{nth}"), 1));
        store.commit(changeset)
    });
    let answers = join_all(commits).await;
    assert!(answers.iter().any(Result::is_ok));
    for (nth, answer) in answers.into_iter().enumerate() {
        let there = store.load::<Claim>(&format!("claim-{nth}")).await.unwrap().is_some();
        match answer {
            Ok(_) => assert!(there),
            Err(error) => assert!(!there && matches!(error, StoreError::Busy(_)), "{error}"),
        }
    }
}

#[tokio::test]
async fn what_was_queued_is_written_when_the_store_is_dropped() {
    let (_dir, options) = fixture();
    {
        let store = open(&options).unwrap();
        let commits = (0..50).map(|nth| {
            let mut changeset = Changeset::default();
            changeset.put_new(claim(&format!("claim-{nth}"), 1));
            store.commit(changeset)
        });
        // Each is polled once, which queues it; nobody waits for the answers.
        let mut all = Box::pin(join_all(commits));
        let _ = futures_util::poll!(&mut all);
    }
    assert!(claims(&open(&options).unwrap(), 50).await);
}

#[test]
fn a_database_in_use_is_refused() {
    let (_dir, options) = fixture();
    let _store = open(&options).unwrap();
    let second = open(&SledOptions { lock_wait: Duration::ZERO, ..options });
    assert!(matches!(second, Err(OpenError::InUse { .. })));
}

#[test]
fn a_foreign_database_is_refused() {
    let (_dir, options) = fixture();
    let db = below(&options.dir);
    db.insert("theirs", "data").unwrap();
    drop(db);
    assert!(matches!(open(&options), Err(OpenError::Foreign { .. })));
}

#[tokio::test]
async fn a_deleted_record_leaves_nothing_behind() {
    let (_dir, options) = fixture();
    {
        let store = open(&options).unwrap();
        let mut dice = Dice::new(3);
        let mut keys = BTreeSet::new();
        for _ in 0..300 {
            let record = records::any(&mut dice);
            let expected = store.get(&record.key()).await.unwrap().map_or(0, |old| old.version);
            keys.insert(record.key());
            let puts = vec![Put { record, expected }];
            store.commit(Changeset { puts, ..Changeset::default() }).await.unwrap();
        }
        for key in keys {
            let version = store.get(&key).await.unwrap().unwrap().version;
            store.commit(Changeset { deletes: vec![(key, version)], ..Changeset::default() }).await.unwrap();
        }
    }
    let db = below(&options.dir);
    let left: Vec<_> = db.iter().keys().map(Result::unwrap).collect();
    assert_eq!(left, [[0]], "only the counters");
}

/// sled puts a page of such neighbours into a file of its own.
#[tokio::test]
async fn large_neighbours_are_kept() {
    let (_dir, options) = fixture();
    let large = |nth: u64| claim(&format!("claim-{nth}"), nth.to_string().repeat(60_000 / 2));
    {
        let store = open(&options).unwrap();
        for nth in 10..50 {
            let mut changeset = Changeset::default();
            changeset.put_new(large(nth));
            store.commit(changeset).await.unwrap();
        }
    }
    assert!(fs::read_dir(options.dir.join("blobs")).unwrap().count() > 0);
    let store = open(&options).unwrap();
    for nth in 10..50 {
        assert_eq!(store.load::<Claim>(&format!("claim-{nth}")).await.unwrap().unwrap().value, large(nth));
    }
}
