//! What goes well.

use super::fake::refused;
use super::*;

/// In whatever steps the log grows, and however often the mirror is started
/// anew, the file is the naive fold of the log.
#[tokio::test]
async fn growth_in_any_steps_is_the_naive_fold() {
    for format in Format::ALL {
        for seed in 0..3 {
            let (fake, dir) = (Arc::new(Fake::new(seed)), folder());
            let mut kept = None;
            for _ in 0..12 {
                fake.grow([0, 1, 30, 256, 700, 1_500][fake.dice(6) as usize]);
                if fake.dice(4) == 0 {
                    fake.now.lock().unwrap().snapshot = Some(fake.size() - fake.dice(2).min(fake.size()));
                }
                // Closed before it is opened again: two would not do.
                let again = kept.take().filter(|_| fake.dice(2) == 0);
                let mirror = again.unwrap_or_else(|| mirror(&fake, dir.path(), format));
                let round = mirror.catch_up().await.unwrap();
                assert!(round.is_acknowledged);
                assert_eq!(round.size, fake.size());
                assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
                if fake.dice(2) == 0 {
                    mirror.settle().await.unwrap();
                    assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
                }
                if fake.size() > 0 {
                    let (size, root, stage) = fake.acks().pop().unwrap();
                    assert_eq!((size, root, stage.as_str()), (fake.size(), fake.root(size), "serving"));
                }
                kept = Some(mirror);
            }
        }
    }
}

#[tokio::test]
async fn an_empty_log_is_an_empty_file() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(1, 0), folder());
        let round = once(&fake, dir.path(), format).await.unwrap();
        assert_eq!((round.size, round.new), (0, 0));
        assert_eq!(read(dir.path(), format), expected(&fake, 0, format));
        assert!(fake.acks().is_empty());
    }
}

/// One checkpoint, and nothing else: not even an acknowledgement.
#[tokio::test]
async fn where_nothing_is_new_nothing_is_fetched() {
    let (fake, dir) = (Fake::with(1, 300), folder());
    once(&fake, dir.path(), Format::Sqlite).await.unwrap();
    let asked = fake.asked();
    assert!(asked.contains(&"/feed/v1/tile/entries/000".to_owned()), "{asked:?}");
    assert!(asked.contains(&"/feed/v1/tile/entries/001.p/44".to_owned()), "{asked:?}");
    once(&fake, dir.path(), Format::Sqlite).await.unwrap();
    assert_eq!(fake.asked(), ["/feed/v1/checkpoint"]);
    fake.grow(1);
    once(&fake, dir.path(), Format::Sqlite).await.unwrap();
    assert!(!fake.asked().contains(&"/feed/v1/tile/entries/000".to_owned()));
}

/// A bundle that was filled since the checkpoint was fetched.
#[tokio::test]
async fn a_full_bundle_does_for_a_part_of_it() {
    let (fake, dir) = (Fake::with(1, 300), folder());
    let old = fake.size();
    let mirror = mirror(&fake, dir.path(), Format::Ndjson);
    let checkpoint = fake.get("/feed/v1/checkpoint", 1_000).await.unwrap();
    fake.grow(300);
    fake.lie(move |path, truth| Ok(if path.ends_with("checkpoint") { checkpoint.clone() } else { truth }));
    assert_eq!(mirror.catch_up().await.unwrap().size, old);
    assert_eq!(read(dir.path(), Format::Ndjson), expected(&fake, old, Format::Ndjson));
    let asked = fake.asked();
    assert!(asked.ends_with(&["/feed/v1/corrections?ack".to_owned()]), "{asked:?}");
    assert!(asked.contains(&"/feed/v1/tile/entries/001".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn a_long_way_is_taken_in_steps_that_last() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(1, 3 * STEP + 50), folder());
        fake.lie(|path, truth| match path {
            "/feed/v1/tile/entries/006" => Err(refused(path, 500)),
            _ => Ok(truth),
        });
        once(&fake, dir.path(), format).await.unwrap_err();
        let size = mirror(&fake, dir.path(), format).size().await.unwrap();
        assert_eq!(size, 2 * STEP);
        assert_eq!(read(dir.path(), format), expected(&fake, size, format));
        fake.tell_the_truth();
        assert_eq!(once(&fake, dir.path(), format).await.unwrap().new, STEP + 50);
        assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
    }
}

#[tokio::test]
async fn who_is_far_behind_takes_a_snapshot() {
    for (format, old) in [(Format::Sqlite, 0), (Format::Csv, 0), (Format::Ndjson, 0), (Format::Sqlite, 10)] {
        let (fake, dir) = (Fake::with(2, old), folder());
        once(&fake, dir.path(), format).await.unwrap();
        fake.grow(2_000);
        fake.now.lock().unwrap().snapshot = Some(1_900);
        fake.now.lock().unwrap().breaks_after = Some(5_000);
        fake.asked();
        once(&fake, dir.path(), format).await.unwrap();
        assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
        let asked = fake.asked();
        let count = |path: &str| asked.iter().filter(|asked| asked.starts_with(path)).count();
        assert_eq!(count("/feed/v1/tile/entries/"), 1, "only the last bundle");
        assert!(count("/feed/v1/snapshots/1900.ndjson") > 1, "the download was resumed");
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_is_in_the_snapshot() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(3, 100), folder());
        once(&fake, dir.path(), format).await.unwrap();
        fake.grow(500);
        fake.now.lock().unwrap().snapshot = Some(550);
        fake.now.lock().unwrap().oldest = 512;
        assert_eq!(once(&fake, dir.path(), format).await.unwrap().size, 600);
        assert_eq!(read(dir.path(), format), expected(&fake, 600, format));
    }
}

#[tokio::test]
async fn an_acknowledgement_that_was_lost_is_made_up_for() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(1, 10), folder());
        fake.lie(|path, truth| if path.ends_with("?ack") { Err(refused(path, 409)) } else { Ok(truth) });
        assert!(!once(&fake, dir.path(), format).await.unwrap().is_acknowledged);
        assert_eq!(read(dir.path(), format), expected(&fake, 10, format));
        fake.tell_the_truth();
        let round = once(&fake, dir.path(), format).await.unwrap();
        assert_eq!((round.new, round.is_acknowledged, fake.acks().len()), (0, true, 1));
        once(&fake, dir.path(), format).await.unwrap();
        assert_eq!(fake.acks().len(), 1);
        // Another stage is another acknowledgement.
        let applied = Options { stage: Stage::Applied, ..options(dir.path(), format) };
        Mirror::new(fake.clone(), applied, Arc::new(Quiet)).unwrap().catch_up().await.unwrap();
        assert_eq!(fake.acks().last().unwrap().2, "applied");
    }
}

#[tokio::test]
async fn sqlite_tells_what_it_stands_for() {
    let (fake, dir) = (Fake::with(1, 10), folder());
    once(&fake, dir.path(), Format::Sqlite).await.unwrap();
    let connection = rusqlite::Connection::open(dir.path().join("corrections.sqlite")).unwrap();
    let meta = |key: &str| -> rusqlite::types::Value {
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).unwrap()
    };
    assert_eq!(meta("size"), 10.into());
    assert_eq!(meta("acked_size"), 10.into());
    assert_eq!(meta("acked_stage"), "serving".to_owned().into());
    assert_eq!(meta("verifier"), verifier().to_string().into());
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "the database and the lock: {files:?}");
}

#[tokio::test]
async fn progress_ends_at_its_total() {
    #[derive(Default)]
    struct Last(std::sync::Mutex<Option<(u64, u64)>>);
    impl Progress for Last {
        fn at(&self, phase: Phase, done: u64, total: u64) {
            if phase == Phase::Fetching {
                *self.0.lock().unwrap() = Some((done, total));
            }
        }
    }
    let (fake, dir, last) = (Fake::with(1, 500), folder(), Arc::new(Last::default()));
    let mirror = Mirror::new(fake, options(dir.path(), Format::Ndjson), last.clone()).unwrap();
    mirror.catch_up().await.unwrap();
    assert_eq!(*last.0.lock().unwrap(), Some((500, 500)));
}
