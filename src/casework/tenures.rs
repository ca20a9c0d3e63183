//! Operators' lines in bulk: staged in the order of their numbers, then applied
//! in chunks, each chunk one commit that also says how far it came. A number is
//! decided on all lines that the upload has of it. What follows is in the same
//! commit: a release corrects the number's old labels before anybody asks, the
//! end of a tenure takes a shown name down, and a new tenure closes what the
//! former holder left open.
//!
//! A label that a provider uploads at the same moment may be committed after
//! the release looked for labels. So each chunk first looks once more at the
//! numbers of the chunk before it.

use std::collections::BTreeSet;

use crate::casework::staging::{Staged, StagedLines};
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::correction::{Effect, EntryReason, Ground};
use crate::domain::dispute::Actor;
use crate::domain::evidence::Assurance;
use crate::domain::id::{BatchId, OperatorId};
use crate::domain::label::Label;
use crate::domain::lines::{LineError, TenureSaid};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::refusal::Refusal;
use crate::domain::tenure::{Insert, TenureEvent, TenureLine};
use crate::store::{Batch, BatchState, Changeset, Tally, Task, TaskKind, Versioned};

const LINES_PER_CHUNK_MAX: usize = 240;
/// A chunk ends where its changeset would come near the store's limit.
const CHANGES_PER_CHUNK_MAX: usize = 180;
/// Of one number in one upload; more of them are decided in two steps.
const LINES_PER_NUMBER_MAX: usize = 64;
const ERRORS_TOLD_MAX: usize = 100;

/// A chunk in the making.
struct Chunk {
    changeset: Changeset,
    numbers: BTreeSet<Number>,
    tally: Tally,
    held: Vec<Staged<TenureSaid>>,
    releases: u64,
    releases_left: u64,
    batch: BatchId,
    operator: OperatorId,
}

/// All lines of one number, and the offset behind them.
type Group = (Vec<Staged<TenureSaid>>, u64);

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
                return Ok(Some(batch.value.answer.unwrap_or(batch.value.tally)));
            }
        };
        let mut operator = self.operator_state(&batch.value.operator).await?;
        let mut chunk = Chunk {
            changeset: Changeset::default(),
            numbers: BTreeSet::new(),
            tally: batch.value.tally.clone(),
            held: Vec::new(),
            releases: 0,
            releases_left: if releasing { u64::MAX } else { self.releases_left(&operator.value) },
            batch: batch.value.id,
            operator: batch.value.operator.clone(),
        };
        let at_end = batch.value.looked_bytes == batch.value.applied_bytes;
        self.look_again(&mut chunk, &batch.value, releasing).await?;
        let applied_bytes = self.apply_groups(&mut chunk, &batch.value, releasing).await?;
        if at_end && applied_bytes == batch.value.applied_bytes {
            return self.finish_batch(batch, releasing).await.map(Some);
        }
        if !chunk.held.is_empty() {
            self.parts.staging.hold(&id.to_string(), &chunk.held).await?;
        }
        batch.value.looked_bytes = batch.value.applied_bytes;
        batch.value.applied_bytes = applied_bytes;
        let Chunk { mut changeset, tally, releases, .. } = chunk;
        if releases > 0 {
            operator.value.releases.push((self.now(), releases));
            changeset.put(operator);
        }
        batch.value.tally = tally;
        changeset.put(batch);
        self.go_on_having(&mut changeset, id).await?;
        self.commit(changeset).await?;
        Ok(None)
    }

    /// Applies groups from where the batch came to. Returns where it comes to.
    async fn apply_groups(&self, chunk: &mut Chunk, batch: &Batch, releasing: bool) -> Result<u64> {
        let mut applied_bytes = batch.applied_bytes;
        let mut lines = self.parts.staging.read(&batch.id.to_string(), releasing, applied_bytes).await?;
        let mut left_over = None;
        let mut count = 0;
        while count < LINES_PER_CHUNK_MAX && chunk.changes() < CHANGES_PER_CHUNK_MAX {
            let Some((group, end)) = next_group(&mut lines, &mut left_over).await? else { break };
            // A record is changed once in a commit.
            if !chunk.numbers.insert(group[0].said.number) {
                break;
            }
            count += group.len();
            applied_bytes = end;
            self.apply_group(chunk, group).await?;
        }
        Ok(applied_bytes)
    }

    /// Corrects what the chunk before could not see.
    async fn look_again(&self, chunk: &mut Chunk, batch: &Batch, releasing: bool) -> Result<()> {
        let mut lines = self.parts.staging.read(&batch.id.to_string(), releasing, batch.looked_bytes).await?;
        let mut offset = batch.looked_bytes;
        let mut left_over = None;
        while offset < batch.applied_bytes {
            let Some((group, end)) = next_group(&mut lines, &mut left_over).await? else { break };
            offset = end;
            let number = group[0].said.number;
            let mut file = self.number_file(number).await?;
            if let Some(released) = self.released(&file.value, None).await? {
                let ground = Ground::Batch { id: chunk.batch };
                file.value.decide(released, Assurance::Operator, ground, self.now());
                chunk.numbers.insert(number);
                self.publish(chunk, file, EntryReason::Released).await?;
            }
        }
        Ok(())
    }

    async fn apply_group(&self, chunk: &mut Chunk, group: Vec<Staged<TenureSaid>>) -> Result<()> {
        let number = group[0].said.number;
        let known = self.number_file(number).await?;
        let mut file = known.clone();
        let told: Vec<_> = group
            .iter()
            .map(|staged| self.insert_line(&chunk.operator, &mut file.value, staged.said))
            .collect();
        let mut released = self.released(&file.value, None).await?;
        let mut news = Vec::new();
        let mut held_from = None;
        if let Some(Effect::VoidBefore { day }) = &released
            && chunk.releases >= chunk.releases_left
        {
            // What is held is not evidence: it does not get into the file.
            held_from = Some((*day, TenureEvent::Activated));
            file = known.clone();
            released = None;
        }
        for (staged, told) in group.into_iter().zip(told) {
            let TenureSaid { on, event, .. } = staged.said;
            let is_held = held_from.is_some_and(|from| (on, event) >= from);
            match told {
                Ok(Insert::Unchanged) => chunk.tally.unchanged += 1,
                Ok(Insert::Added) if is_held => {
                    chunk.tally.held += 1;
                    chunk.held.push(staged);
                }
                told => {
                    if held_from.is_some() {
                        // As a moment ago, and its day's order has not changed.
                        let _ = self.insert_line(&chunk.operator, &mut file.value, staged.said);
                    }
                    match told {
                        Ok(_) => chunk.tally.accepted += 1,
                        Err(error) => chunk.tally.reject(staged.line, error),
                    }
                    // Two that contradict each other are both to be known.
                    if matches!(told, Ok(_) | Err(LineError::Contradicts)) {
                        news.push(staged.said);
                    }
                }
            }
        }
        if file.value == known.value {
            return Ok(());
        }
        let was_mistaken = known.value.void_is_mistaken();
        self.follow_group(chunk, file, &news, released, was_mistaken).await
    }

    /// What follows from the lines that are news.
    async fn follow_group(
        &self,
        chunk: &mut Chunk,
        mut file: Versioned<NumberFile>,
        news: &[TenureSaid],
        released: Option<Effect>,
        was_mistaken: bool,
    ) -> Result<()> {
        let ground = Ground::Batch { id: chunk.batch };
        let (number, now) = (file.value.number, self.now());
        let mut reason = None;
        // A port in tells nothing of who holds the number.
        let mut endings = news.iter().filter(|said| said.event != TenureEvent::PortedIn);
        let cleared = endings.find_map(|said| file.value.name_ended(said.on, |at| self.day_of(number, at)));
        if let Some(cleared) = cleared {
            file.value.decide(cleared, Assurance::Operator, ground.clone(), now);
            reason = Some(EntryReason::TenureEnded);
        }
        if let Some(released) = released {
            file.value.decide(released, Assurance::Operator, ground, now);
            reason = Some(EntryReason::Released);
            chunk.releases += 1;
        }
        if file.value.void_is_mistaken() && !was_mistaken {
            self.note_mistake(chunk, &file.value).await?;
        }
        if news.iter().any(|said| said.event.begins()) {
            self.close_former(&mut chunk.changeset, &file.value).await?;
        }
        match reason {
            Some(reason) => self.publish(chunk, file, reason).await?,
            None => chunk.changeset.put(file),
        }
        Ok(())
    }

    /// A port has shown that a published correction rests on the lines of an
    /// operator that did not serve. Only two people may take it back: the
    /// audit tells them which one.
    async fn note_mistake(&self, chunk: &mut Chunk, file: &NumberFile) -> Result<()> {
        let void_before = file.in_force().and_then(|correction| correction.void_before);
        let mut next = self.store().newest_entry(file.number).await?;
        let mut first = next;
        while let Some(seq) = next {
            let entry = self.entry_at(seq).await?;
            if entry.void_before != void_before {
                break;
            }
            (first, next) = (next, entry.supersedes);
        }
        let Some(seq) = first else { return Ok(()) };
        tracing::warn!(
            seq,
            "a port shows that a correction rests on lines of an operator that did not serve"
        );
        let actor = format!("operator:{}", chunk.operator);
        chunk.changeset.audit.push(audit(
            self.now(),
            actor,
            "correction_in_doubt",
            format!("correction:{seq}"),
        ));
        Ok(())
    }

    fn insert_line(
        &self,
        operator: &OperatorId,
        file: &mut NumberFile,
        said: TenureSaid,
    ) -> std::result::Result<Insert, LineError> {
        let TenureSaid { number, on, event } = said;
        let home = self.reference().numbering.home_operator(number);
        let line = TenureLine { event, on, by: operator.clone(), received_at: self.now() };
        file.ledger.insert(line, self.today(number), home)
    }

    async fn publish(
        &self,
        chunk: &mut Chunk,
        file: Versioned<NumberFile>,
        reason: EntryReason,
    ) -> Result<()> {
        self.append_entry(&mut chunk.changeset, &file.value, reason, self.now()).await?;
        chunk.changeset.put(file);
        chunk.tally.corrections += 1;
        Ok(())
    }

    /// Withdraws what was filed before the present tenure began.
    async fn close_former(&self, changeset: &mut Changeset, file: &NumberFile) -> Result<()> {
        for dispute in self.disputes_of(file.number).await? {
            let filed_on = self.day_of(file.number, dispute.filed_at);
            if file.ledger.was_anothers(filed_on, dispute.filed_at) && dispute.status().is_open() {
                let dispute = self.dispute(dispute.id).await?;
                let closed = vec![dispute.value.closed_by_new_tenure()];
                let file = Versioned::new(file.clone());
                self.follow(changeset, dispute, file, Actor::Rule, closed).await?;
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

    async fn finish_batch(&self, mut batch: Versioned<Batch>, releasing: bool) -> Result<Tally> {
        let now = self.now();
        let held = !releasing && batch.value.tally.held > 0;
        if !releasing {
            batch.value.answer = Some(batch.value.tally.clone());
        }
        let mut changeset = Changeset::default();
        if held {
            batch.value.state = BatchState::Held;
        } else {
            self.end_batch(&mut changeset, &mut batch.value, BatchState::Done).await?;
        }
        let (id, tally) = (batch.value.id, batch.value.tally.clone());
        let mut operator = self.operator_state(&batch.value.operator).await?;
        operator.value.last_batch_at = Some(now);
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
}

/// The next number's lines. The line that begins the number after it waits in
/// `left_over`.
async fn next_group(
    lines: &mut StagedLines,
    left_over: &mut Option<(Staged<TenureSaid>, u64)>,
) -> Result<Option<Group>> {
    let (mut group, mut end): Group = (Vec::new(), 0);
    loop {
        let next = match left_over.take() {
            Some(next) => Some(next),
            None => lines.next().await?,
        };
        let Some((staged, behind)) = next else { break };
        let same = group.first().is_none_or(|first| first.said.number == staged.said.number);
        if !same || group.len() == LINES_PER_NUMBER_MAX {
            *left_over = Some((staged, behind));
            break;
        }
        group.push(staged);
        end = behind;
    }
    Ok((!group.is_empty()).then_some((group, end)))
}

impl Chunk {
    /// By what the store counts; a line of the log comes with a put.
    fn changes(&self) -> usize {
        let Changeset { puts, deletes, audit, .. } = &self.changeset;
        (puts.len() + deletes.len()).max(audit.len())
    }
}

impl Tally {
    pub(super) fn reject(&mut self, line: u64, error: LineError) {
        self.rejected += 1;
        // Lines are applied by number, and told as they were sent.
        let place = self.errors.partition_point(|(earlier, _)| *earlier <= line);
        self.errors.insert(place, (line, error.code().to_owned()));
        self.errors.truncate(ERRORS_TOLD_MAX);
    }
}
