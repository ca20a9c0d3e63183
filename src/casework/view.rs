//! A dispute as its holder sees it: where it stands, and what became of it at
//! each provider.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::actors::Claimant;
use crate::casework::correcting::entry_reason;
use crate::casework::{Casework, Error, Result};
use crate::domain::correction::{Effect, Entry, whole_seconds};
use crate::domain::dispute::{Dispute, Reason, State, Status};
use crate::domain::id::{DisputeId, ProviderId};
use crate::domain::label::{Label, LabelKind};
use crate::domain::progress::{Progress, Stage, Told, progress};
use crate::store::{Ack, Listing, ProviderRefusal};

#[derive(Debug, Clone)]
pub struct DisputeView {
    pub dispute: Dispute,
    pub state: State,
    pub overdue: bool,
    /// The entry that published the approval, where there is one.
    pub seq: Option<u64>,
    pub providers: Vec<ProviderProgress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderProgress {
    pub provider: ProviderId,
    pub progress: Progress,
    pub at: Timestamp,
}

impl Casework {
    /// `published`: how many entries of the log providers can see.
    pub async fn my_dispute(&self, claimant: &Claimant, published: u64) -> Result<DisputeView> {
        self.view(claimant.dispute(), published).await
    }

    pub(super) async fn view(&self, id: DisputeId, published: u64) -> Result<DisputeView> {
        let dispute = self.dispute(id).await?.value;
        let state = dispute.state();
        let approved = state.approved.clone();
        let seq = match &approved {
            Some((at, _)) => match self.entry_of(&dispute, *at).await? {
                // A decision can be read one flush before its entry can.
                None => {
                    self.barrier().await?;
                    self.entry_of(&dispute, *at).await?
                }
                found => found,
            },
            None => None,
        };
        let void_before = approved.as_ref().and_then(|(_, effect)| match effect {
            Effect::VoidBefore { day } => Some(*day),
            Effect::ClearName | Effect::SetName { .. } => None,
        });
        let labels = self.labels_of(dispute.number).await?;
        let mut providers = Vec::with_capacity(dispute.providers.len());
        for provider in &dispute.providers {
            let shown = shown_by(provider, dispute.reason(), &labels);
            providers
                .push(self.provider_progress(&dispute, provider, seq, void_before, &shown, published).await?);
        }
        let overdue = state.status.is_open() && dispute.due_on < self.today(dispute.number);
        Ok(DisputeView { dispute, state, overdue, seq, providers })
    }

    async fn provider_progress(
        &self,
        dispute: &Dispute,
        provider: &ProviderId,
        seq: Option<u64>,
        void_before: Option<Date>,
        shown: &[Label],
        published: u64,
    ) -> Result<ProviderProgress> {
        let mut told = Told { published: seq.is_some_and(|seq| seq < published), stage: None, refused: None };
        let mut at = dispute.events.last().map_or(dispute.filed_at, |event| event.at);
        if let Some(seq) = seq {
            told.stage = self.stage_reached(provider, seq).await?;
            let refusal = self.store().load::<ProviderRefusal>(&(provider.clone(), seq)).await?;
            told.refused = refusal.map(|refusal| {
                at = refusal.value.at;
                (refusal.value.code, refusal.value.text)
            });
        }
        if let (None, Some((_, reached_at))) = (&told.refused, told.stage) {
            at = reached_at;
        }
        let progress = match seq {
            // Nothing is said to providers before a correction is decided.
            None => Progress::Pending,
            Some(_) => progress(void_before, shown, &told),
        };
        Ok(ProviderProgress { provider: provider.clone(), progress, at })
    }

    /// The furthest stage of a provider for an entry, and when it came there.
    async fn stage_reached(&self, provider: &ProviderId, seq: u64) -> Result<Option<(Stage, Timestamp)>> {
        for stage in Stage::ALL.into_iter().rev() {
            let listing = Listing::AcksAbove { provider: provider.clone(), stage, size: seq };
            let (acks, _) = self.store().page::<Ack>(&listing, None, 1).await?;
            if let Some(ack) = acks.first() {
                return Ok(Some((stage, ack.value.at)));
            }
        }
        Ok(None)
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
