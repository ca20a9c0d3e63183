//! The store: one verb writes, a few read, and a promise.
//!
//! # The promise
//!
//! - **All or nothing.** A `Changeset` is applied whole or not at all, also
//!   across a crash.
//! - **Optimistic.** Each put and delete names the version that it replaces
//!   (0: none). One that no longer matches refuses the whole changeset with
//!   `Stale`; nothing has changed then. A key's versions never come back, not
//!   even after a delete; what they are otherwise is the store's affair. A key
//!   is changed once in a changeset, else that is `Stale` too. That is also how unique keys (`Claim`)
//!   are taken: as records that must not exist yet.
//! - **Durable.** `commit` returns after the changeset, and everything that it
//!   could have seen, survives `kill -9` and power loss. So does a refusal: it
//!   may rest on somebody else's write. An empty changeset is a barrier.
//! - **Ordered.** Log entries and audit lines are numbered at commit, from 0,
//!   in commit order, without gaps, never reused; `log_size` moves only over
//!   durable entries. A read of a record may see a commit up to one flush
//!   before it is durable; what was decided on it can only become durable
//!   after it.
//! - **Limited.** What no store should take, ever, is refused as `TooLarge`.
//! - **Bounded.** A store that cannot keep up, or runs out of disk, says `Busy`
//!   before it takes a changeset, and has not taken it.
//! - **Loud.** Anything else is `Fatal`: the store takes no more writes, and
//!   the process ends to be started anew.
//! - **Honest about versions.** A record written by a newer release is refused,
//!   not guessed at.
//! - **Whole.** `everything` reads all that one commit left, and all of it is
//!   durable, while others go on writing. It costs them little; where it would
//!   cost too much, it is the reading that ends (`Lapsed`), never a write.
//!
//! Absent: decisions, clocks, bytes-and-trees verbs for callers.

mod accounts;
mod changeset;
mod embedded;
mod everything;
mod failure;
mod figures;
mod filings;
mod lease;
pub mod mark;
pub mod memory;
mod meters;
pub mod postgres;
mod queue;
mod record;
pub mod sled;
mod task;

pub use accounts::{AccessKey, Grant, Moderator, Role, SecretHash, Session};
use changeset::leaf_of;
pub use changeset::{AuditDraft, AuditLine, Changeset, Put, Receipt};
pub use everything::{Everything, Extent, Piece};
pub use figures::{CountedWeek, Counting, Series};
pub use filings::{
    AddressMac, Cluster, Filing, FilingLine, FilingNews, FilingPart, LinePlace, RejectedLine, Trace,
};
pub use lease::Lease;
pub use meters::Meters;
pub use record::{
    Ack, Batch, BatchState, Claim, CodeCount, Disabled, Failing, Key, LabelCount, LogHead, OperatorState,
    ProviderRefusal, ProviderState, Record, Stored, Tally, Telling, Verification, VerificationStatus,
    Webhook,
};
pub use task::{Task, TaskKind};

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::id::{FilingId, ProviderId};
use crate::domain::number::Number;
use crate::domain::progress::Stage;
use crate::store::mark::Mark;

/// Most records that one call of `list` returns.
pub const PAGE_RECORDS_MAX: usize = 1_000;
/// Most entries that one call of `log` returns.
pub const LOG_ENTRIES_MAX: usize = 10_000;
/// Most puts and deletes in one changeset, also most entries, most audit lines
/// and most expectations: small batches keep memory flat.
pub const CHANGES_PER_SET_MAX: usize = 256;

/// Most bytes of a record as JSON, and of an audit line.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// A record and the version to name when replacing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// 0: not stored yet.
    pub version: u64,
    pub value: T,
}

/// A list of records in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Labels of a number, by provider and kind.
    LabelsOf(Number),
    /// Labels that have regressed, of one provider or of all: by provider,
    /// number and kind.
    Regressed {
        provider: Option<ProviderId>,
    },
    /// Disputes of a number, oldest first.
    DisputesOf(Number),
    /// Disputes that wait for a moderator, the earliest due first.
    Queue,
    /// Tasks to run at `until` or before, the earliest first.
    TasksDue {
        until: Timestamp,
    },
    /// A provider's acknowledgements of a stage for sizes above, ascending.
    AcksAbove {
        provider: ProviderId,
        stage: Stage,
        size: u64,
    },
    /// Refusals by a provider, by sequence.
    RefusalsOf(ProviderId),
    AccessKeys,
    Moderators,
    /// By provider and place.
    Webhooks,
    /// Batches that are not finished: being applied, or held.
    OpenBatches,
    /// Files of numbers with a reversal that one person has signed, the
    /// earliest signed first.
    ReversalsAsked,
    /// What a list of numbers says of each, in its order.
    PartsOf(FilingId),
    /// Filings in a cluster at `since` or later, the earliest first.
    TracesSince {
        cluster: Cluster,
        since: Timestamp,
    },
    /// Records whose time is over, the longest over first.
    Expired {
        until: Timestamp,
    },
}

impl Listing {
    /// Whether there are few of them, whatever happens: quotas see to it.
    pub fn is_short(&self) -> bool {
        matches!(self, Self::LabelsOf(_) | Self::DisputesOf(_))
    }
}

/// Where a page ended; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub records: Vec<Versioned<Record>>,
    /// `None`: that was all.
    pub next: Option<Cursor>,
}

/// A store's no, asked by meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A record is not at the version that the changeset expects.
    #[error("a record has changed since it was read")]
    Stale,
    /// Too much to write, or too little disk; nothing was taken.
    #[error("the store takes no writes for the moment: {0}")]
    Busy(&'static str),
    /// More than a record, an entry or a changeset may hold. Nothing was taken,
    /// it will not fit later either, and the store is well.
    #[error("too much for the store to take: {0}")]
    TooLarge(&'static str),
    /// The engine went away while it committed: the changeset was taken whole
    /// or not at all, and only reading tells.
    #[error("the store does not say whether it took this")]
    Unsure,
    /// What `everything` gave cannot be gone on with; opened anew it may well be.
    #[error("the store cannot be read as of one moment: {0}")]
    Lapsed(&'static str),
    /// The process has to end.
    #[error("the store failed: {0}")]
    Fatal(String),
}

#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError>;

    /// At most `limit` (1 to `PAGE_RECORDS_MAX`, else clamped) records of a
    /// listing, after the cursor of the page before.
    async fn list(&self, listing: &Listing, after: Option<&Cursor>, limit: usize)
    -> Result<Page, StoreError>;

    /// Leaves of the log from sequence number `after` on, durable ones only.
    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// How many log entries are durable, and word of every growth.
    fn log_size(&self) -> watch::Receiver<u64>;

    /// The sequence number of a number's newest entry.
    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError>;

    /// Audit lines from number `after` on.
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError>;

    /// All that there is, as of a commit that everybody's finished ones are
    /// part of. Dropping it ends it.
    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError>;

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError>;

    /// What the high-water mark outside of the database says; `None`: there is
    /// none that is the store's.
    fn mark(&self) -> Option<Mark> {
        None
    }
}

impl dyn Store + '_ {
    /// A record by its type: `store.load::<Dispute>(&id)`.
    pub async fn load<T: Stored>(&self, key: &T::Key) -> Result<Option<Versioned<T>>, StoreError> {
        let found = self.get(&T::key_of(key)).await?;
        found.map(|found| typed(found)).transpose()
    }

    /// One page of a listing whose records are all of one type.
    pub async fn page<T: Stored>(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<(Vec<Versioned<T>>, Option<Cursor>), StoreError> {
        let page = self.list(listing, after, limit).await?;
        let records = page.records.into_iter().map(typed).collect::<Result<_, _>>()?;
        Ok((records, page.next))
    }

    /// All of a listing, for those that are short by their nature.
    pub async fn all<T: Stored>(&self, listing: &Listing) -> Result<Vec<Versioned<T>>, StoreError> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let (page, next) = self.page(listing, after.as_ref(), PAGE_RECORDS_MAX).await?;
            all.extend(page);
            match next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

fn typed<T: Stored>(found: Versioned<Record>) -> Result<Versioned<T>, StoreError> {
    let version = found.version;
    let value = T::from_record(found.value);
    let value = value.ok_or_else(|| StoreError::Fatal("a record of another kind lies under a key".into()))?;
    Ok(Versioned { version, value })
}

impl<T> Versioned<T> {
    /// A record that must not exist yet.
    pub fn new(value: T) -> Self {
        Self { version: 0, value }
    }
}
