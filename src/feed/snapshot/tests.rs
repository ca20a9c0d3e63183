mod rhythm;
mod shelf;

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::date;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;
use crate::feed::zms::{Decoder, Record};
use crate::feed::{merkle, render};

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
    let kinds = ["checks", "csv", "csv.gz", "csv.zst", "ndjson", "ndjson.gz", "ndjson.zst", "sum", "zms"];
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
        let compact = at_once.bytes(&format!("{size}.zms"));
        let mut compact = Decoder::open(io::Cursor::new(compact)).unwrap();
        let header = Header { origin: "localhost/feed".into(), size, root: log.checkpoint_at(size).root };
        prop_assert_eq!(compact.header(), &header);
        let records: Vec<_> = compact.records().map(Result::unwrap).collect();
        let expected = in_force.iter().filter_map(|(seq, leaf)| Record::of(render::entry(*seq, leaf).unwrap()));
        prop_assert_eq!(records, expected.collect::<Vec<_>>());
    }
}
