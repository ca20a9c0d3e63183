//! What goes wrong: each way has its name, and the file stays what it was.

use super::fake::{refused, signer};
use super::*;
use crate::feed::checkpoint::Checkpoint;
use crate::feed::note::NoteSigner;

/// Plays a lie to a mirror that has 600 entries while the log has 900 more,
/// and says what the mirror called it.
async fn lied_to(
    format: Format,
    lie: impl Fn(&str, Vec<u8>) -> Result<Vec<u8>, SourceError> + Send + 'static,
) -> MirrorError {
    let (fake, dir) = (Fake::with(5, 600), folder());
    once(&fake, dir.path(), format).await.unwrap();
    let before = read(dir.path(), format);
    fake.grow(900);
    fake.now.lock().unwrap().snapshot = Some(1_400);
    fake.lie(lie);
    let error = once(&fake, dir.path(), format).await.unwrap_err();
    assert!(read(dir.path(), format) == before, "{error}");
    assert_eq!(fake.acks().len(), 1, "{error}");
    // As soon as it is over everything goes on.
    fake.tell_the_truth();
    once(&fake, dir.path(), format).await.unwrap();
    assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
    error
}

fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// Without a snapshot the way leads over tiles and bundles.
fn no_snapshot(path: &str) -> Result<(), SourceError> {
    if path.ends_with(".sum") { Err(refused(path, 404)) } else { Ok(()) }
}

#[tokio::test]
async fn a_checkpoint_that_is_not_signed() {
    for format in Format::ALL {
        let error = lied_to(format, |path, truth| {
            Ok(if path.ends_with("checkpoint") { flipped(truth, 20) } else { truth })
        });
        assert!(matches!(error.await, MirrorError::Checkpoint(_)));
    }
}

#[tokio::test]
async fn a_flipped_bit_a_cut_and_a_swap_in_the_entries() {
    for format in Format::ALL {
        for broken in 0..4 {
            let error = lied_to(format, move |path, truth| {
                no_snapshot(path)?;
                if !path.starts_with("/feed/v1/tile/entries/003") {
                    return Ok(truth);
                }
                Ok(match broken {
                    0 => flipped(truth, 100),
                    1 => flipped(truth, 1),
                    2 => truth[..truth.len() - 1].to_vec(),
                    // The first two entries change places.
                    _ => {
                        let first = 2 + usize::from(u16::from_be_bytes([truth[0], truth[1]]));
                        let length = u16::from_be_bytes([truth[first], truth[first + 1]]);
                        let second = first + 2 + usize::from(length);
                        [&truth[first..second], &truth[..first], &truth[second..]].concat()
                    }
                })
            });
            let error = error.await;
            assert!(matches!(error, MirrorError::EntriesWrong { first: 600, end: 1_200, .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn tiles_that_do_not_add_up() {
    let error = lied_to(Format::Ndjson, |path, truth| {
        no_snapshot(path)?;
        Ok(if path.starts_with("/feed/v1/tile/1/") { flipped(truth, 7) } else { truth })
    });
    assert!(matches!(error.await, MirrorError::TilesWrong { size: 1_500 }));
    let error = lied_to(Format::Ndjson, |path, truth| {
        no_snapshot(path)?;
        Ok(if path.starts_with("/feed/v1/tile/1/") { truth[1..].to_vec() } else { truth })
    });
    assert!(matches!(error.await, MirrorError::Source(SourceError::Strange { .. })));
}

#[tokio::test]
async fn a_snapshot_that_is_not_the_logs() {
    for format in Format::ALL {
        for broken in 0..6 {
            let error = lied_to(format, move |path, truth| {
                let text = || String::from_utf8(truth.clone()).unwrap();
                let signed = |text: &str| signer().under("/snapshot/v1").unwrap().sign(text).into_bytes();
                let body = |text: String| text[..=text.find("\n\n").unwrap()].to_owned();
                Ok(match (broken, path.ends_with(".sum"), path.ends_with(".ndjson")) {
                    (0, true, _) => flipped(truth, 30),
                    // The checkpoint is signed with the same key, under another name.
                    (1, true, _) => signer().sign(&body(text())).into_bytes(),
                    (2, true, _) => signed(&body(text()).replacen("1400", "1399", 1)),
                    (3, true, _) => {
                        let root = text().lines().nth(2).unwrap().to_owned();
                        let other = root.chars().rev().skip(1).collect::<String>() + "=";
                        signed(&body(text()).replacen(&root, &other, 1))
                    }
                    (4, _, true) => flipped(truth, 500),
                    (5, _, true) => [truth.as_slice(), b"\n"].concat(),
                    _ => truth,
                })
            });
            let error = error.await;
            assert!(matches!(error, MirrorError::SnapshotWrong { size: 1_400, .. }), "{broken}: {error}");
        }
    }
}

/// Signed by the log's key, and nonsense all the same.
#[tokio::test]
async fn a_snapshot_whose_corrections_are_out_of_order() {
    for (format, broken) in Format::ALL.into_iter().flat_map(|format| (0..3).map(move |nth| (format, nth))) {
        let (fake, dir) = (Fake::with(5, 2_000), folder());
        fake.now.lock().unwrap().snapshot = Some(2_000);
        let truth = fake.get("/feed/v1/snapshots/2000.ndjson", 1 << 20).await.unwrap();
        let truth = String::from_utf8(truth).unwrap();
        let mut lines: Vec<&str> = truth.lines().collect();
        match broken {
            0 => lines.swap(3, 4),
            1 => lines[3] = lines[2],
            _ => drop(lines.pop()),
        }
        let lines = lines.join("\n") + "\n";
        use sha2::Digest;
        let digest = crate::domain::hex::hex(&sha2::Sha256::digest(&lines));
        fake.lie(move |path, truth| {
            Ok(if path.ends_with(".sum") {
                let note = String::from_utf8(truth).unwrap();
                let old = note.lines().nth(4).unwrap();
                let text = note[..=note.find("\n\n").unwrap()].replacen(old, &format!("ndjson {digest}"), 1);
                signer().under("/snapshot/v1").unwrap().sign(&text).into_bytes()
            } else if path.ends_with(".ndjson") {
                lines.clone().into_bytes()
            } else {
                truth
            })
        });
        let error = once(&fake, dir.path(), format).await.unwrap_err();
        assert!(matches!(error, MirrorError::SnapshotWrong { .. }), "{error}");
        fake.tell_the_truth();
        once(&fake, dir.path(), format).await.unwrap();
        assert_eq!(read(dir.path(), format), expected(&fake, 2_000, format));
    }
}

#[tokio::test]
async fn a_snapshot_that_helps_nobody() {
    let (fake, dir) = (Fake::with(5, 600), folder());
    once(&fake, dir.path(), Format::Csv).await.unwrap();
    fake.grow(300);
    fake.now.lock().unwrap().oldest = 768;
    fake.now.lock().unwrap().snapshot = Some(600);
    let error = once(&fake, dir.path(), Format::Csv).await.unwrap_err();
    assert!(matches!(error, MirrorError::SnapshotOld { have: 600, size: 600 }), "{error}");
}

/// Another log under the same key: of the same size, larger, and so large
/// that only tiles and a snapshot lead there.
#[tokio::test]
async fn a_fork_is_proved_and_named() {
    for format in Format::ALL {
        for (more, oldest) in [(0, 0), (10, 0), (3_000, 0), (500, 512)] {
            let (ours, dir) = (Fake::with(5, 600), folder());
            once(&ours, dir.path(), format).await.unwrap();
            let before = read(dir.path(), format);
            let theirs = Fake::with(6, 600 + more);
            theirs.now.lock().unwrap().oldest = oldest;
            theirs.now.lock().unwrap().snapshot = Some(600 + more);
            let error = once(&theirs, dir.path(), format).await.unwrap_err();
            let MirrorError::Forked { size: 600, evidence } = error else { panic!("{error}") };
            assert_eq!(read(dir.path(), format), before);
            // Both notes are whole, so that anybody can check them.
            let evidence = fs::read_to_string(evidence).unwrap();
            let notes: Vec<&str> = evidence.split("localhost/feed\n").skip(1).collect();
            let (first, second) = (notes[0].split("\nWhat").next().unwrap(), notes[1]);
            for (note, size) in [(first, 600), (second, 600 + more)] {
                let note = format!("localhost/feed\n{note}");
                assert_eq!(Checkpoint::open(&note, &verifier()).unwrap().size, size);
            }
            assert!(theirs.acks().is_empty());
        }
    }
}

#[tokio::test]
async fn a_log_that_shrank() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(5, 600), folder());
        once(&fake, dir.path(), format).await.unwrap();
        fake.now.lock().unwrap().published = 599;
        let error = once(&fake, dir.path(), format).await.unwrap_err();
        assert!(matches!(error, MirrorError::Shrunken { have: 600, size: 599 }), "{error}");
        assert_eq!(read(dir.path(), format), expected(&fake, 600, format));
    }
}

/// In the log and signed, and yet not to be followed: nothing of the round is.
#[tokio::test]
async fn an_entry_that_this_version_does_not_know() {
    let is_plain =
        |leaf: &String| leaf.contains(r#""name_action":"keep""#) && leaf.contains("\"void_before\":\"");
    let fold = Fake::with(5, 20).fold(20);
    let good = fold.into_iter().map(|(_, leaf)| String::from_utf8(leaf).unwrap()).find(is_plain).unwrap();
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"v\":1", "\"v\": 1"),
        ("{\"v\":1", "{\"x\":0,\"v\":1"),
        ("\"withdrawn\":false", "\"withdrawn\":true"),
        ("\"name_action\":\"keep\"", "\"name_action\":\"set\""),
        ("\"name_action\":\"keep\"", "\"name_action\":\"sing\""),
        ("\"name_action\":\"keep\",\"name\":null", "\"name_action\":\"keep\",\"name\":\"x\""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        for format in Format::ALL {
            let dir = folder();
            let fake = Fake::with(5, 20);
            once(&fake, dir.path(), format).await.unwrap();
            fake.append(bad.clone().into_bytes());
            let error = once(&fake, dir.path(), format).await.unwrap_err();
            assert!(matches!(error, MirrorError::EntryUnknown { seq: 20, .. }), "{error}");
            let now = read(dir.path(), format);
            fake.now.lock().unwrap().leaves.pop();
            assert_eq!(now, expected(&fake, 20, format));
        }
    }
}

#[tokio::test]
async fn a_service_that_cannot_or_will_not() {
    let away = |path: &str| SourceError::Unreachable { path: path.to_owned(), why: "no route".to_owned() };
    let error = lied_to(Format::Sqlite, move |path, _| Err(away(path))).await;
    assert!(matches!(error, MirrorError::Source(SourceError::Unreachable { .. })));
    let busy = |path: &str| SourceError::Busy { path: path.to_owned(), status: 503, retry_after_s: Some(9) };
    let error = lied_to(Format::Sqlite, move |path, truth| {
        no_snapshot(path)?;
        if path.starts_with("/feed/v1/tile/entries") { Err(busy(path)) } else { Ok(truth) }
    });
    assert_eq!(error.await.retry_after_s(), Some(9));
}

#[tokio::test]
async fn a_folder_has_one_mirror_of_one_log_in_one_form() {
    let (fake, dir) = (Fake::with(5, 20), folder());
    let first = mirror(&fake, dir.path(), Format::Csv);
    first.catch_up().await.unwrap();
    let second = Mirror::new(fake.clone(), options(dir.path(), Format::Csv), Arc::new(Quiet));
    assert!(matches!(second, Err(MirrorError::InUse { .. })));
    drop(first);
    let error = once(&fake, dir.path(), Format::Sqlite).await.unwrap_err();
    assert!(matches!(error, MirrorError::OtherFormat { .. }) && error.is_usage());
    let verifier = NoteSigner::new("elsewhere/feed", &[8; 32]).unwrap().verifier().clone();
    let other = Options { verifier, ..options(dir.path(), Format::Csv) };
    let error = Mirror::new(fake, other, Arc::new(Quiet)).unwrap().catch_up().await.unwrap_err();
    assert!(matches!(error, MirrorError::OtherLog { .. }) && error.is_usage());
}

/// Whether at the start or while it runs, edited data is seen and made anew.
#[tokio::test]
async fn data_that_somebody_has_changed() {
    for format in Format::ALL {
        for restarts in [false, true] {
            let (fake, dir) = (Fake::with(5, 300), folder());
            let mut mirror = mirror(&fake, dir.path(), format);
            mirror.catch_up().await.unwrap();
            let path = dir.path().join(format.file_name());
            let mut data = fs::read(&path).unwrap();
            match format {
                Format::Sqlite => data[..4_096].fill(b'x'),
                _ => data.truncate(data.len() - 10),
            }
            fs::write(&path, data).unwrap();
            if restarts {
                drop(mirror);
                mirror = super::mirror(&fake, dir.path(), format);
            }
            fake.grow(100);
            assert_eq!(mirror.catch_up().await.unwrap().size, 400);
            assert_eq!(read(dir.path(), format), expected(&fake, 400, format));
        }
    }
}

#[tokio::test]
async fn a_full_disk() {
    let (fake, dir) = (Fake::with(5, 300), folder());
    let mirror = mirror(&fake, dir.path(), Format::Ndjson);
    mirror.catch_up().await.unwrap();
    fake.grow(100);
    std::os::unix::fs::symlink("/dev/full", dir.path().join("corrections.ndjson.next")).unwrap();
    let error = mirror.catch_up().await.unwrap_err();
    assert!(matches!(error, MirrorError::DiskFull { .. }), "{error}");
    assert_eq!(read(dir.path(), Format::Ndjson), expected(&fake, 300, Format::Ndjson));
    // What is left of the attempt is cleared away, and it goes on.
    mirror.catch_up().await.unwrap();
    assert_eq!(read(dir.path(), Format::Ndjson), expected(&fake, 400, Format::Ndjson));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(5, 30), folder());
        let path = dir.path().join(format.file_name());
        fs::create_dir(&path).unwrap();
        let mirror = mirror(&fake, dir.path(), format);
        let error = mirror.catch_up().await.unwrap_err();
        assert!(matches!(error, MirrorError::Output { .. }), "{error}");
        fs::remove_dir(&path).unwrap();
        mirror.catch_up().await.unwrap();
        assert_eq!(read(dir.path(), format), expected(&fake, 30, format));
    }
}
