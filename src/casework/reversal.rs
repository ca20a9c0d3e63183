//! Taking a correction back, which two people sign; and asking again whether
//! a shown name is still its subscriber's.
//!
//! Absent: which reversals wait, and a look at what one would do (`signatures`).

use jiff::{SignedDuration, Timestamp};

use crate::casework::actors::ModeratorActor;
use crate::casework::moderation::actor;
use crate::casework::{Casework, Result, audit};
use crate::domain::correction::{Effect, EntryReason, Ground, InForce};
use crate::domain::day::{later, plus_days};
use crate::domain::dispute::{Actor, Claim, Command, Dispute, Show};
use crate::domain::evidence::{Answer, Assurance, Question};
use crate::domain::number::Number;
use crate::domain::number_file::{NumberFile, Reverted};
use crate::domain::policy::{ASK_AGAIN_HOURS, NAME_LEASE_DAYS, NAME_RENEWAL_DAYS};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Task, TaskKind, Versioned};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    AwaitingSecond,
    Done,
}

impl Casework {
    /// One of the two signatures under the reversal of what an entry published.
    /// The second one's reason may be missing: the first one's is in force.
    /// `version`: of the number's file, as it was looked at before signing.
    pub async fn revert(
        &self,
        moderator: &ModeratorActor,
        seq: u64,
        reason: Option<&str>,
        version: Option<u64>,
    ) -> Result<Signed> {
        self.retrying(|| self.try_revert(moderator, seq, reason, version)).await
    }

    async fn try_revert(
        &self,
        moderator: &ModeratorActor,
        seq: u64,
        reason: Option<&str>,
        version: Option<u64>,
    ) -> Result<Signed> {
        let (_, mut file, decision) = self.decided_in(seq).await?;
        let first = file.value.reversal_asked.clone().filter(|asked| asked.decision == decision);
        let reason = reason.or(first.as_ref().map(|asked| asked.reason.as_str()));
        let missing = || Refusal::FieldMalformed { field: "reason", why: "it is missing".to_owned() };
        let reason = reason.ok_or_else(missing)?;
        let now = self.now();
        let mut changeset = Changeset::default();
        // A file has room for one: another one's first signature is struck.
        let struck = file.value.reversal_asked.as_ref().map(|asked| asked.decision);
        if let Some(other) = struck.filter(|other| *other != decision)
            && let Some(seq) = self.entry_of_decision(&file.value, other).await?
        {
            let subject = format!("entry:{seq}");
            changeset.audit.push(audit(now, actor(moderator), "reversal_discarded", subject));
        }
        // Whose turn it is comes before what has changed in the meantime.
        let reverted = file.value.revert(decision, moderator.name(), reason, now)?;
        if version.is_some_and(|version| version != file.version) {
            return Err(Refusal::Stale.into());
        }
        let signed = match reverted {
            Reverted::AwaitingSecond => {
                changeset.audit.push(audit(now, actor(moderator), "reversal_asked", format!("entry:{seq}")));
                Signed::AwaitingSecond
            }
            Reverted::Done(ground) => {
                changeset.audit.push(audit(now, actor(moderator), "reversed", format!("entry:{seq}")));
                self.keep_ended(&mut file.value, decision);
                self.append_entry(&mut changeset, &file.value, EntryReason::Reverted, now).await?;
                self.revert_dispute(&mut changeset, moderator, &file, &ground, reason).await?;
                self.renew_again(&mut changeset, &file.value).await?;
                Signed::Done
            }
        };
        changeset.put(file);
        self.commit(changeset).await?;
        self.wake_worker();
        Ok(signed)
    }

    async fn revert_dispute(
        &self,
        changeset: &mut Changeset,
        moderator: &ModeratorActor,
        file: &Versioned<NumberFile>,
        ground: &Ground,
        reason: &str,
    ) -> Result<()> {
        let Ground::Dispute { id } = ground else {
            return Ok(());
        };
        let dispute = self.dispute(*id).await?;
        let command = Command::Revert { reason: reason.to_owned() };
        if let Ok(happened) = dispute.value.decide(command, self.weighing(&dispute.value, &file.value, &[])) {
            let by = Actor::Moderator { name: moderator.name().clone() };
            self.follow(changeset, dispute, file.clone(), by, happened).await?;
        }
        Ok(())
    }

    /// What would be in force for a number once a decision were taken back.
    pub(super) fn after_reversal(
        &self,
        file: &NumberFile,
        decision: usize,
        moderator: &ModeratorActor,
    ) -> std::result::Result<Option<InForce>, Refusal> {
        let mut after = file.if_reverted(decision, moderator.name(), self.now())?;
        self.keep_ended(&mut after, decision);
        Ok(after.in_force())
    }

    /// Taking back a name does not bring back one whose tenure has ended;
    /// taking back what ended a name does.
    fn keep_ended(&self, file: &mut NumberFile, reverted: usize) {
        let was_name = matches!(file.decisions[reverted].effect, Effect::SetName { .. });
        let number = file.number;
        if was_name && let Some(cleared) = file.name_outlived(|at| self.day_of(number, at)) {
            file.decide(cleared, Assurance::Operator, Ground::Reversal, self.now());
        }
    }

    /// A name that a reversal brings back is asked again like any other: its
    /// task went with what was taken back.
    async fn renew_again(&self, changeset: &mut Changeset, file: &NumberFile) -> Result<()> {
        let kind = TaskKind::RenewName(file.number);
        if file.shown_name().is_none() || self.store().load::<Task>(&kind).await?.is_some() {
            return Ok(());
        }
        self.schedule(changeset, kind, renewal_after(self.now())).await
    }

    /// The worker's part: a match renews a shown name. Any other answer takes it
    /// down, for who matched before and is not known now may have gone; silence
    /// does not, and the name lapses by itself.
    pub(super) async fn renew_name(&self, task: &Versioned<Task>, number: Number) -> Result<()> {
        let mut file = self.number_file(number).await?;
        let Some((name, until)) = file.value.shown_name() else {
            return self.finish(task).await;
        };
        let today = self.today(number);
        if until < today {
            // Lapsed by itself while nobody could be asked.
            return self.finish(task).await;
        }
        let now = self.now();
        let mut answer = None;
        if let Some(Show { uscc, .. }) = self.show_behind(&file.value, &name).await? {
            let question = Question::EnterpriseIs { name: name.clone(), uscc };
            match self.ask_any(number, &file.value, question).await {
                Ok(answered) => answer = answered,
                Err(unavailable) => return self.postpone(task, &unavailable).await,
            }
        }
        let Some(answer) = answer else {
            // Nobody there to be asked: it lapses by itself, unless there is
            // somebody again before that.
            return self.put_off(task, later(now, SignedDuration::from_hours(ASK_AGAIN_HOURS))).await;
        };
        let mut changeset = Changeset::default();
        let reason = if answer == Answer::Yes {
            let effect = Effect::SetName { name, until: plus_days(today, NAME_LEASE_DAYS) };
            file.value.decide(effect, Assurance::Operator, Ground::Renewal, now);
            let mut next = task.clone();
            next.value.run_at = renewal_after(now);
            next.value.attempts = 0;
            changeset.put(next);
            EntryReason::Renewed
        } else {
            file.value.decide(Effect::ClearName, Assurance::Operator, Ground::Renewal, now);
            changeset.delete(task);
            EntryReason::TenureEnded
        };
        changeset.audit.push(audit(now, "rule", "name_asked_again", format!("number:{}", number.masked())));
        self.append_entry(&mut changeset, &file.value, reason, now).await?;
        changeset.put(file);
        self.commit(changeset).await
    }

    /// The filing that a shown name goes back to; what two people took back
    /// is behind nothing.
    async fn show_behind(&self, file: &NumberFile, shown: &str) -> Result<Option<Show>> {
        let standing = file.decisions.iter().rev().filter(|decision| decision.reverted.is_none());
        let ground = standing.into_iter().find_map(|decision| match (&decision.effect, &decision.ground) {
            (Effect::SetName { name, .. }, Ground::Dispute { id }) if name == shown => Some(*id),
            _ => None,
        });
        let Some(id) = ground else {
            return Ok(None);
        };
        match self.store().load::<Dispute>(&id).await?.map(|dispute| dispute.value.claim) {
            Some(Claim::NameMismatch { show }) => Ok(show),
            _ => Ok(None),
        }
    }
}

/// When a name that is shown from now on is asked again.
pub(super) fn renewal_after(now: Timestamp) -> Timestamp {
    later(now, SignedDuration::from_hours(24 * i64::from(NAME_RENEWAL_DAYS)))
}
