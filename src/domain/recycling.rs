//! 二次放号 as others ask about it: has the number changed hands after a day?
//!
//! Yes and no are said of what is proved alone: by the operators' lines, and
//! by corrections that rest on an operator's answers. "No" is as far as the
//! operator has told us; like its own answer it is 5 to 8 days behind.
//!
//! Absent: who asks, how often, and in which words it is answered.

use jiff::civil::Date;

use crate::domain::correction::Effect;
use crate::domain::day::{days_between, plus_days};
use crate::domain::evidence::Assurance;
use crate::domain::number_file::NumberFile;
use crate::domain::tenure::{TenureEvent, TenureLine};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recycled {
    Yes,
    No,
    /// Something is known of the number, but neither of the two is proved.
    Unknown,
    /// Before the first day that we know anything of, or in the future.
    OutOfRange,
    /// Nobody has told us who holds the number when.
    NothingKnown,
}

/// Whether the number has another subscriber than on `day`. A port is no
/// change of hands; a new contract within the rest may be the old subscriber's.
pub fn changed_after(file: &NumberFile, day: Date, today: Date, rest_days: i32) -> Recycled {
    if day > today {
        return Recycled::OutOfRange;
    }
    let tenancy: Vec<&TenureLine> = file.ledger.standing().filter(|line| !line.event.is_port()).collect();
    // Where no line tells of a tenure, what operators were asked about does: a
    // change after the day before this one, and none within the rest before.
    let known_from = match (tenancy.first(), void_befores(file).min()) {
        (Some(first), _) => first.on,
        (None, Some(void_before)) => plus_days(void_before, -1 - rest_days),
        (None, None) => return Recycled::NothingKnown,
    };
    if day < known_from {
        return Recycled::OutOfRange;
    }
    if changes(&tenancy, rest_days).chain(void_befores(file)).any(|on| day < on) {
        return Recycled::Yes;
    }
    let held_since = tenancy.last().filter(|line| line.event.begins()).map(|line| line.on);
    match held_since {
        Some(held_since) if held_since <= day && !file.ledger.is_out_of_sight() => Recycled::No,
        _ => Recycled::Unknown,
    }
}

/// Days on which the lines prove that another subscriber had it.
fn changes(tenancy: &[&TenureLine], rest_days: i32) -> impl Iterator<Item = Date> {
    let before = std::iter::once(None).chain(tenancy.iter().map(Some));
    before.zip(tenancy).filter_map(move |(before, line)| {
        let rested = before.is_some_and(|before| {
            before.event == TenureEvent::Disconnected && days_between(before.on, line.on) >= rest_days
        });
        let is_change = match line.event {
            TenureEvent::Transferred => true,
            TenureEvent::Activated => rested,
            TenureEvent::Disconnected | TenureEvent::PortedIn | TenureEvent::PortedOut => false,
        };
        is_change.then_some(line.on)
    })
}

/// From corrections that operators' answers carry: of each day before it, they
/// said that the number has changed hands since.
fn void_befores(file: &NumberFile) -> impl Iterator<Item = Date> {
    let standing = file.decisions.iter().filter(|decision| decision.reverted.is_none());
    standing.filter(|decision| decision.assurance == Assurance::Operator).filter_map(
        |decision| match decision.effect {
            Effect::VoidBefore { day } => Some(day),
            Effect::ClearName | Effect::SetName { .. } => None,
        },
    )
}

#[cfg(test)]
mod tests;
