//! The worker: runs tasks that are due. A crash leaves a task where it was,
//! and it is found again; nothing waits in memory only.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::casework::lanes::{Entry, Lanes};
use crate::casework::ports::Unavailable;
use crate::casework::{Casework, Error, Result};
use crate::domain::day::later;
use crate::env::correlation;
use crate::store::{Changeset, Listing, Task, TaskKind, Versioned};

const TASKS_PER_PAGE: usize = 256;
/// How many are looked at for those whose lane is not full.
const PAGES_PER_LOOK_MAX: usize = 16;
/// How often to look for tasks whose time has come.
const LOOK_EVERY_MS: u64 = 500;
const BACK_OFF_S_MAX: i64 = 3_600;
const PURGE_EVERY_MINUTES: i64 = 10;
const COUNT_EVERY_S: i64 = 60;
/// Of so many parts of the time at most one is spent on counting a long queue.
const COUNT_SHARE: i32 = 50;
/// A task whose instance died is another's after that; none takes longer.
const CLAIMED_S: i64 = 30;
/// While a store is away, how often one tries to say that a message is sent,
/// and the pause between: all within `CLAIMED_S`.
const SAYINGS_MAX: u32 = 50;
const SAY_AGAIN_MS: u64 = 500;

impl Casework {
    /// Runs until told to stop, or until the store fails. Figures may take long
    /// to count, after a log has grown by much: no task waits for them.
    pub async fn work(&self, stop: &CancellationToken) -> Result<()> {
        tokio::select! {
            ended = self.run_tasks(stop) => ended,
            failed = self.keep_counting() => failed,
        }
    }

    /// Until the store fails.
    async fn keep_counting(&self) -> Result<()> {
        let (mut count_from, mut queue_from) = (self.now(), self.now());
        loop {
            if queue_from <= self.now() {
                queue_from = self.count_waiting().await?;
            }
            if count_from <= self.now() && !self.count_figures().await.or_else(passing)? {
                count_from = later(self.now(), SignedDuration::from_secs(COUNT_EVERY_S));
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    }

    /// Counts what waits for moderators, for who watches the service. Returns
    /// when to do it again: the longer it takes, the later.
    pub async fn count_waiting(&self) -> Result<Timestamp> {
        let began = self.now();
        match self.count_queue().await {
            Ok(queue) => self.meters.waiting(&queue),
            Err(error) => drop(passing(error)?),
        }
        let took = self.now().duration_since(began);
        let pause = took.saturating_mul(COUNT_SHARE).max(SignedDuration::from_secs(COUNT_EVERY_S));
        Ok(later(self.now(), pause))
    }

    async fn run_tasks(&self, stop: &CancellationToken) -> Result<()> {
        let lanes = Lanes::new();
        let failed = CancellationToken::new();
        let mut purge_from = self.now();
        loop {
            let is_purge_due = purge_from <= self.now();
            let is_behind = is_purge_due && self.purge().await.or_else(passing)?;
            if is_purge_due && !is_behind {
                self.sweep_old_documents().await.or_else(|error| passing(error).map(drop))?;
                self.sweep_old_uploads().await.or_else(|error| passing(error).map(drop))?;
                purge_from = later(self.now(), SignedDuration::from_mins(PURGE_EVERY_MINUTES));
            }
            // A store that is away is looked at again soon.
            self.begin_due(&lanes, stop, &failed).await.or_else(|error| passing(error).map(drop))?;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = failed.cancelled() => return Err(Error::Fatal("a task met a failed store".into())),
                () = self.work.notified() => {}
                // After a long time off much is overdue, and none of it waits for the next look.
                () = std::future::ready(()), if is_behind => {}
                () = tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)) => {}
            }
        }
    }

    /// Everything that is due enters its lane, as long as there is room.
    async fn begin_due(
        &self,
        lanes: &Lanes,
        stop: &CancellationToken,
        failed: &CancellationToken,
    ) -> Result<()> {
        let listing = Listing::TasksDue { until: self.now() };
        let mut after = None;
        for _ in 0..PAGES_PER_LOOK_MAX {
            let (due, next) = self.store().page::<Task>(&listing, after.as_ref(), TASKS_PER_PAGE).await?;
            for task in due {
                if let Entry::In(ticket) = lanes.enter(&task.value.kind) {
                    let (this, stop, failed) = (self.clone(), stop.clone(), failed.clone());
                    tokio::spawn(async move {
                        let _place = ticket.place().await;
                        if !stop.is_cancelled() && this.run_claimed(task).await.is_err() {
                            failed.cancel();
                        }
                        drop(ticket);
                    });
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Runs everything that is due now, to the end, one after the other.
    pub async fn work_off(&self) -> Result<()> {
        loop {
            let due = self.due_tasks().await?;
            if due.is_empty() {
                return Ok(());
            }
            for task in &due {
                self.run_claimed(task.clone()).await?;
            }
        }
    }

    /// Runs a task for the request that it follows from.
    async fn run_claimed(&self, task: Versioned<Task>) -> Result<()> {
        let (kind, request_id) = (task.value.kind.as_str(), task.value.request_id);
        let span =
            tracing::info_span!("task", task = kind, request_id = request_id.map(tracing::field::display));
        correlation::with(request_id, self.claim_and_run(task)).instrument(span).await
    }

    /// Where there are others, takes the task from their sight first: who dies
    /// with it leaves it to them, `CLAIMED_S` later.
    async fn claim_and_run(&self, mut task: Versioned<Task>) -> Result<()> {
        if self.has_others {
            task.value.run_at = later(self.now(), SignedDuration::from_secs(CLAIMED_S));
            let claimed = match self.replace(task.clone()).await {
                Ok(()) => self.store().load::<Task>(&task.value.kind).await.map_err(Error::from),
                Err(error) => Err(error),
            };
            task = match claimed {
                Ok(Some(claimed)) if claimed.value == task.value => claimed,
                Err(Error::Fatal(why)) => return Err(Error::Fatal(why)),
                // Another was faster, or the store is away.
                _ => return Ok(()),
            };
        }
        self.run(&task).await
    }

    async fn due_tasks(&self) -> Result<Vec<Versioned<Task>>> {
        let listing = Listing::TasksDue { until: self.now() };
        Ok(self.store().page(&listing, None, TASKS_PER_PAGE).await?.0)
    }

    /// Errors are fatal ones only; anything else puts the task off.
    async fn run(&self, task: &Versioned<Task>) -> Result<()> {
        let began = self.now();
        let outcome = match &task.value.kind {
            TaskKind::Check(dispute) => self.check(task, *dispute).await,
            TaskKind::SendCode(verification) => self.send_code(task, *verification).await,
            TaskKind::Notify(dispute) => self.notify(task, *dispute).await,
            TaskKind::Lapse { dispute, .. } => self.lapse(task, *dispute).await,
            TaskKind::RenewName(number) => self.renew_name(task, *number).await,
            TaskKind::Probe { dispute, provider } => self.probe(task, *dispute, provider).await,
            TaskKind::PurgeDocuments(dispute) => self.purge_documents(task, *dispute).await,
            TaskKind::Apply(batch) => self.go_on_applying(task, *batch).await,
            TaskKind::File(filing) => self.make_disputes(task, *filing).await,
            TaskKind::TellFiling { filing, news } => self.tell_contact(task, *filing, *news).await,
        };
        let outcome_is = self.meters.task(&task.value, &outcome);
        tracing::info!(outcome = outcome_is, duration_ms = self.ms_since(began), "task ended");
        match outcome {
            Ok(()) | Err(Error::Stale) => Ok(()),
            Err(Error::Fatal(why)) => {
                tracing::error!(%why, "task met a fatal error");
                Err(Error::Fatal(why))
            }
            Err(error) => {
                tracing::warn!(%error, attempts = task.value.attempts, "task put off");
                let unavailable = Unavailable { why: error.to_string(), retry_after_s: None, alarm: false };
                match self.postpone(task, &unavailable).await {
                    Err(Error::Fatal(why)) => Err(Error::Fatal(why)),
                    _ => Ok(()),
                }
            }
        }
    }

    pub(super) async fn finish(&self, task: &Versioned<Task>) -> Result<()> {
        let mut changeset = Changeset::default();
        changeset.delete(task);
        self.commit(changeset).await
    }

    /// Ends a task whose message has left the house. A store that is away for
    /// the moment is told when it is back: else the message would be sent again.
    pub(super) async fn finish_sent(&self, changeset: Changeset) -> Result<()> {
        for _ in 0..SAYINGS_MAX {
            match self.commit(changeset.clone()).await {
                Err(Error::Busy(_)) => tokio::time::sleep(Duration::from_millis(SAY_AGAIN_MS)).await,
                done => return done,
            }
        }
        self.commit(changeset).await
    }

    /// Back-off: a second, then twice as long each time, up to an hour, or
    /// what the other side asked for.
    pub(super) async fn postpone(&self, task: &Versioned<Task>, why: &Unavailable) -> Result<()> {
        let pause_s = back_off_s(task.value.attempts);
        let pause_s = pause_s.max(why.retry_after_s.unwrap_or(0).min(BACK_OFF_S_MAX as u64) as i64);
        let run_at = later(self.now(), SignedDuration::from_secs(pause_s));
        let mut later = task.clone();
        later.value.attempts = later.value.attempts.saturating_add(1);
        later.value.run_at = run_at;
        self.replace(later).await
    }

    pub(super) async fn put_off(&self, task: &Versioned<Task>, run_at: Timestamp) -> Result<()> {
        let mut later = task.clone();
        later.value.run_at = run_at;
        later.value.attempts = 0;
        self.replace(later).await
    }

    async fn replace(&self, task: Versioned<Task>) -> Result<()> {
        let mut changeset = Changeset::default();
        changeset.put(task);
        self.commit(changeset).await
    }
}

/// What follows from the work at hand.
pub(super) fn new_task(kind: TaskKind, run_at: Timestamp) -> Task {
    Task { kind, run_at, attempts: 0, request_id: correlation::current() }
}

/// Only a fatal error ends the worker; what was not done is done next time.
fn passing(error: Error) -> Result<bool> {
    match error {
        Error::Fatal(_) => Err(error),
        _ => Ok(false),
    }
}

fn back_off_s(attempts: u32) -> i64 {
    1i64.checked_shl(attempts.min(12)).unwrap_or(BACK_OFF_S_MAX).min(BACK_OFF_S_MAX)
}

/// How long a task with so many attempts has been put off in all, at least.
pub(super) fn waited_s(attempts: u32) -> i64 {
    (0..attempts).map(back_off_s).sum()
}
