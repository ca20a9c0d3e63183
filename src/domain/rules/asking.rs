//! One question to one operator after the other, until one of them knows.

use jiff::SignedDuration;

use crate::domain::day::later;
use crate::domain::evidence::{Answer, Question};
use crate::domain::policy::ASK_AGAIN_HOURS;
use crate::domain::rules::{Askable, Case, Step};

/// What the operators say to a question.
pub(super) enum Heard<'a> {
    /// Nobody was asked yet who could still know.
    Ask(Step),
    Said(bool, &'a Askable),
    /// Everybody was asked and nobody knows.
    Unknown,
}

/// Asks the serving operator first. One that does not know the number leads
/// to the others.
pub(super) fn hear<'a>(case: &Case<'a>, question: &Question) -> Heard<'a> {
    for operator in askable(case) {
        match hear_from(case, operator, question) {
            Heard::Unknown => {}
            heard => return heard,
        }
    }
    Heard::Unknown
}

/// The operators whose answers can count.
pub(super) fn askable<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Askable> {
    let (operators, only_first) = (case.operators, case.only_first);
    let count = if only_first { 1 } else { operators.len() };
    // The first is another one where the virtual operator has no API.
    operators.iter().take(count).filter(move |operator| operator.serving || !only_first)
}

/// Asks one operator only: the one that knows the number.
pub(super) fn hear_from<'a>(case: &Case<'a>, operator: &'a Askable, question: &Question) -> Heard<'a> {
    let answered = case
        .evidence
        .iter()
        .rev()
        .find(|evidence| evidence.source == operator.id && evidence.question == *question);
    match answered.map(|evidence| evidence.answer) {
        None => Heard::Ask(Step::Ask { operator: operator.id.clone(), question: question.clone() }),
        Some(Answer::Yes) => Heard::Said(true, operator),
        Some(Answer::No) => Heard::Said(false, operator),
        Some(Answer::Unknown) => Heard::Unknown,
    }
}

/// The operators may know better in a while.
pub(super) fn ask_again(case: &Case<'_>) -> Step {
    Step::AskAgainAt(later(case.now, SignedDuration::from_hours(ASK_AGAIN_HOURS)))
}
