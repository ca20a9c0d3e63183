//! Figures for everybody, of which none is about few people.
//!
//! What happens is counted by cells (`Cell`), and each cell in tens: nine
//! cases wait, and with the tenth all ten are released together. Whatever is
//! shown is added up from released tens alone, so that no sum, no difference
//! of two figures and no difference between today's and yesterday's is ever
//! about fewer than ten, however cells are put together to totals. What it
//! costs: a figure may lag behind by up to nine for each of its cells.
//!
//! Absent: where the tens are kept, and in which words they are told.

mod histogram;

pub use histogram::Histogram;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::day::plus_days;
use crate::domain::id::ProviderId;

/// Nothing is shown of fewer.
pub const GROUP_MIN: u64 = 10;

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Rule,
    People,
}

/// Why a dispute was refused. Moderators' own codes are one reason here: there
/// may be any number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyRefused {
    NotHeldSince,
    NoChangeOfHolder,
    NotRested,
    NamesAgree,
    IdentityMismatch,
    OpenedNeeded,
    ControlUnproved,
    EvidenceLapsed,
    Other,
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    Filed,
    /// From filing to the decision.
    Corrected(By),
    Refused(By, WhyRefused),
    /// An entry of the log.
    Published,
    /// From an entry's decision until a provider served it.
    Served,
}

/// How many of each cell, and how long each took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Cell, Histogram)>", into = "Vec<(Cell, Histogram)>")]
pub struct Tallies(BTreeMap<Cell, Histogram>);

/// A count as it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Zero,
    /// Of each cell of it there are fewer than ten.
    TooFew,
    Shown(u64),
}

/// In seconds, right within a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub median_s: u64,
    pub p95_s: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub begins_on: Date,
    pub filed: Figure,
    pub decided: Figure,
}

/// What one kind of decider did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    pub decided: Figure,
    pub corrected: Figure,
    /// From filing to correction.
    pub times: Option<Times>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    pub provider: ProviderId,
    pub entries: Figure,
    /// From correction to serving.
    pub times: Option<Times>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Oldest first, each as long as there is one; the last one goes on.
    pub weeks: Vec<Week>,
    pub filed: Figure,
    pub by_rule: Decided,
    pub by_people: Decided,
    pub published: Figure,
    /// Those that there are, the most frequent first.
    pub refusals: Vec<(WhyRefused, Figure)>,
    /// The fastest first.
    pub serving: Vec<Serving>,
    pub open: Figure,
    pub overdue: Figure,
}

/// Of a series: what was released in each week shown, and what still waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    pub weeks: Vec<(Date, Tallies)>,
    pub waiting: Tallies,
}

impl WhyRefused {
    pub const ALL: [Self; 9] = [
        Self::NotHeldSince,
        Self::NoChangeOfHolder,
        Self::NotRested,
        Self::NamesAgree,
        Self::IdentityMismatch,
        Self::OpenedNeeded,
        Self::ControlUnproved,
        Self::EvidenceLapsed,
        Self::Other,
    ];

    pub fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|why| why.code() == code).unwrap_or(Self::Other)
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::NotHeldSince => "not_held_since",
            Self::NoChangeOfHolder => "no_change_of_holder",
            Self::NotRested => "not_rested",
            Self::NamesAgree => "names_agree",
            Self::IdentityMismatch => "identity_mismatch",
            Self::OpenedNeeded => "opened_needed",
            Self::ControlUnproved => "control_unproved",
            Self::EvidenceLapsed => "evidence_lapsed",
            Self::Other => "other",
        }
    }
}

impl Cell {
    fn is_decided_by(self, who: By) -> bool {
        matches!(self, Self::Corrected(by) | Self::Refused(by, _) if by == who)
    }

    fn is_decision(self) -> bool {
        self.is_decided_by(By::Rule) || self.is_decided_by(By::People)
    }
}

impl Tallies {
    /// One case more. The tenth takes the nine before it along: what comes
    /// back is released, and no longer in here.
    pub fn count(&mut self, cell: Cell, seconds: u64) -> Option<Histogram> {
        let waiting = self.0.entry(cell).or_default();
        waiting.add(seconds);
        if waiting.count() < GROUP_MIN {
            return None;
        }
        self.0.remove(&cell)
    }

    pub fn merge(&mut self, cell: Cell, more: &Histogram) {
        self.0.entry(cell).or_default().merge(more);
    }

    pub fn add(&mut self, more: &Self) {
        more.0.iter().for_each(|(cell, some)| self.merge(*cell, some));
    }

    fn all(&self, of: impl Fn(Cell) -> bool) -> Histogram {
        let mut all = Histogram::default();
        self.0.iter().filter(|(cell, _)| of(**cell)).for_each(|(_, some)| all.merge(some));
        all
    }
}

impl From<Vec<(Cell, Histogram)>> for Tallies {
    fn from(cells: Vec<(Cell, Histogram)>) -> Self {
        Self(cells.into_iter().collect())
    }
}

impl From<Tallies> for Vec<(Cell, Histogram)> {
    fn from(tallies: Tallies) -> Self {
        tallies.0.into_iter().collect()
    }
}

impl Figure {
    /// Of what stands there at one moment: by its tens, so that neither the
    /// rest of it nor one more or less shows.
    pub fn of_now(count: u64) -> Self {
        match count {
            0 => Self::Zero,
            1..GROUP_MIN => Self::TooFew,
            _ => Self::Shown(count / GROUP_MIN * GROUP_MIN),
        }
    }

    fn released(released: &Histogram, waiting: &Histogram) -> Self {
        match (released.count(), waiting.count()) {
            (0, 0) => Self::Zero,
            (0, _) => Self::TooFew,
            (count, _) => Self::Shown(count),
        }
    }

    /// What can be drawn of it.
    pub fn shown(self) -> u64 {
        match self {
            Self::Zero | Self::TooFew => 0,
            Self::Shown(count) => count,
        }
    }
}

impl Times {
    fn of(taken: &Histogram) -> Option<Self> {
        (taken.count() >= GROUP_MIN)
            .then(|| Self { median_s: taken.percentile(50), p95_s: taken.percentile(95) })
    }
}

impl Counted {
    fn released(&self, of: impl Fn(Cell) -> bool) -> Histogram {
        let mut all = Histogram::default();
        self.weeks.iter().for_each(|(_, week)| all.merge(&week.all(&of)));
        all
    }

    fn figure(&self, of: impl Fn(Cell) -> bool) -> Figure {
        Figure::released(&self.released(&of), &self.waiting.all(&of))
    }

    fn decided(&self, by: By) -> Decided {
        let corrected = |cell| cell == Cell::Corrected(by);
        Decided {
            decided: self.figure(|cell| cell.is_decided_by(by)),
            corrected: self.figure(corrected),
            times: Times::of(&self.released(corrected)),
        }
    }

    fn refusals(&self) -> Vec<(WhyRefused, Figure)> {
        let of = |why| self.figure(|cell| matches!(cell, Cell::Refused(_, found) if found == why));
        let mut refusals = WhyRefused::ALL.map(|why| (why, of(why))).to_vec();
        refusals.retain(|(_, figure)| *figure != Figure::Zero);
        refusals.sort_by_key(|(_, figure)| std::cmp::Reverse(figure.shown()));
        refusals
    }

    /// What waited at a week's end is in the week of its tenth; so none of
    /// them is known to have had nothing.
    fn weeks(&self) -> Vec<Week> {
        let figure = |week: &Tallies, of: fn(Cell) -> bool| match week.all(of).count() {
            0 => Figure::TooFew,
            count => Figure::Shown(count),
        };
        let week = |(begins_on, week): &(Date, Tallies)| Week {
            begins_on: *begins_on,
            filed: figure(week, |cell| cell == Cell::Filed),
            decided: figure(week, Cell::is_decision),
        };
        self.weeks.iter().map(week).collect()
    }
}

impl Figures {
    /// `open` and `overdue`: how many there are at this moment.
    pub fn new(
        disputes: &Counted,
        log: &Counted,
        providers: Vec<(ProviderId, Counted)>,
        open: u64,
        overdue: u64,
    ) -> Self {
        let serving = |(provider, counted): (ProviderId, Counted)| Serving {
            provider,
            entries: counted.figure(|_| true),
            times: Times::of(&counted.released(|_| true)),
        };
        let mut serving: Vec<Serving> = providers.into_iter().map(serving).collect();
        serving.sort_by_key(|one| one.times.map_or((u64::MAX, 0), |times| (times.median_s, times.p95_s)));
        Self {
            weeks: disputes.weeks(),
            filed: disputes.figure(|cell| cell == Cell::Filed),
            by_rule: disputes.decided(By::Rule),
            by_people: disputes.decided(By::People),
            published: log.figure(|_| true),
            refusals: disputes.refusals(),
            serving,
            open: Figure::of_now(open),
            overdue: Figure::of_now(overdue),
        }
    }
}

/// The Monday of a day's week.
pub fn week_of(day: Date) -> Date {
    plus_days(day, -i32::from(day.weekday().to_monday_zero_offset()))
}

#[cfg(test)]
mod tests;
