//! What is kept, what goes, and what trouble leaves.

use super::*;

#[tokio::test]
async fn two_are_kept_and_of_the_others_a_mark() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    assert_eq!(shelved.snapshots.newest(), None);
    for size in [3, 5, 9] {
        let taken = shelved.take(&log, size).await.unwrap();
        assert_eq!((taken.sum.size, taken.sum.root), (size, log.checkpoint_at(size).root));
    }
    assert_eq!(shelved.names(), [vec!["3.gone".to_owned()], files_of(5), files_of(9)].concat());
    let shelved = shelved.reopened(&log).await;
    assert_eq!(shelved.sizes(), [5, 9]);
    assert_eq!(shelved.snapshots.find(3), Found::Gone);
    assert_eq!(shelved.snapshots.find(4), Found::Never);
    assert!(matches!(shelved.snapshots.find(5), Found::Here(found) if found.sum.size == 5));
    let newest = shelved.snapshots.newest().unwrap();
    assert_eq!((newest.at, newest.note.as_bytes()), (now(), &shelved.bytes("9.sum")[..]));
    assert_eq!(
        Sum::open(&newest.note, signer(7).under(KEY_NAME_SUFFIX).unwrap().verifier()),
        Ok(newest.sum.clone())
    );
}

#[tokio::test]
async fn marks_are_bounded() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    for size in 100..100 + GONE_MAX {
        fs::write(shelved.path(&format!("{size}.gone")), "").unwrap();
    }
    let shelved = shelved.reopened(&log).await;
    for size in [3, 5, 9] {
        shelved.take(&log, size).await.unwrap();
    }
    assert_eq!(shelved.snapshots.find(3), Found::Never);
    assert_eq!(shelved.snapshots.find(100), Found::Gone);
    assert!(!shelved.names().contains(&"3.gone".to_owned()));
}

#[tokio::test]
async fn what_a_crash_leaves_is_cleared_away() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    shelved.take(&log, 3).await.unwrap();
    // While drafts were written, and while the forms of 5 got their names.
    for name in ["draft-abc.tmp", "5.ndjson", "5.ndjson.zst", "5.csv"] {
        fs::write(shelved.path(name), "half").unwrap();
    }
    let shelved = shelved.reopened(&log).await;
    assert_eq!(shelved.names(), files_of(3));

    // After the sum of a third, before the first was retired.
    let elsewhere = Shelved::new(&log).await;
    elsewhere.take(&log, 9).await.unwrap();
    for name in files_of(9) {
        fs::copy(elsewhere.path(&name), shelved.path(&name)).unwrap();
    }
    shelved.take(&log, 5).await.unwrap();
    let shelved = shelved.reopened(&log).await;
    assert_eq!(shelved.sizes(), [5, 9]);

    // After the sum of the first has become a mark.
    fs::rename(shelved.path("5.sum"), shelved.path("5.gone")).unwrap();
    let shelved = shelved.reopened(&log).await;
    assert_eq!(shelved.names(), [vec!["3.gone".to_owned(), "5.gone".to_owned()], files_of(9)].concat());
}

#[tokio::test]
async fn what_is_not_of_this_log_and_key_is_removed() {
    let log = ten();
    let other = FakeLog::of(&[(1, false), (2, false), (3, false)], 4);
    let other_key = async |dir: &TempDir| {
        Snapshots::open(dir.path(), 0, &signer(8), &log, Horizon::default()).await.unwrap().newest()
    };
    for case in [
        "another log",
        "a shorter log",
        "another key",
        "a sum under another size",
        "its checks are damaged",
        "a form is missing",
    ] {
        let shelved = Shelved::new(&log).await;
        shelved.take(&log, 3).await.unwrap();
        let shelved = match case {
            "another log" => shelved.reopened(&other).await,
            "a shorter log" => shelved.reopened(&FakeLog::of(&[], 4)).await,
            "another key" => {
                assert_eq!(other_key(&shelved.dir).await, None);
                shelved
            }
            "a sum under another size" => {
                for name in files_of(3) {
                    fs::rename(shelved.path(&name), shelved.path(&name.replacen('3', "4", 1))).unwrap();
                }
                shelved.reopened(&log).await
            }
            "its checks are damaged" => {
                let mut checks = shelved.bytes("3.checks");
                checks[12] ^= 1;
                fs::write(shelved.path("3.checks"), checks).unwrap();
                shelved.reopened(&log).await
            }
            _ => {
                fs::remove_file(shelved.path("3.csv.gz")).unwrap();
                shelved.reopened(&log).await
            }
        };
        assert_eq!(shelved.names(), Vec::<String>::new(), "{case}");
    }
}

#[tokio::test]
async fn a_damaged_one_is_removed_and_not_built_on() {
    let log = ten();
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 5] = [
        |bytes| bytes[200] ^= 1,
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.clear(),
        |bytes| bytes.extend_from_slice(b"{}\n"),
        |bytes| bytes.fill(b'x'),
    ];
    for damage in damages {
        let shelved = Shelved::new(&log).await;
        shelved.take(&log, 3).await.unwrap();
        shelved.take(&log, 5).await.unwrap();
        let mut bytes = shelved.bytes("5.ndjson");
        damage(&mut bytes);
        fs::write(shelved.path("5.ndjson"), bytes).unwrap();
        shelved.take(&log, 9).await.unwrap();
        assert_eq!(shelved.sizes(), [3, 9]);
        assert_eq!(shelved.snapshots.find(5), Found::Gone);
        assert_eq!(shelved.bytes("9.ndjson"), render::ndjson(&log.in_force(9)).unwrap());
    }
}

#[tokio::test]
async fn a_full_disk_leaves_what_was_there() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    shelved.take(&log, 3).await.unwrap();
    let (dir, signer) = (shelved.dir.path(), signer(7));
    let mut full = Snapshots::open(dir, u64::MAX, &signer, &log, Horizon::default()).await.unwrap();
    for chunk_entries in [1, 100] {
        full.portions = Portions { chunk_entries, scratch_files: 1 };
        let taken = full.take(&log, &log.checkpoint_at(9), now(), &CancellationToken::new()).await;
        assert!(matches!(taken, Err(SnapshotError::Io(error)) if error.to_string().contains("nearly full")));
        assert_eq!(shelved.names(), files_of(3));
        assert_eq!(full.newest().unwrap().sum.size, 3);
    }
    // The folder's own trouble comes as late as with the forms' names.
    fs::create_dir(shelved.path("9.csv")).unwrap();
    assert!(shelved.take(&log, 9).await.is_err());
    fs::remove_dir(shelved.path("9.csv")).unwrap();
    assert_eq!(shelved.names(), files_of(3));
    shelved.take(&log, 9).await.unwrap();
}

#[tokio::test]
async fn a_stop_and_a_store_in_trouble_end_it() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let taken = shelved.snapshots.take(&log, &log.checkpoint_at(9), now(), &stop).await;
    assert!(matches!(taken, Err(SnapshotError::Stopped)), "{taken:?}");
    log.fails.store(true, Ordering::Relaxed);
    let taken = shelved.take(&log, 9).await;
    assert!(matches!(taken, Err(SnapshotError::Log(FeedError::Store(_)))), "{taken:?}");
    assert_eq!(shelved.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_download_goes_on_when_its_file_is_removed() {
    let log = ten();
    let shelved = Shelved::new(&log).await;
    shelved.take(&log, 3).await.unwrap();
    let bytes = shelved.bytes("3.csv.gz");
    let snapshot = shelved.snapshots.newest().unwrap();
    let file = shelved.snapshots.file(&snapshot, Form::Csv, Some(Coding::Gzip)).await.unwrap();
    assert_eq!(file.bytes(), bytes.len() as u64);
    for size in [5, 9] {
        shelved.take(&log, size).await.unwrap();
    }
    assert_eq!(file.read(0).await.unwrap(), bytes);
    assert_eq!(file.read(7).await.unwrap(), bytes[7..]);
    assert!(file.read(file.bytes()).await.unwrap().is_empty());
    let gone = shelved.snapshots.file(&snapshot, Form::Csv, Some(Coding::Gzip)).await.unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
}
