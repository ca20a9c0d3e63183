//! What must hold after every step, against the store and the truth: the log,
//! the numbers' files, the audit.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zhengming::domain::correction::{Decision, Effect, Entry, EntryReason, Ground, whole_seconds};
use zhengming::domain::day::plus_days;
use zhengming::domain::dispute::{Actor, Dispute, Event, What};
use zhengming::domain::id::DisputeId;
use zhengming::domain::label::{Label, Regression};
use zhengming::domain::number::Number;
use zhengming::domain::number_file::NumberFile;
use zhengming::domain::policy::NAME_LEASE_DAYS;
use zhengming::domain::progress::{Stage, contradicts};
use zhengming::domain::tenure::TenureEvent;
use zhengming::store::{Ack, AuditLine, Batch, Listing, ProviderRefusal, Store, Task, TaskKind};

use super::life::day_of;
use super::town::{Town, number_of};

/// What was there at the last look: none of it may ever be otherwise.
#[derive(Debug)]
pub struct Seen {
    pub entries: Vec<Entry>,
    newest: BTreeMap<Number, u64>,
    decisions: BTreeMap<Number, Vec<Decision>>,
    pub events: BTreeMap<DisputeId, Vec<Event>>,
    audit: Vec<AuditLine>,
    audit_hash: String,
    at: Option<(u64, Timestamp)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            newest: BTreeMap::new(),
            decisions: BTreeMap::new(),
            events: BTreeMap::new(),
            audit: Vec::new(),
            audit_hash: AuditLine::HASH_BEFORE_FIRST.to_owned(),
            at: None,
        }
    }
}

/// Fails with words, so that a story that fails can be made shorter.
macro_rules! must {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(super) use must;

impl Town {
    pub async fn check(&mut self) -> Result<(), String> {
        // Where nothing was committed and no time has passed, nothing is new.
        let at = (self.disk.commits(), self.now());
        if self.seen.at.replace(at) == Some(at) {
            return Ok(());
        }
        self.check_audit().await?;
        let fresh = self.check_log().await?;
        for index in 0..self.lives.len() {
            let file = self.file_of(number_of(index)).await;
            self.check_fold(&file)?;
            self.check_voids(index, &file)?;
            self.check_name(index, &file).await?;
            self.check_disputes(index, &file).await?;
            self.check_regressed(index).await?;
        }
        for entry in fresh {
            self.check_origin(&entry).await?;
        }
        self.check_batches().await?;
        self.check_tokens().await
    }

    pub fn store(&self) -> &dyn Store {
        &self.disk.memory
    }

    /// The way of a process that is not the service to the disk.
    pub fn process(&self) -> Arc<dyn Store> {
        self.disk.opened()
    }

    pub async fn file_of(&self, number: Number) -> NumberFile {
        let found = self.store().load::<NumberFile>(&number).await.unwrap();
        found.map_or_else(|| NumberFile::new(number), |found| found.value)
    }

    /// The chain recomputes.
    async fn check_audit(&mut self) -> Result<(), String> {
        let lines = self.store().audit(self.seen.audit.len() as u64, 1_000).await.unwrap();
        for line in lines {
            let text = format!("{}{}", self.seen.audit_hash, serde_json::to_string(&line.draft).unwrap());
            self.seen.audit_hash = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            let (seq, hash) = (self.seen.audit.len() as u64, &self.seen.audit_hash);
            must!((line.seq, &line.hash) == (seq, hash), "the audit's chain is broken at {seq}");
            self.seen.audit.push(line);
        }
        Ok(())
    }

    pub fn audited(&self, action: &str, subject: &str) -> bool {
        self.seen.audit.iter().any(|line| line.draft.action == action && line.draft.subject == subject)
    }

    /// Digests of the audit's lines about a dispute's events.
    pub fn audited_events(&self, id: DisputeId) -> Vec<&String> {
        let subject = format!("dispute:{id}");
        let about = self.seen.audit.iter().filter(|line| line.draft.subject == subject);
        about.filter_map(|line| line.draft.digest.as_ref()).collect()
    }

    /// Gapless, each entry follows its number's last, and `void_before` goes
    /// back only where two people took something back.
    async fn check_log(&mut self) -> Result<Vec<Entry>, String> {
        let from = self.seen.entries.len() as u64;
        let leaves = self.store().log(from, 1_000).await.unwrap();
        let size = *self.store().log_size().borrow();
        must!(from + leaves.len() as u64 == size, "the log has a gap before {size}");
        let mut fresh = Vec::new();
        for (leaf, seq) in leaves.iter().zip(from..) {
            let entry: Entry = serde_json::from_slice(leaf).unwrap();
            let before = self.seen.newest.insert(entry.number, seq);
            must!(
                entry.supersedes == before,
                "entry {seq} supersedes {:?}, not {before:?}",
                entry.supersedes
            );
            let void = before.and_then(|before| self.seen.entries[before as usize].void_before);
            let forward = void <= entry.void_before || entry.reason == EntryReason::Reverted;
            must!(forward, "void_before of entry {seq} moves back from {void:?}: {entry:?}");
            self.seen.entries.push(entry.clone());
            fresh.push(entry);
        }
        Ok(fresh)
    }

    /// No correction without a decision, no decision without its evidence.
    async fn check_origin(&self, entry: &Entry) -> Result<(), String> {
        let file = self.file_of(entry.number).await;
        if entry.reason == EntryReason::Reverted {
            let signed = file.decisions.iter().filter_map(|decision| decision.reverted.as_ref());
            let mut signed = signed.filter(|reversal| whole_seconds(reversal.at) == entry.at);
            must!(signed.any(|by| by.first != by.second), "nobody, or one person, reverted: {entry:?}");
            return Ok(());
        }
        let at = file.decision_of_entry(entry);
        let Some(decision) = at.map(|at| &file.decisions[at]) else {
            return Err(format!("nobody decided {entry:?}"));
        };
        match &decision.ground {
            Ground::Dispute { id } => {
                let dispute = self.store().load::<Dispute>(id).await.unwrap();
                let dispute = dispute.ok_or("a decision's dispute is gone")?.value;
                let approved = dispute.events.iter().any(|event| {
                    let by_person = matches!(event.actor, Actor::Moderator { .. });
                    event.at == decision.at
                        && matches!(&event.what, What::Approved { ruling, effect, .. }
                            if *effect == decision.effect && ruling.is_some() == by_person)
                });
                must!(approved, "dispute {id} was not approved: {entry:?}");
            }
            Ground::Batch { id } => {
                must!(self.audited("batch_received", &format!("batch:{id}")), "batch {id} is not audited");
                must!(!file.ledger.lines().is_empty(), "a batch without lines decided {entry:?}");
            }
            Ground::Reversal => return Err(format!("a reversal's entry says so: {entry:?}")),
            Ground::LabelArrived | Ground::Renewal => {
                let action = match decision.ground {
                    Ground::Renewal => "name_asked_again",
                    _ => "corrected_on_arrival",
                };
                let subject = format!("number:{}", entry.number.masked());
                must!(self.audited(action, &subject), "{action} is not audited: {entry:?}");
            }
        }
        Ok(())
    }

    /// The newest entry says what the decisions come to, and decisions stay.
    fn check_fold(&mut self, file: &NumberFile) -> Result<(), String> {
        let newest = self.seen.newest.get(&file.number).map(|seq| &self.seen.entries[*seq as usize]);
        let said = newest.filter(|entry| !entry.withdrawn).map(|entry| {
            (entry.void_before, entry.name_action, entry.name.clone(), entry.name_until, entry.assurance)
        });
        let force = file.in_force().map(|force| {
            (force.void_before, force.name_action, force.name, force.name_until, force.assurance)
        });
        must!(said == force, "the newest entry says {said:?}, the decisions come to {force:?}");
        let seen = self.seen.decisions.entry(file.number).or_default();
        for (before, after) in seen.iter().zip(&file.decisions) {
            let same = Decision { reverted: before.reverted.clone(), ..after.clone() } == *before;
            let stays = before.reverted.is_none() || before.reverted == after.reverted;
            must!(same && stays, "a decision has changed: {before:?}, {after:?}");
        }
        must!(seen.len() <= file.decisions.len(), "a decision is gone");
        seen.clone_from(&file.decisions);
        Ok(())
    }

    /// No mark of the present tenure falls.
    fn check_voids(&self, index: usize, file: &NumberFile) -> Result<(), String> {
        let Some(void_before) = file.in_force().and_then(|force| force.void_before) else { return Ok(()) };
        let life = &self.lives[index];
        let began = life.began(life.latest_holder(self.now()));
        must!(
            !self.truthful || void_before <= began,
            "number {index}: void before {void_before}, its tenure began {began}: {:?}",
            file.decisions
        );
        Ok(())
    }

    /// A shown name ends with what is known of its tenure, lapses by itself,
    /// and is asked again.
    async fn check_name(&self, index: usize, file: &NumberFile) -> Result<(), String> {
        let Some((name, until)) = file.shown_name() else { return Ok(()) };
        let shown = file.decisions.iter().rev().find(|decision| {
            decision.reverted.is_none() && matches!(decision.effect, Effect::SetName { .. })
        });
        let shown_on = day_of(shown.ok_or("a name is shown that nobody decided")?.at);
        must!(until <= plus_days(shown_on, NAME_LEASE_DAYS), "{name} is shown until {until}");
        let today = day_of(self.now());
        if until < today {
            return Ok(());
        }
        let task = self.store().load::<Task>(&TaskKind::RenewName(number_of(index))).await.unwrap();
        must!(task.is_some(), "number {index}: nobody will ask again whether {name} is right");
        let life = &self.lives[index];
        let theirs =
            life.spells.iter().rfind(|spell| life.name_of(spell.holder) == name && spell.from <= shown_on);
        let Some(ended) = theirs.and_then(|spell| spell.until).filter(|_| self.truthful) else {
            return Ok(());
        };
        let known = file.ledger.lines().iter().find(|line| {
            line.on == ended && matches!(line.event, TenureEvent::Disconnected | TenureEvent::Transferred)
        });
        must!(
            known.is_none(),
            "number {index}: {name} is shown though its tenure ended {ended}: {:?}",
            file.decisions
        );
        Ok(())
    }

    /// No label is held against a provider without its own word that it serves
    /// the correction, nor what is no longer said.
    async fn check_regressed(&self, index: usize) -> Result<(), String> {
        let (number, store) = (number_of(index), self.store());
        let (labels, _) = store.page::<Label>(&Listing::LabelsOf(number), None, 100).await.unwrap();
        for label in labels.into_iter().map(|label| label.value) {
            let Some(Regression { seq, seen_at }) = label.regressed else { continue };
            let newest = self.seen.newest.get(&number).map(|seq| &self.seen.entries[*seq as usize]);
            let says = newest.is_some_and(|entry| contradicts(entry, &label, day_of));
            must!(says, "nothing is said against {label:?} any more");
            let (provider, stage) = (label.provider.clone(), Stage::Serving);
            let listing = Listing::AcksAbove { provider, stage, size: seq };
            let (acks, _) = store.page::<Ack>(&listing, None, 1).await.unwrap();
            let served = acks.first().is_some_and(|ack| ack.value.at < seen_at);
            must!(served && self.seen.entries[seq as usize].number == number, "not served: {label:?}");
            let refused = store.load::<ProviderRefusal>(&(label.provider.clone(), seq)).await.unwrap();
            let refused = refused.is_some_and(|refused| refused.value.at < seen_at);
            must!(!refused, "it never said that it would follow: {label:?}");
        }
        Ok(())
    }

    /// What was taken is on the disk and will be gone on with.
    async fn check_batches(&self) -> Result<(), String> {
        let (open, _) = self.store().page::<Batch>(&Listing::OpenBatches, None, 1_000).await.unwrap();
        let staged = self.staged();
        for batch in open {
            let batch = batch.value;
            let task = self.store().load::<Task>(&TaskKind::Apply(batch.id)).await.unwrap();
            let (waits, file) = match batch.state {
                zhengming::store::BatchState::Applying => (true, "lines"),
                zhengming::store::BatchState::Releasing => (true, "held"),
                _ => (false, "held"),
            };
            must!(!waits || task.is_some(), "nobody goes on with batch {batch:?}");
            must!(staged.contains(&format!("{}.{file}", batch.id)), "the lines of {batch:?} are gone");
        }
        Ok(())
    }
}
