//! Everything that is known of one number: what operators told, what was
//! decided, and who has asked to revert what. One aggregate, one version, so
//! that two decisions about a number never miss each other.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::correction::{
    Decision, Effect, Entry, Ground, InForce, NameAction, Reversal, in_force, was_reverted, whole_seconds,
};
use crate::domain::day::plus_days;
use crate::domain::evidence::Assurance;
use crate::domain::id::ModeratorName;
use crate::domain::label::Label;
use crate::domain::number::Number;
use crate::domain::policy::OPERATOR_LAG_DAYS;
use crate::domain::refusal::Refusal;
use crate::domain::tenure::{Ledger, TenureEvent};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFile {
    pub number: Number,
    #[serde(default)]
    pub ledger: Ledger,
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// The first of the two signatures under a reversal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal_asked: Option<ReversalAsked>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReversalAsked {
    /// Which of `decisions`.
    pub decision: usize,
    pub by: ModeratorName,
    pub reason: String,
    pub at: Timestamp,
}

/// Where a reversal stands after a moderator's call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reverted {
    AwaitingSecond,
    Done(Ground),
}

impl NumberFile {
    pub fn new(number: Number) -> Self {
        Self { number, ledger: Ledger::default(), decisions: Vec::new(), reversal_asked: None }
    }

    pub fn in_force(&self) -> Option<InForce> {
        in_force(&self.decisions)
    }

    pub fn decide(&mut self, effect: Effect, assurance: Assurance, ground: Ground, at: Timestamp) {
        self.decisions.push(Decision { at, ground, effect, assurance, reverted: None });
    }

    /// What follows from a proven tenure, as far as the number's labels do not
    /// contradict it: all that rests on days before it is void. `None` where
    /// the correction in force says so already, and where two people reverted
    /// just this.
    pub fn released(&self, rest_days: i32, labels: &[Label]) -> Option<Effect> {
        let tenure = self.ledger.proven(rest_days)?;
        let day = tenure.void_before(labels);
        let void_before = self.in_force().and_then(|correction| correction.void_before);
        let reverted = |day: Date| was_reverted(&self.decisions, &Effect::VoidBefore { day });
        let is_news = void_before < Some(day) && !reverted(day) && !reverted(tenure.began_on);
        is_news.then_some(Effect::VoidBefore { day })
    }

    /// What is void by the correction in force ends on a beginning of which
    /// nobody was entitled to speak.
    pub fn void_is_mistaken(&self) -> bool {
        let void_before = self.in_force().and_then(|correction| correction.void_before);
        void_before.is_some_and(|day| self.ledger.mistook_for_beginning(day))
    }

    /// A shown name does not outlive its tenure: what clears it, where one is
    /// shown that was decided before the operator had to know of the end.
    pub fn name_ended(&self, ended_on: Date, day_of: impl Fn(Timestamp) -> Date) -> Option<Effect> {
        let shown = self.decisions.iter().rev().find(|decision| {
            decision.reverted.is_none() && !matches!(decision.effect, Effect::VoidBefore { .. })
        })?;
        let shown_on = day_of(shown.at);
        // An operator that learns late may have confirmed a name after the end
        // of its tenure. After the next beginning it is the next holder's; but
        // a transfer is both at once, and then nobody can tell.
        let next_began = self.ledger.standing().any(|line| {
            let is_other = line.on > ended_on || line.event == TenureEvent::Activated;
            line.event.begins() && is_other && ended_on <= line.on && line.on <= shown_on
        });
        let confirmed_late = shown_on <= plus_days(ended_on, OPERATOR_LAG_DAYS) && !next_began;
        let outlived =
            matches!(shown.effect, Effect::SetName { .. }) && (shown_on <= ended_on || confirmed_late);
        outlived.then_some(Effect::ClearName)
    }

    /// As `name_ended`, for every end that the ledger knows: a reversal may
    /// bring back a name of long ago.
    pub fn name_outlived(&self, day_of: impl Fn(Timestamp) -> Date) -> Option<Effect> {
        let ends = self.ledger.lines().iter().filter(|line| line.event != TenureEvent::PortedIn);
        ends.map(|line| line.on).find_map(|on| self.name_ended(on, &day_of))
    }

    /// The name shown now, and until when it may be.
    pub fn shown_name(&self) -> Option<(String, Date)> {
        let correction = self.in_force()?;
        (correction.name_action == NameAction::Set).then_some(())?;
        Some((correction.name?, correction.name_until?))
    }

    /// The decision that an entry published. Two of one second are told apart
    /// by their reasons; a reversal's entry stands for no decision.
    pub fn decision_of_entry(&self, entry: &Entry) -> Option<usize> {
        self.decisions.iter().rposition(|decision| {
            whole_seconds(decision.at) == entry.at && decision.entry_reason() == entry.reason
        })
    }

    /// One moderator's signature under the reversal of a decision and of those
    /// made with it. The second signature must be another person's.
    pub fn revert(
        &mut self,
        decision: usize,
        by: &ModeratorName,
        reason: &str,
        at: Timestamp,
    ) -> Result<Reverted, Refusal> {
        let decided = self.standing(decision)?.clone();
        match self.reversal_asked.take_if(|asked| asked.decision == decision) {
            Some(asked) if asked.by == *by => {
                self.reversal_asked = Some(asked);
                Err(Refusal::SamePerson)
            }
            Some(asked) => {
                let reversal = Reversal { first: asked.by, second: by.clone(), reason: asked.reason, at };
                self.take_back(&decided, &reversal);
                Ok(Reverted::Done(decided.ground))
            }
            None => {
                let reason = reason.to_owned();
                self.reversal_asked = Some(ReversalAsked { decision, by: by.clone(), reason, at });
                Ok(Reverted::AwaitingSecond)
            }
        }
    }

    /// As it would be once a decision and those made with it were reverted;
    /// the signatures under it are `by`'s alone, and it is not to be stored.
    pub fn if_reverted(&self, decision: usize, by: &ModeratorName, at: Timestamp) -> Result<Self, Refusal> {
        let decided = self.standing(decision)?.clone();
        let mut file = self.clone();
        file.take_back(
            &decided,
            &Reversal { first: by.clone(), second: by.clone(), reason: String::new(), at },
        );
        Ok(file)
    }

    /// Strikes the first signature under the reversal of a decision.
    pub fn discard_reversal(&mut self, decision: usize) -> Result<ReversalAsked, Refusal> {
        self.reversal_asked.take_if(|asked| asked.decision == decision).ok_or(Refusal::NotFound)
    }

    /// A decision that nobody has reverted.
    pub fn standing(&self, decision: usize) -> Result<&Decision, Refusal> {
        let found = self.decisions.get(decision).filter(|found| found.reverted.is_none());
        found.ok_or(Refusal::NotInForce)
    }

    /// One entry may have published two decisions of one instant.
    fn take_back(&mut self, decided: &Decision, reversal: &Reversal) {
        let with_it = |other: &&mut Decision| other.at == decided.at && other.ground == decided.ground;
        for decision in self.decisions.iter_mut().filter(with_it) {
            decision.reverted.get_or_insert_with(|| reversal.clone());
        }
    }
}

#[cfg(test)]
mod tests;
