//! What the rules decide by themselves, and what they ask before: the decision
//! table, as a pure function from a case to its next step.
//!
//! No question is asked whose answer is not needed, and unknown is never read
//! as yes or as no: it leads to the next operator, to another day, or to people.

mod asking;
mod control;
mod name_mismatch;
mod reassigned;
mod rest;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::catalog::LabelCatalog;
use crate::domain::correction::{Decision, Effect, was_reverted};
use crate::domain::dispute::{Claim, Dispute, Flag};
use crate::domain::evidence::{Assurance, Evidence, Question};
use crate::domain::id::OperatorId;
use crate::domain::label::Label;
use crate::domain::tenure::Ledger;

/// All that the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub dispute: &'a Dispute,
    /// The answers of the present round.
    pub evidence: &'a [Evidence],
    pub ledger: &'a Ledger,
    /// What was decided about the number before.
    pub decisions: &'a [Decision],
    pub labels: &'a [Label],
    /// Operators whose API can be asked, the serving one first.
    pub operators: &'a [Askable],
    /// The range belongs to a virtual operator: only the first one
    /// counts, if it is the serving one.
    pub only_first: bool,
    /// The porting registry tells us of ports, so that its silence counts.
    pub registry_current: bool,
    pub rest_days: i32,
    pub today: Date,
    pub now: Timestamp,
    pub catalog: &'a LabelCatalog,
}

/// An operator that answers questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askable {
    pub id: OperatorId,
    /// It serves the number by its range or by the ledger.
    pub serving: bool,
    /// Its answers see through ports.
    pub follows_ports: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Ask {
        operator: OperatorId,
        question: Question,
    },
    /// The operator's match proves an enterprise's control.
    ControlProved,
    /// The operators may know in a while.
    AskAgainAt(Timestamp),
    /// `told` is what the ledger says, to be kept as evidence.
    Approve {
        effect: Effect,
        assurance: Assurance,
        told: Vec<Evidence>,
    },
    Refuse(&'static str),
    Review {
        flags: Vec<Flag>,
        told: Vec<Evidence>,
    },
}

pub fn next_step(case: &Case<'_>) -> Step {
    let enterprise = case.dispute.control.enterprise();
    let before = enterprise.and_then(|enterprise| control::before_all(case, enterprise));
    let step = before.unwrap_or_else(|| match &case.dispute.claim {
        Claim::Reassigned { window, .. } => reassigned::next_step(case, *window),
        Claim::NameMismatch { show } => name_mismatch::next_step(case, show.as_ref()),
    });
    match step {
        // Asked again for a moderator who would grant an appeal: two people
        // may override the "no" that a rule can only repeat.
        Step::Refuse(code) if case.dispute.state().flags.contains(&Flag::Appeal) => {
            let is_marked = (code == "not_rested").then_some(Flag::MarkedAtRest);
            Step::Review { flags: [Flag::Appeal].into_iter().chain(is_marked).collect(), told: Vec::new() }
        }
        step => step,
    }
}

/// Unless two people have taken just that back.
fn approve(case: &Case<'_>, effect: Effect, told: Vec<Evidence>) -> Step {
    if was_reverted(case.decisions, &effect) {
        return Step::Review { flags: vec![Flag::RevertedBefore], told };
    }
    Step::Approve { effect, assurance: Assurance::Operator, told }
}

fn review(flag: Flag) -> Step {
    Step::Review { flags: vec![flag], told: Vec::new() }
}

#[cfg(test)]
mod tests;
