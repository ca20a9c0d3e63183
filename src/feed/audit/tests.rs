//! A log in order is found in order; and each way of not being so has a name.

use std::sync::Arc;

use super::*;
use crate::domain::correction::Entry;
use crate::feed::mirror::tests::Quiet;
use crate::feed::mirror::tests::fake::{Fake, refused, signer, verifier};

async fn audited(fake: &Arc<Fake>, has_key: bool) -> Result<Report, AuditError> {
    let log = Log { source: fake.clone(), verifier: verifier() };
    audit(&log, has_key, tempfile::tempdir().unwrap().path(), &Quiet).await
}

#[tokio::test]
async fn a_log_in_order_of_any_size() {
    for size in [0, 1, 255, 256, 257, 700, 66_000] {
        let fake = Fake::with(1, size);
        fake.now.lock().unwrap().snapshot = Some(size - size / 3);
        let report = audited(&fake, size < 1_000).await.unwrap();
        assert_eq!((report.checkpoint.size, report.later_size), (size, size));
        let tiles: u64 = [256, 65_536].iter().map(|leaves: &u64| (size / leaves).div_ceil(256)).sum();
        assert_eq!(report.tiles, size.div_ceil(256) + tiles);
        if let Some(entries) = report.entries {
            assert_eq!((entries.first, entries.checked), (0, size));
            let snapshot = entries.snapshot.unwrap();
            assert_eq!((snapshot.size, snapshot.forms.len()), (size - size / 3, 2));
        }
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_is_not_missed() {
    for snapshot in [1_024, 1_100, 1_500] {
        let fake = Fake::with(2, 1_500);
        fake.now.lock().unwrap().oldest = 1_024;
        fake.now.lock().unwrap().snapshot = Some(snapshot);
        let entries = audited(&fake, true).await.unwrap().entries.unwrap();
        assert_eq!((entries.first, entries.checked), (1_024, 476));
    }
    let fake = Fake::with(2, 300);
    assert_eq!(audited(&fake, true).await.unwrap().entries.unwrap().snapshot, None);
}

#[tokio::test]
async fn a_log_may_grow_meanwhile_but_not_change() {
    for (first, later, seed, is_fine) in
        [(300, 900, 3, true), (300, 300, 3, true), (300, 900, 4, false), (900, 300, 3, false)]
    {
        // The first checkpoint is that of a log that is served as it is later.
        let (fake, other) = (Fake::with(3, first), Fake::with(seed, later));
        let log = Log { source: other.clone(), verifier: verifier() };
        let earlier = Log { source: fake, verifier: verifier() }.checkpoint().await.unwrap().checkpoint;
        let now = log.checkpoint().await.unwrap().checkpoint;
        assert_eq!(continues(&log, &earlier, &now).await.is_ok(), is_fine, "{first} {later} {seed}");
    }
}

async fn wrong_with(
    lie: impl Fn(&str, Vec<u8>) -> Result<Vec<u8>, SourceError> + Send + 'static,
) -> AuditError {
    let fake = Fake::with(5, 1_000);
    fake.now.lock().unwrap().snapshot = Some(900);
    fake.lie(lie);
    audited(&fake, true).await.unwrap_err()
}

fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

#[tokio::test]
async fn one_flipped_bit_anywhere_is_found() {
    for (begins, at) in [
        ("/feed/v1/checkpoint", 20),
        ("/feed/v1/tile/0/002", 8_191),
        ("/feed/v1/tile/1/000.p/3", 0),
        ("/feed/v1/tile/entries/003.p/232", 500),
        ("/feed/v1/tile/entries/000", 1),
        ("/feed/v1/snapshots/900.sum", 60),
        ("/feed/v1/snapshots/900.ndjson", 77),
        ("/feed/v1/snapshots/900.csv", 77),
    ] {
        let error = wrong_with(move |path, truth| {
            Ok(if path.starts_with(begins) { flipped(truth, at) } else { truth })
        });
        let error = error.await;
        let is_named = match begins {
            "/feed/v1/checkpoint" => matches!(error, AuditError::Log(MirrorError::Checkpoint(_))),
            "/feed/v1/tile/0/002" => matches!(error, AuditError::TileWrong { level: 1, nth: 0 }),
            "/feed/v1/tile/1/000.p/3" => matches!(error, AuditError::TileWrong { level: 1, nth: 0 }),
            "/feed/v1/snapshots/900.sum" => {
                matches!(error, AuditError::Log(MirrorError::SnapshotWrong { size: 900, .. }))
            }
            _ if begins.contains("snapshots") => matches!(error, AuditError::SnapshotWrong { size: 900, .. }),
            _ => matches!(error, AuditError::EntryWrong { .. }),
        };
        assert!(is_named, "{begins}: {error}");
    }
    let error = wrong_with(|path, truth| {
        Ok(if path.starts_with("/feed/v1/tile/0/003.p/232") { flipped(truth, 0) } else { truth })
    });
    assert!(matches!(error.await, AuditError::RootWrong { size: 1_000 }));
    let error = wrong_with(|path, truth| match path {
        "/feed/v1/tile/0/001" => Err(refused(path, 404)),
        _ => Ok(truth),
    });
    assert!(matches!(error.await, AuditError::Log(MirrorError::Source(_))));
}

/// In the tree and signed, and yet wrong.
#[tokio::test]
async fn a_chain_that_is_broken_is_found() {
    let fake = Fake::with(6, 400);
    let leaf = fake.fold(400)[0].1.clone();
    let good: Entry = serde_json::from_slice(&leaf).unwrap();
    for supersedes in [None, Some(3), Some(399)] {
        let fake = Fake::with(6, 400);
        fake.append(Entry { supersedes, ..good.clone() }.leaf());
        let error = audited(&fake, true).await.unwrap_err();
        assert!(matches!(error, AuditError::EntryWrong { seq: 400, .. }), "{error}");
    }
}

/// The log's key has signed a snapshot that leaves something out.
#[tokio::test]
async fn a_snapshot_that_is_not_the_fold_is_found() {
    use sha2::Digest;
    let truth = Fake::with(5, 1_000);
    truth.now.lock().unwrap().snapshot = Some(900);
    let lines = |fake: &Fake, size: u64| {
        let fold = fake.fold(size);
        let entries: Vec<(u64, &[u8])> = fold.iter().map(|(seq, leaf)| (*seq, leaf.as_slice())).collect();
        String::from_utf8(crate::feed::render::ndjson(&entries).unwrap()).unwrap()
    };
    let whole = lines(&truth, 900);
    let without_one = whole.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    for (text, size) in
        [(without_one, 900), (lines(&truth, 890), 900), (lines(&Fake::with(7, 900), 900), 900)]
    {
        let text2 = text.clone();
        let error = wrong_with(move |path, body| {
            Ok(if path.ends_with(".sum") {
                let note = String::from_utf8(body).unwrap();
                let lines: Vec<&str> = note.lines().collect();
                let digest = crate::domain::hex::hex(&sha2::Sha256::digest(&text));
                let count = text.lines().count();
                let text = format!("{}\n{size}\n{}\n{count}\nndjson {digest}\n", lines[0], lines[2]);
                signer().under("/snapshot/v1").unwrap().sign(&text).into_bytes()
            } else if path.ends_with(".ndjson") {
                text2.clone().into_bytes()
            } else {
                body
            })
        });
        let error = error.await;
        assert!(matches!(error, AuditError::SnapshotWrong { size: 900, .. }), "{error}");
    }
}
