//! Everything, out of one transaction that sees what was committed when it
//! began. It has a connection of its own, which ends with it: nothing is left
//! open in the pool, whenever its reader goes away.

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::Row;

use crate::domain::correction::Entry;
use crate::store::postgres::error::Trouble;
use crate::store::postgres::head::size;
use crate::store::postgres::listings::{After, Select};
use crate::store::postgres::tables::TABLES;
use crate::store::{Everything, Extent, PAGE_RECORDS_MAX, Piece, StoreError};

/// It locks nothing, and its reader may be slow.
const BEGIN: &str = "SET idle_in_transaction_session_timeout = 60000; \
                     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub struct PostgresEverything {
    client: ClientWrapper,
    extent: Extent,
    place: Place,
}

/// What comes next.
#[derive(Debug)]
enum Place {
    /// Of the table with this place in `TABLES`, rows after this one.
    Records(usize, Option<After>),
    /// From this number on.
    Log(u64),
    Audit(u64),
    End,
}

pub async fn open(client: Object) -> Result<PostgresEverything, Trouble> {
    let client = Object::take(client);
    client.batch_execute(BEGIN).await?;
    // The first look at anything is what the transaction sees from then on.
    let head = "SELECT log_size, audit_size, audit_hash FROM store_head WHERE one = 1";
    let head = client.query_one(head, &[]).await?;
    let (log_size, audit_size) = (size(head.get(0))?, size(head.get(1))?);
    let extent = Extent { log_size, audit_size, audit_hash: head.get(2) };
    Ok(PostgresEverything { client, extent, place: Place::Records(0, None) })
}

impl PostgresEverything {
    /// The pieces of one query, perhaps none, and the place after it.
    async fn query(&self) -> Result<(Vec<Piece>, Place), Trouble> {
        match &self.place {
            Place::Records(nth, after) => self.records(*nth, after.as_ref()).await,
            Place::Log(from) => {
                let sql = "SELECT seq, number, supersedes, leaf FROM corrections \
                           WHERE seq >= $1::text::bigint ORDER BY seq LIMIT 1000";
                let rows = self.numbered(sql, *from).await?;
                let Some(last) = rows.last() else { return Ok((Vec::new(), Place::Audit(0))) };
                let next = size(last.get(0))? + 1;
                Ok((rows.iter().map(entry).collect::<Result<_, _>>()?, Place::Log(next)))
            }
            Place::Audit(from) => {
                let sql = "SELECT seq, line FROM audit WHERE seq >= $1::text::bigint ORDER BY seq LIMIT 1000";
                let rows = self.numbered(sql, *from).await?;
                let Some(last) = rows.last() else { return Ok((Vec::new(), Place::End)) };
                let next = size(last.get(0))? + 1;
                Ok((rows.iter().map(audit).collect::<Result<_, _>>()?, Place::Audit(next)))
            }
            Place::End => Ok((Vec::new(), Place::End)),
        }
    }

    async fn records(&self, nth: usize, after: Option<&After>) -> Result<(Vec<Piece>, Place), Trouble> {
        let Some(table) = TABLES.get(nth) else { return Ok((Vec::new(), Place::Log(0))) };
        let select = Select::all(table);
        let rows = select.rows(&self.client, after, PAGE_RECORDS_MAX).await?;
        let place = match rows.last() {
            None => Place::Records(nth + 1, None),
            Some(last) => Place::Records(nth, Some(select.after(last))),
        };
        let pieces = rows.iter().map(|row| match select.record(row) {
            Ok(found) => Piece::Record(Box::new(found.value)),
            Err(error) => damage(&format!("a row of {}", table.name), &error.to_string()),
        });
        Ok((pieces.collect(), place))
    }

    async fn numbered(&self, sql: &str, from: u64) -> Result<Vec<Row>, Trouble> {
        let statement = self.client.prepare_cached(sql).await?;
        Ok(self.client.query(&statement, &[&from.to_string()]).await?)
    }
}

#[async_trait]
impl Everything for PostgresEverything {
    fn extent(&self) -> &Extent {
        &self.extent
    }

    async fn next(&mut self) -> Result<Vec<Piece>, StoreError> {
        while !matches!(self.place, Place::End) {
            let (pieces, place) = self.query().await.map_err(|trouble| match trouble {
                Trouble::Store(error) => error,
                // The transaction is gone, and with it what it saw.
                Trouble::Conflict => StoreError::Lapsed("the database has ended the transaction"),
                Trouble::Away(why) => {
                    tracing::warn!(%why, "reading everything has ended");
                    StoreError::Lapsed("the connection to the database has ended")
                }
            })?;
            self.place = place;
            if !pieces.is_empty() {
                return Ok(pieces);
            }
        }
        Ok(Vec::new())
    }
}

/// The columns beside the leaf are what a number's newest entry is found by.
fn entry(row: &Row) -> Result<Piece, StoreError> {
    let seq = size(row.get(0))?;
    let (number, supersedes): (i64, Option<i64>) = (row.get(1), row.get(2));
    let leaf: Vec<u8> = row.get(3);
    let what = || format!("the log entry {seq}");
    let entry: Entry = match serde_json::from_slice(&leaf) {
        Ok(entry) => entry,
        Err(error) => return Ok(damage(&what(), &format!("does not parse: {error}"))),
    };
    if i64::try_from(entry.number.digits()) != Ok(number)
        || entry.supersedes != supersedes.map(size).transpose()?
    {
        return Ok(damage(&what(), "lies in a row that says something else of it"));
    }
    Ok(Piece::Entry { seq, leaf })
}

fn audit(row: &Row) -> Result<Piece, StoreError> {
    let seq = size(row.get(0))?;
    Ok(match serde_json::from_str(row.get(1)) {
        Ok(line) => Piece::Audit { seq, line },
        Err(error) => damage(&format!("the audit line {seq}"), &format!("does not parse: {error}")),
    })
}

fn damage(place: &str, what: &str) -> Piece {
    Piece::Damage(format!("{place}: {what}"))
}

impl std::fmt::Debug for PostgresEverything {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresEverything")
            .field("extent", &self.extent)
            .field("place", &self.place)
            .finish()
    }
}
