//! Many rows as the arguments of one statement: an array for each column.

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::store::postgres::error::Trouble;
use crate::store::postgres::head::size;
use crate::store::postgres::tables::{Cell, Column};

#[derive(Debug)]
pub struct Rows {
    names: Vec<&'static str>,
    /// One for each name, all of one length.
    arrays: Vec<Vec<Cell>>,
}

impl Rows {
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a Column>, more: &[&'static str]) -> Self {
        let names: Vec<_> = columns.into_iter().map(|(name, _)| *name).chain(more.iter().copied()).collect();
        Self { arrays: vec![Vec::new(); names.len()], names }
    }

    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut pushed = 0;
        for (array, cell) in self.arrays.iter_mut().zip(cells) {
            array.push(cell);
            pushed += 1;
        }
        debug_assert_eq!(pushed, self.names.len(), "a cell for each column");
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        self.arrays.first().map_or(0, Vec::len)
    }

    /// As a table `u` of texts.
    pub fn source(&self) -> String {
        let arrays: Vec<_> = (1..=self.names.len()).map(|nth| format!("${nth}::text[]")).collect();
        format!("unnest({}) AS u({})", arrays.join(", "), self.names.join(", "))
    }

    /// How many rows a statement over `source` changed.
    pub async fn execute(&self, transaction: &Transaction<'_>, sql: &str) -> Result<u64, Trouble> {
        let statement = transaction.prepare_cached(sql).await?;
        Ok(transaction.execute(&statement, &self.arguments()).await?)
    }

    /// What a query over `source` finds.
    pub async fn query(&self, transaction: &Transaction<'_>, sql: &str) -> Result<Vec<Row>, Trouble> {
        let statement = transaction.prepare_cached(sql).await?;
        Ok(transaction.query(&statement, &self.arguments()).await?)
    }

    /// What a query that counts has counted.
    pub async fn count(&self, transaction: &Transaction<'_>, sql: &str) -> Result<u64, Trouble> {
        let rows = self.query(transaction, sql).await?;
        let found: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok(size(found)?)
    }

    fn arguments(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.arrays.iter().map(|array| array as _).collect()
    }
}

/// Each column said in one way, with `between` between them.
pub fn each<'a>(
    columns: impl IntoIterator<Item = &'a Column>,
    between: &str,
    say: impl Fn(&str, &str) -> String,
) -> String {
    let said: Vec<_> = columns.into_iter().map(|(name, kind)| say(name, kind)).collect();
    said.join(between)
}
