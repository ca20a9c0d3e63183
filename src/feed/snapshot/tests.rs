use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;
use crate::feed::{merkle, render};

const RHYTHM: Rhythm = Rhythm { snapshot_interval_s: 86_400, keep_entries_days: 180 };

/// A log in memory that hands out a few leaves at a time.
#[derive(Default)]
pub(super) struct FakeLog {
    leaves: Vec<Vec<u8>>,
    page: usize,
    fails: AtomicBool,
}

impl FakeLog {
    /// A number's last digit and whether its correction is withdrawn, for
    /// each entry.
    fn of(entries: &[(u8, bool)], page: usize) -> Self {
        let mut log = Self { page, ..Self::default() };
        entries.iter().for_each(|(digit, withdrawn)| log.push(*digit, *withdrawn, now()));
        log
    }

    pub(super) fn push(&mut self, digit: u8, withdrawn: bool, at: Timestamp) {
        let seq = self.leaves.len();
        let correction = InForce {
            void_before: Some(date(2025, 3, 1)),
            name_action: NameAction::Set,
            name: Some(format!("甲,{seq}\"")),
            name_until: Some(date(2027, 2, 21)),
            assurance: Assurance::Operator,
        };
        let correction = (!withdrawn).then_some(correction);
        // Of two lengths, so that the order is that of numbers, not of texts.
        let short = u64::from(digit % 2) * (8_613_800_138_000 - 8_695_500);
        let number = Number::from_digits(8_695_500 + short + u64::from(digit)).unwrap();
        let salt = "AAECAwQFBgcICQoLDA0ODw".into();
        let leaf = Entry::new(number, correction, EntryReason::Reassigned, None, at, salt).leaf();
        self.leaves.push(leaf);
    }

    fn checkpoint_at(&self, size: u64) -> Checkpoint {
        Checkpoint { size, root: self.root_at(size).unwrap().unwrap() }
    }

    /// What a snapshot has to hold, the simple way.
    fn in_force(&self, size: u64) -> Vec<(u64, &[u8])> {
        let mut newest = std::collections::BTreeMap::new();
        for (seq, leaf) in (0..size).zip(&self.leaves) {
            newest.insert(render::entry(seq, leaf).unwrap().number, (seq, leaf.as_slice()));
        }
        let is_in_force = |(seq, leaf): &(u64, &[u8])| !render::entry(*seq, leaf).unwrap().withdrawn;
        newest.into_values().filter(is_in_force).collect()
    }
}

#[async_trait]
impl Log for FakeLog {
    fn checkpoint(&self) -> Checkpoint {
        self.checkpoint_at(self.leaves.len() as u64)
    }

    /// Of no tree, but of these leaves.
    fn root_at(&self, size: u64) -> Result<Option<Hash>, FeedError> {
        Ok(self.leaves.get(..size as usize).map(|leaves| merkle::leaf_hash(&leaves.concat())))
    }

    async fn leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, FeedError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(crate::store::StoreError::Busy("a test").into());
        }
        let leaves = self.leaves[..end as usize].iter().skip(first as usize);
        Ok(leaves.take(self.page).cloned().collect())
    }
}

struct Shelved {
    dir: TempDir,
    snapshots: Snapshots,
    horizon: Horizon,
}

impl Shelved {
    async fn new(log: &FakeLog) -> Self {
        Self::at(tempfile::tempdir().unwrap(), log).await
    }

    async fn at(dir: TempDir, log: &FakeLog) -> Self {
        let horizon = Horizon::default();
        let snapshots = Snapshots::open(dir.path(), 0, &signer(7), log, horizon.clone()).await.unwrap();
        Self { dir, snapshots, horizon }
    }

    async fn reopened(self, log: &FakeLog) -> Self {
        Self::at(self.dir, log).await
    }

    async fn take(&self, log: &FakeLog, size: u64) -> Result<Arc<Snapshot>, SnapshotError> {
        self.snapshots.take(log, &log.checkpoint_at(size), now(), &CancellationToken::new()).await
    }

    fn sizes(&self) -> Vec<u64> {
        self.snapshots.shelf().kept.iter().map(|kept| kept.sum.size).collect()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

fn signer(secret: u8) -> NoteSigner {
    NoteSigner::new("localhost/feed", &[secret; 32]).unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T03:04:05Z".parse().unwrap()
}

fn files_of(size: u64) -> Vec<String> {
    let kinds = ["csv", "csv.gz", "csv.zst", "ndjson", "ndjson.gz", "ndjson.zst", "sum"];
    kinds.iter().map(|kind| format!("{size}.{kind}")).collect()
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn ten() -> FakeLog {
    let entries: Vec<_> = (0..10).map(|seq| (seq % 7, seq == 9)).collect();
    FakeLog::of(&entries, 4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn its_bytes_are_those_of_the_log_whatever_it_went_through(
        entries in prop::collection::vec((0..40u8, any::<bool>()), 1..60),
        cuts in prop::collection::btree_set(1..60u64, 0..6),
        chunk_entries in 1..9usize,
        scratch_files in 1..4usize,
        page in 1..5usize,
    ) {
        let log = FakeLog::of(&entries, page);
        let size = entries.len() as u64;
        let (at_once, in_steps) = in_runtime(async {
            let at_once = Shelved::new(&log).await;
            at_once.take(&log, size).await.unwrap();
            let mut in_steps = Shelved::new(&log).await;
            in_steps.snapshots.portions = Portions { chunk_entries, scratch_files };
            for cut in cuts.into_iter().filter(|cut| *cut < size) {
                in_steps.take(&log, cut).await.unwrap();
            }
            in_steps.take(&log, size).await.unwrap();
            (at_once, in_steps)
        });
        let in_force = log.in_force(size);
        let (ndjson, csv) = (render::ndjson(&in_force).unwrap(), render::csv(&in_force).unwrap());
        for name in files_of(size) {
            prop_assert_eq!(at_once.bytes(&name), in_steps.bytes(&name), "{}", name);
        }
        for (form, bytes) in [(Form::Ndjson, ndjson), (Form::Csv, csv)] {
            let file = |suffix: &str| at_once.bytes(&format!("{size}.{}{suffix}", form.name()));
            prop_assert_eq!(&file(""), &bytes);
            prop_assert_eq!(&zstd::decode_all(&file(".zst")[..]).unwrap(), &bytes);
            prop_assert_eq!(&gunzipped(&file(".gz")), &bytes);
            let digest: [u8; 32] = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&bytes)).into();
            let sum = &at_once.snapshots.newest().unwrap().sum;
            prop_assert_eq!(sum.digest(form), Some(&digest));
            prop_assert_eq!((sum.size, sum.count), (size, in_force.len() as u64));
        }
    }
}

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
    for case in
        ["another log", "a shorter log", "another key", "a sum under another size", "a form is missing"]
    {
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
    let (mut file, length) = shelved.snapshots.file(3, Form::Csv, Some(Coding::Gzip)).await.unwrap();
    assert_eq!(length, bytes.len() as u64);
    for size in [5, 9] {
        shelved.take(&log, size).await.unwrap();
    }
    let mut read = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut file, &mut read).await.unwrap();
    assert_eq!(read, bytes);
    let gone = shelved.snapshots.file(3, Form::Csv, Some(Coding::Gzip)).await.unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
}

/// An entry an hour.
fn hours(count: u64) -> FakeLog {
    let mut log = FakeLog { page: 1_000, ..FakeLog::default() };
    let at = |hour: u64| now() + SignedDuration::from_hours(hour as i64);
    (0..count).for_each(|hour| log.push((hour % 200) as u8, false, at(hour)));
    log
}

#[tokio::test]
async fn the_horizon_lies_between_bundles_and_below_the_older_snapshot() {
    let log = hours(1_100);
    let oldest = async |most, hour: i64| {
        let later = now() + SignedDuration::from_hours(24 + hour) + SignedDuration::from_secs(1);
        horizon::oldest(&log, most, 1, later).await.unwrap()
    };
    for (most, hour, expected) in [
        (1_100, -1, 0),
        (1_100, 254, 0),
        (1_100, 255, 256),
        (1_100, 510, 256),
        (1_100, 511, 512),
        (1_100, 1_023, 1_024),
        (1_100, 100_000, 1_024),
        (1_023, 100_000, 768),
        (255, 100_000, 0),
        (0, 100_000, 0),
    ] {
        assert_eq!(oldest(most, hour).await, expected, "at most {most}, after {hour} hours");
    }
}

#[tokio::test]
async fn a_look_makes_what_is_due_and_moves_the_horizon() {
    let mut log = hours(600);
    let shelved = Shelved::new(&log).await;
    let long_after = now() + SignedDuration::from_hours(24 * 365);
    let look = async |log: &FakeLog, at| {
        shelved.snapshots.look(log, &RHYTHM, at, &CancellationToken::new()).await.unwrap()
    };
    assert!(look(&log, long_after).await);
    assert_eq!(shelved.horizon.oldest(), 0, "one alone may be gone tomorrow");
    assert!(!look(&log, long_after).await);
    log.push(1, false, long_after);
    assert!(!look(&log, long_after).await);
    assert!(look(&log, long_after + SignedDuration::from_hours(24)).await);
    assert_eq!((shelved.sizes(), shelved.horizon.oldest()), (vec![600, 601], 512));

    shelved.horizon.advance(256);
    assert_eq!(shelved.horizon.oldest(), 512, "never back");
}

#[tokio::test]
async fn in_the_background_they_are_made_until_the_stop() {
    let mut log = hours(600);
    let shelved = Shelved::new(&log).await;
    shelved.take(&log, 512).await.unwrap();
    shelved.take(&log, 599).await.unwrap();
    log.push(1, false, now());
    let long_after = now() + SignedDuration::from_hours(24 * 365);
    let clock = crate::env::clock::MockClock::at(long_after);
    let shelved = shelved.reopened(&log).await;
    let stop = CancellationToken::new();
    let snapshots = &shelved.snapshots;
    let made = async {
        while snapshots.newest().unwrap().sum.size < 601 {
            tokio::task::yield_now().await;
        }
        assert_eq!(shelved.horizon.oldest(), 512, "known from the start");
        stop.cancel();
    };
    tokio::join!(snapshots.snapshot_until(&log, &clock, &RHYTHM, &stop), made);
    assert_eq!(shelved.sizes(), [599, 601]);
}
