//! A correction that a provider says it serves is looked at again: does it
//! still show what was corrected? What is seen is an observation like any other,
//! and makes the provider's progress `regressed` by the same rule.
//!
//! One task for each look-up provider of a corrected dispute, put in with the
//! correction; each turn finds out anew what there is to do, so that it may be
//! run twice, or late.

use jiff::Timestamp;

use crate::casework::lookups::Missing;
use crate::casework::ports::Unavailable;
use crate::casework::{Casework, Result};
use crate::domain::dispute::{Dispute, Status};
use crate::domain::id::{DisputeId, ProviderId};
use crate::domain::probing::{Probe, first_probe, probe};
use crate::domain::progress::Stage;
use crate::store::{Changeset, ProviderRefusal, Task, TaskKind, Versioned};

impl Casework {
    pub(in crate::casework) async fn schedule_probes(
        &self,
        changeset: &mut Changeset,
        dispute: &Dispute,
        decided_at: Timestamp,
    ) -> Result<()> {
        let asked = |provider: &&ProviderId| self.parts.lookups.iter().any(|asked| asked.id == **provider);
        for provider in dispute.providers.iter().filter(asked) {
            let kind = TaskKind::Probe { dispute: dispute.id, provider: provider.clone() };
            self.schedule(changeset, kind, first_probe(decided_at)).await?;
        }
        Ok(())
    }

    pub(in crate::casework) async fn probe(
        &self,
        task: &Versioned<Task>,
        dispute: DisputeId,
        provider: &ProviderId,
    ) -> Result<()> {
        let asked = self.parts.lookups.iter().find(|asked| asked.id == *provider);
        let Some(asked) = asked else { return self.finish(task).await };
        let dispute = self.dispute(dispute).await?.value;
        match self.due_probe(&dispute, provider).await? {
            Probe::Over => self.finish(task).await,
            Probe::Wait(until) => self.put_off(task, until).await,
            Probe::Ask { then } => match (self.question(asked, dispute.number).await, then) {
                (Ok(()), Some(then)) => self.put_off(task, then).await,
                (Ok(()), None) | (Err(Missing::Unsupported), _) => self.finish(task).await,
                (Err(why), _) => {
                    let why = why.as_str().to_owned();
                    self.postpone(task, &Unavailable { why, retry_after_s: None, alarm: false }).await
                }
            },
        }
    }

    /// There is nothing to look for once the correction is not in force any
    /// more, or the provider has refused it.
    async fn due_probe(&self, dispute: &Dispute, provider: &ProviderId) -> Result<Probe> {
        let state = dispute.state();
        if state.status != Status::Corrected {
            return Ok(Probe::Over);
        }
        let Some((decided_at, seq)) = self.approved_in(dispute, &state).await? else {
            return Ok(Probe::Over);
        };
        let newest = self.store().newest_entry(dispute.number).await?.unwrap_or(seq);
        let refused = self.store().load::<ProviderRefusal>(&(provider.clone(), seq)).await?;
        if refused.is_some() || self.entry_at(newest).await?.withdrawn {
            return Ok(Probe::Over);
        }
        let served_at = self.first_ack(provider, Stage::Serving, seq).await?.map(|ack| ack.at);
        Ok(probe(decided_at, served_at, self.now()))
    }
}
