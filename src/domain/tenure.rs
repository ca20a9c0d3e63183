//! Tenures (在网期): what operators tell about who held a number when, kept as
//! lines in order of their days, and what those lines prove.
//!
//! Who may speak: the serving operator of that day, and the porting registry
//! (`ported_*` only). The serving operator is the one of the number's range
//! until a port: after a `ported_out` (its own, or the registry's) the first
//! operator to push a `ported_in` serves from then on. Where the plan knows no
//! operator, the first to speak serves.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::day::days_between;
use crate::domain::id::OperatorId;
use crate::domain::lines::LineError;

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

    /// Takes a line, in whatever order lines arrive.
    pub fn insert(
        &mut self,
        line: TenureLine,
        today: Date,
        home: Option<&OperatorId>,
    ) -> Result<Insert, LineError> {
        if line.on > today {
            return Err(LineError::InFuture);
        }
        let same_day = || self.lines.iter().filter(|known| known.on == line.on);
        if same_day().any(|known| known.event == line.event && known.by == line.by) {
            return Ok(Insert::Unchanged);
        }
        if !self.may_speak(&line, home) {
            return Err(LineError::NotYourNumber);
        }
        if !line.event.is_port() && same_day().any(|known| !known.event.is_port()) {
            return Err(LineError::Contradicts);
        }
        let key = |line: &TenureLine| (line.on, line.event);
        let at = self.lines.partition_point(|known| key(known) <= key(&line));
        if self.lines.len() == LINES_PER_NUMBER_MAX {
            if at == 0 {
                return Ok(Insert::Unchanged);
            }
            self.lines.remove(0);
            self.lines.insert(at - 1, line);
        } else {
            self.lines.insert(at, line);
        }
        Ok(Insert::Added)
    }

    /// The operator that serves the number now.
    pub fn serving<'a>(&'a self, home: Option<&'a OperatorId>) -> Option<&'a OperatorId> {
        serving_after(self.lines.iter(), home).0
    }

    /// The present tenure, where a rest of `rest_days` proves that it is a
    /// new holder's. `None` also while the number is disconnected (the ledger
    /// is late if somebody holds it), after a transfer (no rest), and after a
    /// port to where nobody tells us (the ledger has lost sight of it).
    pub fn proven(&self, rest_days: i32) -> Option<ProvenTenure> {
        if self.is_out_of_sight() {
            return None;
        }
        let mut tenancy = self.lines.iter().rev().filter(|line| !line.event.is_port());
        let began = tenancy.next().filter(|line| line.event == TenureEvent::Activated)?;
        let ended = tenancy.next().filter(|line| line.event == TenureEvent::Disconnected)?;
        (days_between(ended.on, began.on) >= rest_days)
            .then_some(ProvenTenure { former_ended_on: ended.on, began_on: began.on })
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
        self.lines.iter().rev().find(|line| line.event.begins())
    }

    /// The first day of which the ledger tells anything.
    pub fn known_from(&self) -> Option<Date> {
        self.lines.first().map(|line| line.on)
    }

    /// Disconnected, and not yet known to be anybody's again.
    pub fn is_disconnected(&self) -> bool {
        let last = self.lines.iter().rev().find(|line| !line.event.is_port());
        last.is_some_and(|line| line.event == TenureEvent::Disconnected)
    }

    /// Ported to where nobody tells us.
    pub fn is_out_of_sight(&self) -> bool {
        serving_after(self.lines.iter(), None).1
    }

    pub fn ported_since(&self, day: Date) -> bool {
        self.lines.iter().any(|line| line.event.is_port() && line.on >= day)
    }

    /// Went from one holder to the next, without rest, on that day or later.
    pub fn transferred_since(&self, day: Date) -> bool {
        self.lines.iter().any(|line| line.event == TenureEvent::Transferred && line.on >= day)
    }

    fn may_speak(&self, line: &TenureLine, home: Option<&OperatorId>) -> bool {
        if line.by.is_registry() {
            return line.event.is_port();
        }
        let key = |line: &TenureLine| (line.on, line.event);
        let (earlier, later) =
            self.lines.split_at(self.lines.partition_point(|known| key(known) < key(line)));
        let theirs = |known: Option<&TenureLine>| known.is_none_or(|known| known.by == line.by);
        let of_operator = |known: &&TenureLine| !known.by.is_registry();
        match serving_after(earlier.iter(), home) {
            (_, true) => {
                // Where somebody arrived already, nobody else did.
                let mut arrived = later.iter().take_while(|known| known.event != TenureEvent::PortedOut);
                line.event == TenureEvent::PortedIn && theirs(arrived.find(of_operator))
            }
            (Some(serving), false) => *serving == line.by,
            (None, false) => theirs(self.lines.iter().find(of_operator)),
        }
    }
}

/// The serving operator after these lines, and whether the number has left it
/// without having arrived anywhere yet.
fn serving_after<'a>(
    lines: impl Iterator<Item = &'a TenureLine>,
    home: Option<&'a OperatorId>,
) -> (Option<&'a OperatorId>, bool) {
    let mut serving = home;
    let (mut under_way, mut arrived) = (false, false);
    for line in lines {
        match (line.event, line.by.is_registry()) {
            // The registry says that a number moved, not where to, and says so
            // also of an arrival that is known already.
            (TenureEvent::PortedOut, true) => (under_way, arrived) = (true, false),
            (_, true) => under_way |= !arrived,
            (event, false) => {
                serving = Some(&line.by);
                under_way = event == TenureEvent::PortedOut;
                arrived = event == TenureEvent::PortedIn || (arrived && !under_way);
            }
        }
    }
    (serving, under_way)
}

#[cfg(test)]
mod tests;
