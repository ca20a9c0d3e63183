//! A log of any length that takes no memory: its entries follow from their
//! numbers. All other records are in a store on disk, as in earnest: so an
//! acknowledgement is durable before it is answered.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::date;
use tokio::sync::watch;
use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::domain::number::Number;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{
    AuditLine, Changeset, Cursor, Everything, Key, LOG_ENTRIES_MAX, Listing, Page, Receipt, Record, Store,
    StoreError, Versioned,
};

/// Each of another number, in no order: the factor has no divisor in common
/// with the count of numbers behind `+86 13`.
pub fn leaf(seq: u64) -> Vec<u8> {
    let number = 8_613_000_000_000 + seq * 618_033_989 % 1_000_000_000;
    let correction = InForce {
        void_before: Some(zhengming::domain::day::plus_days(date(2024, 1, 1), (seq % 1_000) as i32)),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        assurance: Assurance::Operator,
    };
    let number = Number::from_digits(number).expect("thirteen digits");
    let at = Timestamp::from_second(1_764_000_000 + seq as i64 / 10).expect("not far away");
    // As salts are: of random bytes.
    let salt = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        &<sha2::Sha256 as sha2::Digest>::digest(seq.to_be_bytes())[..16],
    );
    Entry::new(number, Some(correction), EntryReason::Released, None, at, salt).leaf()
}

#[derive(Debug)]
pub struct LongLog {
    records: SledStore,
    size: watch::Sender<u64>,
}

impl LongLog {
    pub fn new(dir: &Path) -> Self {
        let options = SledOptions::new(dir.join("db"), dir.join("mark"));
        let records = SledStore::open(&options).expect("a new folder");
        Self { records, size: watch::Sender::new(0) }
    }

    pub fn grow_to(&self, size: u64) {
        self.size.send_replace(size);
    }
}

#[async_trait]
impl Store for LongLog {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.records.get(key).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.records.list(listing, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let end = (*self.size.borrow()).min(after + limit.min(LOG_ENTRIES_MAX) as u64);
        Ok((after..end).map(leaf).collect())
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    async fn newest_entry(&self, _: Number) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.records.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.records.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        self.records.commit(changeset).await
    }
}
