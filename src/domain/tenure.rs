//! Tenures (在网期): what operators tell about who held a number when, kept as
//! lines in order of their days, and what those lines prove.
//!
//! # Who may speak, and who is believed
//!
//! One operator serves a number at a time, and of a day only the line of the
//! operator that served on it counts. It is the one of the number's range until
//! a port; after a `ported_out` (its own, or the registry's) the first operator
//! to push a `ported_in`. Where the plan knows no operator, the first to speak
//! serves. The porting registry speaks of ports only, and is believed.
//!
//! | who says what | what is believed | who is told what |
//! |---|---|---|
//! | A and B each `activated`, no port between | the one that serves | the other: `not_your_number` |
//! | A `disconnected`, B `activated` days later, no port | A: the number rests, and nothing is proven | B: `not_your_number` |
//! | the registry `ported_out`, A goes on pushing | the registry; until somebody arrives nobody knows who holds the number | A: `not_your_number` |
//! | A, after the port, of days before it | A: it served then | A: taken |
//! | a port, later than lines that it makes wrong | the port: those lines count no more, and what they proved is unknown | the lines are `unchanged` when sent again |
//! | B and C each `ported_in` after one port | the first to say so | the other: `not_your_number` |
//! | A two of `disconnected`, `activated`, `transferred` for one day | neither: nothing is proven by that day | A, for the second: `contradicts` |
//!
//! So the lines that count do not depend on the order in which they come, but
//! for who is first where being first decides, and for lines that were refused
//! because the port that entitles them came later: those are to be sent again.
//! A correction that was published on lines which count no more stays until
//! two people revert it: no line moves `void_before` back.

mod serving;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::day::{days_between, plus_days};
use crate::domain::id::OperatorId;
use crate::domain::label::Label;
use crate::domain::lines::LineError;
use crate::domain::tenure::serving::Course;

/// A number has had fewer holders than this; the oldest lines make room.
pub const LINES_PER_NUMBER_MAX: usize = 64;

/// What happened to a number. The order is that of events of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenureEvent {
    PortedOut,
    PortedIn,
    Disconnected,
    Activated,
    Transferred,
}

impl TenureEvent {
    pub fn is_port(self) -> bool {
        matches!(self, Self::PortedOut | Self::PortedIn)
    }

    /// Begins a tenure of somebody.
    pub fn begins(self) -> bool {
        matches!(self, Self::Activated | Self::Transferred)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenureLine {
    pub event: TenureEvent,
    pub on: Date,
    pub by: OperatorId,
    pub received_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    Added,
    Unchanged,
}

/// A tenure that the ledger proves: the former holder had left at least the
/// rest before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenTenure {
    pub former_ended_on: Date,
    pub began_on: Date,
}

impl ProvenTenure {
    /// Whether people began to complain while it was nobody's number: then it
    /// was somebody's before the day that is told. A label that began with the
    /// former holder and went on may be of reports that came late.
    pub fn is_contradicted(&self, labels: &[Label]) -> bool {
        let at_rest = |day: Date| self.former_ended_on < day && day < self.began_on;
        labels.iter().any(|label| label.is_of_calls() && label.first_marked_on.is_some_and(at_rest))
    }

    /// All marks from before this day are a former holder's. Where labels
    /// contradict the beginning, only the former one's end is believed.
    pub fn void_before(&self, labels: &[Label]) -> Date {
        if self.is_contradicted(labels) { plus_days(self.former_ended_on, 1) } else { self.began_on }
    }
}

/// The lines known of one number, ascending by day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    lines: Vec<TenureLine>,
}

impl Ledger {
    pub fn lines(&self) -> &[TenureLine] {
        &self.lines
    }

    /// Takes a line, in whatever order lines arrive. One that contradicts
    /// another of its day is kept too: it takes that one's weight away.
    pub fn insert(
        &mut self,
        line: TenureLine,
        today: Date,
        home: Option<&OperatorId>,
    ) -> Result<Insert, LineError> {
        if line.on > today {
            return Err(LineError::InFuture);
        }
        if let Some(known) = self.lines.iter().find(|known| key(known) == key(&line)) {
            return self.told_again(known);
        }
        if !self.may_speak(&line, home) {
            return Err(LineError::NotYourNumber);
        }
        let contradicts = self.tenancy_on(&line).next().is_some();
        let at = self.lines.iter().take_while(|known| key(known) < key(&line)).count();
        if self.lines.len() < LINES_PER_NUMBER_MAX {
            self.lines.insert(at, line);
        } else if at == 0 {
            return Ok(Insert::Unchanged);
        } else {
            self.lines.remove(0);
            self.lines.insert(at - 1, line);
        }
        if contradicts { Err(LineError::Contradicts) } else { Ok(Insert::Added) }
    }

    /// The operator that serves the number now.
    pub fn serving<'a>(&'a self, home: Option<&'a OperatorId>) -> Option<&'a OperatorId> {
        Course::along(&self.lines, home).serving()
    }

    /// The lines that count by all that is told now.
    pub fn standing(&self) -> impl DoubleEndedIterator<Item = &TenureLine> {
        let mut course = Course::default();
        self.lines.iter().filter(|line| course.pass(line)).collect::<Vec<_>>().into_iter()
    }

    /// The present tenure, where a rest of `rest_days` proves that it is a
    /// new holder's. `None` also while the number is disconnected (the ledger
    /// is late if somebody holds it), after a transfer (no rest), and after a
    /// port to where nobody tells us (the ledger has lost sight of it).
    pub fn proven(&self, rest_days: i32) -> Option<ProvenTenure> {
        if self.is_out_of_sight() {
            return None;
        }
        let mut tenancy = self.standing().rev().filter(|line| !line.event.is_port());
        let began = tenancy.next().filter(|line| line.event == TenureEvent::Activated)?;
        // Of two things said of one day the earlier in order is a
        // `disconnected`, so that no rest lies between them.
        let ended = tenancy.next().filter(|line| line.event == TenureEvent::Disconnected)?;
        (ended.on < began.on && days_between(ended.on, began.on) >= rest_days)
            .then_some(ProvenTenure { former_ended_on: ended.on, began_on: began.on })
    }

    /// Whether a beginning was told of that day, or an end of the day before,
    /// by somebody who did not serve the number then, as a port showed later.
    pub fn mistook_for_beginning(&self, day: Date) -> bool {
        let bounds = |line: &&TenureLine| match line.event {
            TenureEvent::Disconnected => plus_days(line.on, 1) == day,
            event => line.on == day && event.begins(),
        };
        self.lines.iter().any(|line| bounds(&line)) && !self.standing().any(|line| bounds(&line))
    }

    /// The newest day on which a tenure is known to have begun, rest or not.
    pub fn began_on(&self) -> Option<Date> {
        self.began().map(|line| line.on)
    }

    /// Whether what was proved or filed at an instant (`on` where the number
    /// is) was a former holder's doing. On the day of the change itself nobody
    /// can tell; then all from before the news counts as the former holder's,
    /// for the present one can do it again.
    pub fn was_anothers(&self, on: Date, at: Timestamp) -> bool {
        self.began().is_some_and(|line| on < line.on || (on == line.on && at < line.received_at))
    }

    fn began(&self) -> Option<&TenureLine> {
        self.standing().rev().find(|line| line.event.begins())
    }

    /// The first day of which the ledger tells anything.
    pub fn known_from(&self) -> Option<Date> {
        self.lines.first().map(|line| line.on)
    }

    /// Disconnected, and not yet known to be anybody's again.
    pub fn is_disconnected(&self) -> bool {
        let mut tenancy = self.standing().rev().filter(|line| !line.event.is_port()).peekable();
        let last_day = tenancy.peek().map(|line| line.on);
        let mut of_last_day = tenancy.take_while(|line| Some(line.on) == last_day);
        of_last_day.any(|line| line.event == TenureEvent::Disconnected)
    }

    /// Ported to where nobody tells us.
    pub fn is_out_of_sight(&self) -> bool {
        Course::along(&self.lines, None).is_under_way()
    }

    pub fn ported_since(&self, day: Date) -> bool {
        self.lines.iter().any(|line| line.event.is_port() && line.on >= day)
    }

    /// Went from one holder to the next, without rest, on that day or later.
    pub fn transferred_since(&self, day: Date) -> bool {
        self.lines.iter().any(|line| line.event == TenureEvent::Transferred && line.on >= day)
    }

    fn may_speak(&self, line: &TenureLine, home: Option<&OperatorId>) -> bool {
        let earlier = self.lines.iter().take_while(|known| key(known) < key(line));
        let course = Course::along(earlier, home);
        if !course.counts(line) {
            return false;
        }
        let of_operator = |known: &&TenureLine| !known.by.is_registry();
        let first = if line.by.is_registry() {
            None
        } else if course.is_under_way() {
            // Where somebody arrived already, nobody else did.
            let later = self.standing().filter(|known| key(known) > key(line));
            later.take_while(|known| known.event != TenureEvent::PortedOut).find(of_operator)
        } else if course.serving().is_none() {
            self.standing().find(of_operator)
        } else {
            None
        };
        first.is_none_or(|first| first.by == line.by)
    }

    /// A known line, said once more: the second of two that contradict each
    /// other is refused again.
    fn told_again(&self, line: &TenureLine) -> Result<Insert, LineError> {
        let said = |line: &TenureLine| (line.received_at, line.event);
        let counts = self.standing().any(|known| key(known) == key(line));
        let is_second = counts && self.tenancy_on(line).any(|other| said(other) < said(line));
        if is_second { Err(LineError::Contradicts) } else { Ok(Insert::Unchanged) }
    }

    /// What else is believed of a line's day, if both tell who has the number.
    fn tenancy_on<'a>(&'a self, line: &'a TenureLine) -> impl Iterator<Item = &'a TenureLine> {
        let speaks_of = |line: &TenureLine| !line.event.is_port();
        let same_day = self.standing().filter(move |known| speaks_of(line) && known.on == line.on);
        same_day.filter(move |known| speaks_of(known) && known.event != line.event)
    }
}

/// The order of lines: no two have the same place in it.
fn key(line: &TenureLine) -> (Date, TenureEvent, &OperatorId) {
    (line.on, line.event, &line.by)
}

#[cfg(test)]
mod tests;
