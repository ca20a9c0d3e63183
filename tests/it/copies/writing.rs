//! A copy that is written while others commit is of one moment; and what lies
//! in its folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use zhengming::cli::copies::export::Shape;
use zhengming::store::{Changeset, Claim, LogHead};

use super::{Any, a_copy, export, import, played, small};
use crate::store::engines::{self, on_each_engine};
use crate::support::audit::whole_chain;
use crate::support::records::{audit, claim, entry, number};

on_each_engine!([memory sled postgres] [a_copy_beside_a_writer_is_of_one_moment]);

const COPIES: usize = 6;
/// How many commits may come while one copy is written.
const COMMITS_PER_COPY: usize = 40;

/// Every commit makes a record, an entry and an audit line, and counts them.
async fn a_copy_beside_a_writer_is_of_one_moment(store: Any) {
    played(&store, 41, 40).await;
    let entries = *store.log_size().borrow();
    let lines = whole_chain(&*store).await.len() as u64;
    let mut changeset = Changeset::default();
    changeset.put_new(claim("count", 0));
    store.commit(changeset).await.unwrap();
    let writing = Arc::clone(&store);
    let turns = Arc::new(Semaphore::new(0));
    let given = Arc::clone(&turns);
    let writer = tokio::spawn(async move {
        for round in 1..=COPIES as u64 * COMMITS_PER_COPY as u64 {
            given.acquire().await.unwrap().forget();
            let mut count = writing.load::<Claim>(&"count".to_owned()).await.unwrap().unwrap();
            count.value.value = round.to_string();
            let mut changeset = Changeset::default();
            changeset.put(count);
            changeset.put_new(claim(&format!("made-{round}"), round));
            changeset.entries.push(entry(number(1_000 + round), None, round));
            changeset.audit.push(audit(round));
            writing.commit(changeset).await.unwrap();
        }
    });
    for _ in 0..COPIES {
        let dir = tempfile::tempdir().unwrap();
        turns.add_permits(COMMITS_PER_COPY);
        let manifest = export(&*store, &dir.path().join("copy"), &small()).await.unwrap();
        let to = engines::memory().await;
        import(&dir.path().join("copy"), &*to.store).await.unwrap();
        let count = to.store.load::<Claim>(&"count".to_owned()).await.unwrap().unwrap().value.value;
        let count: u64 = count.parse().unwrap();
        assert_eq!(*to.store.log_size().borrow(), entries + count);
        assert_eq!(whole_chain(&*to.store).await.len() as u64, lines + count);
        for (round, is_there) in [(count, count > 0), (count + 1, false)] {
            let made = to.store.load::<Claim>(&format!("made-{round}")).await.unwrap();
            assert_eq!(made.is_some(), is_there);
        }
        assert_eq!(manifest.total.log.size, entries + count);
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn it_is_for_its_owner_alone() {
    let (store, _) = a_copy(42, 30).await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("new").join("copy");
    export(&*store, &copy, &small()).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&copy), 0o700);
    for file in fs::read_dir(&copy).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn the_manifest_says_what_is_there() {
    let (store, _) = a_copy(43, 120).await;
    let dir = tempfile::tempdir().unwrap();
    let shape = Shape { is_plain: true, ..small() };
    let manifest = export(&*store, dir.path(), &shape).await.unwrap();
    let mut files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut named: Vec<_> = manifest.parts.iter().map(|part| part.file.clone()).collect();
    named.push("manifest.json".to_owned());
    named.sort();
    assert_eq!(files, named);
    let leaves: Vec<String> = named
        .iter()
        .filter(|name| name.starts_with("log-"))
        .flat_map(|name| {
            fs::read_to_string(dir.path().join(name)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let log = store.log(0, 10_000).await.unwrap();
    assert!(leaves.iter().map(String::as_bytes).eq(log.iter().map(Vec::as_slice)), "byte for byte");
    for part in &manifest.parts {
        // At most one line more than a part may have.
        assert!(part.bytes < shape.part_bytes_max + 4_000, "{part:?}");
    }
    let head = store.load::<LogHead>(&()).await.unwrap().unwrap().value;
    let of_manifest = manifest.total.log.head.unwrap();
    assert_eq!((of_manifest.verifier, of_manifest.size), (head.verifier, head.size));
    assert_eq!(manifest.total.audit.hash, whole_chain(&*store).await.last().unwrap().hash);
}

#[tokio::test]
async fn a_full_disk_ends_it_before_it_is_full() {
    let (store, _) = a_copy(44, 30).await;
    let dir = tempfile::tempdir().unwrap();
    let shape = Shape { disk_free_bytes_min: u64::MAX, ..small() };
    let said = export(&*store, dir.path(), &shape).await.unwrap_err().to_string();
    assert!(said.contains("nearly full"), "{said}");
    assert!(!dir.path().join("manifest.json").exists());
}
