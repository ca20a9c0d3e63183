//! What one commit changes, as plain data.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::correction::{ENTRY_BYTES_MAX, Entry};
use crate::domain::hex::hex;
use crate::store::record::{Key, LogHead, Record, Stored};
use crate::store::{CHANGES_PER_SET_MAX, RECORD_BYTES_MAX, StoreError, Versioned};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changeset {
    pub puts: Vec<Put>,
    /// Keys to delete, with the version each has.
    pub deletes: Vec<(Key, u64)>,
    /// Records that are only read, with the version each must still have.
    pub expects: Vec<(Key, u64)>,
    /// Corrections to append. An entry whose `supersedes` is not its number's
    /// newest entry makes the changeset stale.
    pub entries: Vec<Entry>,
    pub audit: Vec<AuditDraft>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    pub record: Record,
    /// The version that is replaced; 0: the record must not exist.
    pub expected: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The sequence number of the first of the changeset's entries.
    pub first_seq: Option<u64>,
}

/// Who did what to whom, without anybody's words: those are with the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    pub at: Timestamp,
    /// `rule`, `holder`, `moderator:NAME`, `provider:ID`, `operator:ID`, `cli`.
    pub actor: String,
    /// A stable snake_case verb.
    pub action: String,
    /// What it was done to, e.g. `dispute:ID`; a number is masked.
    pub subject: String,
    /// SHA-256 of the event's JSON in hex, where the subject's record keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// An audit line as stored: numbered, and chained to the line before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub seq: u64,
    #[serde(flatten)]
    pub draft: AuditDraft,
    /// SHA-256, in hex, over the previous line's hash (64 zeros for the first)
    /// and this line's draft as compact JSON.
    pub hash: String,
}

impl AuditDraft {
    /// The line that follows the one whose hash is `previous`.
    pub fn chained(self, seq: u64, previous: &str) -> AuditLine {
        let json = serde_json::to_vec(&self).expect("strings and timestamps always serialize");
        let hash = Sha256::new().chain_update(previous).chain_update(json).finalize();
        AuditLine { seq, draft: self, hash: hex(&hash) }
    }
}

/// An entry's bytes, if the log takes them.
pub(super) fn leaf_of(entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let leaf = entry.leaf();
    if leaf.len() > ENTRY_BYTES_MAX {
        return Err(StoreError::TooLarge("a log entry has more than 1,024 bytes"));
    }
    Ok(leaf)
}

impl AuditLine {
    pub(super) fn to_json(&self) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(self).expect("strings, numbers and timestamps always serialize");
        if json.len() > RECORD_BYTES_MAX {
            return Err(StoreError::TooLarge("an audit line has more than 64 KiB"));
        }
        Ok(json)
    }

    /// What the first line's hash is chained to.
    pub const HASH_BEFORE_FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
}

impl Changeset {
    /// What no engine takes, whatever lies in it: too much at once, or a key
    /// that is changed twice (a second change could only name a version that
    /// nobody has read).
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let changes = self.puts.len() + self.deletes.len();
        let most = changes.max(self.expects.len()).max(self.entries.len()).max(self.audit.len());
        if most > CHANGES_PER_SET_MAX {
            return Err(StoreError::TooLarge("a changeset has more than 256 changes"));
        }
        let puts = self.puts.iter().map(|put| put.record.key());
        let deletes = self.deletes.iter().map(|(key, _)| key.clone());
        let mut changed = BTreeSet::new();
        if puts.chain(deletes).all(|key| changed.insert(key)) { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// Where it publishes the log.
    pub fn log_head(&self) -> Option<&LogHead> {
        self.puts.iter().find_map(|put| match &put.record {
            Record::LogHead(head) => Some(head),
            _ => None,
        })
    }

    /// Puts a record in the place of the version that was read.
    pub fn put<T: Stored>(&mut self, record: Versioned<T>) {
        self.puts.push(Put { record: record.value.into_record(), expected: record.version });
    }

    pub fn put_new<T: Stored>(&mut self, record: T) {
        self.put(Versioned::new(record));
    }

    pub fn delete<T: Stored>(&mut self, record: &Versioned<T>) {
        self.deletes.push((record.value.key(), record.version));
    }

    /// Makes the commit fail where a record has changed since it was read.
    pub fn expect(&mut self, key: Key, version: u64) {
        self.expects.push((key, version));
    }
}
