//! Changesets that have nothing in common, as one transaction.
//!
//! Rows are changed first, each where it still has the version that is
//! replaced. Then the head's row is locked: from there on nobody else commits
//! a change, so that what has to be absent can be looked for, and log and
//! audit can be numbered. A crash before the commit leaves nothing.

use std::collections::BTreeMap;

use deadpool_postgres::{Object, Transaction};
use tokio_postgres::IsolationLevel;

use crate::store::postgres::arrays::{Rows, each};
use crate::store::postgres::error::Trouble;
use crate::store::postgres::head::Head;
use crate::store::postgres::tables::{Cell, Row, Table, key_cells, row, table_of, text};
use crate::store::{Changeset, Key, Receipt, StoreError};

/// How far the log has come, and what each caller is told.
#[derive(Debug)]
pub struct Committed {
    pub log_size: u64,
    pub receipts: Vec<Receipt>,
}

pub async fn commit(client: &mut Object, changesets: &[&Changeset]) -> Result<Committed, Trouble> {
    let tables = sorted(changesets)?;
    let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
    let transaction = transaction.start().await?;
    for changes in tables.values() {
        changes.make(&transaction).await?;
    }
    let mut head = Head::lock(&transaction).await?;
    for changes in tables.values() {
        changes.look_for_absent(&transaction).await?;
    }
    let receipts = receipts(changesets, head.log_size);
    head.append(&transaction, &all(changesets, |changeset| &changeset.entries)).await?;
    head.note(&transaction, &all(changesets, |changeset| &changeset.audit)).await?;
    let log_size = head.write(&transaction).await?;
    transaction.commit().await.map_err(|error| match Trouble::from(error) {
        Trouble::Away(why) => {
            tracing::warn!(%why, "whether a commit went through is not known");
            StoreError::Unsure.into()
        }
        trouble => trouble,
    })?;
    Ok(Committed { log_size, receipts })
}

fn receipts(changesets: &[&Changeset], mut log_size: u64) -> Vec<Receipt> {
    let receipt = |changeset: &&Changeset| {
        let first = log_size;
        log_size += changeset.entries.len() as u64;
        Receipt { first_seq: (log_size > first).then_some(first) }
    };
    changesets.iter().map(receipt).collect()
}

fn all<'a, T>(changesets: &[&'a Changeset], of: impl Fn(&'a Changeset) -> &'a Vec<T>) -> Vec<&'a T> {
    changesets.iter().copied().flat_map(of).collect()
}

/// What is done to one table.
#[derive(Debug)]
struct Changes {
    table: &'static Table,
    /// Rows that are only read, with their versions.
    holds: Rows,
    updates: Rows,
    deletes: Rows,
    inserts: Rows,
    absent: Rows,
}

/// By table and, within each, by key: two transactions lock rows in one order.
fn sorted(changesets: &[&Changeset]) -> Result<BTreeMap<u8, Changes>, StoreError> {
    let mut tables: BTreeMap<u8, Changes> = BTreeMap::new();
    let puts = all(changesets, |changeset| &changeset.puts);
    let mut puts: Vec<_> = puts.into_iter().map(|put| (put.record.key(), put)).collect();
    puts.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut changed: BTreeMap<&Key, u64> = BTreeMap::new();
    for (key, put) in &puts {
        changed.insert(key, put.expected);
        let row = row(&put.record)?;
        let changes = changes_of(&mut tables, key);
        match put.expected {
            0 => changes.inserts.push(cells(row, None)),
            version => changes.updates.push(cells(row, Some(version))),
        }
    }
    let mut deletes = all(changesets, |changeset| &changeset.deletes);
    deletes.sort();
    for (key, expected) in deletes {
        changed.insert(key, *expected);
        let changes = changes_of(&mut tables, key);
        match *expected {
            0 => changes.absent.push(at_version(key, None)),
            version => changes.deletes.push(at_version(key, Some(version))),
        }
    }
    let mut expects = all(changesets, |changeset| &changeset.expects);
    expects.sort();
    expects.dedup();
    for (key, expected) in expects {
        match (changed.get(key), *expected) {
            // What is changed too is expected as it was before.
            (Some(version), expected) if *version == expected => {}
            (Some(_), _) => return Err(StoreError::Stale),
            (None, 0) => changes_of(&mut tables, key).absent.push(at_version(key, None)),
            (None, version) => changes_of(&mut tables, key).holds.push(at_version(key, Some(version))),
        }
    }
    Ok(tables)
}

fn changes_of<'a>(tables: &'a mut BTreeMap<u8, Changes>, key: &Key) -> &'a mut Changes {
    let table = table_of(key);
    tables.entry(table.kind).or_insert_with(|| Changes {
        table,
        holds: Rows::new(table.key, &["expected"]),
        updates: Rows::new(table.columns(), &["body", "expected"]),
        deletes: Rows::new(table.key, &["expected"]),
        inserts: Rows::new(table.columns(), &["body"]),
        absent: Rows::new(table.key, &[]),
    })
}

fn cells(row: Row, version: Option<u64>) -> impl Iterator<Item = Cell> {
    let key = row.key.into_iter().map(Some);
    key.chain(row.more).chain([Some(row.body)]).chain(version.map(|version| Some(text(version))))
}

fn at_version(key: &Key, version: Option<u64>) -> impl Iterator<Item = Cell> {
    key_cells(key).into_iter().map(Some).chain(version.map(|version| Some(text(version))))
}

impl Changes {
    async fn make(&self, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        let (name, key, is_it) = (self.table.name, self.table.key, self.is_it());
        let is_it = format!("{is_it} AND t.version = u.expected::numeric");
        if !self.holds.is_empty() {
            let held =
                format!("SELECT 1 FROM {name} t JOIN {} ON {is_it} FOR SHARE OF t", self.holds.source());
            let sql = format!("SELECT count(*) FROM ({held}) held");
            exactly(self.holds.len(), self.holds.count(transaction, &sql).await?)?;
        }
        if !self.updates.is_empty() {
            let set = each(self.table.more, "", |column, kind| format!("{column} = u.{column}::{kind}, "));
            let set = format!("{set}version = nextval('record_versions'), body = u.body::jsonb");
            let sql = format!("UPDATE {name} t SET {set} FROM {} WHERE {is_it}", self.updates.source());
            exactly(self.updates.len(), self.updates.execute(transaction, &sql).await?)?;
        }
        if !self.deletes.is_empty() {
            let sql = format!("DELETE FROM {name} t USING {} WHERE {is_it}", self.deletes.source());
            exactly(self.deletes.len(), self.deletes.execute(transaction, &sql).await?)?;
        }
        if !self.inserts.is_empty() {
            let names = each(self.table.columns(), "", |column, _| format!("{column}, "));
            let cast = each(self.table.columns(), "", |column, kind| format!("u.{column}::{kind}, "));
            let key = each(key, ", ", |column, _| column.to_owned());
            let sql = format!(
                "INSERT INTO {name} ({names}version, body) \
                 SELECT {cast}nextval('record_versions'), u.body::jsonb FROM {} \
                 ON CONFLICT ({key}) DO NOTHING",
                self.inserts.source()
            );
            exactly(self.inserts.len(), self.inserts.execute(transaction, &sql).await?)?;
        }
        Ok(())
    }

    /// Whoever holds the head's row sees what was committed, and nobody
    /// commits another change meanwhile.
    async fn look_for_absent(&self, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        if self.absent.is_empty() {
            return Ok(());
        }
        let (name, source, is_it) = (self.table.name, self.absent.source(), self.is_it());
        let sql = format!("SELECT count(*) FROM {name} t JOIN {source} ON {is_it}");
        exactly(0, self.absent.count(transaction, &sql).await?)
    }

    fn is_it(&self) -> String {
        each(self.table.key, " AND ", |column, kind| format!("t.{column} = u.{column}::{kind}"))
    }
}

fn exactly(expected: usize, found: u64) -> Result<(), Trouble> {
    if found == expected as u64 { Ok(()) } else { Err(StoreError::Stale.into()) }
}
