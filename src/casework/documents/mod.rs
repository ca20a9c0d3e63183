//! Documents (材料), where operators cannot answer: handed in by the holder,
//! made harmless (`safe`), kept encrypted beside the database (`vault`), shown
//! with a mark (`watermark`) to whoever has the case in hand, and deleted some
//! time after its end.
//!
//! Absent: when documents are taken and how many (`domain::dispute`).

pub mod safe;
mod vault;
pub mod watermark;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

pub use self::vault::Vault;
use self::vault::{Fresh, NONCE_BYTES, Place};
use crate::casework::actors::{Claimant, ModeratorActor};
use crate::casework::moderation::actor;
use crate::casework::{Casework, Error, Result, audit, record, unattended};
use crate::domain::dispute::{Actor, Command, Status, What};
use crate::domain::document::{Document, DocumentKind, GivenDocument};
use crate::domain::hex::hex;
use crate::domain::id::{DisputeId, DocumentId, made_before};
use crate::domain::policy::{DOCUMENT_BYTES_MAX, DOCUMENTS_PER_DISPUTE_MAX};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Task, Versioned};

/// Longer than any upload takes: what is older and unnamed was left by one.
const UNNAMED_FOR_MINUTES: i64 = 60;

/// Documents that are coming in. Nothing of them counts before `finish`.
#[derive(Debug)]
pub struct Receiving {
    casework: Casework,
    dispute: DisputeId,
    files: usize,
    taken: Vec<(Document, Fresh)>,
    _place: OwnedSemaphorePermit,
}

/// What became of an upload: its documents as they are known now, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    pub documents: Vec<GivenDocument>,
    /// Not all of them were there before.
    pub is_news: bool,
    pub status: Status,
}

/// A document on its way to a moderator's eyes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDocument {
    pub kind: DocumentKind,
    pub bytes: Vec<u8>,
}

impl Casework {
    /// Begins to take documents, where the dispute takes any now.
    pub async fn receive_documents(&self, claimant: &Claimant) -> Result<Receiving> {
        let dispute = claimant.dispute();
        self.dispute(dispute).await?.value.state().takes_documents()?;
        let place = self.parts.vault.place_to_upload()?;
        Ok(Receiving { casework: self.clone(), dispute, files: 0, taken: Vec::new(), _place: place })
    }

    /// Opens a document for the moderator who has the case in hand, or for a
    /// senior, and marks it as seen by them. Each look is in the audit.
    pub async fn show_document(
        &self,
        moderator: &ModeratorActor,
        dispute: DisputeId,
        document: DocumentId,
    ) -> Result<ShownDocument> {
        let found = self.looked_at(moderator, dispute).await?;
        let given = found.value.state().document(document).cloned().ok_or(Refusal::NotFound)?;
        if given.purged_at.is_some() {
            return Err(Refusal::DocumentPurged.into());
        }
        let now = self.now();
        let mut changeset = Changeset::default();
        changeset.audit.push(audit(now, actor(moderator), "document_seen", format!("document:{document}")));
        self.commit(changeset).await?;
        let place = Place { dispute, document };
        let kept = self.parts.vault.read(self.document_key(), place).await?;
        let kept = kept.ok_or_else(|| {
            tracing::error!(%dispute, %document, "the file of a document is gone");
            Refusal::DocumentDamaged
        })?;
        let (kind, mark) = (given.document.kind, watermark::mark_of(moderator.name(), now));
        let marked = self.parts.vault.work(move || watermark::marked(kind, &kept, &mark)).await?;
        Ok(ShownDocument { kind, bytes: marked })
    }

    /// The worker's part: a closed dispute's documents have had their time.
    pub(super) async fn purge_documents(&self, task: &Versioned<Task>, id: DisputeId) -> Result<()> {
        let mut dispute = self.dispute(id).await?;
        // Reopened, or purged already: if it closes again, it has a task again.
        let Some(until) = dispute.value.state().documents_kept_until() else {
            return self.finish(task).await;
        };
        if self.now() < until {
            return self.put_off(task, until).await;
        }
        let file = self.number_file(dispute.value.number).await?;
        let weighing = self.weighing(&dispute.value, &file.value, &[]);
        let happened = dispute.value.decide(Command::PurgeDocuments, weighing)?;
        self.parts.vault.remove_all(id).await?;
        let mut changeset = Changeset::default();
        for what in happened {
            record(&mut changeset, &mut dispute.value, self.now(), Actor::Rule, what);
        }
        changeset.put(dispute);
        changeset.delete(task);
        self.commit(changeset).await
    }

    /// Removes all files that no dispute names. For the start, before anybody
    /// can hand one in; where other instances may take one, the old ones.
    pub async fn sweep_documents(&self) -> Result<()> {
        if self.has_others {
            return self.sweep_old_documents().await;
        }
        self.sweep_documents_of_before(self.now()).await
    }

    /// The same while uploads are under way.
    pub(super) async fn sweep_old_documents(&self) -> Result<()> {
        let age = SignedDuration::from_mins(UNNAMED_FOR_MINUTES);
        self.sweep_documents_of_before(self.now().checked_sub(age).unwrap_or(Timestamp::MIN)).await
    }

    async fn sweep_documents_of_before(&self, end: Timestamp) -> Result<()> {
        let vault = &self.parts.vault;
        for (folder, files) in vault.listed().await? {
            let named = match folder.parse::<DisputeId>() {
                Ok(dispute) => self.documents_named_by(dispute).await?,
                Err(_) => BTreeSet::new(),
            };
            for file in files.iter().filter(|file| !named.contains(*file) && is_of_before(file, end)) {
                vault.sweep(&folder, Some(file)).await?;
                tracing::info!(%folder, %file, "removed a document that no dispute names");
            }
            if files.is_empty() && named.is_empty() {
                vault.sweep(&folder, None).await?;
            }
        }
        Ok(())
    }

    async fn documents_named_by(&self, dispute: DisputeId) -> Result<BTreeSet<String>> {
        match self.dispute(dispute).await {
            Ok(dispute) => {
                let state = dispute.value.state();
                Ok(state.kept_documents().map(|document| document.id.to_string()).collect())
            }
            Err(Error::Refused(Refusal::NotFound)) => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    fn document_key(&self) -> [u8; 32] {
        self.parts.secret.derive("documents", &[])
    }

    /// Commits what was taken; says which of the documents are new.
    async fn hand_in(&self, id: DisputeId, taken: &[Document]) -> Result<(Handed, BTreeSet<DocumentId>)> {
        let dispute = self.dispute(id).await?;
        let file = self.number_file(dispute.value.number).await?;
        let command = Command::GiveDocuments { documents: taken.to_vec() };
        let happened = dispute.value.decide(command, self.weighing(&dispute.value, &file.value, &[]))?;
        let mut after = dispute.value.clone();
        let mut new = BTreeSet::new();
        for what in &happened {
            after.apply(self.now(), Actor::Holder, what.clone());
            if let What::DocumentsGiven { documents } = what {
                new.extend(documents.iter().map(|document| document.id));
            }
        }
        let mut changeset = Changeset::default();
        if !happened.is_empty() {
            self.follow(&mut changeset, dispute, file, Actor::Holder, happened).await?;
        }
        // Where nothing is new this is a barrier: what is told again is durable.
        self.commit(changeset).await?;
        let state = after.state();
        let is_among = |given: &&GivenDocument| {
            let sent = |document: &Document| document.sha256 == given.document.sha256;
            given.purged_at.is_none() && taken.iter().any(sent)
        };
        let documents = state.documents.iter().filter(is_among).cloned().collect();
        Ok((Handed { documents, is_news: !new.is_empty(), status: state.status }, new))
    }
}

impl Receiving {
    /// One more document is about to come.
    pub fn begin_document(&mut self) -> Result<()> {
        self.files += 1;
        if self.files > DOCUMENTS_PER_DISPUTE_MAX {
            return Err(Refusal::DocumentsTooMany { documents_max: DOCUMENTS_PER_DISPUTE_MAX }.into());
        }
        Ok(())
    }

    /// Takes a document as it was sent.
    pub async fn push(&mut self, sent: Vec<u8>) -> Result<()> {
        if sent.len() > DOCUMENT_BYTES_MAX {
            return Err(Refusal::DocumentTooLarge { most: "8 MiB" }.into());
        }
        if sent.is_empty() {
            return Err(Refusal::DocumentUnreadable { why: "it is empty" }.into());
        }
        let kind = DocumentKind::sniff(&sent).ok_or(Refusal::DocumentType)?;
        let vault = &self.casework.parts.vault;
        let made = vault.work(move || safe::made_of(kind, &sent)).await?;
        let id = DocumentId(self.casework.new_uuid());
        let sha256 = hex(&Sha256::digest(&made));
        let document = Document { id, kind, bytes: made.len() as u64, sha256 };
        let nonce = self.casework.random::<NONCE_BYTES>();
        let place = Place { dispute: self.dispute, document: id };
        let fresh = vault.put(self.casework.document_key(), nonce, place, made).await?;
        self.taken.push((document, fresh));
        Ok(())
    }

    /// Hands in all of them, or none.
    pub async fn finish(self) -> Result<Handed> {
        let Self { casework, dispute, taken, _place, .. } = self;
        let (taken, files): (Vec<Document>, Vec<Fresh>) = taken.into_iter().unzip();
        unattended(async move {
            // Not taken away from under a commit of which we do not hear.
            files.into_iter().for_each(Fresh::leave);
            let handed = casework.retrying(|| casework.hand_in(dispute, &taken)).await;
            let is_unnamed = |document: &&Document| match &handed {
                Ok((_, new)) => !new.contains(&document.id),
                Err(error) => !matches!(error, Error::Fatal(_)),
            };
            for document in taken.iter().filter(is_unnamed) {
                let (folder, file) = (dispute.to_string(), document.id.to_string());
                casework.parts.vault.sweep(&folder, Some(&file)).await?;
            }
            let (handed, _) = handed?;
            casework.wake_worker();
            Ok(handed)
        })
        .await
    }
}

/// What has no id was not made here.
fn is_of_before(file: &str, end: Timestamp) -> bool {
    let id = file.trim_end_matches(".part").parse::<DocumentId>();
    id.map_or(true, |id| made_before(id.0, end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_file_is_told_by_its_name() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        // 2026-11-23T03:00:00Z in milliseconds.
        let file = format!("{:012x}", 1_795_402_800_000_u64);
        let file = format!("{}-{}-7000-8000-000000000000", &file[..8], &file[8..]);
        for file in [file.clone(), file + ".part"] {
            assert!(is_of_before(&file, at("2026-11-23T03:00:00Z")), "{file}");
            assert!(!is_of_before(&file, at("2026-11-23T02:59:59Z")), "{file}");
        }
        for rubbish in ["", ".part", "notes.txt", "00000000-0000-4000-8000-000000000000"] {
            assert!(is_of_before(rubbish, Timestamp::MIN), "{rubbish}");
        }
    }
}
