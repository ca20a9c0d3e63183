//! Whether a number rested before it changed hands: one that is at rest makes
//! no calls, so nobody complains of any.
//!
//! Where people did, it was handed on without rest, or reinstated, or the
//! reports came late. The marks that would fall may then be those of people who
//! have it still, under another's name. So it has to be silent first for as long
//! as a rest takes, which costs a caller as much as another number.
//!
//! | marks | then |
//! |---|---|
//! | none from the time of rest | nothing to say against it |
//! | some, and none for a whole rest since the number changed hands | the same |
//! | some, and others since, or it changed hands later than that | refuse `not_rested` |
//! | accusations of fraud in the time of rest | review `harm_at_rest` |

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::domain::correction::Effect;
use crate::domain::day::{days_between, plus_days};
use crate::domain::dispute::Flag;
use crate::domain::evidence::Question;
use crate::domain::label::Label;
use crate::domain::rules::asking::{Heard, hear_from};
use crate::domain::rules::{Askable, Case, Step, approve, review};
use crate::domain::window::Window;

/// What to do where the operator has said yes to all three.
pub(super) fn weighed(case: &Case<'_>, operator: &Askable, window: Window) -> Step {
    let approved = approve(case, Effect::VoidBefore { day: window.void_before() }, Vec::new());
    // Whenever in the window the tenure began, the rest lies in these days.
    let perhaps = plus_days(window.after, 1 - case.rest_days)..=window.until;
    if !is_accused(case, &perhaps) && !is_noisy(case, &perhaps, window.until) {
        return approved;
    }
    let began = match narrowed(case, operator, window) {
        Ok(began) => began,
        Err(ask) => return ask,
    };
    let rest = match began {
        Some(began) => plus_days(began, -case.rest_days)..=plus_days(began, -1),
        // For an accusation, all days that may be meant.
        None => plus_days(window.until, -case.rest_days)..=window.until,
    };
    if is_accused(case, &rest) {
        return review(Flag::HarmAtRest);
    }
    match began {
        Some(began) if is_noisy(case, &rest, began) => Step::Refuse("not_rested"),
        _ => approved,
    }
}

/// Fraud or worse in those days.
pub(super) fn is_accused(case: &Case<'_>, rest: &RangeInclusive<Date>) -> bool {
    case.labels.iter().any(|label| label.is_harm() && label.marked_days().any(|day| rest.contains(&day)))
}

/// The day on which the tenure began: asked for until it is known. `None`: the
/// operator does not know, or contradicts itself.
fn narrowed(case: &Case<'_>, operator: &Askable, window: Window) -> Result<Option<Date>, Step> {
    let held_since = |day: Date| match hear_from(case, operator, &Question::HeldSince { day }) {
        Heard::Ask(step) => Err(step),
        Heard::Said(held, _) => Ok(Some(held)),
        Heard::Unknown => Ok(None),
    };
    let (mut after, mut until) = (window.after, window.until);
    while days_between(after, until) > 1 {
        let day = plus_days(after, days_between(after, until) / 2);
        match held_since(day)? {
            Some(true) => until = day,
            Some(false) => after = day,
            None => return Ok(None),
        }
    }
    // Nobody has held since that day what changed hands after it.
    let contradicts = after == window.after && held_since(after)? == Some(true);
    Ok((!contradicts).then_some(until))
}

/// Marks from those days, and no whole rest without any since it changed hands.
fn is_noisy(case: &Case<'_>, rest: &RangeInclusive<Date>, began: Date) -> bool {
    case.labels.iter().any(|label| was_noisy(case, label, rest, began))
}

fn was_noisy(case: &Case<'_>, label: &Label, rest: &RangeInclusive<Date>, began: Date) -> bool {
    if !label.is_of_calls() {
        return false;
    }
    let mut days: Vec<Date> = label.marked_days().filter(|day| *day <= case.today).collect();
    days.sort_unstable();
    if !days.iter().any(|day| rest.contains(day)) {
        return false;
    }
    let next = days.iter().copied().find(|day| *day >= began).unwrap_or(case.today);
    days_between(began, next) < case.rest_days
}
