//! Opening a database: is it ours, is it whole, is it all there?
//!
//! What lies beside it was left by a rewriting that was cut short, and goes.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::watch;

use crate::store::embedded::past::{KEPT_BYTES_MAX, Pasts};
use crate::store::embedded::plan::Counters;
use crate::store::embedded::read;
use crate::store::mark::{Checkpoint, Found, Mark, MarkFile};
use crate::store::queue::Queue;
use crate::store::sled::disk::Disk;
use crate::store::sled::rewrite::remove_leftover;
use crate::store::sled::writer::Writer;
use crate::store::sled::{Failure, Shared, SledStore};
use crate::store::{Key, LogHead, Meters, Record, StoreError};

/// Between two looks at a lock that somebody holds.
const LOCK_LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct SledOptions {
    pub dir: PathBuf,
    /// The high-water mark's file; best on another disk.
    pub mark_path: PathBuf,
    /// Most memory for pages of the database.
    pub cache_bytes: u64,
    /// More than this many waiting commits are refused as `Busy`.
    pub queue_changesets_max: usize,
    /// How many commits share one sync.
    pub group_changesets_max: usize,
    /// Most memory for what is replaced while everything is being read.
    pub kept_bytes_max: usize,
    /// How long to wait for the lock: it can outlive its process for a moment.
    pub lock_wait: Duration,
    /// With less free space nothing is written.
    pub disk_free_bytes_min: u64,
    /// Take the database as it is, and put a new mark in place with the first
    /// commit, whatever the old one says: by an operator's decision.
    pub adopt: bool,
    /// An import is filling it, in the place of a database that may be lost:
    /// the mark begins anew with it, and keeps the newest checkpoint that it
    /// knows of. Until the database has signed as much it is behind its mark.
    pub refill: bool,
    pub meters: Meters,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database {dir} is in use by another process")]
    InUse { dir: PathBuf },
    #[error("the database {dir} cannot be opened: {source}")]
    Sled { dir: PathBuf, source: sled::Error },
    #[error("the database {dir} cannot be used: {source}")]
    Store { dir: PathBuf, source: StoreError },
    #[error("the files of the database {dir} cannot be synced: {source}")]
    Files { dir: PathBuf, source: io::Error },
    #[error("the high-water mark {path} cannot be read or written: {source}")]
    Mark { path: PathBuf, source: io::Error },
    #[error("the database {dir} holds other things than ours")]
    Foreign { dir: PathBuf },
    #[error(
        "the database {dir} has {commit} commits, but its high-water mark {path} is {what}, so nobody knows \
         whether they are all: bring the mark back, or, if this database is certainly the newest one, run \
         `zhengming feed confirm-head`"
    )]
    NoMark { dir: PathBuf, path: PathBuf, commit: u64, what: &'static str },
    #[error(
        "the database {dir} has lost what was acknowledged; it has {missing} (by the high-water mark {path}): bring \
         the newest one back, also by `store import`; if there is none, what was published cannot be gone on \
         with, and `zhengming feed new-log --origin ORIGIN` begins anew from what is here"
    )]
    Behind { dir: PathBuf, path: PathBuf, missing: String },
}

impl SledOptions {
    pub fn new(dir: impl Into<PathBuf>, mark_path: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            mark_path: mark_path.into(),
            cache_bytes: 192 << 20,
            queue_changesets_max: 1_024,
            group_changesets_max: 128,
            kept_bytes_max: KEPT_BYTES_MAX,
            lock_wait: Duration::from_secs(5),
            disk_free_bytes_min: 256 << 20,
            adopt: false,
            refill: false,
            meters: Meters::default(),
        }
    }
}

impl SledStore {
    /// Blocks: for start-up. What it finds it makes durable first.
    pub fn open(options: &SledOptions) -> Result<Self, OpenError> {
        let dir = || options.dir.clone();
        let db = open_db(options)?;
        remove_leftover(&options.dir).map_err(|source| OpenError::Files { dir: dir(), source })?;
        let store = |source| OpenError::Store { dir: dir(), source };
        let counters = match Counters::read(&db).map_err(store)? {
            Some(counters) => counters,
            None if db.is_empty() => Counters::new(),
            None => return Err(OpenError::Foreign { dir: dir() }),
        };
        let mut disk = Disk::open(&options.dir).map_err(|source| OpenError::Files { dir: dir(), source })?;
        disk.flush(&db).map_err(store)?;
        let head = match read::get(&db, &Key::LogHead(())).map_err(store)?.map(|found| found.value) {
            Some(Record::LogHead(head)) => Some(head),
            _ => None,
        };
        let mark = open_mark(options, &counters, head.as_ref())?;

        let (queue, requests) = Queue::new(options.queue_changesets_max);
        let shared = Arc::new(Shared {
            db,
            log_size: watch::Sender::new(counters.log_size),
            audit_size: AtomicU64::new(counters.audit_size),
            mark: Mutex::new(mark.mark().clone()),
            failure: Failure::new(),
            meters: options.meters.clone(),
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            counters,
            disk,
            mark,
            pasts: Pasts::new(options.kept_bytes_max),
            requests,
            group_changesets_max: options.group_changesets_max.max(1),
            disk_free_bytes_min: options.disk_free_bytes_min,
        };
        let writer = thread::Builder::new().name("store-writer".to_owned()).spawn(|| writer.run());
        let writer = writer.map_err(|source| OpenError::Files { dir: dir(), source })?;
        Ok(Self { shared, queue: Some(queue), writer: Some(writer) })
    }
}

pub(super) fn open_db(options: &SledOptions) -> Result<sled::Db, OpenError> {
    // Flushing is the writer's; a timer would only flush what it has not answered.
    let config = sled::Config::new()
        .path(&options.dir)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(None)
        .use_compression(false);
    waiting_for_lock(options, || match config.open() {
        Ok(db) => Ok(Some(db)),
        Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => Ok(None),
        Err(source) => Err(OpenError::Sled { dir: options.dir.clone(), source }),
    })
}

/// Keeps everybody from a database that is closed, by the lock that sled takes:
/// who has it knows that no thread of sled's is at its files any more.
pub(super) fn lock_db(options: &SledOptions) -> Result<File, OpenError> {
    let files = |source| OpenError::Files { dir: options.dir.clone(), source };
    waiting_for_lock(options, || {
        let file = File::open(options.dir.join("db")).map_err(files)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(files(source)),
        }
    })
}

/// Tries until it is `Some`, for as long as the options say.
fn waiting_for_lock<T>(
    options: &SledOptions,
    mut attempt: impl FnMut() -> Result<Option<T>, OpenError>,
) -> Result<T, OpenError> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(got) = attempt()? {
            return Ok(got);
        }
        if waited >= options.lock_wait {
            return Err(OpenError::InUse { dir: options.dir.clone() });
        }
        thread::sleep(LOCK_LOOK);
        waited += LOCK_LOOK;
    }
}

fn open_mark(
    options: &SledOptions,
    counters: &Counters,
    head: Option<&LogHead>,
) -> Result<MarkFile, OpenError> {
    let path = || options.mark_path.clone();
    let io = |source| OpenError::Mark { path: path(), source };
    let now = mark_of(counters, head);
    let create = || MarkFile::create(&options.mark_path, now.clone()).map_err(io);
    if options.adopt {
        return create();
    }
    if options.refill {
        return MarkFile::refill(&options.mark_path, now).map_err(io);
    }
    let none =
        |what| OpenError::NoMark { dir: options.dir.clone(), path: path(), commit: counters.commit, what };
    match MarkFile::open(&options.mark_path).map_err(io)? {
        Found::Missing if counters.commit == 0 => {
            let mut mark = create()?;
            mark.advance(now).map_err(io)?;
            Ok(mark)
        }
        Found::Missing => Err(none("missing")),
        Found::Damaged => Err(none("damaged")),
        Found::Whole(mut mark) => match missing(counters, head, mark.mark()) {
            Some(missing) => Err(OpenError::Behind { dir: options.dir.clone(), path: path(), missing }),
            None => {
                // What the last crash left ahead of the mark is durable by now.
                mark.advance(now).map_err(io)?;
                Ok(mark)
            }
        },
    }
}

pub fn mark_of(counters: &Counters, head: Option<&LogHead>) -> Mark {
    let Counters { commit, log_size, audit_size, audit_hash: _ } = *counters;
    Mark { commit, log_size, audit_size, checkpoint: head.map(Checkpoint::of) }
}

/// What the database should have and has not.
fn missing(counters: &Counters, head: Option<&LogHead>, mark: &Mark) -> Option<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, has: u64, had: u64| {
        if has < had {
            lines.push(format!("only {has} of {had} {what}"));
        }
    };
    compare("commits", counters.commit, mark.commit);
    compare("log entries", counters.log_size, mark.log_size);
    compare("audit lines", counters.audit_size, mark.audit_size);
    if let Some(checkpoint) = &mark.checkpoint {
        let signed = head.map_or(0, |head| head.size);
        compare("log entries under a signed checkpoint", signed.min(counters.log_size), checkpoint.size);
        if head.is_some_and(|head| head.size == checkpoint.size && head.root != checkpoint.root) {
            lines.push("another root under the newest signed checkpoint".to_owned());
        }
    }
    (!lines.is_empty()).then(|| lines.join(", "))
}
