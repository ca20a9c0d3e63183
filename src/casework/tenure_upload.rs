//! An operator's upload as it comes in: staged, named by its Idempotency-Key,
//! and applied once it is whole.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::casework::actors::OperatorActor;
use crate::casework::sorting::{RUN_LINES_MAX, Sorting};
use crate::casework::{Casework, Error, Result, audit, unattended};
use crate::domain::day::later;
use crate::domain::hex::hex;
use crate::domain::id::{BatchId, OperatorId};
use crate::domain::lines::{LineError, TenureSaid};
use crate::domain::refusal::Refusal;
use crate::store::{Batch, BatchState, Changeset, Claim, Tally, Task, TaskKind};

/// How long whoever applies an upload has it to itself since its last chunk.
/// Two that apply the same one at once are only slow: each chunk is one commit.
const APPLYING_S: i64 = 30;

/// An upload that is coming in.
#[derive(Debug)]
pub struct TenureUpload {
    casework: Casework,
    operator: OperatorId,
    id: BatchId,
    key: Option<String>,
    sorting: Sorting,
    tally: Tally,
}

impl Casework {
    /// `key`: the upload's Idempotency-Key, which names the batch.
    pub async fn receive_tenures(&self, operator: &OperatorActor, key: Option<&str>) -> Result<TenureUpload> {
        let id = BatchId(self.new_uuid());
        let sorting = Sorting::new(&self.parts.staging, id.to_string(), RUN_LINES_MAX);
        let key = key.map(|key| format!("batch:{}:{}", operator.id(), hex(&Sha256::digest(key))));
        let (casework, operator) = (self.clone(), operator.id().clone());
        Ok(TenureUpload { casework, operator, id, key, sorting, tally: Tally::default() })
    }

    /// For the case that whoever applies it now does not come to the end.
    pub(super) async fn schedule_apply(&self, changeset: &mut Changeset, id: BatchId) -> Result<()> {
        let run_at = later(self.now(), SignedDuration::from_secs(APPLYING_S));
        self.schedule(changeset, TaskKind::Apply(id), run_at).await
    }

    /// With a chunk: it is being applied, and for the time nobody else need.
    pub(super) async fn go_on_having(&self, changeset: &mut Changeset, id: BatchId) -> Result<()> {
        let found = self.store().load::<Task>(&TaskKind::Apply(id)).await?;
        let soon = later(self.now(), SignedDuration::from_secs(APPLYING_S / 2));
        match found {
            Some(task) if task.value.run_at < soon => self.schedule_apply(changeset, id).await,
            _ => Ok(()),
        }
    }

    /// What the same key brought before, if it was used.
    async fn same_batch(
        &self,
        key: Option<&str>,
        digest: &[u8; 32],
    ) -> Result<Option<std::result::Result<Tally, Refusal>>> {
        let Some(key) = key else {
            return Ok(None);
        };
        let Some(claim) = self.store().load::<Claim>(&key.to_owned()).await? else {
            return Ok(None);
        };
        let (id, before) = claim.value.value.split_once(':').unwrap_or_default();
        if before != hex(digest) {
            return Ok(Some(Err(Refusal::IdempotencyKeyReused)));
        }
        let id = id.parse().map_err(|_| Error::Fatal(format!("claim {key} names no batch")))?;
        let batch = self.batch(id).await?.value;
        self.barrier().await?;
        Ok(Some(match batch.state {
            BatchState::Applying => Err(Refusal::IdempotencyKeyInUse),
            _ => Ok(batch.answer.unwrap_or(batch.tally)),
        }))
    }
}

impl TenureUpload {
    pub async fn push(&mut self, line: u64, said: std::result::Result<TenureSaid, LineError>) -> Result<()> {
        self.tally.lines += 1;
        match said {
            Ok(said) => self.sorting.push(line, said).await,
            Err(error) => {
                self.tally.reject(line, error);
                Ok(())
            }
        }
    }

    /// The upload is whole: `digest` is the SHA-256 of its bytes. Applies it
    /// to the end, also when nobody waits for the answer any more.
    pub async fn finish(self, digest: [u8; 32]) -> Result<Tally> {
        let Self { casework, operator, id, key, sorting, tally } = self;
        sorting.finish().await?;
        if let Some(before) = casework.same_batch(key.as_deref(), &digest).await? {
            casework.parts.staging.remove(&id.to_string(), false).await?;
            return before.map_err(Error::from);
        }
        let now = casework.now();
        let mut changeset = Changeset::default();
        if let Some(name) = key.clone() {
            let value = format!("{id}:{}", hex(&digest));
            changeset.put_new(Claim { name, value, expires_at: None });
        }
        changeset.put_new(Batch {
            id,
            operator: operator.clone(),
            received_at: now,
            state: BatchState::Applying,
            applied_bytes: 0,
            looked_bytes: 0,
            tally,
            answer: None,
            release_asked: None,
            discard_asked: None,
            claim: key,
            expires_at: None,
        });
        casework.schedule_apply(&mut changeset, id).await?;
        changeset.audit.push(audit(
            now,
            format!("operator:{operator}"),
            "batch_received",
            format!("batch:{id}"),
        ));
        match casework.commit(changeset).await {
            Err(Error::Stale) => return Err(Refusal::IdempotencyKeyInUse.into()),
            done => done?,
        }
        unattended(async move { casework.apply(id).await }).await
    }
}
