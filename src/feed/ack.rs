//! Acknowledgements (回执): a provider says how far it has come, proves by the
//! root that it has the same log, and names the entries it will not follow.
//!
//! What is kept is enough to say when a provider had each entry at a stage: a
//! record for each size that it came to, and none for saying it again. So the
//! records grow with the log, not with how often a provider speaks. Beside
//! them one record for each provider says how far it is.
//!
//! Absent: what an acknowledgement means for a dispute (`domain::progress`),
//! how far behind a provider is (`lag`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::domain::id::ProviderId;
use crate::domain::plain::is_plain;
use crate::domain::progress::Stage;
use crate::domain::refusal::Refusal;
use crate::feed::merkle::Hash;
use crate::feed::{Feed, FeedError};
use crate::store::{self, AuditDraft, Changeset, ProviderRefusal, ProviderState, StoreError, Versioned};

pub const REFUSED_PER_ACK_MAX: usize = 1_000;
pub const REFUSED_CODE_BYTES_MAX: usize = 64;
pub const REFUSED_TEXT_CHARS_MAX: usize = 500;
pub const SOFTWARE_CHARS_MAX: usize = 100;

/// So many refusals are put with one commit, and leave room for three stages
/// and the provider's state.
const REFUSED_PER_COMMIT_MAX: usize = 200;
const TRIES_MAX: usize = 5;

/// "We have the first `size` entries, as `root` shows, and do this with them."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub size: u64,
    pub root: Hash,
    pub stage: Stage,
    pub refused: Vec<RefusedEntry>,
    pub software: Option<String>,
}

/// An entry that the provider will not follow, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    pub seq: u64,
    pub code: String,
    pub text: Option<String>,
}

impl Feed {
    /// Records what is new in it, and says whether the provider has advanced.
    /// An older size than before changes nothing and is no error.
    ///
    /// The last commit is what counts: a crash before it leaves refusals that
    /// the provider, who got no answer, says again.
    pub async fn ack(
        &self,
        provider: &ProviderId,
        ack: &Acknowledgement,
        now: Timestamp,
    ) -> Result<bool, FeedError> {
        self.check(ack).await?;
        // The first word about an entry stands, also within one call.
        let mut refused = BTreeMap::new();
        for entry in &ack.refused {
            refused.entry(entry.seq).or_insert(entry);
        }
        let refused: Vec<&RefusedEntry> = refused.into_values().collect();
        let whole = refused.len() / REFUSED_PER_COMMIT_MAX * REFUSED_PER_COMMIT_MAX;
        for chunk in refused[..whole].chunks(REFUSED_PER_COMMIT_MAX) {
            self.keep(provider, ack, chunk, &[], now).await?;
        }
        // A later stage implies the earlier ones.
        let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| *stage <= ack.stage).collect();
        self.keep(provider, ack, &refused[whole..], &stages, now).await
    }

    /// First the root, whatever the size: who has another log is to know.
    async fn check(&self, ack: &Acknowledgement) -> Result<(), FeedError> {
        if ack.size > self.size() {
            // Perhaps it was published elsewhere a moment ago.
            self.look_again().await?;
        }
        let size = self.size();
        if self.durable_root_at(ack.size).await?.is_some_and(|root| root != ack.root) {
            return Err(Refusal::Diverged.into());
        }
        if ack.size > size {
            return Err(Refusal::CursorAhead { size }.into());
        }
        well_formed(ack)?;
        Ok(())
    }

    /// One commit, tried again where somebody else got there first.
    async fn keep(
        &self,
        provider: &ProviderId,
        ack: &Acknowledgement,
        refused: &[&RefusedEntry],
        stages: &[Stage],
        now: Timestamp,
    ) -> Result<bool, FeedError> {
        for _ in 0..TRIES_MAX {
            let mut changes = Changeset::default();
            let before = self.store.load::<ProviderState>(provider).await?;
            let before = before.unwrap_or_else(|| Versioned::new(nothing_said(provider)));
            let mut state = before.clone();
            let advanced = add_stages(&mut changes, &mut state.value, ack, stages, now);
            self.add_refusals(&mut changes, &mut state.value, refused, now).await?;
            if state == before {
                return Ok(false);
            }
            state.value.acked_at = now;
            changes.put(state);
            match self.store.commit(changes).await {
                Err(StoreError::Stale) => {}
                done => return Ok(done.map(|_| advanced)?),
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn add_refusals(
        &self,
        changes: &mut Changeset,
        state: &mut ProviderState,
        refused: &[&RefusedEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for entry in refused {
            let known = self.store.load::<ProviderRefusal>(&(state.provider.clone(), entry.seq)).await?;
            if known.is_none() {
                let refusal = ProviderRefusal {
                    provider: state.provider.clone(),
                    seq: entry.seq,
                    code: entry.code.clone(),
                    text: entry.text.clone(),
                    at: now,
                };
                changes.audit.push(audit_line(&refusal));
                changes.put_new(refusal);
                state.refused += 1;
            }
        }
        Ok(())
    }
}

fn nothing_said(provider: &ProviderId) -> ProviderState {
    ProviderState {
        provider: provider.clone(),
        sizes: BTreeMap::new(),
        refused: 0,
        software: None,
        acked_at: Timestamp::UNIX_EPOCH,
    }
}

/// Returns whether the provider has come further.
fn add_stages(
    changes: &mut Changeset,
    state: &mut ProviderState,
    ack: &Acknowledgement,
    stages: &[Stage],
    now: Timestamp,
) -> bool {
    let mut advanced = false;
    for &stage in stages {
        if ack.size > state.size(stage) {
            advanced = true;
            state.sizes.insert(stage, ack.size);
            changes.put_new(store::Ack {
                provider: state.provider.clone(),
                stage,
                size: ack.size,
                at: now,
                software: ack.software.clone(),
            });
        }
    }
    if ack.software.is_some() {
        state.software.clone_from(&ack.software);
    }
    advanced
}

fn audit_line(refusal: &ProviderRefusal) -> AuditDraft {
    let json = serde_json::to_vec(refusal).expect("strings and numbers always serialize");
    AuditDraft {
        at: refusal.at,
        actor: format!("provider:{}", refusal.provider),
        action: "entry_refused".into(),
        subject: format!("entry:{}", refusal.seq),
        digest: Some(hex(&Sha256::digest(json))),
    }
}

fn well_formed(ack: &Acknowledgement) -> Result<(), Refusal> {
    let malformed = |field, why: String| Err(Refusal::FieldMalformed { field, why });
    if ack.software.as_deref().is_some_and(|name| !is_line(name, SOFTWARE_CHARS_MAX)) {
        return malformed("software", format!("at most {SOFTWARE_CHARS_MAX} characters on one line"));
    }
    if ack.refused.len() > REFUSED_PER_ACK_MAX {
        return malformed("refused", format!("at most {REFUSED_PER_ACK_MAX} in one call"));
    }
    for entry in &ack.refused {
        if entry.seq >= ack.size {
            return malformed("refused.seq", format!("{} is not below size", entry.seq));
        }
        if !is_code(&entry.code) {
            return malformed("refused.code", format!("1 to {REFUSED_CODE_BYTES_MAX} of a-z, 0-9 and _"));
        }
        if entry.text.as_deref().is_some_and(|text| !is_line(text, REFUSED_TEXT_CHARS_MAX)) {
            return malformed(
                "refused.text",
                format!("at most {REFUSED_TEXT_CHARS_MAX} characters on one line"),
            );
        }
    }
    Ok(())
}

/// snake_case, beginning with a letter.
fn is_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= REFUSED_CODE_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_line(text: &str, chars_max: usize) -> bool {
    text.chars().count() <= chars_max && is_plain(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
