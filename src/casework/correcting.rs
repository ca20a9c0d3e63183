//! What follows from a dispute's events, in the same commit: decisions about
//! the number, the entry that publishes them, claims, tasks.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::casework::reversal::renewal_after;
use crate::casework::worker::new_task;
use crate::casework::{Casework, Result, record};
use crate::domain::correction::{Effect, Entry, EntryReason, Ground};
use crate::domain::day::later;
use crate::domain::dispute::{Actor, Control, Dispute, Reason, Status, What};
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::policy::{DECISION_WORKING_DAYS, NEEDS_EVIDENCE_DAYS};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Claim, Task, TaskKind, Versioned};

/// The claim that keeps a number to one open dispute for a reason; an
/// enterprise to one of its own, so that it meets nobody else's.
pub(super) fn open_claim(number: Number, reason: Reason, control: &Control) -> String {
    let party = control.enterprise().map(|enterprise| format!(":{}", enterprise.uscc)).unwrap_or_default();
    format!("open:{}:{}{party}", number.digits(), reason.as_str())
}

/// The reason that the entry of an approved dispute gives.
pub(super) fn entry_reason(reason: Reason) -> EntryReason {
    match reason {
        Reason::Reassigned => EntryReason::Reassigned,
        Reason::NameMismatch => EntryReason::NameMismatch,
    }
}

impl Casework {
    /// Puts what happened to a dispute, and all that follows from it, into a
    /// changeset.
    pub(super) async fn follow(
        &self,
        changeset: &mut Changeset,
        mut dispute: Versioned<Dispute>,
        mut file: Versioned<NumberFile>,
        actor: Actor,
        happened: Vec<What>,
    ) -> Result<()> {
        let now = self.now();
        let before = dispute.value.status();
        for what in happened {
            match &what {
                What::Approved { effect, assurance, .. } => {
                    if !dispute.value.is_control_proved() {
                        self.follow_shown(&mut dispute.value).await?;
                    }
                    self.approve(changeset, &dispute.value, &mut file, effect.clone(), *assurance, now)
                        .await?;
                    self.schedule_probes(changeset, &dispute.value, now).await?;
                }
                What::DocumentsAsked { until, .. } => {
                    let kind = TaskKind::Lapse { dispute: dispute.value.id, on: *until };
                    // The day after the last one, whatever the hour.
                    let wait = SignedDuration::from_hours(24 * (i64::from(NEEDS_EVIDENCE_DAYS) + 1));
                    self.schedule(changeset, kind, later(now, wait)).await?;
                }
                What::RecheckAsked => {
                    self.schedule(changeset, TaskKind::Check(dispute.value.id), now).await?;
                }
                What::Appealed { .. } => {
                    let working_days = &self.reference().working_days;
                    let today = self.today(dispute.value.number);
                    dispute.value.due_on = working_days.add_working_days(today, DECISION_WORKING_DAYS);
                }
                What::ControlProved => self.follow_shown(&mut dispute.value).await?,
                _ => {}
            }
            record(changeset, &mut dispute.value, now, actor.clone(), what);
        }
        self.follow_status(changeset, &mut dispute.value, before, now).await?;
        changeset.put(dispute);
        Ok(())
    }

    async fn follow_status(
        &self,
        changeset: &mut Changeset,
        dispute: &mut Dispute,
        before: Status,
        now: Timestamp,
    ) -> Result<()> {
        let after = dispute.status();
        if before != after {
            dispute.lease = None;
        }
        let claim = open_claim(dispute.number, dispute.reason(), &dispute.control);
        let held = self.store().load::<Claim>(&claim).await?;
        match (before.is_open(), after.is_open(), held) {
            (true, false, Some(held)) if held.value.value == dispute.id.to_string() => {
                changeset.delete(&held);
            }
            (false, true, Some(_)) => return Err(Refusal::DisputeOpen.into()),
            (false, true, None) => {
                changeset.put_new(Claim { name: claim, value: dispute.id.to_string(), expires_at: None });
            }
            _ => {}
        }
        let told =
            matches!(after, Status::Corrected | Status::Refused | Status::NeedsEvidence | Status::Reverted);
        // The last one of a list is the end of it, however it ended.
        let told = told || (after == Status::Withdrawn && !dispute.control.is_code());
        if before != after
            && let Some(until) = dispute.state().documents_kept_until()
        {
            self.schedule(changeset, TaskKind::PurgeDocuments(dispute.id), until).await?;
        }
        if before != after && told {
            self.schedule(changeset, TaskKind::Notify(dispute.id), now).await?;
            self.wake_worker();
        }
        Ok(())
    }

    async fn approve(
        &self,
        changeset: &mut Changeset,
        dispute: &Dispute,
        file: &mut Versioned<NumberFile>,
        effect: Effect,
        assurance: Assurance,
        now: Timestamp,
    ) -> Result<()> {
        let reason = entry_reason(dispute.reason());
        if matches!(effect, Effect::SetName { .. }) {
            let kind = TaskKind::RenewName(dispute.number);
            self.schedule(changeset, kind, renewal_after(now)).await?;
        }
        file.value.decide(effect, assurance, Ground::Dispute { id: dispute.id }, now);
        self.append_entry(changeset, &file.value, reason, now).await?;
        changeset.put(file.clone());
        Ok(())
    }

    /// Appends the entry that says what is in force for a number now. Labels
    /// that the number's last entry was against may be right by this one.
    pub(super) async fn append_entry(
        &self,
        changeset: &mut Changeset,
        file: &NumberFile,
        reason: EntryReason,
        at: Timestamp,
    ) -> Result<()> {
        let supersedes = self.store().newest_entry(file.number).await?;
        let salt = URL_SAFE_NO_PAD.encode(self.random::<16>());
        let entry = Entry::new(file.number, file.in_force(), reason, supersedes, at, salt);
        if supersedes.is_some() {
            self.end_regressions(changeset, &entry).await?;
        }
        changeset.entries.push(entry);
        Ok(())
    }

    /// Puts a task, or moves the one that is there.
    pub(super) async fn schedule(
        &self,
        changeset: &mut Changeset,
        kind: TaskKind,
        run_at: Timestamp,
    ) -> Result<()> {
        let found = self.store().load::<Task>(&kind).await?;
        let version = found.map_or(0, |found| found.version);
        changeset.put(Versioned { version, value: new_task(kind, run_at) });
        Ok(())
    }
}
