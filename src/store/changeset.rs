//! What one commit changes, as plain data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::correction::Entry;
use crate::domain::hex::hex;
use crate::store::Versioned;
use crate::store::record::{Key, LogHead, Record, Stored};

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

impl AuditLine {
    /// What the first line's hash is chained to.
    pub const HASH_BEFORE_FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
}

impl Changeset {
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
