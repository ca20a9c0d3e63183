//! The truth: who held a number when, and what everybody who tells of it
//! would say. A change of holder comes at noon, in the number's zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use zhengming::domain::day::plus_days;
use zhengming::domain::evidence::{Answer, Question};
use zhengming::domain::tenure::TenureEvent;

/// A life is told from the day that its first holder signed. The last chapter
/// goes on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chapter {
    Held(i32),
    /// Cancelled, then sold to the next holder after so many days.
    Rest(i32),
    /// Cancelled, and the same holder's again after so many days.
    Lapse(i32),
    /// Another holder's from one day to the next.
    Handed,
    /// Moved from cmcc to cucc; the holder stays.
    Ported,
}

/// A stretch of days with a contract. `until` is the day of its end.
#[derive(Debug, Clone, Copy)]
pub struct Spell {
    pub holder: usize,
    pub from: Date,
    pub until: Option<Date>,
}

#[derive(Debug, Clone)]
pub struct Life {
    number: usize,
    pub spells: Vec<Spell>,
    /// Who could tell, what and when. The registry tells the ports, too.
    pub lines: Vec<(&'static str, TenureEvent, Date)>,
    ported_on: Option<Date>,
    pub has_lapse: bool,
}

/// The day on which lives begin: two years and a bit before a town does.
pub const FIRST_DAY: Date = jiff::civil::date(2024, 10, 1);

impl Life {
    pub fn new(number: usize, chapters: &[Chapter]) -> Self {
        let (mut day, mut by) = (FIRST_DAY, "cmcc");
        let first = Spell { holder: 0, from: day, until: None };
        let mut life = Self {
            number,
            spells: vec![first],
            lines: vec![(by, TenureEvent::Activated, day)],
            ported_on: None,
            has_lapse: chapters.iter().any(|chapter| matches!(chapter, Chapter::Lapse(_))),
        };
        for chapter in chapters {
            let holder = life.spells[life.spells.len() - 1].holder;
            match *chapter {
                Chapter::Held(days) => day = plus_days(day, days),
                Chapter::Rest(days) | Chapter::Lapse(days) => {
                    life.lines.push((by, TenureEvent::Disconnected, day));
                    let again = plus_days(day, days);
                    let next = holder + usize::from(matches!(chapter, Chapter::Rest(_)));
                    life.follow(next, day, again);
                    life.lines.push((by, TenureEvent::Activated, again));
                    day = again;
                }
                Chapter::Handed => {
                    life.lines.push((by, TenureEvent::Transferred, day));
                    life.follow(holder + 1, day, day);
                }
                Chapter::Ported => {
                    life.lines.push(("cmcc", TenureEvent::PortedOut, day));
                    life.lines.push(("cucc", TenureEvent::PortedIn, day));
                    (life.ported_on, by) = (Some(day), "cucc");
                }
            }
        }
        life
    }

    fn follow(&mut self, holder: usize, until: Date, from: Date) {
        self.spells.last_mut().unwrap().until = Some(until);
        self.spells.push(Spell { holder, from, until: None });
    }

    pub fn spell_on(&self, day: Date) -> Option<Spell> {
        let has = |spell: &&Spell| spell.from <= day && spell.until.is_none_or(|until| day < until);
        self.spells.iter().find(has).copied()
    }

    /// Who has the telephone in hand.
    pub fn holder_at(&self, now: Timestamp) -> Option<usize> {
        self.spell_on(told_day(now)).map(|spell| spell.holder)
    }

    /// The present holder, or the last one while nobody has the number.
    pub fn latest_holder(&self, now: Timestamp) -> usize {
        let day = told_day(now);
        self.spells.iter().rfind(|spell| spell.from <= day).map_or(0, |spell| spell.holder)
    }

    pub fn began(&self, holder: usize) -> Date {
        self.spells.iter().find(|spell| spell.holder == holder).map_or(FIRST_DAY, |spell| spell.from)
    }

    pub fn name_of(&self, holder: usize) -> String {
        format!("三喜米线{}号{holder}店", self.number)
    }

    /// What an operator or the registry can tell by now.
    pub fn lines_of(&self, by: &str, now: Timestamp) -> Vec<(TenureEvent, Date)> {
        let day = told_day(now);
        let theirs = |line: &&(&str, TenureEvent, Date)| match by {
            "registry" => line.1.is_port(),
            by => line.0 == by,
        };
        let known = self.lines.iter().filter(theirs).filter(|line| line.2 <= day);
        known.map(|(_, event, on)| (*event, *on)).collect()
    }

    /// An operator's answer out of records that are `lag` days old.
    pub fn answer(&self, by: &str, follows_ports: bool, question: &Question, seen: Date) -> Answer {
        let moved = self.ported_on.filter(|on| *on <= seen);
        let serving = if moved.is_some() { "cucc" } else { "cmcc" };
        if by != serving {
            return Answer::Unknown;
        }
        let records_from = moved.filter(|_| !follows_ports);
        let present = self.spell_on(seen);
        let yes = match question {
            // Where nobody holds the number, it has changed hands.
            Question::ChangedAfter { day } => {
                let then = self.spell_on((*day).min(seen)).map(|spell| spell.holder);
                let unseen = records_from.is_some_and(|from| *day < from);
                unseen || present.is_none_or(|present| then != Some(present.holder))
            }
            _ if present.is_none() => return Answer::Unknown,
            Question::HeldSince { day } => {
                present.is_some_and(|present| present.from.max(records_from.unwrap_or(FIRST_DAY)) <= *day)
            }
            Question::NameIs { name } | Question::EnterpriseIs { name, .. } => {
                present.is_some_and(|present| self.name_of(present.holder) == *name)
            }
        };
        if yes { Answer::Yes } else { Answer::No }
    }
}

/// The last day whose changes have happened.
pub fn told_day(now: Timestamp) -> Date {
    shanghai().to_datetime(now - SignedDuration::from_hours(12)).date()
}

pub fn day_of(at: Timestamp) -> Date {
    shanghai().to_datetime(at).date()
}

fn shanghai() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}
