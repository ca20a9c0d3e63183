//! 二次放号: the number was somebody else's before.
//!
//! | tenure since D | changed after E | changed after E - R | then |
//! |---|---|---|---|
//! | yes | yes | yes | approve `void_before = E + 1 day`, if it rested (`rest`) |
//! | no | not asked | not asked | refuse `not_held_since` |
//! | yes | no | not asked | refuse `no_change_of_holder` |
//! | yes | yes | no | review: a reinstatement? |
//! | unknown somewhere | | | review |
//!
//! Where the ledger proves the tenure, its date is used and nobody is asked,
//! unless labels contradict it.

use jiff::SignedDuration;

use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::dispute::Flag;
use crate::domain::evidence::{Answer, Evidence, Question};
use crate::domain::policy::{OPERATOR_LAG_DAYS, RELEASED_WITHIN_DAYS};
use crate::domain::rules::asking::{Heard, ask_again, askable, hear, hear_from};
use crate::domain::rules::rest::{is_accused, weighed};
use crate::domain::rules::{Askable, Case, Step, approve, review};
use crate::domain::tenure::ProvenTenure;
use crate::domain::window::Window;

pub(super) fn next_step(case: &Case<'_>, window: Option<Window>) -> Step {
    if let Some(tenure) = case.ledger.proven(case.rest_days) {
        return by_ledger(case, tenure);
    }
    let Some(window) = window else {
        // Filed on the ledger's word, which has changed since.
        return nobody_knows(case);
    };
    let held = Question::HeldSince { day: window.until };
    let knows = match hear(case, &held) {
        Heard::Ask(step) => return step,
        Heard::Unknown => return unknown(case, window),
        Heard::Said(_, operator) if !counts(case, operator, window) => return review(Flag::Ported),
        Heard::Said(false, _) => return no(case, window, Step::Refuse("not_held_since")),
        Heard::Said(true, operator) => operator,
    };
    let changed = Question::ChangedAfter { day: window.after };
    match hear_from(case, knows, &changed) {
        Heard::Ask(step) => return step,
        Heard::Unknown => return unknown(case, window),
        Heard::Said(false, _) => return no(case, window, Step::Refuse("no_change_of_holder")),
        Heard::Said(true, _) => {}
    }
    let rested = Question::ChangedAfter { day: window.rest_began_by(case.rest_days) };
    match hear_from(case, knows, &rested) {
        Heard::Ask(step) => step,
        Heard::Unknown => unknown(case, window),
        Heard::Said(false, _) => no(case, window, review(Flag::Reinstatement)),
        Heard::Said(true, _) => weighed(case, knows, window),
    }
}

fn by_ledger(case: &Case<'_>, tenure: ProvenTenure) -> Step {
    let source = case.ledger.standing().rfind(|line| line.event.begins()).map(|line| line.by.clone());
    let told = [
        Question::HeldSince { day: tenure.began_on },
        Question::ChangedAfter { day: plus_days(tenure.began_on, -1) },
        Question::ChangedAfter { day: plus_days(tenure.began_on, -1 - case.rest_days) },
    ];
    let told = told.into_iter().zip(source.into_iter().cycle()).map(|(question, source)| Evidence {
        question,
        answer: Answer::Yes,
        source,
        at: case.now,
        correlator: None,
        detail: Some(format!(
            "ledger: disconnected {}, activated {}",
            tenure.former_ended_on, tenure.began_on
        )),
    });
    // The former holder had it until the day of its end, the present one from
    // the beginning on.
    let rest_from = plus_days(tenure.began_on, -case.rest_days).max(plus_days(tenure.former_ended_on, 1));
    let rest = rest_from..=plus_days(tenure.began_on, -1);
    let told: Vec<_> = told.collect();
    // They point to late reports, if not to a line that is wrong.
    let doubts = [
        (Flag::HarmAtRest, is_accused(case, &rest)),
        (Flag::MarkedAtRest, tenure.is_contradicted(case.labels)),
    ];
    let flags: Vec<_> = doubts.into_iter().filter(|(_, is_so)| *is_so).map(|(flag, _)| flag).collect();
    if !flags.is_empty() {
        return Step::Review { flags, told };
    }
    approve(case, Effect::VoidBefore { day: tenure.began_on }, told)
}

/// An operator that knows only its own contracts sees a port as a beginning,
/// and a port out and back as a change.
fn counts(case: &Case<'_>, operator: &Askable, window: Window) -> bool {
    let unported = case.registry_current
        && operator.serving
        && !case.ledger.ported_since(window.rest_began_by(case.rest_days));
    operator.follows_ports || unported
}

/// Operators publish late: a "no" about the last days is not known yet.
fn no(case: &Case<'_>, window: Window, otherwise: Step) -> Step {
    if in_lag(case, window) { ask_again(case) } else { otherwise }
}

fn unknown(case: &Case<'_>, window: Window) -> Step {
    let is_late = in_lag(case, window) || is_ledger_late(case);
    let may_know_later = is_late && askable(case).next().is_some();
    if may_know_later { ask_again(case) } else { nobody_knows(case) }
}

/// By the ledger the number became nobody's not long ago, and somebody has just
/// proved that they hold it: the operator will know within the days of its lag.
fn is_ledger_late(case: &Case<'_>) -> bool {
    let lag = SignedDuration::from_hours(24 * i64::from(OPERATOR_LAG_DAYS));
    let since = plus_days(case.today, -RELEASED_WITHIN_DAYS);
    let is_recent = case.ledger.standing().next_back().is_some_and(|line| line.on > since);
    case.ledger.is_disconnected() && is_recent && case.now.duration_since(case.dispute.filed_at) < lag
}

fn nobody_knows(case: &Case<'_>) -> Step {
    review(if case.ledger.is_disconnected() { Flag::LedgerLate } else { Flag::OperatorUnknown })
}

fn in_lag(case: &Case<'_>, window: Window) -> bool {
    window.until > plus_days(case.today, -OPERATOR_LAG_DAYS)
}
