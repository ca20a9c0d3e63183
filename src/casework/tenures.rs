//! Operators' lines in bulk: staged, then applied in chunks, each chunk one
//! commit that also says how far it came. What follows from a line is in its
//! commit: a release corrects the number's old labels before anybody asks, the
//! end of a tenure takes a shown name down, and a new tenure closes what the
//! former holder left open.
//!
//! A chunk holds one entry for a number at most, for an entry has to name the
//! one before it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::casework::staging::Staged;
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::correction::{Effect, EntryReason, Ground};
use crate::domain::dispute::{Actor, What};
use crate::domain::evidence::Assurance;
use crate::domain::id::{BatchId, OperatorId};
use crate::domain::label::Label;
use crate::domain::lines::{LineError, TenureSaid};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::refusal::Refusal;
use crate::domain::tenure::{Insert, TenureEvent, TenureLine};
use crate::store::{Batch, BatchState, Changeset, OperatorState, Tally, Task, TaskKind, Versioned};

const LINES_PER_CHUNK_MAX: usize = 100;
/// A chunk ends where its changeset would come near the store's limit.
const CHANGES_PER_CHUNK_MAX: usize = 150;
const ERRORS_TOLD_MAX: usize = 100;
const ROLLING_HOURS: i64 = 24;
/// A chunk in the making.
struct Chunk {
    changeset: Changeset,
    files: BTreeMap<Number, Versioned<NumberFile>>,
    changed: BTreeSet<Number>,
    published: BTreeMap<Number, EntryReason>,
    tally: Tally,
    held: Vec<Staged<TenureSaid>>,
    releases: u64,
    releases_left: u64,
    batch: BatchId,
    operator: OperatorId,
}

impl Casework {
    /// Applies what is staged, from where the last commit came to.
    pub(super) async fn apply(&self, id: BatchId) -> Result<Tally> {
        loop {
            match self.apply_chunk(id).await {
                Ok(Some(tally)) => return Ok(tally),
                Ok(None) | Err(Error::Stale) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The worker's part: an upload whose request ended early.
    pub(super) async fn go_on_applying(&self, task: &Versioned<Task>, id: BatchId) -> Result<()> {
        self.apply(id).await?;
        self.finish(task).await
    }

    pub(super) async fn batch(&self, id: BatchId) -> Result<Versioned<Batch>> {
        Ok(self.store().load::<Batch>(&id).await?.ok_or(Refusal::NotFound)?)
    }

    async fn apply_chunk(&self, id: BatchId) -> Result<Option<Tally>> {
        let mut batch = self.batch(id).await?;
        let releasing = match batch.value.state {
            BatchState::Applying => false,
            BatchState::Releasing => true,
            BatchState::Held | BatchState::Done | BatchState::Discarded => {
                return Ok(Some(batch.value.tally));
            }
        };
        let name = id.to_string();
        let from = batch.value.applied_bytes;
        let lines =
            self.parts.staging.read::<TenureSaid>(&name, releasing, from, LINES_PER_CHUNK_MAX).await?;
        if lines.is_empty() {
            return self.finish_batch(batch, releasing).await.map(Some);
        }
        let mut operator = self.operator_state(&batch.value.operator).await?;
        let mut chunk = self.new_chunk(&batch.value, &operator.value, releasing).await?;
        for (staged, end) in lines {
            if let Ok(said) = &staged.said
                && chunk.is_full_for(said.number)
            {
                break;
            }
            self.apply_line(&mut chunk, staged).await?;
            batch.value.applied_bytes = end;
        }
        if !chunk.held.is_empty() {
            self.parts.staging.hold(&name, &chunk.held).await?;
        }
        self.publish(&mut chunk).await?;
        let Chunk { mut changeset, tally, releases, .. } = chunk;
        if releases > 0 {
            operator.value.releases.push((self.now(), releases));
            changeset.put(operator);
        }
        batch.value.tally = tally;
        changeset.put(batch);
        self.commit(changeset).await?;
        Ok(None)
    }

    async fn new_chunk(&self, batch: &Batch, operator: &OperatorState, releasing: bool) -> Result<Chunk> {
        let most = self.parts.settings.releases_per_operator_per_day;
        // Entries stand for corrections in force: most numbers have one.
        let in_force = *self.store().log_size().borrow();
        let used: u64 = operator.releases.iter().map(|(_, count)| count).sum();
        let releases_left =
            if releasing || most == 0 { u64::MAX } else { most.max(in_force / 100).saturating_sub(used) };
        Ok(Chunk {
            changeset: Changeset::default(),
            files: BTreeMap::new(),
            changed: BTreeSet::new(),
            published: BTreeMap::new(),
            tally: batch.tally.clone(),
            held: Vec::new(),
            releases: 0,
            releases_left,
            batch: batch.id,
            operator: batch.operator.clone(),
        })
    }

    async fn apply_line(&self, chunk: &mut Chunk, staged: Staged<TenureSaid>) -> Result<()> {
        let said = match staged.said {
            Ok(said) => said,
            Err(error) => {
                chunk.tally.reject(staged.line, error);
                chunk.tally.lines += 1;
                return Ok(());
            }
        };
        let number = said.number;
        let known = match chunk.files.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.number_file(number).await?),
        };
        let mut file = known.value.clone();
        let line = TenureLine {
            event: said.event,
            on: said.on,
            by: chunk.operator.clone(),
            received_at: self.now(),
        };
        let home = self.reference().numbering.home_operator(number);
        match file.ledger.insert(line, self.today(number), home) {
            Err(error) => chunk.tally.reject(staged.line, error),
            Ok(Insert::Unchanged) => chunk.tally.unchanged += 1,
            Ok(Insert::Added) => {
                let released = self.released(&file, None).await?;
                if released.is_some() && chunk.releases >= chunk.releases_left {
                    chunk.tally.held += 1;
                    chunk.held.push(Staged { line: staged.line, said: Ok(said) });
                    return Ok(());
                }
                chunk.tally.accepted += 1;
                self.follow_line(chunk, &mut file, said, released).await?;
                let known = chunk.files.get_mut(&number).expect("the number's file was loaded above");
                known.value = file;
                chunk.changed.insert(number);
            }
        }
        chunk.tally.lines += 1;
        Ok(())
    }

    async fn follow_line(
        &self,
        chunk: &mut Chunk,
        file: &mut NumberFile,
        said: TenureSaid,
        released: Option<Effect>,
    ) -> Result<()> {
        let ground = Ground::Batch { id: chunk.batch };
        let (number, now) = (said.number, self.now());
        // A port in tells nothing of who holds the number.
        if said.event != TenureEvent::PortedIn
            && let Some(cleared) = file.name_ended(said.on, |at| self.day_of(number, at))
        {
            file.decide(cleared, Assurance::Operator, ground.clone(), now);
            chunk.published.insert(number, EntryReason::TenureEnded);
        }
        if let Some(released) = released {
            file.decide(released, Assurance::Operator, ground, now);
            chunk.published.insert(number, EntryReason::Released);
            chunk.releases += 1;
        }
        if said.event.begins() {
            self.close_former(&mut chunk.changeset, file).await?;
        }
        Ok(())
    }

    /// Withdraws what was filed before the present tenure began.
    async fn close_former(&self, changeset: &mut Changeset, file: &NumberFile) -> Result<()> {
        let Some(began_on) = file.ledger.began_on() else {
            return Ok(());
        };
        for dispute in self.disputes_of(file.number).await? {
            let former = self.day_of(file.number, dispute.filed_at) < began_on && dispute.status().is_open();
            let already =
                changeset.puts.iter().any(|put| put.record.key() == crate::store::Key::Dispute(dispute.id));
            if former && !already {
                let dispute = self.dispute(dispute.id).await?;
                let withdrawn = vec![What::Withdrawn { by_new_tenure: true }];
                let file = Versioned::new(file.clone());
                self.follow(changeset, dispute, file, Actor::Rule, withdrawn).await?;
            }
        }
        Ok(())
    }

    /// What the ledger's proof of a new tenure takes away: nothing, where no
    /// label and no correction is from before (unless all releases are wanted).
    pub(super) async fn released(
        &self,
        file: &NumberFile,
        arriving: Option<&Label>,
    ) -> Result<Option<Effect>> {
        let Some(effect @ Effect::VoidBefore { day }) = file.released(self.rest_days(file.number)) else {
            return Ok(None);
        };
        let from_before = |label: &Label| label.first_marked_on.is_none_or(|first| first < day);
        let wanted = self.parts.settings.publish_all_releases
            || file.in_force().is_some()
            || arriving.is_some_and(from_before)
            || self.labels_of(file.number).await?.iter().any(from_before);
        Ok(wanted.then_some(effect))
    }

    async fn publish(&self, chunk: &mut Chunk) -> Result<()> {
        let now = self.now();
        for (number, reason) in &chunk.published {
            let entry = self.entry(&chunk.files[number].value, *reason, now).await?;
            chunk.changeset.entries.push(entry);
        }
        chunk.tally.corrections += chunk.published.len() as u64;
        for number in &chunk.changed {
            chunk.changeset.put(chunk.files[number].clone());
        }
        Ok(())
    }

    async fn finish_batch(&self, mut batch: Versioned<Batch>, releasing: bool) -> Result<Tally> {
        let now = self.now();
        let held = !releasing && batch.value.tally.held > 0;
        batch.value.state = if held { BatchState::Held } else { BatchState::Done };
        batch.value.applied_bytes = 0;
        let (id, tally) = (batch.value.id, batch.value.tally.clone());
        let mut operator = self.operator_state(&batch.value.operator).await?;
        operator.value.last_batch_at = Some(now);
        let mut changeset = Changeset::default();
        changeset.audit.push(audit(
            now,
            format!("operator:{}", batch.value.operator),
            "batch_applied",
            format!("batch:{id}"),
        ));
        changeset.put(operator);
        changeset.put(batch);
        if let Some(task) = self.store().load::<Task>(&TaskKind::Apply(id)).await? {
            changeset.delete(&task);
        }
        self.commit(changeset).await?;
        self.parts.staging.remove(&id.to_string(), releasing).await?;
        Ok(tally)
    }

    async fn operator_state(&self, operator: &OperatorId) -> Result<Versioned<OperatorState>> {
        let found = self.store().load::<OperatorState>(operator).await?;
        let mut state = found.unwrap_or_else(|| {
            let operator = operator.clone();
            Versioned::new(OperatorState { operator, last_batch_at: None, releases: Vec::new() })
        });
        let rolling = SignedDuration::from_hours(ROLLING_HOURS);
        let now = self.now();
        state.value.releases.retain(|(at, _)| now.duration_since(*at) < rolling);
        merge_same_hour(&mut state.value.releases);
        Ok(state)
    }
}

/// Keeps the counts few: one for an hour, at the later end of it.
fn merge_same_hour(releases: &mut Vec<(Timestamp, u64)>) {
    releases.dedup_by(|next, kept| {
        let same = next.0.as_second() / 3_600 == kept.0.as_second() / 3_600;
        if same {
            *kept = (next.0, kept.1 + next.1);
        }
        same
    });
}

impl Chunk {
    fn is_full_for(&self, number: Number) -> bool {
        let changes = self.changeset.puts.len() + self.changeset.deletes.len() + self.changed.len();
        self.published.contains_key(&number) || changes >= CHANGES_PER_CHUNK_MAX
    }
}

impl Tally {
    pub(super) fn reject(&mut self, line: u64, error: LineError) {
        self.rejected += 1;
        if self.errors.len() < ERRORS_TOLD_MAX {
            self.errors.push((line, error.code().to_owned()));
        }
    }
}
