//! What waits for a second signature, and what one is about to sign: a
//! reversal is looked at, with the entry that would follow, before anybody
//! puts a name under it. Each look is in the audit.
//!
//! Absent: signing (`reversal`, `batches`).

use crate::casework::actors::ModeratorActor;
use crate::casework::moderation::actor;
use crate::casework::{Casework, Result, audit};
use crate::domain::correction::{Entry, Ground, InForce};
use crate::domain::number::Number;
use crate::domain::number_file::{NumberFile, ReversalAsked};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Cursor, Listing, Role, Versioned};

/// Entries of one number that are looked through for what still stands.
const ENTRIES_OF_NUMBER_MAX: usize = 1_000;

/// A reversal that one person has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingReversal {
    /// Of the entry whose decision is to be taken back.
    pub seq: u64,
    /// Masked, but for whom any case would be shown.
    pub number: String,
    pub entry: Entry,
    pub asked: ReversalAsked,
    /// Whether this moderator may be the second: another person than the first.
    pub may_sign: bool,
}

/// What taking a correction back would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversalLook {
    pub seq: u64,
    /// To be named in the signature: it is good for what was looked at.
    pub version: u64,
    pub number: String,
    /// As it was published.
    pub entry: Entry,
    pub ground: Ground,
    /// The first signature, where there is one already.
    pub asked: Option<ReversalAsked>,
    pub may_sign: bool,
    /// Now; and once two people have signed. `None`: nothing remains, and the
    /// entry that follows withdraws the correction.
    pub in_force: Option<InForce>,
    pub after: Option<InForce>,
    /// Other entries of the number whose decisions stand, the newest first.
    pub others: Vec<u64>,
    /// One of those, whose first signature a signature here would strike.
    pub strikes: Option<u64>,
}

impl Casework {
    /// Reversals that wait for their second signature, the earliest begun
    /// first; and after what the next page begins, which is opaque.
    pub async fn pending_reversals(
        &self,
        moderator: &ModeratorActor,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<PendingReversal>, Option<Vec<u8>>)> {
        let after = after.map(Cursor);
        let (page, next) =
            self.store().page::<NumberFile>(&Listing::ReversalsAsked, after.as_ref(), limit).await?;
        let mut pending = Vec::with_capacity(page.len());
        for file in page {
            let Some(asked) = file.value.reversal_asked.clone() else { continue };
            let Some(seq) = self.entry_of_decision(&file.value, asked.decision).await? else { continue };
            pending.push(PendingReversal {
                seq,
                number: moderator.sees(file.value.number),
                entry: self.entry_at(seq).await?,
                may_sign: asked.by != *moderator.name(),
                asked,
            });
        }
        Ok((pending, next.map(|Cursor(last)| last)))
    }

    /// A look at a correction by its entry, before one signs its reversal.
    pub async fn look_at_reversal(&self, moderator: &ModeratorActor, seq: u64) -> Result<ReversalLook> {
        let (entry, file, decision) = self.decided_in(seq).await?;
        let (version, file) = (file.version, file.value);
        let decided = file.standing(decision)?;
        let asked = file.reversal_asked.clone();
        let struck = asked.as_ref().filter(|asked| asked.decision != decision);
        let strikes = match struck {
            Some(other) => self.entry_of_decision(&file, other.decision).await?,
            None => None,
        };
        let asked = asked.filter(|asked| asked.decision == decision);
        let mut others = self.standing_entries(&file).await?;
        others.retain(|other| *other != seq);
        let look = ReversalLook {
            seq,
            version,
            number: moderator.sees(file.number),
            ground: decided.ground.clone(),
            may_sign: asked.as_ref().is_none_or(|asked| asked.by != *moderator.name()),
            asked,
            in_force: file.in_force(),
            after: self.after_reversal(&file, decision, moderator)?,
            others,
            strikes,
            entry,
        };
        let mut changeset = Changeset::default();
        let subject = format!("entry:{seq}");
        changeset.audit.push(audit(self.now(), actor(moderator), "correction_looked_at", subject));
        self.commit(changeset).await?;
        Ok(look)
    }

    /// The entries of a number whose decisions stand, the newest first: for
    /// whom any case would be shown, and that is logged.
    pub async fn corrections_of(&self, moderator: &ModeratorActor, number: Number) -> Result<Vec<u64>> {
        moderator.at_least(Role::Senior)?;
        let file = self.number_file(number).await?.value;
        let standing = self.standing_entries(&file).await?;
        let mut changeset = Changeset::default();
        let subject = format!("number:{}", number.masked());
        changeset.audit.push(audit(self.now(), actor(moderator), "number_looked_up", subject));
        self.commit(changeset).await?;
        Ok(standing)
    }

    /// Strikes the first signature under a reversal: its owner thought better
    /// of it, or another person would not sign.
    pub async fn discard_reversal(&self, moderator: &ModeratorActor, seq: u64) -> Result<()> {
        self.retrying(|| async {
            let (_, mut file, decision) = self.decided_in(seq).await?;
            file.value.discard_reversal(decision)?;
            let mut changeset = Changeset::default();
            changeset.put(file);
            let subject = format!("entry:{seq}");
            changeset.audit.push(audit(self.now(), actor(moderator), "reversal_discarded", subject));
            self.commit(changeset).await
        })
        .await
    }

    /// A durable entry, its number's file, and which decision it published.
    pub(super) async fn decided_in(&self, seq: u64) -> Result<(Entry, Versioned<NumberFile>, usize)> {
        if seq >= *self.store().log_size().borrow() {
            return Err(Refusal::NotFound.into());
        }
        let entry = self.entry_at(seq).await?;
        let file = self.number_file(entry.number).await?;
        let decision = file.value.decision_of_entry(&entry).ok_or(Refusal::NotInForce)?;
        Ok((entry, file, decision))
    }

    async fn standing_entries(&self, file: &NumberFile) -> Result<Vec<u64>> {
        let standing = |entry: &Entry| {
            file.decision_of_entry(entry).is_some_and(|decision| file.standing(decision).is_ok())
        };
        let entries = self.entries_of(file.number).await?;
        Ok(entries.into_iter().filter(|(_, entry)| standing(entry)).map(|(seq, _)| seq).collect())
    }

    pub(super) async fn entry_of_decision(&self, file: &NumberFile, decision: usize) -> Result<Option<u64>> {
        let entries = self.entries_of(file.number).await?;
        let found = entries.iter().find(|(_, entry)| file.decision_of_entry(entry) == Some(decision));
        Ok(found.map(|(seq, _)| *seq))
    }

    /// The newest first.
    async fn entries_of(&self, number: Number) -> Result<Vec<(u64, Entry)>> {
        let mut entries = Vec::new();
        let mut next = self.store().newest_entry(number).await?;
        while let Some(seq) = next.filter(|_| entries.len() < ENTRIES_OF_NUMBER_MAX) {
            let entry = self.entry_at(seq).await?;
            next = entry.supersedes;
            entries.push((seq, entry));
        }
        Ok(entries)
    }
}
