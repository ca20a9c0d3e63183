//! A kill between any two things that are done to files.

use super::*;

type Files = Vec<(&'static str, Vec<u8>)>;

fn files(dir: &Path, names: [&'static str; 2]) -> Files {
    names.map(|name| (name, fs::read(dir.join(name)).unwrap())).into()
}

fn put(dir: &Path, name: &str, bytes: &[u8]) {
    fs::write(dir.join(name), bytes).unwrap();
}

/// Every state of the folder between the files of one round and of the next:
/// writing beside (also torn), renaming the data, renaming the state.
#[tokio::test]
async fn lines_are_those_of_one_round_or_the_next() {
    for format in [Format::Csv, Format::Ndjson] {
        for first_round in [0, 200] {
            let (fake, dir) = (Fake::with(9, first_round), folder());
            let names = [format.file_name(), "mirror-state.json"];
            once(&fake, dir.path(), format).await.unwrap();
            let old = files(dir.path(), names);
            fake.grow(150);
            once(&fake, dir.path(), format).await.unwrap();
            let new = files(dir.path(), names);
            let (next_data, next_state) = (format!("{}.next", names[0]), format!("{}.next", names[1]));
            let torn = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
            for stop in 0..7 {
                let dir = folder();
                let data_renamed = stop >= 5;
                put(dir.path(), names[0], if data_renamed { &new[0].1 } else { &old[0].1 });
                put(dir.path(), names[1], if stop == 6 { &new[1].1 } else { &old[1].1 });
                match stop {
                    1 => put(dir.path(), &next_data, &torn(&new[0].1)),
                    2..=4 => put(dir.path(), &next_data, &new[0].1),
                    _ => {}
                }
                match stop {
                    3 => put(dir.path(), &next_state, &torn(&new[1].1)),
                    4 | 5 => put(dir.path(), &next_state, &new[1].1),
                    _ => {}
                }
                let mirror = mirror(&fake, dir.path(), format);
                let size = mirror.size().await.unwrap();
                assert_eq!(size, if data_renamed { first_round + 150 } else { first_round }, "stop {stop}");
                assert_eq!(read(dir.path(), format), expected(&fake, size, format), "stop {stop}");
                assert!(!dir.path().join(&next_data).exists() && !dir.path().join(&next_state).exists());
                mirror.catch_up().await.unwrap();
                assert_eq!(read(dir.path(), format), expected(&fake, first_round + 150, format));
            }
        }
    }
}

/// The first round of all has nothing to fall back to.
#[tokio::test]
async fn the_first_lines_are_whole_or_not_there() {
    let (fake, whole) = (Fake::with(9, 200), folder());
    let names = ["corrections.ndjson", "mirror-state.json"];
    once(&fake, whole.path(), Format::Ndjson).await.unwrap();
    let new = files(whole.path(), names);
    for has_state in [false, true] {
        let dir = folder();
        put(dir.path(), names[0], &new[0].1);
        if has_state {
            put(dir.path(), "mirror-state.json.next", &new[1].1);
        }
        let mirror = mirror(&fake, dir.path(), Format::Ndjson);
        assert_eq!(mirror.size().await.unwrap(), if has_state { 200 } else { 0 });
        mirror.catch_up().await.unwrap();
        assert_eq!(read(dir.path(), Format::Ndjson), expected(&fake, 200, Format::Ndjson));
    }
}

/// A process that died in the middle of a step, or of bringing its rows into
/// their places, half of it on disk.
#[tokio::test]
async fn sqlite_goes_back_to_the_last_round() {
    for work in [
        "INSERT OR REPLACE INTO recent SELECT * FROM settled; DELETE FROM meta",
        "INSERT OR REPLACE INTO settled SELECT * FROM recent; DELETE FROM recent",
    ] {
        let (fake, dir, copy) = (Fake::with(9, 200), folder(), folder());
        once(&fake, dir.path(), Format::Sqlite).await.unwrap();
        fake.grow(100);
        once(&fake, dir.path(), Format::Sqlite).await.unwrap();
        let whole = fs::read(dir.path().join("corrections.sqlite")).unwrap();
        let connection = rusqlite::Connection::open(dir.path().join("corrections.sqlite")).unwrap();
        let begun = connection.execute_batch(&format!("BEGIN; {work}"));
        begun.and_then(|()| connection.cache_flush()).unwrap();
        assert!(connection.changes() > 0, "{work}");
        for name in ["corrections.sqlite", "corrections.sqlite-journal"] {
            fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
        }
        assert_ne!(fs::read(copy.path().join("corrections.sqlite")).unwrap(), whole, "it was on disk");
        let mirror = mirror(&fake, copy.path(), Format::Sqlite);
        assert_eq!(mirror.size().await.unwrap(), 300);
        assert_eq!(read(copy.path(), Format::Sqlite), expected(&fake, 300, Format::Sqlite));
        mirror.settle().await.unwrap();
        assert_eq!(read(copy.path(), Format::Sqlite), expected(&fake, 300, Format::Sqlite));
    }
}

/// A mirror that is dropped in the middle of fetching has done nothing.
#[tokio::test]
async fn who_is_stopped_while_fetching_has_changed_nothing() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(9, 200), folder());
        once(&fake, dir.path(), format).await.unwrap();
        fake.grow(2_000);
        let mirror = mirror(&fake, dir.path(), format);
        {
            let round = std::pin::pin!(mirror.catch_up());
            assert!(futures_util::poll!(round).is_pending(), "opening the file takes a thread");
        }
        assert_eq!(read(dir.path(), format), expected(&fake, 200, format));
        mirror.catch_up().await.unwrap();
        assert_eq!(read(dir.path(), format), expected(&fake, fake.size(), format));
    }
}
