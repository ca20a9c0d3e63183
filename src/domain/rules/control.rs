//! Control by an enterprise: the operator's match of its name and code comes
//! before every other question, and nothing that the number's own records say
//! shows in what becomes of a dispute before it.
//!
//! | the operator says | then |
//! |---|---|
//! | yes | the usual table |
//! | no | refuse `identity_mismatch`, and ask nothing else |
//! | unknown | review `control_unproved` |
//!
//! A ledger alone proves nothing here: it knows no names.

use crate::domain::day::plus_days;
use crate::domain::dispute::{Claim, Enterprise, Flag};
use crate::domain::policy::OPERATOR_LAG_DAYS;
use crate::domain::rules::asking::{Heard, ask_again, askable, hear};
use crate::domain::rules::{Case, Step};

/// What has to be done before the usual table; `None`: control is proved.
pub(super) fn before_all(case: &Case<'_>, enterprise: &Enterprise) -> Option<Step> {
    let learns_late = claims_recent_days(case) && askable(case).next().is_some();
    match hear(case, &enterprise.question()) {
        Heard::Ask(step) => Some(step),
        // By their own word the number has been theirs for days only, and
        // operators publish late.
        Heard::Unknown | Heard::Said(false, _) if learns_late => Some(ask_again(case)),
        Heard::Unknown => Some(unproved(Vec::new())),
        Heard::Said(false, _) => Some(Step::Refuse("identity_mismatch")),
        // That may still be the former holder.
        Heard::Said(true, _) if case.ledger.transferred_since(lag_began(case)) => Some(ask_again(case)),
        // Is the ledger late, or the operator's answer?
        Heard::Said(true, _) if case.ledger.is_disconnected() => Some(unproved(vec![Flag::LedgerLate])),
        Heard::Said(true, _) if !case.dispute.is_control_proved() => Some(Step::ControlProved),
        Heard::Said(true, _) => opened_needed(case),
    }
}

/// Who has proved control by a code is told so when filing; an enterprise can
/// only be told now.
fn opened_needed(case: &Case<'_>) -> Option<Step> {
    let is_missing = matches!(case.dispute.claim, Claim::Reassigned { window: None, .. });
    (is_missing && case.ledger.proven(case.rest_days).is_none()).then_some(Step::Refuse("opened_needed"))
}

fn unproved(mut flags: Vec<Flag>) -> Step {
    flags.insert(0, Flag::ControlUnproved);
    Step::Review { flags, told: Vec::new() }
}

fn claims_recent_days(case: &Case<'_>) -> bool {
    case.dispute.window().is_some_and(|window| window.until > plus_days(case.today, -OPERATOR_LAG_DAYS))
}

fn lag_began(case: &Case<'_>) -> jiff::civil::Date {
    plus_days(case.today, 1 - OPERATOR_LAG_DAYS)
}
