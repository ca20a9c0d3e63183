//! What operators know of their numbers and when: days late, now and then
//! wrongly, and with hours in which they answer nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use zhengming::casework::ports::{Operator, Reply, Unavailable};
use zhengming::domain::evidence::{Answer, Question};
use zhengming::domain::lines::TenureSaid;
use zhengming::domain::number::Number;
use zhengming::domain::tenure::TenureEvent;
use zhengming::env::clock::{Clock, MockClock};

use crate::chance::{between, dice_of, happens};
use crate::dice::Dice;
use crate::life::{Day, House, LIVES_FROM, Life, Spell, Wrong, date_of, day_of, number_of_day};
use crate::numbers::{index_of, number_of};

const OUTAGES: u64 = 2;
const CALLS: u64 = 3;
const LINES: u64 = 4;

/// Hours in a year in which an operator does not answer, in so many pieces.
const OUTAGES_PER_YEAR: i32 = 6;
const OUTAGE_HOURS: (i32, i32) = (1, 6);
/// Calls that fail for no reason that anybody knows.
const FAILS: f64 = 0.002;
/// Lines that are never pushed.
const LOST_LINES: f64 = 0.001;
/// What operators push in their first upload reaches back so far.
pub const BACKLOG_DAYS: Day = 400;

/// How many days after it a change is in an operator's records.
pub fn lag(house: House, nth: usize, day: Day) -> Day {
    let spread = (nth as i32 ^ day).rem_euclid(4);
    match house {
        House::Cmcc => 7 + spread / 3,
        _ => 5 + spread,
    }
}

/// An operator's API.
#[derive(Debug)]
pub struct Api {
    pub house: House,
    pub follows_ports: bool,
    lives: Arc<Vec<Life>>,
    clock: MockClock,
    outages: Vec<(Timestamp, Timestamp)>,
    dice: Mutex<Dice>,
}

impl Api {
    pub fn new(
        house: House,
        follows_ports: bool,
        lives: &Arc<Vec<Life>>,
        clock: &MockClock,
        seed: u64,
        days: Day,
    ) -> Self {
        let mut dice = dice_of(seed, OUTAGES, house as u64);
        let count = (OUTAGES_PER_YEAR * days + 364) / 365;
        let outages = (0..count).map(|_| {
            let from =
                clock.now() + SignedDuration::from_mins(i64::from(between(&mut dice, 0, days * 1_440)));
            let lasts = SignedDuration::from_hours(between(&mut dice, OUTAGE_HOURS.0, OUTAGE_HOURS.1).into());
            (from, from + lasts)
        });
        let outages = outages.collect();
        let dice = Mutex::new(dice_of(seed, CALLS, house as u64));
        Self { house, follows_ports, lives: lives.clone(), clock: clock.clone(), outages, dice }
    }
}

#[async_trait]
impl Operator for Api {
    async fn ask(&self, number: Number, question: &Question, _: &str) -> Result<Reply, Unavailable> {
        let fails = {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            // An answer takes its time, one in a hundred much of it.
            let most = if happens(&mut dice, 0.01) { 8_000 } else { 700 };
            self.clock.advance(SignedDuration::from_millis(between(&mut dice, 80, most).into()));
            happens(&mut dice, FAILS)
        };
        let now = self.clock.now();
        if fails || self.outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Err(Unavailable { why: "down".to_owned(), retry_after_s: None, alarm: false });
        }
        let nth = index_of(number);
        let record = Record { life: &self.lives[nth], nth, today: day_of(now) };
        Ok(Reply { answer: record.answer(self.house, self.follows_ports, question), detail: None })
    }
}

/// A number as its operator's records have it.
struct Record<'a> {
    life: &'a Life,
    nth: usize,
    today: Day,
}

impl Record<'_> {
    fn knows(&self, house: House, on: Day) -> bool {
        on + lag(house, self.nth, on) <= self.today
    }

    /// The spell that is the present one by the records, and its first day.
    fn present(&self, house: House) -> Option<(Spell, Day)> {
        let spells = &self.life.spells;
        let known = spells.iter().rposition(|spell| self.knows(house, spell.from));
        let mut at = known?;
        let is_wrong = |wrong: Wrong| self.life.wrong == Some(wrong);
        if is_wrong(Wrong::Missed) && at > 0 {
            return Some((spells[at - 1], spells[at - 1].from));
        }
        if spells[at].until.is_some_and(|until| self.knows(house, until)) {
            return None;
        }
        let mut from = spells[at].from;
        if let Some(Wrong::Begins(by)) = self.life.wrong {
            from = (from + by).min(self.today);
        }
        // A transfer to oneself is none.
        while at > 0 && spells[at - 1].holder == spells[at].holder && spells[at - 1].until == Some(from) {
            at -= 1;
            from = spells[at].from;
        }
        Some((spells[at], from))
    }

    fn answer(&self, house: House, follows_ports: bool, question: &Question) -> Answer {
        let ports = self.life.ports.iter().filter(|port| self.knows(house, port.on));
        let serving = ports.clone().next_back().map_or(self.life.home, |port| port.to);
        if serving != house {
            return Answer::Unknown;
        }
        let Some((present, began)) = self.present(house) else { return Answer::Unknown };
        let arrived = ports.clone().rfind(|port| port.to == house).map(|port| port.on);
        let records_from = arrived.filter(|_| !follows_ports).unwrap_or(LIVES_FROM * 10);
        let yes = match question {
            Question::HeldSince { day } => began.max(records_from) <= number_of_day(*day),
            Question::ChangedAfter { day } => {
                let day = number_of_day(*day);
                day < began.max(records_from) && !self.was_the_same(present, began, records_from, day)
            }
            Question::NameIs { name } | Question::EnterpriseIs { name, .. } => {
                *name == name_of(self.nth, present.holder)
            }
        };
        if yes { Answer::Yes } else { Answer::No }
    }

    /// Whether the present holder had the number on that day, too.
    fn was_the_same(&self, present: Spell, began: Day, records_from: Day, day: Day) -> bool {
        let then = self.life.spell_on(day).map(|spell| spell.holder);
        let is_right = began == present.from;
        is_right && day >= records_from && then == Some(present.holder)
    }
}

/// The name of a holder's shop.
pub fn name_of(nth: usize, holder: u16) -> String {
    format!("三喜米线{nth}号{holder}店")
}

/// Who pushes a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pusher {
    Cmcc,
    Cucc,
    Registry,
}

impl Pusher {
    pub fn id(self) -> &'static str {
        match self {
            Self::Cmcc => "cmcc",
            Self::Cucc => "cucc",
            Self::Registry => "registry",
        }
    }
}

/// All that is ever pushed, by the day on which it is.
pub type Pushes = BTreeMap<(Day, Pusher), Vec<TenureSaid>>;

/// What will be pushed about all these numbers: out of the same records that
/// questions are answered from, and as wrong.
pub fn pushes(lives: &[Life], seed: u64) -> Pushes {
    let mut pushes = Pushes::new();
    for (nth, life) in lives.iter().enumerate() {
        let mut dice = dice_of(seed, LINES, nth as u64);
        let last = life.spells.len() - 1;
        let (newest, ended) =
            (life.spells[last].from, last.checked_sub(1).and_then(|at| life.spells[at].until));
        for (pusher, event, on) in lines(life) {
            let known_on = match pusher {
                Pusher::Registry => on + 1,
                Pusher::Cmcc => on + lag(House::Cmcc, nth, on),
                Pusher::Cucc => on + lag(House::Cucc, nth, on),
            };
            let is_lost = happens(&mut dice, LOST_LINES);
            let is_newest = event.begins() && on == newest;
            let said = match life.wrong {
                Some(Wrong::Missed) if is_newest || Some(on) == ended => continue,
                // Nobody tells of tomorrow.
                Some(Wrong::Begins(by)) if is_newest => (on + by).min(known_on),
                _ => on,
            };
            if on >= -BACKLOG_DAYS && !is_lost {
                let line = TenureSaid { number: number_of(life.home, nth), event, on: date_of(said) };
                pushes.entry((known_on.max(0), pusher)).or_default().push(line);
            }
        }
    }
    pushes
}

fn lines(life: &Life) -> Vec<(Pusher, TenureEvent, Day)> {
    let pusher = |on: Day| match life.serving(on) {
        House::Cmcc => Some(Pusher::Cmcc),
        House::Cucc => Some(Pusher::Cucc),
        _ => None,
    };
    let mut lines = Vec::new();
    for (at, spell) in life.spells.iter().enumerate() {
        let is_handed = at > 0 && life.spells[at - 1].until == Some(spell.from);
        let event = if is_handed { TenureEvent::Transferred } else { TenureEvent::Activated };
        lines.extend(pusher(spell.from).map(|by| (by, event, spell.from)));
        let next = life.spells.get(at + 1).map(|next| next.from);
        if let Some(until) = spell.until.filter(|until| Some(*until) != next) {
            lines.extend(pusher(until).map(|by| (by, TenureEvent::Disconnected, until)));
        }
    }
    for port in &life.ports {
        lines.push((Pusher::Registry, TenureEvent::PortedOut, port.on));
        lines.extend(pusher(port.on).map(|by| (by, TenureEvent::PortedIn, port.on)));
    }
    lines
}
