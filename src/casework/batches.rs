//! Uploads that published more than an operator may in a day: what is beyond
//! is held, and two people release or discard it. Held lines are not evidence.

use jiff::SignedDuration;

use crate::casework::actors::ModeratorActor;
use crate::casework::moderation::actor;
use crate::casework::reversal::Signed;
use crate::casework::{Casework, Result, audit, unattended};
use crate::domain::day::later;
use crate::domain::id::BatchId;
use crate::domain::refusal::Refusal;
use crate::store::{Batch, BatchState, Changeset, Claim, Listing};

/// How long a batch that is over, and the answer under its name, are kept.
const KEPT_DAYS: i64 = 90;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Release,
    Discard,
}

impl Casework {
    pub async fn held_batches(&self, _: &ModeratorActor) -> Result<Vec<Batch>> {
        let open = self.store().all::<Batch>(&Listing::OpenBatches).await?;
        let open = open.into_iter().map(|batch| batch.value);
        Ok(open.filter(|batch| batch.state == BatchState::Held).collect())
    }

    /// One of the two signatures under the fate of a held batch.
    pub async fn sign_batch(&self, moderator: &ModeratorActor, id: BatchId, fate: Fate) -> Result<Signed> {
        let signed = self.retrying(|| self.try_sign_batch(moderator, id, fate)).await?;
        if signed == Signed::Done {
            match fate {
                Fate::Release => {
                    let this = self.clone();
                    unattended(async move { this.apply(id).await }).await?;
                }
                Fate::Discard => self.parts.staging.remove(&id.to_string(), true).await?,
            }
        }
        Ok(signed)
    }

    async fn try_sign_batch(&self, moderator: &ModeratorActor, id: BatchId, fate: Fate) -> Result<Signed> {
        let mut batch = self.batch(id).await?;
        if batch.value.state != BatchState::Held {
            return Err(Refusal::WrongState { status: "not held" }.into());
        }
        let (asked, action) = match fate {
            Fate::Release => (&mut batch.value.release_asked, "batch_release"),
            Fate::Discard => (&mut batch.value.discard_asked, "batch_discard"),
        };
        let signed = match asked {
            Some(first) if first == moderator.name() => return Err(Refusal::SamePerson.into()),
            Some(_) => Signed::Done,
            None => Signed::AwaitingSecond,
        };
        *asked = Some(moderator.name().clone());
        let mut changeset = Changeset::default();
        match (signed, fate) {
            (Signed::AwaitingSecond, _) => {}
            (Signed::Done, Fate::Release) => {
                batch.value.state = BatchState::Releasing;
                batch.value.applied_bytes = 0;
                batch.value.looked_bytes = 0;
                self.schedule_apply(&mut changeset, id).await?;
            }
            (Signed::Done, Fate::Discard) => {
                self.end_batch(&mut changeset, &mut batch.value, BatchState::Discarded).await?;
            }
        }
        changeset.audit.push(audit(self.now(), actor(moderator), action, format!("batch:{id}")));
        changeset.put(batch);
        self.commit(changeset).await?;
        Ok(signed)
    }

    /// Nothing is left to be done. The batch and its name are forgotten
    /// together, so that a name never leads to a batch that is gone.
    pub(super) async fn end_batch(
        &self,
        changeset: &mut Changeset,
        batch: &mut Batch,
        state: BatchState,
    ) -> Result<()> {
        let kept_until = later(self.now(), SignedDuration::from_hours(24 * KEPT_DAYS));
        batch.state = state;
        batch.expires_at = Some(kept_until);
        if let Some(name) = &batch.claim
            && let Some(mut claim) = self.store().load::<Claim>(name).await?
        {
            claim.value.expires_at = Some(kept_until);
            changeset.put(claim);
        }
        Ok(())
    }
}
