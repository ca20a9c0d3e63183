//! Everything that a store holds, as of one commit, piece by piece: for
//! backups, for moving to another engine, and for looking whether all of it is
//! well.
//!
//! Absent: files and their format; what the pieces amount to.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::store::{AuditLine, Record, StoreError};

/// How far log and audit had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    pub log_size: u64,
    pub audit_size: u64,
    /// Of the last audit line.
    pub audit_hash: String,
}

/// One thing that a store holds. Versions are left out: they are an engine's
/// own affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Record(Box<Record>),
    Entry {
        seq: u64,
        leaf: Vec<u8>,
    },
    Audit {
        seq: u64,
        line: AuditLine,
    },
    /// Something cannot be read, or does not agree with the rest: in words, and
    /// with numbers masked.
    Damage(String),
}

/// Reads on and on while the store goes on being written; what it gives is as
/// of the commit at which it was opened.
#[async_trait]
pub trait Everything: fmt::Debug + Send {
    fn extent(&self) -> &Extent;

    /// The next pieces, a bounded number; none: that was all. First the
    /// records, kind by kind and each kind in an order of keys that an engine
    /// does not change, then log entries and audit lines as they are numbered.
    /// What is damaged is told and passed over.
    ///
    /// `Lapsed` where it cannot be gone on with: it has to be opened anew.
    async fn next(&mut self) -> Result<Vec<Piece>, StoreError>;
}
