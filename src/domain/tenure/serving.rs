//! Which operator serves a number along its lines.

use crate::domain::id::OperatorId;
use crate::domain::tenure::{TenureEvent, TenureLine};

/// Where a number is after the lines that were passed.
#[derive(Debug, Default)]
pub(super) struct Course<'a> {
    serving: Option<&'a OperatorId>,
    /// It has left its operator, and is not known to have arrived.
    under_way: bool,
    /// An operator has told of its arrival since it last left one.
    arrived: bool,
}

impl<'a> Course<'a> {
    /// `home`: who serves before the first line.
    pub(super) fn along(
        lines: impl IntoIterator<Item = &'a TenureLine>,
        home: Option<&'a OperatorId>,
    ) -> Self {
        let mut course = Self { serving: home, ..Self::default() };
        for line in lines {
            course.pass(line);
        }
        course
    }

    pub(super) fn serving(&self) -> Option<&'a OperatorId> {
        self.serving
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Whether the speaker of a line that comes next is entitled to it.
    pub(super) fn counts(&self, line: &TenureLine) -> bool {
        if line.by.is_registry() {
            return line.event.is_port();
        }
        if self.under_way {
            return line.event == TenureEvent::PortedIn;
        }
        self.serving.is_none_or(|serving| *serving == line.by)
    }

    /// Passes the next line; whether it counts.
    pub(super) fn pass(&mut self, line: &'a TenureLine) -> bool {
        let counts = self.counts(line);
        match (line.event, line.by.is_registry()) {
            _ if !counts => {}
            // The registry says that a number moved, not where to, and says so
            // also of an arrival that is known already.
            (TenureEvent::PortedOut, true) => (self.under_way, self.arrived) = (true, false),
            (_, true) => self.under_way |= !self.arrived,
            (event, false) => {
                self.serving = Some(&line.by);
                self.under_way = event == TenureEvent::PortedOut;
                self.arrived = event == TenureEvent::PortedIn || (self.arrived && !self.under_way);
            }
        }
        counts
    }
}
