//! 显示名称与开户名称不一致: the displayed name is not the subscriber's.
//!
//! The disputed names come from the labels, so that nobody's own name is asked
//! for. Only names that businesses or partners submitted fall by rule: a
//! crowd's warning in the shape of a name is for people to judge.

use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::dispute::{DisputedLabel, Flag, Show};
use crate::domain::evidence::{Assurance, Question};
use crate::domain::label::Source;
use crate::domain::name::names_agree;
use crate::domain::policy::{NAME_LEASE_DAYS, OPERATOR_LAG_DAYS};
use crate::domain::rules::asking::{Heard, ask_again, hear};
use crate::domain::rules::{Case, Step, review};

pub(super) fn next_step(case: &Case<'_>, show: Option<&Show>) -> Step {
    if case.dispute.disputed_names().any(|name| case.catalog.is_warning(name)) {
        return review(Flag::NameIsWarning);
    }
    match show {
        Some(show) => shown(case, show),
        None => cleared(case),
    }
}

/// An enterprise wants its own name shown: the operator knows name and code.
fn shown(case: &Case<'_>, show: &Show) -> Step {
    if case.dispute.disputed_names().any(|name| names_agree(name, &show.name)) {
        return Step::Refuse("names_agree");
    }
    let in_lag = plus_days(case.today, 1 - OPERATOR_LAG_DAYS);
    let question = Question::EnterpriseIs { name: show.name.clone(), uscc: show.uscc };
    match hear(case, &question) {
        Heard::Ask(step) => step,
        Heard::Unknown => review(Flag::OperatorUnknown),
        // Operators learn late: that may still be the former holder's name.
        Heard::Said(..) if case.ledger.transferred_since(in_lag) => ask_again(case),
        Heard::Said(false, _) => Step::Refuse("identity_mismatch"),
        // Is the ledger late, or the operator's answer? That name may be a
        // former holder's.
        Heard::Said(true, _) if case.ledger.is_disconnected() => review(Flag::LedgerLate),
        Heard::Said(true, _) => Step::Approve {
            effect: Effect::SetName {
                name: show.name.clone(),
                until: plus_days(case.today, NAME_LEASE_DAYS),
            },
            assurance: Assurance::Operator,
            told: Vec::new(),
        },
    }
}

fn cleared(case: &Case<'_>) -> Step {
    let named = case.dispute.labels.iter().filter(|label| label.name.is_some());
    if named.clone().any(|label| !was_submitted(case, label)) {
        return review(Flag::NameSourceUnknown);
    }
    let (mut theirs, mut others) = (false, false);
    for name in named.filter_map(|label| label.name.as_deref()) {
        match hear(case, &Question::NameIs { name: name.to_owned() }) {
            Heard::Ask(step) => return step,
            Heard::Unknown => return review(Flag::OperatorUnknown),
            Heard::Said(true, _) => theirs = true,
            Heard::Said(false, _) => others = true,
        }
    }
    match (theirs, others) {
        (true, true) => review(Flag::NamesMixed),
        (true, false) => Step::Refuse("names_agree"),
        // Nothing was named, so nothing was asked.
        (false, false) => review(Flag::NameSourceUnknown),
        (false, true) => {
            Step::Approve { effect: Effect::ClearName, assurance: Assurance::Operator, told: Vec::new() }
        }
    }
}

/// The provider told that a business or a partner submitted this name.
fn was_submitted(case: &Case<'_>, disputed: &DisputedLabel) -> bool {
    case.labels.iter().any(|label| {
        label.provider == disputed.provider
            && label.name == disputed.name
            && matches!(label.source, Source::Business | Source::Partner)
    })
}
