//! For those who outgrow one machine: PostgreSQL, or an engine that speaks its
//! protocol. Several instances share one database.
//!
//! Changesets that wait for each other are committed as one transaction where
//! they have nothing in common (`writer`, `group`, `write`); what it changes is
//! readable by everybody only once it is durable there, so that every read is
//! of durable state. The schema is `data/migrations/`, brought up to date at
//! `open`; one that a newer release has changed is refused. Losing the
//! connection is no end: calls are refused as `Busy` until the database, or the
//! one that took its place, answers again.
//!
//! Absent: a high-water mark. That a database was restored to an earlier day
//! is noticed where the log is published.

mod arrays;
mod error;
mod everything;
mod follow;
mod group;
mod head;
mod listings;
mod tables;
mod write;
mod writer;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::sync::watch;
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;
use tokio_util::sync::DropGuard;

use crate::domain::number::Number;
use crate::store::failure::Failure;
use crate::store::postgres::error::{Trouble, said};
use crate::store::postgres::head::size;
use crate::store::postgres::listings::{list, record};
use crate::store::postgres::tables::{key_cells, table_of, text};
use crate::store::postgres::writer::Writer;
use crate::store::queue::{Commit, Queue, gone};
use crate::store::{
    AuditLine, Changeset, Cursor, Everything, Key, LOG_ENTRIES_MAX, Listing, Meters, Page, Receipt, Record,
};
use crate::store::{Store, StoreError, Versioned};

/// A transaction whose process says nothing for so long is ended: it may hold
/// the head's row, and a process that stands still would keep all others out.
const IDLE_MS_MAX: u32 = 4_000;
/// Commits that wait for those before them.
const WAITING_MAX: usize = 1_024;

#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://USER:PASSWORD@HOST[,HOST…]/DATABASE?target_session_attrs=read-write`
    pub url: String,
    pub connections_max: usize,
    /// For a connection to become free or to be made.
    pub wait_max: Duration,
    /// For one statement.
    pub statement_max: Duration,
    /// How often other instances' commits are looked for.
    pub look_every: Duration,
    pub meters: Meters,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the address does not parse: {0}")]
    Address(String),
    #[error("{0}")]
    Away(String),
    #[error("its schema cannot be brought to that of this release: {0}")]
    Schema(String),
    #[error("it acknowledges commits before they are durable: set {0}")]
    NotDurable(&'static str),
}

#[derive(Debug)]
pub struct PostgresStore {
    pool: Pool,
    log_size: watch::Sender<u64>,
    failure: Failure,
    /// To the writer, which ends with it.
    queue: Queue<Commit>,
    meters: Meters,
    /// Ends what looks for others' commits.
    _following: DropGuard,
}

mod migrations {
    refinery::embed_migrations!("data/migrations");
}

impl PostgresOptions {
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            connections_max: 16,
            wait_max: Duration::from_secs(5),
            statement_max: Duration::from_secs(30),
            look_every: Duration::from_millis(200),
            meters: Meters::default(),
        }
    }
}

impl PostgresStore {
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let pool = pool(options)?;
        let mut client = pool.get().await.map_err(|error| OpenError::Away(said(&error)))?;
        must_be_durable(&client).await?;
        // Whatever a migration that was cut short has left is not there.
        let runner = migrations::migrations::runner().set_grouped(true).set_abort_missing(true);
        let migrated = runner.run_async(&mut **client).await;
        migrated.map_err(|error| OpenError::Schema(error.to_string()))?;
        drop(client);
        let (log_size, following) = follow::start(&pool, options.look_every).await?;
        let (queue, requests) = Queue::new(WAITING_MAX);
        let (wait_max, meters) = (options.wait_max, options.meters.clone());
        let writer =
            Writer { pool: pool.clone(), log_size: log_size.clone(), wait_max, meters: meters.clone() };
        tokio::spawn(writer.run(requests));
        Ok(Self { pool, log_size, failure: Failure::new(), queue, meters, _following: following })
    }

    /// Becomes true when something was found that no waiting mends: the process
    /// has to end.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.failure.failed()
    }

    fn no(&self, trouble: Trouble) -> StoreError {
        self.failure.note(trouble.into_store_error())
    }

    async fn client(&self) -> Result<Object, Trouble> {
        Ok(self.pool.get().await?)
    }

    async fn try_get(&self, key: &Key) -> Result<Option<Versioned<Record>>, Trouble> {
        let table = table_of(key);
        let is_it = (1..).zip(table.key).map(|(nth, (name, kind))| format!("{name} = ${nth}::text::{kind}"));
        let is_it = is_it.collect::<Vec<_>>().join(" AND ");
        let sql = format!("SELECT version, body::text FROM {} WHERE {is_it}", table.name);
        let client = self.client().await?;
        let statement = client.prepare_cached(&sql).await?;
        let key = key_cells(key);
        let arguments: Vec<&(dyn ToSql + Sync)> = key.iter().map(|cell| cell as _).collect();
        let found = client.query_opt(&statement, &arguments).await?;
        Ok(found.map(|row| record(table, &row)).transpose()?)
    }

    /// The last column of the rows from number `after` on, in order.
    async fn numbered<T>(
        &self,
        sql: &str,
        after: u64,
        limit: usize,
        read: impl Fn(&tokio_postgres::Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, Trouble> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit.min(LOG_ENTRIES_MAX)).unwrap_or(i64::MAX);
        let client = self.client().await?;
        let statement = client.prepare_cached(sql).await?;
        let rows = client.query(&statement, &[&after, &limit]).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    async fn try_newest(&self, number: Number) -> Result<Option<u64>, Trouble> {
        let sql = "SELECT max(seq) FROM corrections WHERE number = $1::text::bigint";
        let client = self.client().await?;
        let statement = client.prepare_cached(sql).await?;
        let newest: Option<i64> = client.query_one(&statement, &[&text(number.digits())]).await?.get(0);
        Ok(newest.map(size).transpose()?)
    }

    /// All that was read is durable already; but is anybody there?
    async fn is_there(&self) -> Result<Receipt, Trouble> {
        self.client().await?.simple_query("SELECT 1").await?;
        Ok(Receipt { first_seq: None })
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.try_get(key).await.map_err(|trouble| self.no(trouble))
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let listed = async { list(&self.client().await?, listing, after, limit).await };
        listed.await.map_err(|trouble| self.no(trouble))
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT leaf FROM corrections WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let leaves = self.numbered(sql, after, limit, |row| Ok(row.get(0))).await;
        leaves.map_err(|trouble| self.no(trouble))
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.log_size.subscribe()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.try_newest(number).await.map_err(|trouble| self.no(trouble))
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        let sql = "SELECT line FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let lines = self.numbered(sql, after, limit, |row| {
            let line = serde_json::from_str(row.get(0));
            line.map_err(|error| {
                StoreError::Fatal(format!("postgres: an audit line does not parse: {error}"))
            })
        });
        lines.await.map_err(|trouble| self.no(trouble))
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        let opened = async { everything::open(self.client().await?).await };
        let opened = opened.await.map_err(|trouble| self.no(trouble))?;
        Ok(Box::new(opened))
    }

    /// A caller that goes away meanwhile does not take its changeset back.
    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        self.failure.check()?;
        changeset.check()?;
        if changeset == Changeset::default() {
            return self.is_there().await.map_err(|trouble| self.no(trouble));
        }
        let (commit, answer) = Commit::new(changeset);
        let queued = self.queue.send(commit);
        queued.map_err(|error| self.failure.note(self.meters.refused(error)))?;
        answer.await.unwrap_or_else(|_| Err(gone())).map_err(|error| self.failure.note(error))
    }
}

fn pool(options: &PostgresOptions) -> Result<Pool, OpenError> {
    let config = tokio_postgres::Config::from_str(&options.url);
    let mut config = config.map_err(|error| OpenError::Address(error.to_string()))?;
    let statement_ms = options.statement_max.as_millis();
    config.application_name("zhengming").connect_timeout(options.wait_max).keepalives(true);
    config.options(format!(
        "-c statement_timeout={statement_ms} -c idle_in_transaction_session_timeout={IDLE_MS_MAX}"
    ));
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, NoTls, manager);
    Pool::builder(manager)
        .max_size(options.connections_max)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.wait_max))
        .create_timeout(Some(options.wait_max))
        .recycle_timeout(Some(options.wait_max))
        .build()
        .map_err(|error| OpenError::Address(error.to_string()))
}

/// Yes is said only to what is on disk.
async fn must_be_durable(client: &Object) -> Result<(), OpenError> {
    for (setting, wanted) in [("synchronous_commit", "synchronous_commit = on"), ("fsync", "fsync = on")] {
        let shown = client.query_one(&format!("SHOW {setting}"), &[]).await;
        // An engine that does not know the word knows no other way.
        if shown.is_ok_and(|row| row.get::<_, String>(0) == "off") {
            return Err(OpenError::NotDurable(wanted));
        }
    }
    Ok(())
}
