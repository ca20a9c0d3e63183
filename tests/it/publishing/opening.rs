//! Opening a log: with files that are lost or damaged, and over a store that
//! cannot be its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::tiles::TilePlace;
use zhengming::feed::{Coding, Feed, FeedError};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{CHANGES_PER_SET_MAX, Changeset, LOG_ENTRIES_MAX, LogHead, Store, Versioned};

use super::naive;
use crate::support::records::{entry, number};
use crate::support::service::signer;

/// A log that was published, and its files.
struct House {
    store: Arc<MemoryStore>,
    dir: TempDir,
}

impl House {
    async fn of(size: u64) -> Self {
        let house = Self { store: Arc::new(MemoryStore::new()), dir: tempfile::tempdir().unwrap() };
        append(&*house.store, size).await;
        house.open().await.unwrap();
        house
    }

    async fn open(&self) -> Result<Feed, FeedError> {
        Feed::open(self.store.clone(), self.dir.path(), signer()).await
    }

    fn files(&self) -> PathBuf {
        self.dir.path().join(signer().verifier().id())
    }

    async fn assert_published(&self, feed: &Feed) {
        let leaves = self.store.log(0, LOG_ENTRIES_MAX).await.unwrap();
        naive::assert_files(&self.files(), &leaves);
        assert_eq!(feed.newest().checkpoint.root, naive::root(&naive::leaf_hashes(&leaves)));
        let shown = fs::read_to_string(self.files().join("checkpoint")).unwrap();
        assert_eq!(shown, *feed.newest().note);
    }
}

pub async fn append(store: &dyn Store, count: u64) {
    let first = *store.log_size().borrow();
    let entries: Vec<_> = (first..first + count).map(|nth| entry(number(nth), None, nth)).collect();
    for some in entries.chunks(CHANGES_PER_SET_MAX) {
        store.commit(Changeset { entries: some.to_vec(), ..Changeset::default() }).await.unwrap();
    }
}

fn cut(dir: &Path, name: &str, length: u64) {
    File::options().write(true).open(dir.join(name)).unwrap().set_len(length).unwrap();
}

fn overwrite(dir: &Path, name: &str, at: u64, bytes: &[u8]) {
    File::options().write(true).open(dir.join(name)).unwrap().write_all_at(bytes, at).unwrap();
}

fn remove(dir: &Path, name: &str) {
    fs::remove_file(dir.join(name)).unwrap();
}

const SIZE: u64 = 1_300;
/// How many bytes of hashes level 0 has of them.
const HASHES_END: u64 = SIZE * 32;

type Damage = (&'static str, fn(&Path));

/// With all of them the store is whole.
const TO_HASHES: [Damage; 11] = [
    ("the folder is lost", |dir| fs::remove_dir_all(dir).unwrap()),
    ("level 0 is lost", |dir| remove(dir, "hashes-0")),
    ("level 1 is lost", |dir| remove(dir, "hashes-1")),
    ("level 0 is cut", |dir| cut(dir, "hashes-0", 20_001)),
    ("level 1 is cut", |dir| cut(dir, "hashes-1", 64)),
    ("the last hash is zeroes", |dir| overwrite(dir, "hashes-0", HASHES_END - 32, &[0; 32])),
    ("a hash of the last tile is another", |dir| overwrite(dir, "hashes-0", HASHES_END - 640, b"x")),
    ("a hash of the first tile is another", |dir| overwrite(dir, "hashes-0", 3_200, b"x")),
    ("a tile's hash is another", |dir| overwrite(dir, "hashes-1", 33, b"x")),
    ("damaged, and cut behind", |dir| {
        overwrite(dir, "hashes-0", 7, b"x");
        cut(dir, "hashes-0", HASHES_END - 1);
    }),
    ("all zeroes", |dir| overwrite(dir, "hashes-0", 0, &[0; HASHES_END as usize])),
];

#[tokio::test]
async fn hashes_that_are_lost_or_damaged_are_made_anew_and_it_is_said() {
    let house = House::of(SIZE).await;
    let said = Said::default();
    let _listening = said.listen();
    house.assert_published(&house.open().await.unwrap()).await;
    assert_eq!(said.warnings(), 0, "nothing is wrong");
    for (what, damage) in TO_HASHES {
        damage(&house.files());
        let feed = house.open().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        house.assert_published(&feed).await;
        assert_eq!(said.warnings(), 1, "{what}: {said:?}");
        said.0.lock().unwrap().clear();
    }
}

const TO_BUNDLES: [Damage; 8] = [
    ("the bundles are lost", |dir| remove(dir, "bundles-zstd")),
    ("the index is lost", |dir| remove(dir, "bundles-gzip.index")),
    ("the bundles are cut", |dir| cut(dir, "bundles-gzip", 9)),
    ("the index is cut", |dir| cut(dir, "bundles-zstd.index", 23)),
    ("the last bundle is damaged", |dir| {
        let end = fs::metadata(dir.join("bundles-gzip")).unwrap().len();
        overwrite(dir, "bundles-gzip", end - 2, b"xx");
    }),
    ("the index is zeroes", |dir| overwrite(dir, "bundles-zstd.index", 0, &[0; 60])),
    ("the index ends with zeroes", |dir| overwrite(dir, "bundles-zstd.index", 24, &[0; 36])),
    ("the index is rubbish", |dir| overwrite(dir, "bundles-gzip.index", 0, &[0xff; 60])),
];

const TO_ENTRIES: [Damage; 7] = [
    ("the entries are lost", |dir| remove(dir, "entries")),
    ("their index is lost", |dir| remove(dir, "entries.index")),
    ("the entries are cut", |dir| cut(dir, "entries", 1_000)),
    ("their index is cut", |dir| cut(dir, "entries.index", 1_003)),
    ("the last entry is damaged", |dir| {
        let end = fs::metadata(dir.join("entries")).unwrap().len();
        overwrite(dir, "entries", end - 2, b"xx");
    }),
    ("their index ends with zeroes", |dir| overwrite(dir, "entries.index", 24, &[0; SIZE as usize * 8 - 24])),
    ("their index is rubbish", |dir| overwrite(dir, "entries.index", 0, &[0xff; SIZE as usize * 8])),
];

#[tokio::test]
async fn bundles_and_entries_that_are_lost_or_damaged_are_made_anew() {
    let house = House::of(SIZE).await;
    for (what, damage) in TO_BUNDLES.into_iter().chain(TO_ENTRIES) {
        damage(&house.files());
        let feed = house.open().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        house.assert_published(&feed).await;
    }
}

/// Not looked for at opening: their checksums tell when they are asked for.
#[tokio::test]
async fn a_damaged_bundle_in_the_midst_is_not_served() {
    let house = House::of(SIZE).await;
    let whole = house.open().await.unwrap();
    let damages: [fn(&Path); 3] = [
        |dir| overwrite(dir, "bundles-zstd", 100, b"xx"),
        |dir| overwrite(dir, "bundles-zstd.index", 2, b"xx"),
        |dir| overwrite(dir, "bundles-zstd.index", 0, &[0; 24]),
    ];
    for damage in damages {
        damage(&house.files());
        let feed = house.open().await.unwrap();
        for nth in 0..5 {
            let [plain, coded] = [None, Some(Coding::Zstd)].map(|coding| (TilePlace::full(nth), coding));
            let plain = whole.bundle(plain.0, plain.1).await.unwrap().unwrap();
            let coded = feed.bundle(coded.0, coded.1).await.unwrap().unwrap();
            assert_eq!(naive::decoded("zstd", &coded.bytes), plain.bytes, "bundle {nth}");
        }
    }
}

/// One in the middle: it is found when it is read, and read from the store.
#[tokio::test]
async fn a_damaged_entry_is_never_served() {
    let house = House::of(SIZE).await;
    let leaves = house.store.log(0, LOG_ENTRIES_MAX).await.unwrap();
    let damages: [fn(&Path); 3] = [
        |dir| overwrite(dir, "entries", 20_000, b"~"),
        |dir| overwrite(dir, "entries.index", 400, &[0; 8]),
        |dir| overwrite(dir, "entries.index", 800, &[0xff; 8]),
    ];
    for damage in damages {
        damage(&house.files());
        let feed = house.open().await.unwrap();
        for (seq, leaf) in (0..).zip(&leaves) {
            assert_eq!(feed.entry(seq).await.unwrap().as_ref(), Some(leaf));
        }
        let page = feed.page(0, LOG_ENTRIES_MAX).await.unwrap();
        assert_eq!(feed.leaves_of(&page).await.unwrap(), leaves);
    }
}

async fn record(store: &dyn Store, head: LogHead) {
    let mut changes = Changeset::default();
    let version = store.load::<LogHead>(&()).await.unwrap().map_or(0, |known| known.version);
    changes.put(Versioned { version, value: head });
    store.commit(changes).await.unwrap();
}

#[tokio::test]
async fn a_store_that_has_less_than_was_signed_is_refused() {
    let house = House::of(10).await;
    let signed = house.open().await.unwrap().newest().checkpoint;
    let verifier = signer().verifier().to_string();
    record(&*house.store, LogHead { verifier: verifier.clone(), size: 11, root: signed.root }).await;
    assert!(matches!(house.open().await, Err(FeedError::Fatal(_))));
    record(&*house.store, LogHead { verifier: verifier.clone(), size: 10, root: [7; 32] }).await;
    let why = house.open().await.unwrap_err();
    assert!(matches!(&why, FeedError::Fatal(why) if why.contains("another root")), "{why}");
    record(&*house.store, LogHead { verifier: verifier.clone(), size: 9, root: [7; 32] }).await;
    assert!(matches!(house.open().await, Err(FeedError::Fatal(_))), "nor one that has grown since");
    record(&*house.store, LogHead { verifier, size: 10, root: signed.root }).await;
    house.assert_published(&house.open().await.unwrap()).await;
}

#[tokio::test]
async fn a_log_belongs_to_one_key_and_origin() {
    let house = House::of(10).await;
    let ours = signer().verifier().to_string();
    for (name, secret) in [("localhost/feed", 8), ("elsewhere/feed", 9)] {
        let other = NoteSigner::new(name, &[secret; 32]).unwrap();
        let theirs = other.verifier().to_string();
        let refused = Feed::open(house.store.clone(), house.dir.path(), other).await.unwrap_err();
        assert_eq!(refused, FeedError::OtherLog { signed_by: ours.clone(), ours: theirs });
    }
    house.assert_published(&house.open().await.unwrap()).await;
}

/// What is logged on this thread.
#[derive(Debug, Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let said = self.clone();
        let listener = tracing_subscriber::fmt().with_ansi(false).with_writer(move || said.clone());
        tracing::subscriber::set_default(listener.finish())
    }

    fn warnings(&self) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(" WARN ").count()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
