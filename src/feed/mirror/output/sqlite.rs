//! `corrections.sqlite`: the corrections in force, and the mirror's own state
//! beside them in the same transactions.
//!
//! `corrections` is a table. In a large one new rows lie far apart: each costs
//! a page that is read, journaled, written and synced. So new entries go into
//! `recent`, where they lie together, and are seen and acknowledged from there
//! at the same cost whatever the file holds: `corrections` is for that moment
//! a view over `recent` and the table, which is called `settled` then. `settle`
//! brings the rows into their places, and the table back under its name, while
//! the mirror has nothing else to do. Both are transactions that an app sees
//! all of or nothing, and what it asks reads the same before and after.
//!
//! The journal is a rollback journal and not a WAL: then the one file is all
//! there is for whoever copies or opens it, and a file put in its place never
//! meets the WAL of another. `synchronous` is EXTRA, which makes the journal's
//! removal durable too: a step is not acknowledged before it is.
//!
//! A snapshot replaces the rows and not the file. Apps that have it open would
//! go on reading a file that was replaced, while we say that they serve the
//! new one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Statement, Transaction, TransactionBehavior, params,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::correction::Entry;
use crate::feed::mirror::entries::{Spool, strict};
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::output::{Format, Output};
use crate::feed::mirror::snapshot::Snapshot;
use crate::feed::mirror::state::{Acked, State};
use crate::feed::mirror::{Phase, Progress};

/// How long to wait for an app that reads.
const BUSY_TIMEOUT_S: u64 = 30;
/// Enough for the pages of usual steps, so that readers are shut out during
/// the commit only.
const CACHE_KIB: i64 = 64 * 1024;
const PROGRESS_EVERY: u64 = 10_000;
/// So many entries at a time are brought into the table's order, about 20 MB:
/// neighbours lie on one page, and pages are met one after the other.
const SORTED_ENTRIES_MAX: usize = 65_536;

/// More new entries than these go into their places at once.
const RECENT_ENTRIES_MAX: u64 = if cfg!(test) { 300 } else { 65_536 };

/// A recent row without `at` withdraws.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS corrections(
        number INTEGER PRIMARY KEY, void_before TEXT, name_action TEXT, name TEXT, name_until TEXT,
        reason TEXT, assurance TEXT, at TEXT, seq INTEGER);
    CREATE TABLE IF NOT EXISTS recent(
        number INTEGER PRIMARY KEY, void_before TEXT, name_action TEXT, name TEXT, name_until TEXT,
        reason TEXT, assurance TEXT, at TEXT, seq INTEGER);
    CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;";
const UNSETTLE: &str = "
    ALTER TABLE corrections RENAME TO settled;
    CREATE VIEW corrections AS
        SELECT * FROM recent WHERE at IS NOT NULL
        UNION ALL
        SELECT * FROM settled WHERE number NOT IN (SELECT number FROM recent);";
const SETTLE: &str = "
    DROP VIEW corrections;
    DELETE FROM settled WHERE number IN (SELECT number FROM recent WHERE at IS NULL);
    INSERT OR REPLACE INTO settled SELECT * FROM recent WHERE at IS NOT NULL;
    DELETE FROM recent;
    ALTER TABLE settled RENAME TO corrections;";

#[derive(Debug)]
pub struct SqliteOutput {
    path: PathBuf,
    connection: Connection,
    state: Option<State>,
}

impl SqliteOutput {
    pub fn open(dir: &Path) -> Result<Self, MirrorError> {
        let path = dir.join(Format::Sqlite.file_name());
        match connect(&path) {
            Ok((connection, state)) => Ok(Self { path, connection, state }),
            Err(error) => {
                let error = failed(&path, &error);
                if matches!(error, MirrorError::Damaged { .. }) {
                    set_aside(&path)?;
                }
                Err(error)
            }
        }
    }

    /// One transaction: all that `write` writes, and the state, or nothing.
    fn write(
        &mut self,
        state: State,
        from_nothing: bool,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), Stopped>,
    ) -> Result<(), MirrorError> {
        let written = (|| {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if from_nothing {
                settle(&transaction)?;
                transaction.execute("DELETE FROM corrections", [])?;
            }
            write(&transaction)?;
            put_state(&transaction, &state)?;
            Ok(transaction.commit()?)
        })();
        match written {
            Ok(()) => {
                self.state = Some(state);
                Ok(())
            }
            Err(Stopped::ByMirror(error)) => Err(error),
            Err(Stopped::BySqlite(error)) => {
                let error = failed(&self.path, &error);
                if matches!(error, MirrorError::Damaged { .. }) {
                    set_aside(&self.path)?;
                }
                Err(error)
            }
        }
    }
}

impl Output for SqliteOutput {
    fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    fn add(&mut self, entries: &Spool, state: State, progress: &dyn Progress) -> Result<(), MirrorError> {
        let path = self.path.clone();
        let from_nothing = self.state.is_none();
        self.write(state, from_nothing, |transaction| {
            let mut rows = if from_nothing || entries.len() > RECENT_ENTRIES_MAX {
                settle(transaction)?;
                Rows::settled(transaction)?
            } else {
                unsettle(transaction)?;
                Rows::recent(transaction)?
            };
            let mut sorted = Vec::new();
            for spooled in entries.entries() {
                let spooled = spooled.map_err(|error| MirrorError::io(&path, &error))?;
                sorted.push((spooled.seq, strict(spooled.seq, &spooled.leaf)?));
                if sorted.len() == SORTED_ENTRIES_MAX {
                    rows.apply_all(&mut sorted)?;
                    progress.at(Phase::Applying, spooled.seq + 1 - entries.first(), entries.len());
                }
            }
            Ok(rows.apply_all(&mut sorted)?)
        })
    }

    fn replace(
        &mut self,
        snapshot: &Snapshot,
        state: State,
        progress: &dyn Progress,
    ) -> Result<(), MirrorError> {
        let lines = snapshot.lines().map_err(|error| MirrorError::io(&self.path, &error))?;
        self.write(state, true, |transaction| {
            let mut rows = Rows::settled(transaction)?;
            for (done, line) in (1..).zip(lines) {
                let line = line?;
                rows.apply(line.seq, &line.entry)?;
                if done % PROGRESS_EVERY == 0 {
                    progress.at(Phase::Applying, done, snapshot.sum.count);
                }
            }
            Ok(())
        })
    }

    fn acknowledged(&mut self, acked: Acked) -> Result<(), MirrorError> {
        let Some(state) = self.state.clone() else { return Ok(()) };
        self.write(State { acked: Some(acked), ..state }, false, |_| Ok(()))
    }

    fn settle(&mut self) -> Result<(), MirrorError> {
        let Some(state) = self.state.clone() else { return Ok(()) };
        match is_settled(&self.connection) {
            Ok(true) => Ok(()),
            // What ails the file ails the transaction too, and is dealt with there.
            Ok(false) | Err(_) => self.write(state, false, |transaction| Ok(settle(transaction)?)),
        }
    }
}

/// Whether all rows are in their places, in the table that apps read.
fn is_settled(connection: &Connection) -> rusqlite::Result<bool> {
    let unsettled = "SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = 'corrections'";
    Ok(connection.query_row(unsettled, [], |_| Ok(())).optional()?.is_none())
}

fn settle(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if is_settled(transaction)? { Ok(()) } else { transaction.execute_batch(SETTLE) }
}

fn unsettle(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if is_settled(transaction)? { transaction.execute_batch(UNSETTLE) } else { Ok(()) }
}

/// The two statements that corrections need.
struct Rows<'a> {
    put: Statement<'a>,
    withdraw: Statement<'a>,
}

impl<'a> Rows<'a> {
    /// They hide what is settled of the same numbers.
    fn recent(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        Self::of(transaction, "recent", "INSERT OR REPLACE INTO recent(number) VALUES (?1)")
    }

    fn settled(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        Self::of(transaction, "corrections", "DELETE FROM corrections WHERE number = ?1")
    }

    fn of(transaction: &'a Transaction<'_>, table: &str, withdraw: &str) -> rusqlite::Result<Self> {
        let put = format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        Ok(Self { put: transaction.prepare(&put)?, withdraw: transaction.prepare(withdraw)? })
    }

    /// Later entries of a number after earlier ones, and numbers as they lie.
    fn apply_all(&mut self, entries: &mut Vec<(u64, Entry)>) -> rusqlite::Result<()> {
        entries.sort_unstable_by_key(|(seq, entry)| (entry.number, *seq));
        entries.drain(..).try_for_each(|(seq, entry)| self.apply(seq, &entry))
    }

    fn apply(&mut self, seq: u64, entry: &Entry) -> rusqlite::Result<()> {
        let number = integer(entry.number.digits());
        if entry.withdrawn {
            self.withdraw.execute([number])?;
            return Ok(());
        }
        self.put.execute(params![
            number,
            entry.void_before.map(|day| day.to_string()),
            word(&entry.name_action),
            entry.name,
            entry.name_until.map(|day| day.to_string()),
            word(&entry.reason),
            word(&entry.assurance),
            entry.at.to_string(),
            integer(seq),
        ])?;
        Ok(())
    }
}

/// As it stands in an entry.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => unreachable!("these are words in an entry"),
    }
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).expect("telephone numbers and counts of entries stay below 2^63")
}

fn connect(path: &Path) -> rusqlite::Result<(Connection, Option<State>)> {
    // Without SQLITE_OPEN_URI: a folder may be called `file:x`.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(BUSY_TIMEOUT_S))?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    // The first look at the file, and what rolls back a journal left behind.
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Writes nothing where they are there.
    transaction.execute_batch(TABLES)?;
    let state = get_state(&transaction)?;
    transaction.commit()?;
    Ok((connection, state))
}

/// Nothing where nothing was written yet, or where it does not fit together:
/// then everything is built anew.
fn get_state(transaction: &Transaction<'_>) -> rusqlite::Result<Option<State>> {
    let mut record = Map::new();
    let mut statement = transaction.prepare("SELECT key, value FROM meta")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value = match row.get_ref(1)? {
            ValueRef::Integer(integer) => Value::from(integer),
            ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
            _ => Value::Null,
        };
        record.insert(row.get(0)?, value);
    }
    Ok(serde_json::from_value(Value::Object(record)).ok())
}

fn put_state(transaction: &Transaction<'_>, state: &State) -> rusqlite::Result<()> {
    let mut put = transaction.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?;
    let record = serde_json::to_value(state).expect("strings and numbers always serialize");
    for (key, value) in record.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => put.execute(params![key, text])?,
            _ => put.execute(params![key, value.as_i64()])?,
        };
    }
    Ok(())
}

/// Why a transaction was not committed.
enum Stopped {
    ByMirror(MirrorError),
    BySqlite(rusqlite::Error),
}

impl From<MirrorError> for Stopped {
    fn from(error: MirrorError) -> Self {
        Self::ByMirror(error)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::BySqlite(error)
    }
}

fn failed(path: &Path, error: &rusqlite::Error) -> MirrorError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => MirrorError::DiskFull { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => MirrorError::Damaged { path },
        _ => MirrorError::Output { path, why: error.to_string() },
    }
}

/// Out of the way, with its journal, which must not meet the next file.
fn set_aside(path: &Path) -> Result<(), MirrorError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let named = |end: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let (from, to) = (named(suffix), named(&format!(".damaged{suffix}")));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            done => done.map_err(|error| MirrorError::io(&from, &error))?,
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
