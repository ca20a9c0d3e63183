//! Providers' labels in bulk: what each of them shows. Staged, so that a
//! half-sent upload changes nothing; applied in chunks. Sent again after a
//! crash, the same lines lead to the same labels.

use std::collections::BTreeSet;

use crate::casework::actors::ProviderActor;
use crate::casework::label_changes::Told;
use crate::casework::staging::{Incoming, Staged, StagedLines, UNNAMED};
use crate::casework::{Casework, Result, audit, unattended};
use crate::domain::id::ProviderId;
use crate::domain::label::LabelKind;
use crate::domain::lines::{LabelSaid, LineError};
use crate::domain::number::Number;
use crate::store::{Changeset, Tally};

const LINES_PER_CHUNK_MAX: usize = 100;

#[derive(Debug)]
pub struct LabelUpload {
    casework: Casework,
    provider: ProviderActor,
    name: String,
    incoming: Incoming,
    tally: Tally,
}

impl Casework {
    pub async fn receive_labels(&self, provider: &ProviderActor) -> Result<LabelUpload> {
        self.may_upload_labels(provider).await?;
        let name = format!("{UNNAMED}{}", self.new_uuid());
        let incoming = self.parts.staging.receive(&name).await?;
        let (casework, provider) = (self.clone(), provider.clone());
        Ok(LabelUpload { casework, provider, name, incoming, tally: Tally::default() })
    }

    async fn apply_labels(&self, provider: &ProviderActor, name: &str, mut tally: Tally) -> Result<Tally> {
        let mut lines = self.parts.staging.read(name, false, 0).await?;
        let mut left_over = None;
        loop {
            let chunk = next_chunk(&mut lines, &mut left_over).await?;
            if chunk.is_empty() {
                break;
            }
            tally = self.retrying(|| self.apply_label_chunk(provider, &chunk, tally.clone())).await?;
        }
        let mut changeset = Changeset::default();
        let actor = if provider.is_owner() { "owner" } else { "provider" };
        let actor = format!("{actor}:{}", provider.id());
        changeset.audit.push(audit(self.now(), actor, "labels_uploaded", counts(&tally)));
        self.commit(changeset).await?;
        self.parts.staging.remove(name, false).await?;
        Ok(tally)
    }

    async fn apply_label_chunk(
        &self,
        provider: &ProviderActor,
        chunk: &[Staged<LabelSaid>],
        mut tally: Tally,
    ) -> Result<Tally> {
        let told = if provider.is_owner() { Told::ByOwner } else { Told::Uploaded };
        let changeset = self.label_changes(provider.id(), told, chunk, &mut tally).await?;
        self.commit(changeset).await?;
        Ok(tally)
    }
}

fn counts(tally: &Tally) -> String {
    let Tally { lines, accepted, unchanged, rejected, corrections, .. } = tally;
    format!(
        "lines:{lines} accepted:{accepted} unchanged:{unchanged} rejected:{rejected} corrections:{corrections}"
    )
}

/// Lines for one commit. A second line about the same label waits for the next.
async fn next_chunk(
    lines: &mut StagedLines,
    left_over: &mut Option<Staged<LabelSaid>>,
) -> Result<Vec<Staged<LabelSaid>>> {
    let mut seen: BTreeSet<(Number, LabelKind)> = BTreeSet::new();
    let mut chunk = Vec::new();
    while chunk.len() < LINES_PER_CHUNK_MAX {
        let next = match left_over.take() {
            Some(staged) => Some(staged),
            None => lines.next::<LabelSaid>().await?.map(|(staged, _)| staged),
        };
        let Some(staged) = next else { break };
        if !seen.insert((staged.said.number, staged.said.kind)) {
            *left_over = Some(staged);
            break;
        }
        chunk.push(staged);
    }
    Ok(chunk)
}

impl LabelUpload {
    pub fn provider(&self) -> &ProviderId {
        self.provider.id()
    }

    pub async fn push(&mut self, line: u64, said: std::result::Result<LabelSaid, LineError>) -> Result<()> {
        self.tally.lines += 1;
        match said {
            Ok(said) => self.incoming.push(&Staged { line, said }).await,
            Err(error) => {
                self.tally.reject(line, error);
                Ok(())
            }
        }
    }

    /// The upload is whole: applies it, also when nobody waits any more.
    pub async fn finish(self) -> Result<Tally> {
        let Self { casework, provider, name, incoming, tally } = self;
        incoming.finish().await?;
        unattended(async move { casework.apply_labels(&provider, &name, tally).await }).await
    }
}
