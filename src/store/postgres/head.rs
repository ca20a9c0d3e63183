//! The head's row, and what is numbered under its lock: the log and the audit.

use deadpool_postgres::Transaction;

use crate::domain::correction::Entry;
use crate::store::postgres::arrays::{Rows, each};
use crate::store::postgres::error::Trouble;
use crate::store::postgres::tables::{Column, bytea, text, word};
use crate::store::{AuditDraft, StoreError, leaf_of};

#[derive(Debug)]
pub struct Head {
    pub log_size: u64,
    audit_size: u64,
    audit_hash: String,
}

const CORRECTION: &[Column] = &[
    ("seq", "bigint"),
    ("number", "bigint"),
    ("void_before", "date"),
    ("name_action", "text"),
    ("name", "text"),
    ("name_until", "date"),
    ("reason", "text"),
    ("assurance", "text"),
    ("withdrawn", "boolean"),
    ("supersedes", "bigint"),
    ("at", "timestamptz"),
    ("leaf", "bytea"),
];

const AUDIT_LINE: &[Column] = &[
    ("seq", "bigint"),
    ("at", "timestamptz"),
    ("actor", "text"),
    ("action", "text"),
    ("subject", "text"),
    ("hash", "text"),
    ("line", "text"),
];

impl Head {
    pub async fn lock(transaction: &Transaction<'_>) -> Result<Self, Trouble> {
        let sql = "SELECT log_size, audit_size, audit_hash FROM store_head WHERE one = 1 FOR UPDATE";
        let statement = transaction.prepare_cached(sql).await?;
        let row = transaction.query_one(&statement, &[]).await?;
        Ok(Self { log_size: size(row.get(0))?, audit_size: size(row.get(1))?, audit_hash: row.get(2) })
    }

    /// Corrections, each of which supersedes its number's newest.
    pub async fn append(&mut self, transaction: &Transaction<'_>, entries: &[&Entry]) -> Result<(), Trouble> {
        if entries.is_empty() {
            return Ok(());
        }
        self.supersede(transaction, entries).await?;
        let mut rows = Rows::new(CORRECTION, &[]);
        for entry in entries {
            let leaf = leaf_of(entry)?;
            rows.push([
                Some(text(self.log_size)),
                Some(text(entry.number.digits())),
                entry.void_before.map(text),
                Some(word(&entry.name_action)),
                entry.name.clone(),
                entry.name_until.map(text),
                Some(word(&entry.reason)),
                Some(word(&entry.assurance)),
                Some(text(entry.withdrawn)),
                entry.supersedes.map(text),
                Some(text(entry.at)),
                Some(bytea(&leaf)),
            ]);
            self.log_size += 1;
        }
        insert(transaction, "corrections", CORRECTION, &rows).await
    }

    async fn supersede(&self, transaction: &Transaction<'_>, entries: &[&Entry]) -> Result<(), Trouble> {
        let mut numbers = Rows::new(&[("number", "bigint")], &[]);
        let mut newest = std::collections::BTreeMap::new();
        for entry in entries {
            if newest.insert(entry.number.digits(), None).is_none() {
                numbers.push([Some(text(entry.number.digits()))]);
            }
        }
        let sql = format!(
            "SELECT c.number, max(c.seq) FROM corrections c JOIN {} ON c.number = u.number::bigint \
             GROUP BY c.number",
            numbers.source()
        );
        for row in numbers.query(transaction, &sql).await? {
            newest.insert(size(row.get(0))?, Some(size(row.get(1))?));
        }
        for (seq, entry) in (self.log_size..).zip(entries) {
            if newest.insert(entry.number.digits(), Some(seq)).flatten() != entry.supersedes {
                return Err(StoreError::Stale.into());
            }
        }
        Ok(())
    }

    pub async fn note(
        &mut self,
        transaction: &Transaction<'_>,
        drafts: &[&AuditDraft],
    ) -> Result<(), Trouble> {
        if drafts.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::new(AUDIT_LINE, &[]);
        for draft in drafts {
            let line = (*draft).clone().chained(self.audit_size, &self.audit_hash);
            let json = String::from_utf8(line.to_json()?).expect("JSON is UTF-8");
            rows.push([
                Some(text(line.seq)),
                Some(text(line.draft.at)),
                Some(line.draft.actor),
                Some(line.draft.action),
                Some(line.draft.subject),
                Some(line.hash.clone()),
                Some(json),
            ]);
            self.audit_size += 1;
            self.audit_hash = line.hash;
        }
        insert(transaction, "audit", AUDIT_LINE, &rows).await
    }

    /// The log's size then.
    pub async fn write(self, transaction: &Transaction<'_>) -> Result<u64, Trouble> {
        let sql = "UPDATE store_head SET log_size = $1::text::bigint, audit_size = $2::text::bigint, \
                   audit_hash = $3 WHERE one = 1";
        let statement = transaction.prepare_cached(sql).await?;
        let (log_size, audit_size) = (text(self.log_size), text(self.audit_size));
        transaction.execute(&statement, &[&log_size, &audit_size, &self.audit_hash]).await?;
        Ok(self.log_size)
    }
}

async fn insert(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &[Column],
    rows: &Rows,
) -> Result<(), Trouble> {
    let names = each(columns, ", ", |column, _| column.to_owned());
    let cast = each(columns, ", ", |column, kind| format!("u.{column}::{kind}"));
    let sql = format!("INSERT INTO {table} ({names}) SELECT {cast} FROM {}", rows.source());
    rows.execute(transaction, &sql).await.map(drop)
}

/// What the schema holds to be no less than zero.
pub fn size(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Fatal("postgres: a size is negative".into()))
}
