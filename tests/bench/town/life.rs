//! The truth: who held a number when, at which operator, and what for.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zhengming::domain::day::{days_between, plus_days};

use crate::chance::{between, days, dice_of, happens, pick};
use crate::dice::Dice;

/// Days since the town's first one; negative before it.
pub type Day = i32;

/// The first day of the year that is simulated.
pub const FIRST_DAY: Date = jiff::civil::date(2026, 1, 1);
/// Lives change from here on; what was before is one holder's.
pub const LIVES_FROM: Day = -900;

/// What is known by nobody before it.
const DICE: u64 = 1;

const REST_DAYS: Day = 90;
/// Cancelled in a year, of numbers in use: 1.8 billion numbers of which half a
/// million are released each day.
const ENDS_PER_YEAR: f64 = 0.11;
const PORTS_PER_YEAR: f64 = 0.012;

pub fn date_of(day: Day) -> Date {
    plus_days(FIRST_DAY, day)
}

pub fn number_of_day(day: Date) -> Day {
    days_between(FIRST_DAY, day)
}

pub fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

pub fn day_of(at: Timestamp) -> Day {
    number_of_day(zone().to_datetime(at).date())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum House {
    /// Pushes what happens to its numbers, and answers; what it answers begins
    /// with a port, which the registry tells of.
    Cmcc,
    /// Pushes, and its answers see through ports.
    Cucc,
    /// Answers and does not push.
    Ctcc,
    /// Says nothing.
    Cbn,
    /// A virtual operator: says nothing, and nobody else may speak for it.
    Virtual,
}

impl House {
    pub fn id(self) -> &'static str {
        match self {
            Self::Cmcc => "cmcc",
            Self::Cucc => "cucc",
            Self::Ctcc => "ctcc",
            Self::Cbn => "cbn",
            Self::Virtual => "vno-cmcc",
        }
    }

    /// Three digits of a range that was given to it.
    pub fn prefix(self) -> u64 {
        match self {
            Self::Cmcc => 138,
            Self::Cucc => 130,
            Self::Ctcc => 133,
            Self::Cbn => 192,
            Self::Virtual => 165,
        }
    }

    pub fn pushes(self) -> bool {
        matches!(self, Self::Cmcc | Self::Cucc)
    }

    pub fn answers(self) -> bool {
        self.pushes() || self == Self::Ctcc
    }
}

/// What somebody does with a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trade {
    Quiet,
    Courier,
    Shop,
    Sales,
    Fraud,
}

impl Trade {
    /// Numbers that are used up are given up sooner.
    fn haste(self) -> f64 {
        match self {
            Self::Quiet => 1.0,
            Self::Courier | Self::Shop => 1.5,
            Self::Sales => 3.0,
            Self::Fraud => 5.0,
        }
    }
}

/// A stretch of days with one contract. `until` is the day of its end.
#[derive(Debug, Clone, Copy)]
pub struct Spell {
    /// Counted from 0 for each number.
    pub holder: u16,
    /// Whose business it is: accomplices are one, though each has a contract.
    pub ring: u16,
    pub from: Day,
    pub until: Option<Day>,
    pub trade: Trade,
}

#[derive(Debug, Clone, Copy)]
pub struct Port {
    pub on: Day,
    pub to: House,
}

/// How an operator's own records of a number are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The present contract's first day is that of another, by so many days.
    Begins(Day),
    /// The last change of hands was never written down.
    Missed,
}

#[derive(Debug, Clone)]
pub struct Life {
    pub home: House,
    pub spells: Vec<Spell>,
    pub ports: Vec<Port>,
    pub wrong: Option<Wrong>,
}

/// Records that are wrong, of all.
const WRONG: f64 = 0.001;

impl Life {
    pub fn draw(seed: u64, nth: u64, home: House, last: Day) -> Self {
        let mut dice = dice_of(seed, DICE, nth);
        let mut life = Self { home, spells: Vec::new(), ports: Vec::new(), wrong: None };
        let mut from = -between(&mut dice, 30, 4_000);
        let mut holder = 0;
        loop {
            let trade = trade(&mut dice);
            let year = 365.0 / (ENDS_PER_YEAR * trade.haste());
            let ends = from.max(LIVES_FROM) + 1 + days(&mut dice, year);
            life.spells.push(Spell { holder, ring: holder, from, until: None, trade });
            let Some(next) = life.follow(&mut dice, ends, last) else { break };
            (from, holder) = next;
        }
        life.draw_ports(&mut dice, last);
        if happens(&mut dice, WRONG) {
            let months = between(&mut dice, 1, 12) * if happens(&mut dice, 0.5) { 30 } else { -30 };
            life.wrong = Some(if happens(&mut dice, 0.7) { Wrong::Begins(months) } else { Wrong::Missed });
        }
        life
    }

    /// What comes after a day on which a contract ends: the next one's first
    /// day and holder.
    fn follow(&mut self, dice: &mut Dice, ends: Day, last: Day) -> Option<(Day, u16)> {
        if ends > last {
            return None;
        }
        let spell = self.spells.last_mut()?;
        spell.until = Some(ends);
        let (holder, trade) = (spell.holder, spell.trade);
        match pick(dice, &[(Next::Released, 86), (Next::Unused, 6), (Next::Handed, 3), (Next::Back, 5)]) {
            Next::Released => Some((ends + REST_DAYS + days(dice, 40.0), holder + 1)),
            Next::Unused => None,
            Next::Handed => Some((ends, holder + 1)),
            Next::Back => {
                // The same holder's again, who goes on as before.
                let from = ends + 1 + between(dice, 2, 60);
                let until = from + days(dice, 365.0 / ENDS_PER_YEAR);
                if from > last {
                    return None;
                }
                self.spells.push(Spell { holder, ring: holder, from, until: None, trade });
                self.follow_back(dice, until, last)
            }
        }
        .filter(|(from, _)| *from <= last)
    }

    fn follow_back(&mut self, dice: &mut Dice, until: Day, last: Day) -> Option<(Day, u16)> {
        if until > last {
            return None;
        }
        let spell = self.spells.last_mut()?;
        spell.until = Some(until);
        Some((until + REST_DAYS + days(dice, 40.0), spell.holder + 1))
    }

    fn draw_ports(&mut self, dice: &mut Dice, last: Day) {
        if !matches!(self.home, House::Cmcc | House::Cucc | House::Ctcc) {
            return;
        }
        let mut on = LIVES_FROM;
        loop {
            on += 1 + days(dice, 365.0 / PORTS_PER_YEAR);
            if on > last {
                return;
            }
            let from = self.serving(on);
            let to = pick(dice, &[(House::Cmcc, 4), (House::Cucc, 3), (House::Ctcc, 3)]);
            // Only who has a contract can take it elsewhere.
            if to != from && self.spell_on(on).is_some_and(|spell| spell.from < on) {
                self.ports.push(Port { on, to });
            }
        }
    }

    pub fn serving(&self, day: Day) -> House {
        self.ports.iter().rfind(|port| port.on <= day).map_or(self.home, |port| port.to)
    }

    pub fn spell_on(&self, day: Day) -> Option<&Spell> {
        self.spells.iter().rfind(|spell| spell.from <= day && spell.until.is_none_or(|until| day < until))
    }

    /// The first day of a holder's tenure, which a pause of theirs does not end.
    pub fn began(&self, holder: u16) -> Option<Day> {
        self.spells.iter().find(|spell| spell.holder == holder).map(|spell| spell.from)
    }

    /// Whether the number was nobody's for the rest before a holder had it.
    pub fn rested_before(&self, holder: u16) -> bool {
        let Some(at) = self.spells.iter().position(|spell| spell.holder == holder) else { return false };
        let before = at.checked_sub(1).and_then(|before| self.spells[before].until);
        before.is_some_and(|until| self.spells[at].from - until >= REST_DAYS)
    }
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Released,
    Unused,
    Handed,
    /// Reinstated: the same holder's again, within the rest.
    Back,
}

fn trade(dice: &mut Dice) -> Trade {
    pick(
        dice,
        &[(Trade::Quiet, 88), (Trade::Courier, 5), (Trade::Shop, 3), (Trade::Sales, 3), (Trade::Fraud, 1)],
    )
}
