//! Whether a number rested before it changed hands: one that is at rest makes
//! no calls, so nobody complains of any.
//!
//! Where people did, it was handed on without rest, or reinstated, or the
//! reports came late. The marks that would fall may then be those of people who
//! have it still, under another's name. So it has to be silent for as long as a
//! rest takes first, which costs a caller as much as another number.
//!
//! | complaints of calls | then |
//! |---|---|
//! | none in the time of rest | nothing to say against it |
//! | some, and none for a whole rest after them | the same |
//! | some, and more after them, or not long ago | refuse `not_rested` |
//!
//! Accusations of fraud from that time are people's to weigh (`reassigned`). A
//! copy that another house made of a label says nothing of its day.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::domain::day::{days_between, plus_days};
use crate::domain::evidence::Question;
use crate::domain::label::{Label, LabelKind, Source};
use crate::domain::rules::asking::{Heard, hear_from};
use crate::domain::rules::{Askable, Case, Step};
use crate::domain::window::Window;

/// What stands in the way of an approval; `None`: nothing.
pub(super) fn objection(case: &Case<'_>, operator: &Askable, window: Window) -> Option<Step> {
    // Whenever in the window the tenure began, the rest lies in these days.
    let perhaps = plus_days(window.after, 1 - case.rest_days)..=window.until;
    if !case.labels.iter().any(|label| was_noisy(case, label, &perhaps)) {
        return None;
    }
    match narrowed(case, operator, window) {
        Ok((after, until)) => {
            let rest = plus_days(until, -case.rest_days)..=after;
            let is_noisy = case.labels.iter().any(|label| was_noisy(case, label, &rest));
            is_noisy.then_some(Step::Refuse("not_rested"))
        }
        Err(ask) => Some(ask),
    }
}

/// The tenure began after the first of these days, and by the second: asked
/// until they are next to each other, or the operator does not know.
fn narrowed(case: &Case<'_>, operator: &Askable, window: Window) -> Result<(Date, Date), Step> {
    let (mut after, mut until) = (window.after, window.until);
    while days_between(after, until) > 1 {
        let day = plus_days(after, days_between(after, until) / 2);
        match hear_from(case, operator, &Question::HeldSince { day }) {
            Heard::Ask(step) => return Err(step),
            Heard::Said(true, _) => until = day,
            Heard::Said(false, _) => after = day,
            Heard::Unknown => break,
        }
    }
    Ok((after, until))
}

/// Marks from those days, and no whole rest without any since.
fn was_noisy(case: &Case<'_>, label: &Label, rest: &RangeInclusive<Date>) -> bool {
    if label.kind == LabelKind::Name || matches!(label.source, Source::Business | Source::Partner) {
        return false;
    }
    let mut days: Vec<Date> = label.marked_days().filter(|day| *day <= case.today).collect();
    days.sort_unstable();
    let Some(at) = days.iter().rposition(|day| rest.contains(day)) else { return false };
    let next = days.get(at + 1).copied().unwrap_or(case.today);
    days_between(days[at], next) < case.rest_days
}
