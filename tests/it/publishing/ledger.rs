//! All that was ever said about one log, by whatever process, and whether it
//! is still true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use zhengming::domain::correction::Entry;
use zhengming::feed::checkpoint::Checkpoint;
use zhengming::feed::note::NoteVerifier;
use zhengming::feed::tiles::TilePlace;
use zhengming::feed::{Coding, Feed};
use zhengming::store::{LOG_ENTRIES_MAX, LogHead, Store};

use super::naive::{self, Hash};

pub struct Ledger {
    verifier: NoteVerifier,
    /// As it was seen last: durable, so that it never changes.
    log: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    /// Acknowledged: each entry's salt.
    acknowledged: BTreeMap<u64, String>,
    /// Signed, whether shown or not: the one root of each size.
    signed: BTreeMap<u64, Hash>,
    /// Signed, and not yet compared with the entries.
    unproved: BTreeSet<u64>,
    /// The largest that was shown.
    shown: u64,
    shown_count: u64,
}

impl Ledger {
    pub fn new(verifier: NoteVerifier) -> Self {
        Self {
            verifier,
            log: Vec::new(),
            hashes: Vec::new(),
            acknowledged: BTreeMap::new(),
            signed: BTreeMap::new(),
            unproved: BTreeSet::new(),
            shown: 0,
            shown_count: 0,
        }
    }

    /// How much there was to check: acknowledged, signed, shown.
    pub fn said(&self) -> (usize, usize, u64) {
        (self.acknowledged.len(), self.signed.len(), self.shown_count)
    }

    pub fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(2, ' ').collect();
        match words[..] {
            ["acknowledged", what] => self.hear_acknowledged(what),
            ["signed", note] => drop(self.hear_signed(&serde_json::from_str::<String>(note).unwrap())),
            ["shown", note] => self.hear_shown(&serde_json::from_str::<String>(note).unwrap()),
            _ => {}
        }
    }

    /// `FIRST_SEQ COUNT RUN-NTH`, whose entries are numbered on.
    fn hear_acknowledged(&mut self, what: &str) {
        let words: Vec<&str> = what.split([' ', '-']).collect();
        let [first, count, run, nth] = words[..] else { panic!("{what}") };
        let [first, count, nth] = [first, count, nth].map(|word| word.parse::<u64>().unwrap());
        for at in 0..count {
            let before = self.acknowledged.insert(first + at, format!("{run}-{}", nth + at));
            assert_eq!(before, None, "sequence number {} twice", first + at);
        }
    }

    fn hear_signed(&mut self, note: &str) -> Checkpoint {
        let checkpoint = Checkpoint::open(note, &self.verifier).unwrap();
        let Checkpoint { size, root } = checkpoint;
        match self.signed.insert(size, root) {
            Some(known) => assert!(known == root, "two roots are signed for {size} entries"),
            None => drop(self.unproved.insert(size)),
        }
        checkpoint
    }

    fn hear_shown(&mut self, note: &str) {
        let size = self.hear_signed(note).size;
        assert!(size >= self.shown, "a checkpoint of {} was shown, and now one of {size}", self.shown);
        self.shown = size;
        self.shown_count += 1;
    }

    /// What is durable after a crash.
    pub async fn check_store(&mut self, store: &dyn Store, head: Option<&LogHead>, when: &str) {
        self.take_log(store, when).await;
        let durable = self.log.len() as u64;
        for (seq, salt) in &self.acknowledged {
            let entry: Option<Entry> =
                self.log.get(*seq as usize).map(|leaf| serde_json::from_slice(leaf).unwrap());
            assert_eq!(entry.map(|entry| entry.salt).as_ref(), Some(salt), "{when}: entry {seq}");
        }
        let largest = self.signed.keys().next_back().copied().unwrap_or(0);
        assert!(largest <= durable, "{when}: signed {largest}, and there are {durable}");
        self.prove_signed(when);
        let size = head.map_or(0, |head| head.size);
        assert!(self.shown <= size && size <= durable, "{when}: the head is at {size}");
        if let Some(head) = head {
            assert!(head.root == naive::root(&self.hashes[..size as usize]), "{when}: the head's root");
        }
    }

    async fn take_log(&mut self, store: &dyn Store, when: &str) {
        let durable = *store.log_size().borrow();
        let mut log = Vec::new();
        while (log.len() as u64) < durable {
            let more = store.log(log.len() as u64, LOG_ENTRIES_MAX).await.unwrap();
            assert!(!more.is_empty(), "{when}: only {} of {durable} entries", log.len());
            log.extend(more);
        }
        assert_eq!(log.len() as u64, durable, "{when}");
        assert!(log.starts_with(&self.log), "{when}: the log is not what it was");
        self.hashes = naive::leaf_hashes(&log);
        self.log = log;
    }

    fn prove_signed(&mut self, when: &str) {
        while let Some(size) = self.unproved.pop_first() {
            let expected = naive::root(&self.hashes[..size as usize]);
            assert!(expected == self.signed[&size], "{when}: another root is signed for {size} entries");
        }
    }

    /// The file that a crash left is a whole note: what was shown last, or
    /// what was about to be.
    pub fn check_shown_file(&mut self, files: &Path, head: Option<&LogHead>, when: &str) {
        let Ok(note) = fs::read_to_string(files.join("checkpoint")) else {
            assert_eq!(self.shown_count, 0, "{when}: the shown checkpoint is gone");
            return;
        };
        let size = self.hear_signed(&note).size;
        let recorded = head.map_or(0, |head| head.size);
        assert!(self.shown <= size && size <= recorded, "{when}: a file of {size}, a head at {recorded}");
    }

    /// A log that was opened anew: all that was promised is published.
    pub async fn check_feed(&mut self, feed: &Feed, files: &Path, when: &str) {
        let newest = feed.newest();
        self.hear_shown(&newest.note);
        assert_eq!(newest.checkpoint.size, self.log.len() as u64, "{when}");
        assert!(newest.checkpoint.root == naive::root(&self.hashes), "{when}: the newest root");
        for (size, root) in &self.signed {
            assert_eq!(feed.root_at(*size), Ok(Some(*root)), "{when}: it did not grow out of {size}");
        }
        naive::assert_files(files, &self.log);
        assert_eq!(fs::read_to_string(files.join("checkpoint")).unwrap(), *newest.note, "{when}");
        self.check_bundles(feed, when).await;
    }

    async fn check_bundles(&self, feed: &Feed, when: &str) {
        for (nth, leaves) in (0..).zip(self.log.chunks(256)) {
            let place = TilePlace { nth, width: leaves.len() as u64 };
            let plain = feed.bundle(place, None).await.unwrap().unwrap();
            assert!(plain.bytes == naive::bundle(leaves), "{when}: bundle {nth}");
            for coding in Coding::ALL {
                let coded = feed.bundle(place, Some(coding)).await.unwrap().unwrap();
                assert!(naive::decoded(coding.name(), &coded.bytes) == plain.bytes, "{when}: bundle {nth}");
            }
        }
    }
}
