//! A store for the feed's own tests: the log, acknowledgements and refusals,
//! in memory, with a rival who can get in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::date;
use tokio::sync::watch;

use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;
use crate::store::{
    AuditDraft, AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record, Store,
    StoreError, Versioned,
};

#[derive(Debug)]
pub(super) struct FakeStore {
    kept: Mutex<Kept>,
    size: watch::Sender<u64>,
    /// Most leaves that one call of `log` returns.
    log_page: usize,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Key, Record>,
    log: Vec<Vec<u8>>,
    newest: BTreeMap<Number, u64>,
    audit: Vec<AuditDraft>,
    commits: usize,
    /// Committed by somebody else before the next commits, one each.
    rivals: Vec<Changeset>,
}

impl FakeStore {
    pub(super) fn new(log_page: usize) -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), size: watch::Sender::new(0), log_page })
    }

    pub(super) async fn append(&self, entry: Entry) {
        let set = Changeset { entries: vec![entry], ..Changeset::default() };
        self.commit(set).await.unwrap();
    }

    /// Committed, and not durable before `flush`.
    pub(super) fn append_unflushed(&self, entry: Entry) {
        let set = Changeset { entries: vec![entry], ..Changeset::default() };
        self.kept.lock().unwrap().apply(set).unwrap();
    }

    pub(super) fn flush(&self) {
        self.size.send_replace(self.kept.lock().unwrap().log.len() as u64);
    }

    /// Entries of as many numbers.
    pub(super) async fn append_many(&self, count: u64) {
        for place in 0..count {
            self.append(entry(8_613_800_000_000 + place, None, false)).await;
        }
    }

    pub(super) fn leaves(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().log.clone()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.kept.lock().unwrap().records.values().cloned().collect()
    }

    pub(super) fn audited(&self) -> Vec<AuditDraft> {
        self.kept.lock().unwrap().audit.clone()
    }

    pub(super) fn commits(&self) -> usize {
        self.kept.lock().unwrap().commits
    }

    pub(super) fn rival(&self, set: Changeset) {
        self.kept.lock().unwrap().rivals.push(set);
    }

    /// Damage: a leaf that is no entry.
    pub(super) fn damage(&self, seq: usize) {
        self.kept.lock().unwrap().log[seq] = b"{}".to_vec();
    }
}

pub(super) fn number(digits: u64) -> Number {
    Number::from_digits(digits).unwrap()
}

pub(super) fn entry(digits: u64, supersedes: Option<u64>, withdrawn: bool) -> Entry {
    let correction = InForce {
        void_before: Some(date(2025, 3, 1)),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        assurance: Assurance::Operator,
    };
    let correction = (!withdrawn).then_some(correction);
    let salt = "AAECAwQFBgcICQoLDA0ODw".into();
    Entry::new(number(digits), correction, EntryReason::Reassigned, supersedes, Timestamp::UNIX_EPOCH, salt)
}

impl Kept {
    fn apply(&mut self, set: Changeset) -> Result<(), StoreError> {
        if set.puts.iter().any(|put| (put.expected > 0) != self.records.contains_key(&put.record.key())) {
            return Err(StoreError::Stale);
        }
        self.commits += 1;
        self.records.extend(set.puts.into_iter().map(|put| (put.record.key(), put.record)));
        self.audit.extend(set.audit);
        for entry in set.entries {
            self.newest.insert(entry.number, self.log.len() as u64);
            self.log.push(entry.leaf());
        }
        Ok(())
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        let found = self.kept.lock().unwrap().records.get(key).cloned();
        Ok(found.map(|value| Versioned { version: 1, value }))
    }

    async fn list(&self, listing: &Listing, _: Option<&Cursor>, _: usize) -> Result<Page, StoreError> {
        Err(StoreError::Fatal(format!("the feed has no business with {listing:?}")))
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let durable = *self.size.borrow() as usize;
        let kept = self.kept.lock().unwrap();
        let leaves = kept.log[..durable].iter().skip(after as usize);
        Ok(leaves.take(limit.min(self.log_page)).cloned().collect())
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        Ok(self.kept.lock().unwrap().newest.get(&number).copied())
    }

    async fn audit(&self, _: u64, _: usize) -> Result<Vec<AuditLine>, StoreError> {
        Err(StoreError::Fatal("the feed does not read the audit".into()))
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        Err(StoreError::Fatal("the feed does not read everything".into()))
    }

    async fn commit(&self, set: Changeset) -> Result<Receipt, StoreError> {
        let mut kept = self.kept.lock().unwrap();
        if !kept.rivals.is_empty() {
            let rival = kept.rivals.remove(0);
            kept.apply(rival)?;
        }
        kept.apply(set)?;
        drop(kept);
        self.flush();
        Ok(Receipt { first_seq: None })
    }
}
