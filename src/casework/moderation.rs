//! What rules cannot decide: moderators (审核员) take cases as they come, and
//! decide them under a lease.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::casework::actors::ModeratorActor;
use crate::casework::{Casework, Result, audit};
use crate::domain::correction::Effect;
use crate::domain::day::later;
use crate::domain::dispute::{Actor, Command, Dispute, Flag, Lease, Ruling, State, Status, Weighing};
use crate::domain::id::DisputeId;
use crate::domain::label::Label;
use crate::domain::policy::LEASE_MINUTES;
use crate::domain::refusal::Refusal;
use crate::domain::tenure::Ledger;
use crate::store::{AuditLine, Changeset, Cursor, Listing, PAGE_RECORDS_MAX, Role, Versioned};

/// `next` draws among so many of the most urgent cases that can be taken.
const DRAWN_FROM_MAX: usize = 16;
pub const AUDIT_LINES_MAX: usize = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    pub by_status: BTreeMap<Status, u64>,
    /// Age as in `by_age_days`.
    pub by_status_and_age: BTreeMap<(Status, &'static str), u64>,
    pub by_flag: BTreeMap<Flag, u64>,
    /// Calendar days since filing, in classes: `0`, `1`, `2-4`, `5-9`, `10+`.
    pub by_age_days: BTreeMap<&'static str, u64>,
    pub overdue: u64,
    pub oldest_due_on: Option<Date>,
}

/// A case in hand, with everything that a decision needs.
#[derive(Debug, Clone)]
pub struct CaseInHand {
    pub dispute: Versioned<Dispute>,
    pub state: State,
    pub labels: Vec<Label>,
    pub ledger: Ledger,
    /// Other disputes of the number, this tenure's and earlier ones.
    pub history: Vec<Dispute>,
    /// What an approval would come to; `None` where a day is missing.
    pub effect: Option<Effect>,
    /// An approval would be the first of two signatures.
    pub wants_second: bool,
    pub rest_days: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Approve,
    Refuse,
    Ask,
}

impl Casework {
    pub async fn queue(&self, _: &ModeratorActor) -> Result<Queue> {
        self.count_queue().await
    }

    /// In pages, so that others are served in between.
    pub(super) async fn count_queue(&self) -> Result<Queue> {
        let mut queue = Queue::default();
        let mut after: Option<Cursor> = None;
        loop {
            let (page, next) =
                self.store().page::<Dispute>(&Listing::Queue, after.as_ref(), PAGE_RECORDS_MAX).await?;
            for dispute in page {
                self.count(&mut queue, &dispute.value);
            }
            match next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(queue),
            }
        }
    }

    fn count(&self, queue: &mut Queue, dispute: &Dispute) {
        let state = dispute.state();
        let today = self.today(dispute.number);
        *queue.by_status.entry(state.status).or_default() += 1;
        for flag in state.flags {
            *queue.by_flag.entry(flag).or_default() += 1;
        }
        let age = match self.now().duration_since(dispute.filed_at).as_hours() / 24 {
            ..=0 => "0",
            1 => "1",
            2..=4 => "2-4",
            5..=9 => "5-9",
            _ => "10+",
        };
        *queue.by_age_days.entry(age).or_default() += 1;
        *queue.by_status_and_age.entry((state.status, age)).or_default() += 1;
        queue.overdue += u64::from(dispute.due_on < today);
        let oldest = queue.oldest_due_on.get_or_insert(dispute.due_on);
        *oldest = (*oldest).min(dispute.due_on);
    }

    /// Hands out a case as a lease: the one already in hand, or one at random
    /// among the most urgent, so that nobody picks theirs.
    pub async fn next_case(&self, moderator: &ModeratorActor) -> Result<Option<CaseInHand>> {
        let id = self.retrying(|| self.try_next(moderator)).await?;
        match id {
            Some(id) => Ok(Some(self.case(self.dispute(id).await?).await?)),
            None => Ok(None),
        }
    }

    async fn try_next(&self, moderator: &ModeratorActor) -> Result<Option<DisputeId>> {
        let now = self.now();
        let name = moderator.name();
        let mut free: Vec<Versioned<Dispute>> = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let (page, next) =
                self.store().page::<Dispute>(&Listing::Queue, after.as_ref(), PAGE_RECORDS_MAX).await?;
            for dispute in page {
                if dispute.value.lease_of(name, now).is_some() {
                    return Ok(Some(dispute.value.id));
                }
                let takes =
                    !dispute.value.is_leased(now) && dispute.value.may_take(&dispute.value.state(), name);
                if takes && free.len() < DRAWN_FROM_MAX {
                    free.push(dispute);
                }
            }
            match next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        if free.is_empty() {
            return Ok(None);
        }
        let drawn = u64::from_be_bytes(self.random()) % free.len() as u64;
        let mut dispute = free.swap_remove(drawn as usize);
        let id = dispute.value.id;
        let until = later(now, SignedDuration::from_mins(LEASE_MINUTES));
        dispute.value.lease = Some(Lease { by: name.clone(), until });
        let mut changeset = Changeset::default();
        changeset.put(dispute);
        changeset.audit.push(audit(now, actor(moderator), "leased", format!("dispute:{id}")));
        self.commit(changeset).await?;
        Ok(Some(id))
    }

    /// A case by its id: one's own by lease; for seniors any, and that is logged.
    pub async fn case_in_hand(&self, moderator: &ModeratorActor, id: DisputeId) -> Result<CaseInHand> {
        self.case(self.looked_at(moderator, id).await?).await
    }

    pub(super) async fn looked_at(
        &self,
        moderator: &ModeratorActor,
        id: DisputeId,
    ) -> Result<Versioned<Dispute>> {
        let leased = |dispute: &Dispute| dispute.lease_of(moderator.name(), self.now()).is_some();
        match self.dispute(id).await {
            Ok(dispute) if leased(&dispute.value) => return Ok(dispute),
            // Whether a case exists is not told to whom it would not be shown.
            _ => moderator.at_least(Role::Senior)?,
        }
        let dispute = self.dispute(id).await?;
        let mut changeset = Changeset::default();
        changeset.audit.push(audit(self.now(), actor(moderator), "looked_at", format!("dispute:{id}")));
        self.commit(changeset).await?;
        Ok(dispute)
    }

    async fn case(&self, dispute: Versioned<Dispute>) -> Result<CaseInHand> {
        let number = dispute.value.number;
        let mut history = self.disputes_of(number).await?;
        history.retain(|other| other.id != dispute.value.id);
        let state = dispute.value.state();
        let file = self.number_file(number).await?.value;
        let labels = self.labels_of(number).await?;
        let effect = dispute.value.approved_effect(self.weighing(&dispute.value, &file, &labels)).ok();
        let wants_second = dispute.value.wants_second(&state, &labels);
        let rest_days = self.rest_days(number);
        let ledger = file.ledger;
        Ok(CaseInHand { state, labels, ledger, history, effect, wants_second, rest_days, dispute })
    }

    /// Decides a case at the version that the moderator saw.
    pub async fn decide(
        &self,
        moderator: &ModeratorActor,
        id: DisputeId,
        verdict: Verdict,
        ruling: Ruling,
        version: u64,
    ) -> Result<Status> {
        let by = moderator.name().clone();
        let command = match verdict {
            Verdict::Approve => Command::Approve { by, ruling },
            Verdict::Refuse => Command::Refuse { by, ruling },
            Verdict::Ask => Command::AskDocuments { by, ruling },
        };
        let is_drawn = self.draws_second_look();
        let status = self.retrying(|| self.try_decide(moderator, id, &command, version, is_drawn)).await?;
        self.wake_worker();
        Ok(status)
    }

    /// Drawn once the approval is given: nobody knows before which are looked at.
    fn draws_second_look(&self) -> bool {
        let one_in = self.parts.settings.approvals_per_second_look;
        one_in > 0 && u64::from_be_bytes(self.random()).is_multiple_of(u64::from(one_in))
    }

    /// Whether the last word of this moderator on the case was this very one.
    fn just_said(&self, dispute: &Dispute, moderator: &ModeratorActor, command: &Command) -> bool {
        let by = Actor::Moderator { name: moderator.name().clone() };
        let last = dispute.events.iter().rfind(|event| event.actor == by);
        last.is_some_and(|last| {
            later(last.at, SignedDuration::from_mins(LEASE_MINUTES)) > self.now() && last.what.says(command)
        })
    }

    async fn try_decide(
        &self,
        moderator: &ModeratorActor,
        id: DisputeId,
        command: &Command,
        version: u64,
        is_drawn: bool,
    ) -> Result<Status> {
        let dispute = self.dispute(id).await?;
        let file = self.number_file(dispute.value.number).await?;
        let labels = self.labels_of(dispute.value.number).await?;
        let weighing = self.weighing(&dispute.value, &file.value, &labels);
        let decided = dispute.value.decide(command.clone(), Weighing { is_drawn, ..weighing });
        let is_stale = dispute.version != version;
        // Whose turn it is comes before what has changed in the meantime.
        let happened = match decided {
            Err(Refusal::SamePerson) => return Err(Refusal::SamePerson.into()),
            // A second press of the button: the first one did it.
            _ if is_stale && self.just_said(&dispute.value, moderator, command) => {
                return Ok(dispute.value.status());
            }
            Err(Refusal::LeaseMissing) => return Err(Refusal::LeaseMissing.into()),
            _ if is_stale => return Err(Refusal::Stale.into()),
            decided => decided?,
        };
        let mut after = dispute.value.clone();
        let by = Actor::Moderator { name: moderator.name().clone() };
        for what in &happened {
            after.apply(self.now(), by.clone(), what.clone());
        }
        let mut account = self.account(moderator.name()).await?;
        account.value.count_decision(self.home_day(self.now()));
        let mut changeset = Changeset::default();
        changeset.put(account);
        self.follow(&mut changeset, dispute, file, by, happened).await?;
        self.commit(changeset).await?;
        Ok(after.status())
    }

    /// Gives a leased case back to the queue.
    pub async fn give_back(&self, moderator: &ModeratorActor, id: DisputeId) -> Result<()> {
        self.retrying(|| async {
            let mut dispute = self.dispute(id).await?;
            dispute.value.lease_of(moderator.name(), self.now()).ok_or(Refusal::LeaseMissing)?;
            dispute.value.lease = None;
            let mut changeset = Changeset::default();
            changeset.put(dispute);
            changeset.audit.push(audit(self.now(), actor(moderator), "given_back", format!("dispute:{id}")));
            self.commit(changeset).await
        })
        .await
    }

    pub async fn audit_lines(&self, moderator: &ModeratorActor, after: u64) -> Result<Vec<AuditLine>> {
        moderator.at_least(Role::Admin)?;
        Ok(self.store().audit(after, AUDIT_LINES_MAX).await?)
    }
}

pub(super) fn actor(moderator: &ModeratorActor) -> String {
    format!("moderator:{}", moderator.name())
}
