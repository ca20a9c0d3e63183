//! A dispute as its holder sees it: where it stands, and what became of it at
//! each provider.

use jiff::Timestamp;

use crate::casework::actors::Claimant;
use crate::casework::correcting::entry_reason;
use crate::casework::{Casework, Error, Result};
use crate::domain::correction::{Effect, Entry, whole_seconds};
use crate::domain::dispute::{Dispute, Reason, State, Status, What};
use crate::domain::id::{DisputeId, ProviderId};
use crate::domain::label::{Label, LabelKind};
use crate::domain::progress::{Course, Decided, Progress, Refused, Stage, Told, course};
use crate::store::ProviderRefusal;

#[derive(Debug, Clone)]
pub struct DisputeView {
    pub dispute: Dispute,
    pub state: State,
    pub overdue: bool,
    /// The entry that published the approval, where there is one.
    pub seq: Option<u64>,
    /// When providers could first see it.
    pub published_at: Option<Timestamp>,
    pub providers: Vec<ProviderProgress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderProgress {
    pub provider: ProviderId,
    pub progress: Progress,
    pub at: Timestamp,
    /// What happened at the provider, oldest first.
    pub steps: Vec<(Timestamp, Progress)>,
}

/// An approval that is in the log, and the effect that it had.
#[derive(Debug, Clone)]
struct Approval {
    at: Timestamp,
    effect: Effect,
    seq: u64,
    /// When two people took it back: what came later is not about it.
    reverted_at: Option<Timestamp>,
}

impl Casework {
    /// `published`: how many entries of the log providers can see.
    pub async fn my_dispute(&self, claimant: &Claimant, published: u64) -> Result<DisputeView> {
        self.view(claimant.dispute(), published).await
    }

    pub(super) async fn view(&self, id: DisputeId, published: u64) -> Result<DisputeView> {
        let dispute = self.dispute(id).await?.value;
        let state = dispute.state();
        let approval = self.approval(&dispute, &state).await?;
        let labels = self.labels_of(dispute.number).await?;
        let mut providers = Vec::with_capacity(dispute.providers.len());
        for provider in &dispute.providers {
            let shown = shown_by(provider, dispute.reason(), &labels);
            providers.push(
                self.provider_progress(&dispute, provider, approval.as_ref(), &shown, published).await?,
            );
        }
        let overdue = state.status.is_open() && dispute.due_on < self.today(dispute.number);
        let seq = approval.as_ref().filter(|_| state.approved.is_some()).map(|approval| approval.seq);
        let published_at = approval.filter(|approval| approval.seq < published).map(|approval| approval.at);
        Ok(DisputeView { dispute, state, overdue, seq, published_at, providers })
    }

    /// When a dispute was approved, and the entry that published it.
    pub(super) async fn approved_in(
        &self,
        dispute: &Dispute,
        state: &State,
    ) -> Result<Option<(Timestamp, u64)>> {
        Ok(self.approval(dispute, state).await?.map(|approval| (approval.at, approval.seq)))
    }

    async fn approval(&self, dispute: &Dispute, state: &State) -> Result<Option<Approval>> {
        let approved = dispute.events.iter().rev().find_map(|event| match &event.what {
            What::Approved { effect, .. } => Some((event.at, effect.clone())),
            _ => None,
        });
        let Some((at, effect)) = approved else { return Ok(None) };
        let seq = match self.entry_of(dispute, at).await? {
            // A decision can be read one flush before its entry can.
            None => {
                self.barrier().await?;
                self.entry_of(dispute, at).await?
            }
            found => found,
        };
        let reverted_at = if state.approved.is_none() { state.closed_at } else { None };
        Ok(seq.map(|seq| Approval { at, effect, seq, reverted_at }))
    }

    async fn provider_progress(
        &self,
        dispute: &Dispute,
        provider: &ProviderId,
        approval: Option<&Approval>,
        shown: &[Label],
        published: u64,
    ) -> Result<ProviderProgress> {
        let provider = provider.clone();
        let last_event_at = dispute.events.last().map_or(dispute.filed_at, |event| event.at);
        let Some(Approval { at, effect, seq, reverted_at }) = approval else {
            // Nothing is said to providers before a correction is decided.
            let (progress, steps) = (Progress::Pending, Vec::new());
            return Ok(ProviderProgress { provider, progress, at: last_event_at, steps });
        };
        let told = self.told(&provider, *seq, published).await?;
        let decided = Decided { effect, at: *at, seq: *seq };
        let Course { mut progress, mut steps } =
            course(decided, shown, &told, |at| self.day_of(dispute.number, at));
        if let Some(reverted_at) = reverted_at {
            steps.retain(|(at, _)| at < reverted_at);
            progress = Progress::Pending;
        }
        let moved_at = steps.last().filter(|_| reverted_at.is_none()).map(|(at, _)| *at);
        Ok(ProviderProgress { provider, progress, at: moved_at.unwrap_or(last_event_at), steps })
    }

    /// What a provider has said about an entry.
    async fn told(&self, provider: &ProviderId, seq: u64, published: u64) -> Result<Told> {
        let mut stages = Vec::new();
        for stage in Stage::ALL {
            let Some(ack) = self.first_ack(provider, stage, seq).await? else { break };
            stages.push((stage, ack.at));
        }
        let refusal = self.store().load::<ProviderRefusal>(&(provider.clone(), seq)).await?;
        let refused = refusal.map(|refusal| {
            let ProviderRefusal { at, code, text, .. } = refusal.value;
            Refused { at, code, text }
        });
        Ok(Told { published: seq < published, stages, refused })
    }

    /// The entry that published a dispute's approval: back along the number's
    /// entries to the decision's second.
    pub(super) async fn entry_of(&self, dispute: &Dispute, decided_at: Timestamp) -> Result<Option<u64>> {
        let (second, reason) = (whole_seconds(decided_at), entry_reason(dispute.reason()));
        let mut next = self.store().newest_entry(dispute.number).await?;
        while let Some(seq) = next {
            let entry = self.entry_at(seq).await?;
            if entry.at < second {
                return Ok(None);
            }
            if entry.at == second && entry.reason == reason {
                return Ok(Some(seq));
            }
            next = entry.supersedes;
        }
        Ok(None)
    }

    pub(super) async fn entry_at(&self, seq: u64) -> Result<Entry> {
        let leaf = self.store().log(seq, 1).await?.pop();
        let leaf = leaf.ok_or_else(|| Error::Fatal(format!("the log has no entry {seq}")))?;
        serde_json::from_slice(&leaf).map_err(|error| Error::Fatal(format!("entry {seq}: {error}")))
    }
}

/// What a provider shows that this kind of dispute is about.
fn shown_by(provider: &ProviderId, reason: Reason, labels: &[Label]) -> Vec<Label> {
    let in_question = |label: &&Label| {
        label.provider == *provider && (reason == Reason::Reassigned || label.kind == LabelKind::Name)
    };
    labels.iter().filter(in_question).cloned().collect()
}

impl DisputeView {
    pub fn status(&self) -> Status {
        self.state.status
    }
}
