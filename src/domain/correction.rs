//! Corrections (更正): decisions about a number, the fold to the one correction
//! in force, and the log entry that says it to every provider.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::evidence::Assurance;
use crate::domain::id::{BatchId, DisputeId, ModeratorName};
use crate::domain::number::Number;

/// What one decision says about its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Effect {
    /// Marks from before this day are a former holder's.
    VoidBefore { day: Date },
    /// Names known before the decision are wrong.
    ClearName,
    /// Show this name until that day.
    SetName { name: String, until: Date },
}

/// What led to a log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryReason {
    Reassigned,
    NameMismatch,
    Released,
    TenureEnded,
    Renewed,
    Reverted,
}

/// Whose doing a decision was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Ground {
    Dispute {
        id: DisputeId,
    },
    /// An operator's lines.
    Batch {
        id: BatchId,
    },
    /// A label that arrived and rests on marks from before a proven tenure.
    LabelArrived,
    /// The operator, asked again about a shown name.
    Renewal,
    /// A reversal, which would have brought back what had ended.
    Reversal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: Timestamp,
    pub ground: Ground,
    pub effect: Effect,
    pub assurance: Assurance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverted: Option<Reversal>,
}

/// A reversal and the two who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    pub first: ModeratorName,
    pub second: ModeratorName,
    pub reason: String,
    pub at: Timestamp,
}

impl Decision {
    /// The reason that its entry gives.
    pub fn entry_reason(&self) -> EntryReason {
        match (&self.ground, &self.effect) {
            (Ground::Dispute { .. }, Effect::VoidBefore { .. }) => EntryReason::Reassigned,
            (Ground::Dispute { .. }, Effect::ClearName | Effect::SetName { .. }) => EntryReason::NameMismatch,
            (_, Effect::VoidBefore { .. }) => EntryReason::Released,
            (_, Effect::ClearName) => EntryReason::TenureEnded,
            (_, Effect::SetName { .. }) => EntryReason::Renewed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameAction {
    Keep,
    Clear,
    Set,
}

/// The whole correction in force for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub void_before: Option<Date>,
    pub name_action: NameAction,
    pub name: Option<String>,
    pub name_until: Option<Date>,
    pub assurance: Assurance,
}

/// The fold: the latest `void_before`, the newest word about names, the
/// weakest assurance among the decisions that these two rest on. `None` when
/// nothing remains.
///
/// A `void_before` outlives its tenure, for marks older than a former tenure's
/// beginning are older than the present one's too. A shown name does not: the
/// end of a tenure is itself a decision (`ClearName`), and newer.
pub fn in_force(decisions: &[Decision]) -> Option<InForce> {
    let standing = || decisions.iter().filter(|decision| decision.reverted.is_none());
    let voids = || {
        standing().filter_map(|decision| match decision.effect {
            Effect::VoidBefore { day } => Some((day, decision.assurance)),
            Effect::ClearName | Effect::SetName { .. } => None,
        })
    };
    let void_before = voids().map(|(day, _)| day).max();
    let void_assurance = voids().filter(|(day, _)| Some(*day) == void_before).map(|(_, weight)| weight).min();
    let named = standing().rfind(|decision| !matches!(decision.effect, Effect::VoidBefore { .. }));
    let (name_action, name, name_until) = match named.map(|decision| &decision.effect) {
        None | Some(Effect::VoidBefore { .. }) => (NameAction::Keep, None, None),
        Some(Effect::ClearName) => (NameAction::Clear, None, None),
        Some(Effect::SetName { name, until }) => (NameAction::Set, Some(name.clone()), Some(*until)),
    };
    let assurance = void_assurance.into_iter().chain(named.map(|decision| decision.assurance)).min()?;
    Some(InForce { void_before, name_action, name, name_until, assurance })
}

/// Two people have taken just this back: no rule says it again.
pub fn was_reverted(decisions: &[Decision], effect: &Effect) -> bool {
    decisions.iter().any(|decision| decision.reverted.is_some() && decision.effect == *effect)
}

/// The format of entries; the first key of each.
pub const ENTRY_VERSION: u8 = 1;
pub const ENTRY_BYTES_MAX: usize = 1_024;

/// One line of the log. Field order is the wire's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub v: u8,
    pub number: Number,
    pub void_before: Option<Date>,
    pub name_action: NameAction,
    pub name: Option<String>,
    pub name_until: Option<Date>,
    pub reason: EntryReason,
    pub assurance: Assurance,
    pub withdrawn: bool,
    pub supersedes: Option<u64>,
    /// Whole seconds, so that it prints as `2026-11-23T03:04:05Z`.
    pub at: Timestamp,
    /// 16 random bytes in base64url: hash tiles are public, numbers guessable.
    pub salt: String,
}

impl Entry {
    pub fn new(
        number: Number,
        correction: Option<InForce>,
        reason: EntryReason,
        supersedes: Option<u64>,
        at: Timestamp,
        salt: String,
    ) -> Self {
        let withdrawn = correction.is_none();
        let correction = correction.unwrap_or(InForce {
            void_before: None,
            name_action: NameAction::Keep,
            name: None,
            name_until: None,
            assurance: Assurance::Operator,
        });
        Self {
            v: ENTRY_VERSION,
            number,
            void_before: correction.void_before,
            name_action: correction.name_action,
            name: correction.name,
            name_until: correction.name_until,
            reason,
            assurance: correction.assurance,
            withdrawn,
            supersedes,
            at: whole_seconds(at),
            salt,
        }
    }

    /// What it says of the number's labels.
    pub fn effects(&self) -> impl Iterator<Item = Effect> {
        let marks = self.void_before.map(|day| Effect::VoidBefore { day });
        let names = match (self.name_action, &self.name, self.name_until) {
            (NameAction::Clear, ..) => Some(Effect::ClearName),
            (NameAction::Set, Some(name), Some(until)) => Some(Effect::SetName { name: name.clone(), until }),
            (NameAction::Set | NameAction::Keep, ..) => None,
        };
        marks.into_iter().chain(names)
    }

    /// The bytes of the leaf: what is hashed, bundled and sent.
    pub fn leaf(&self) -> Vec<u8> {
        let leaf = serde_json::to_vec(self).expect("strings, dates and numbers always serialize");
        debug_assert!(leaf.len() <= ENTRY_BYTES_MAX, "a name has at most 120 characters");
        leaf
    }
}

/// Entries carry whole seconds; this is how decisions are matched to them.
pub fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).expect("a second of a valid instant is a valid instant")
}

#[cfg(test)]
mod tests;
