//! What `store check` finds, each by name.

use tempfile::TempDir;
use tokio_postgres::NoTls;
use zhengming::cli::copies::copy::line_of;
use zhengming::cli::copies::reckoning::{Problems, Reckoning};
use zhengming::cli::copies::source::Source;
use zhengming::store::Store;
use zhengming::store::postgres::PostgresStore;
use zhengming::store::sled::{SledOptions, SledStore};

use super::{Any, export, played, small};
use crate::store::engines::{postgres_options, sled_options};
use crate::store::sled::below;

async fn problems(store: &dyn Store) -> Problems {
    let mut source = Source::of_store(store).await.unwrap();
    let mut reckoning = Reckoning::new();
    loop {
        let pieces = source.next().await.unwrap();
        if pieces.is_empty() {
            return reckoning.finish(source.extent()).1;
        }
        for piece in &pieces {
            reckoning.take(piece, &line_of(piece).map(|(_, line)| line).unwrap_or_default());
        }
    }
}

/// A database on disk, to be changed below the store's feet.
async fn database(seed: u64) -> (TempDir, SledOptions) {
    let dir = tempfile::tempdir().unwrap();
    let options = sled_options(&dir);
    let store: Any = std::sync::Arc::new(SledStore::open(&options).unwrap());
    played(&store, seed, 60).await;
    assert_eq!(problems(&*store).await, Problems::default());
    (dir, options)
}

/// Says what is found after a change, each on a line; and no copy is made.
async fn found(options: &SledOptions, change: impl FnOnce(&::sled::Db)) -> String {
    let db = below(&options.dir);
    change(&db);
    db.flush().unwrap();
    drop(db);
    let store = SledStore::open(options).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let refused = export(&store, dir.path(), &small()).await.unwrap_err().to_string();
    assert!(refused.contains("no copy was made"), "{refused}");
    let found = problems(&store).await.text();
    assert!(!*store.failed().borrow(), "looking through it is no end of the service");
    found
}

fn numbered(kind: u8, seq: u64) -> Vec<u8> {
    [&[kind], seq.to_be_bytes().as_slice()].concat()
}

const ENTRY: u8 = 0x20;
const AUDIT: u8 = 0x22;

/// With a checksum that fits.
fn rewrite(db: &::sled::Db, key: &[u8], from: &str, to: &str) {
    let sealed = db.get(key).unwrap().unwrap();
    let text = String::from_utf8(sealed[5..].to_vec()).unwrap();
    let edited = text.replacen(from, to, 1);
    assert_ne!(text, edited);
    let crc = crc32fast::hash(&[key, edited.as_bytes()].concat());
    db.insert(key, [&sealed[..1], &crc.to_be_bytes(), edited.as_bytes()].concat()).unwrap();
}

#[tokio::test]
async fn an_edited_audit_line() {
    let (_dir, options) = database(51).await;
    let edited =
        found(&options, |db| rewrite(db, &numbered(AUDIT, 7), "\"actor\":\"", "\"actor\":\"x")).await;
    assert!(edited.starts_with("the audit line 7 does not follow") && !edited.contains('\n'), "{edited}");
}

#[tokio::test]
async fn a_missing_audit_line() {
    let (_dir, options) = database(52).await;
    let missing = found(&options, |db| drop(db.remove(numbered(AUDIT, 9)).unwrap())).await;
    assert_eq!(missing, "the audit line 9 is missing");
}

#[tokio::test]
async fn the_last_audit_lines() {
    let (_dir, options) = database(53).await;
    let last = |db: &::sled::Db| db.scan_prefix([AUDIT]).keys().last().unwrap().unwrap();
    let missing = found(&options, |db| {
        for _ in 0..2 {
            db.remove(last(db)).unwrap();
        }
    });
    let missing = missing.await;
    assert!(missing.starts_with("the audit line ") && missing.contains("those up to"), "{missing}");
}

#[tokio::test]
async fn an_edited_log_entry() {
    let (_dir, options) = database(54).await;
    let edited = found(&options, |db| rewrite(db, &numbered(ENTRY, 3), "\"salt\":\"", "\"salt\":\"x")).await;
    assert!(edited.starts_with("the log head is signed for"), "{edited}");
}

#[tokio::test]
async fn a_missing_log_entry() {
    let (_dir, options) = database(55).await;
    let missing = found(&options, |db| drop(db.remove(numbered(ENTRY, 3)).unwrap())).await;
    assert!(missing.starts_with("the log entry 3 is missing"), "{missing}");
    assert!(missing.contains("the index of numbers' newest log entries"), "{missing}");
}

#[tokio::test]
async fn a_flipped_bit() {
    let (_dir, options) = database(56).await;
    let flipped = found(&options, |db| {
        let (key, value) = db.scan_prefix([0x01]).next().unwrap().unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        db.insert(key, value).unwrap();
    });
    let flipped = flipped.await;
    assert!(flipped.starts_with("the number file of +86") && flipped.contains("checksum"), "{flipped}");
}

#[tokio::test]
async fn indexes_that_disagree() {
    let (_dir, options) = database(57).await;
    let key = |db: &::sled::Db, kind: u8| db.scan_prefix([kind]).keys().next().unwrap().unwrap();
    let lacking = found(&options, |db| drop(db.remove(key(db, 0x42)).unwrap())).await;
    assert_eq!(lacking, "the index of tasks by time lacks 1 entries that the records make");
    let (_dir, options) = database(60).await;
    let more = found(&options, |db| drop(db.remove(key(db, 0x0e)).unwrap())).await;
    assert_eq!(more, "the index of tasks by time has 1 entries that the records do not make");
}

#[tokio::test]
async fn a_row_that_says_something_else() {
    let url = crate::support::postgres::new_database().await;
    let store = PostgresStore::open(&postgres_options(&url)).await.unwrap();
    let store: Any = std::sync::Arc::new(store);
    played(&store, 58, 60).await;
    assert_eq!(problems(&*store).await, Problems::default());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let order = async |sql: &str| {
        client.batch_execute(sql).await.unwrap();
        problems(&*store).await.text()
    };
    let edited =
        order("UPDATE audit SET line = replace(line, '\"actor\":\"', '\"actor\":\"x') WHERE seq = 4").await;
    assert!(edited.starts_with("the audit line 4 does not follow"), "{edited}");
    let missing = order("DELETE FROM audit WHERE seq = 4").await;
    assert_eq!(missing, "the audit line 4 is missing");
    let moved = order("UPDATE corrections SET number = number + 1 WHERE seq = 2").await;
    assert!(moved.contains("the log entry 2: lies in a row that says something else"), "{moved}");
    let unread =
        order("UPDATE numbers SET body = '{}' WHERE number = (SELECT min(number) FROM numbers)").await;
    assert!(unread.contains("a row of numbers: "), "{unread}");
}
