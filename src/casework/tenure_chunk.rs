//! What one number's lines of an upload come to: decided on all of them at
//! once, on the ledger as it is by then, with the corrections that follow, into
//! the chunk that will be committed.

use std::collections::BTreeSet;

use crate::casework::staging::Staged;
use crate::casework::{Casework, Result, audit};
use crate::domain::correction::{Effect, EntryReason, Ground};
use crate::domain::dispute::Actor;
use crate::domain::evidence::Assurance;
use crate::domain::id::{BatchId, OperatorId};
use crate::domain::label::Label;
use crate::domain::lines::{LineError, TenureSaid};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::tenure::{Insert, TenureEvent, TenureLine};
use crate::store::{Changeset, Stored, Tally, Versioned};

const ERRORS_TOLD_MAX: usize = 100;

/// The changes of one commit in the making, and what they come to.
pub(super) struct Chunk {
    pub batch: BatchId,
    pub operator: OperatorId,
    /// Of the lines that were held, and that two people have released.
    pub releasing: bool,
    pub changeset: Changeset,
    pub numbers: BTreeSet<Number>,
    /// With all chunks before.
    pub tally: Tally,
    pub held: Vec<Staged<TenureSaid>>,
    pub releases: u64,
    pub releases_left: u64,
}

impl Casework {
    pub(super) async fn apply_group(&self, chunk: &mut Chunk, group: Vec<Staged<TenureSaid>>) -> Result<()> {
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
            Some(reason) => self.publish_for(chunk, file, reason).await?,
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

    pub(super) async fn publish_for(
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
        let rest_days = self.rest_days(file.number);
        // Most lines prove nothing new, and cost no reading of labels.
        if file.released(rest_days, &[]).is_none() {
            return Ok(None);
        }
        let mut labels = self.labels_of(file.number).await?;
        if let Some(arriving) = arriving {
            labels.retain(|known| known.key() != arriving.key());
            labels.push(arriving.clone());
        }
        let Some(effect @ Effect::VoidBefore { day }) = file.released(rest_days, &labels) else {
            return Ok(None);
        };
        let from_before = |label: &Label| label.first_marked_on.is_none_or(|first| first < day);
        let wanted = self.parts.settings.publish_all_releases
            || file.in_force().is_some()
            || labels.iter().any(from_before);
        Ok(wanted.then_some(effect))
    }
}

impl Chunk {
    /// Still empty; `tally` is of all chunks before.
    pub(super) fn new(
        batch: BatchId,
        operator: OperatorId,
        releasing: bool,
        tally: Tally,
        releases_left: u64,
    ) -> Self {
        Self {
            batch,
            operator,
            releasing,
            changeset: Changeset::default(),
            numbers: BTreeSet::new(),
            tally,
            held: Vec::new(),
            releases: 0,
            releases_left,
        }
    }

    /// The one after this.
    pub(super) fn next(&self) -> Self {
        let left = self.releases_left.saturating_sub(self.releases);
        Self::new(self.batch, self.operator.clone(), self.releasing, self.tally.clone(), left)
    }

    /// By what the store counts; a line of the log comes with a put.
    pub(super) fn changes(&self) -> usize {
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
