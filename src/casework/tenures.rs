//! Operators' lines in bulk: staged in the order of their numbers, then applied
//! in chunks, each chunk one commit that also says how far it came. A number is
//! decided on all lines that the upload has of it. What follows is in the same
//! commit: a release corrects the number's old labels before anybody asks, the
//! end of a tenure takes a shown name down, and a new tenure closes what the
//! former holder left open.
//!
//! While a chunk is being committed the next one is made, of other numbers. If
//! the commit fails, or what it rests on changed, the next one is dropped: where
//! to go on is read from what is committed.
//!
//! A label that a provider uploads at the same moment may be committed after
//! the release looked for labels. So each chunk first looks once more at the
//! numbers of the chunks whose commits are over.

use crate::casework::staging::{Staged, StagedLines};
use crate::casework::tenure_chunk::Chunk;
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::correction::{EntryReason, Ground};
use crate::domain::evidence::Assurance;
use crate::domain::id::BatchId;
use crate::domain::lines::TenureSaid;
use crate::domain::refusal::Refusal;
use crate::store::{Batch, BatchState, Changeset, OperatorState, Tally, Task, TaskKind, Versioned};

const LINES_PER_CHUNK_MAX: usize = 400;
/// A chunk ends where its changeset would come near the store's limit.
const CHANGES_PER_CHUNK_MAX: usize = 180;
/// Of one number in one upload; more of them are decided in two steps.
const LINES_PER_NUMBER_MAX: usize = 64;

/// How far a batch came, or will have come with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    applied_bytes: u64,
    looked_bytes: u64,
}

/// A chunk, with where it goes on from and where it comes to.
struct Step {
    from: Reach,
    to: Reach,
    chunk: Chunk,
}

/// All lines of one number, and the offset behind them.
type Group = (Vec<Staged<TenureSaid>>, u64);

impl Casework {
    /// Applies what is staged, from where the last commit came to.
    pub(super) async fn apply(&self, id: BatchId) -> Result<Tally> {
        loop {
            match self.apply_on(id).await {
                Err(Error::Stale) => {}
                applied => return applied,
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

    /// Until the end, or until somebody else changes what a chunk rests on.
    async fn apply_on(&self, id: BatchId) -> Result<Tally> {
        let batch = self.batch(id).await?.value;
        let releasing = match batch.state {
            BatchState::Applying => false,
            BatchState::Releasing => true,
            BatchState::Held | BatchState::Done | BatchState::Discarded => {
                return Ok(batch.answer.unwrap_or(batch.tally));
            }
        };
        let operator = self.operator_state(&batch.operator).await?.value;
        let (from, left) = (Reach::of(&batch), self.chunks_releases_left(&operator, releasing));
        let chunk = Chunk::new(id, batch.operator, releasing, batch.tally, left);
        let mut step = self.step(chunk, from, None).await?;
        while step.gets_on() {
            let changeset = self.seal(&mut step).await?;
            let next = self.step(step.chunk.next(), step.to, Some(&step));
            let (committed, next) = tokio::join!(self.commit(changeset), next);
            committed?;
            step = next?;
            if !step.gets_on() {
                // It may have waited for the commit.
                step = self.step(step.chunk, step.from, None).await?;
            }
        }
        self.finish_batch(step).await
    }

    /// Makes the next chunk, of numbers that the one in flight does not have.
    async fn step(&self, mut chunk: Chunk, from: Reach, in_flight: Option<&Step>) -> Result<Step> {
        let looked_bytes = in_flight.map_or(from.applied_bytes, |step| step.from.applied_bytes);
        self.look_again(&mut chunk, from.looked_bytes, looked_bytes).await?;
        let applied_bytes = self.apply_groups(&mut chunk, from.applied_bytes, in_flight).await?;
        Ok(Step { from, to: Reach { applied_bytes, looked_bytes }, chunk })
    }

    /// What a chunk's commit takes, with how far the batch comes by it.
    async fn seal(&self, step: &mut Step) -> Result<Changeset> {
        let mut batch = self.batch_at(step).await?;
        let mut operator = self.operator_state(&batch.value.operator).await?;
        let chunk = &mut step.chunk;
        let left = self.chunks_releases_left(&operator.value, chunk.releasing);
        let holds_too_much = !chunk.held.is_empty() && chunk.releases_left < left;
        if chunk.releases > left || holds_too_much {
            return Err(Error::Stale);
        }
        chunk.releases_left = left;
        if !chunk.held.is_empty() {
            self.parts.staging.hold(&chunk.batch.to_string(), &chunk.held).await?;
        }
        let mut changeset = std::mem::take(&mut chunk.changeset);
        if chunk.releases > 0 {
            operator.value.releases.push((self.now(), chunk.releases));
            changeset.put(operator);
        }
        Reach { applied_bytes: batch.value.applied_bytes, looked_bytes: batch.value.looked_bytes } = step.to;
        batch.value.tally = chunk.tally.clone();
        changeset.put(batch);
        self.go_on_having(&mut changeset, chunk.batch).await?;
        Ok(changeset)
    }

    /// What two people have released, nothing holds any more.
    fn chunks_releases_left(&self, operator: &OperatorState, releasing: bool) -> u64 {
        if releasing { u64::MAX } else { self.releases_left(operator) }
    }

    /// The batch, if it is where the step goes on from.
    async fn batch_at(&self, step: &Step) -> Result<Versioned<Batch>> {
        let batch = self.batch(step.chunk.batch).await?;
        let state = if step.chunk.releasing { BatchState::Releasing } else { BatchState::Applying };
        let is_there = batch.value.state == state && Reach::of(&batch.value) == step.from;
        if is_there { Ok(batch) } else { Err(Error::Stale) }
    }

    /// Applies groups from an offset on. Returns where it comes to.
    async fn apply_groups(&self, chunk: &mut Chunk, from: u64, in_flight: Option<&Step>) -> Result<u64> {
        let mut lines = self.lines_of(chunk, from).await?;
        let mut applied_bytes = from;
        let mut left_over = None;
        let mut count = 0;
        while count < LINES_PER_CHUNK_MAX && chunk.changes() < CHANGES_PER_CHUNK_MAX {
            let Some((group, end)) = next_group(&mut lines, &mut left_over).await? else { break };
            let number = group[0].said.number;
            // A record is changed once in a commit, and read after it.
            let waits = in_flight.is_some_and(|step| step.chunk.numbers.contains(&number));
            if waits || !chunk.numbers.insert(number) {
                break;
            }
            count += group.len();
            applied_bytes = end;
            self.apply_group(chunk, group).await?;
        }
        Ok(applied_bytes)
    }

    /// Corrects what the chunks before could not see.
    async fn look_again(&self, chunk: &mut Chunk, from: u64, to: u64) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let mut lines = self.lines_of(chunk, from).await?;
        let mut offset = from;
        let mut left_over = None;
        while offset < to {
            let Some((group, end)) = next_group(&mut lines, &mut left_over).await? else { break };
            offset = end;
            let number = group[0].said.number;
            let mut file = self.number_file(number).await?;
            if let Some(released) = self.released(&file.value, None).await? {
                let ground = Ground::Batch { id: chunk.batch };
                file.value.decide(released, Assurance::Operator, ground, self.now());
                chunk.numbers.insert(number);
                self.publish_for(chunk, file, EntryReason::Released).await?;
            }
        }
        Ok(())
    }

    async fn lines_of(&self, chunk: &Chunk, from: u64) -> Result<StagedLines> {
        self.parts.staging.read(&chunk.batch.to_string(), chunk.releasing, from).await
    }

    /// After the last step.
    async fn finish_batch(&self, step: Step) -> Result<Tally> {
        let mut batch = self.batch_at(&step).await?;
        let (now, releasing) = (self.now(), step.chunk.releasing);
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

impl Reach {
    fn of(batch: &Batch) -> Self {
        Self { applied_bytes: batch.applied_bytes, looked_bytes: batch.looked_bytes }
    }
}

impl Step {
    fn gets_on(&self) -> bool {
        self.to != self.from
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
