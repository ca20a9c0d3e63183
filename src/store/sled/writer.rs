//! The one thread that writes. See the room's doc for what a crash at each of
//! its steps leaves.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, oneshot};

use crate::store::embedded::Lookup;
use crate::store::embedded::past::Pasts;
use crate::store::embedded::plan::{Counters, Plan, Writes, plan};
use crate::store::embedded::walk::Walk;
use crate::store::mark::MarkFile;
use crate::store::queue::{Answer, Commit};
use crate::store::sled::disk::Disk;
use crate::store::sled::open::mark_of;
use crate::store::sled::{Shared, unwell};
use crate::store::{LogHead, StoreError};

/// A batch is applied once it has so many, be the group at its end or not.
const WRITES_PER_BATCH: usize = 4_096;

#[derive(Debug)]
pub enum Request {
    Commit(Commit),
    /// Of everything, as of the group that this is in.
    Everything(oneshot::Sender<Result<Walk, StoreError>>),
}

/// Changesets that will be applied as one. A key that several of them write is
/// written once.
struct Planned {
    counters: Counters,
    writes: Writes,
}

/// The database as it will be.
struct Ahead<'a> {
    db: &'a sled::Db,
    writes: &'a Writes,
}

impl Lookup for Ahead<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => Lookup::get(self.db, key),
        }
    }
}

pub struct Writer {
    pub shared: Arc<Shared>,
    pub counters: Counters,
    pub disk: Disk,
    pub mark: MarkFile,
    pub pasts: Pasts,
    pub requests: mpsc::Receiver<Request>,
    pub group_changesets_max: usize,
    pub disk_free_bytes_min: u64,
}

impl Writer {
    /// Until the store is dropped and the queue is empty.
    pub fn run(mut self) {
        let mut group = Vec::new();
        while self.requests.blocking_recv_many(&mut group, self.group_changesets_max) > 0 {
            let (mut commits, mut readers) = (Vec::new(), Vec::new());
            for request in group.drain(..) {
                match request {
                    Request::Commit(commit) => commits.push(commit),
                    Request::Everything(reply) => readers.push(reply),
                }
            }
            let answers = self.write(&commits);
            answers.iter().for_each(|answer| self.shared.meters.answered(answer));
            // Where nobody is there any more, nobody needs the answer.
            for (commit, answer) in commits.into_iter().zip(answers) {
                let _ = commit.reply.send(answer);
            }
            // What was applied is durable by now.
            for reply in readers {
                let _ = reply.send(self.everything());
            }
        }
    }

    fn everything(&mut self) -> Result<Walk, StoreError> {
        self.shared.failure.check()?;
        Ok(Walk::new(self.pasts.open()?, &self.counters))
    }

    /// One answer for each request, all of them durable.
    fn write(&mut self, group: &[Commit]) -> Vec<Answer> {
        let written = self.shared.failure.check().and_then(|()| self.try_write(group));
        written.unwrap_or_else(|error| {
            let fatal = self.shared.failure.note(error);
            group.iter().map(|_| Err(fatal.clone())).collect()
        })
    }

    /// `Err` is for the whole group: what has become of it is not known.
    fn try_write(&mut self, group: &[Commit]) -> Result<Vec<Answer>, StoreError> {
        let free_bytes = self.disk.free_bytes()?;
        self.shared.meters.disk(free_bytes, self.disk_free_bytes_min);
        if free_bytes < self.disk_free_bytes_min {
            let full = StoreError::Busy("the disk is nearly full");
            return Ok(group.iter().map(|_| Err(full.clone())).collect());
        }
        let commit = self.counters.commit;
        let mut head = None;
        let mut answers = Vec::with_capacity(group.len());
        let mut planned = Planned { counters: self.counters.clone(), writes: Writes::new() };
        for request in group {
            let ahead = Ahead { db: &self.shared.db, writes: &planned.writes };
            match plan(&ahead, &planned.counters, &request.changeset) {
                Ok(Plan { writes, counters, receipt }) => {
                    planned.writes.extend(writes);
                    planned.counters = counters;
                    answers.push(Ok(receipt));
                    head = request.changeset.log_head().or(head);
                }
                Err(StoreError::Fatal(why)) => return Err(StoreError::Fatal(why)),
                Err(no) => answers.push(Err(no)),
            }
            if planned.writes.len() >= WRITES_PER_BATCH {
                self.apply(&mut planned)?;
            }
        }
        self.apply(&mut planned)?;
        // All that came before this group is durable already.
        if self.counters.commit != commit {
            let began = self.shared.meters.now();
            self.disk.flush(&self.shared.db)?;
            self.advance_mark(head)?;
            self.shared.meters.flushed(began, group.len());
            self.publish();
        }
        Ok(answers)
    }

    /// `head` where it has moved.
    fn advance_mark(&mut self, head: Option<&LogHead>) -> Result<(), StoreError> {
        let mut mark = mark_of(&self.counters, head);
        mark.checkpoint = mark.checkpoint.or_else(|| self.mark.mark().checkpoint.clone());
        let advanced = self.mark.advance(mark);
        advanced
            .map_err(|error| StoreError::Fatal(format!("the high-water mark cannot be written: {error}")))?;
        self.shared.mark().clone_from(self.mark.mark());
        Ok(())
    }

    fn apply(&mut self, planned: &mut Planned) -> Result<(), StoreError> {
        let writes = std::mem::take(&mut planned.writes);
        if !writes.is_empty() {
            self.pasts.keep(&self.shared.db, &writes)?;
            let mut batch = sled::Batch::default();
            for (key, value) in writes {
                match value {
                    Some(value) => batch.insert(key, value),
                    None => batch.remove(key),
                }
            }
            self.shared.db.apply_batch(batch).map_err(unwell)?;
            self.counters = planned.counters.clone();
        }
        Ok(())
    }

    fn publish(&self) {
        self.shared.audit_size.store(self.counters.audit_size, Ordering::Release);
        let size = self.counters.log_size;
        self.shared.log_size.send_if_modified(|known| std::mem::replace(known, size) != size);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.shared.failure.fail("the writer panicked".to_owned());
        }
    }
}
