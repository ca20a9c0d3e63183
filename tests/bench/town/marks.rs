//! Marks that people, businesses and partners make, and what a provider shows
//! of them.

use std::collections::BTreeMap;

use zhengming::domain::label::{Category, Source};

use crate::chance::{between, days, dice_of, happens, pick};
use crate::dice::Dice;
use crate::life::{Day, LIVES_FROM, Life, Spell, Trade};

const DICE: u64 = 5;

pub const PROVIDERS: usize = 5;
/// How much each of them comes to know.
const REACH: [f64; PROVIDERS] = [0.75, 0.55, 0.50, 0.35, 0.30];
/// One takes over what another shows, without asking since when.
const COPIES: (u8, u8) = (0, 3);
const COPIED: f64 = 0.35;
/// Of what it took over, with the day of that as if somebody had marked it then.
const COPIED_WITH_DAY: f64 = 0.4;
/// Reported days after the call.
const LATE: f64 = 0.03;
/// Of quiet people in a year, those whom somebody marks out of spite, or by mistake.
const GRUDGES_PER_YEAR: f64 = 0.003;

/// Marks of one number at one provider, spread over the days from `first` to
/// `last`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub provider: u8,
    /// `None`: a shop's name.
    pub category: Option<Category>,
    pub first: Day,
    pub last: Day,
    pub per_day: f64,
    /// Whom it is about.
    pub holder: u16,
    pub ring: u16,
    pub source: Source,
    /// The provider knows the days.
    pub is_dated: bool,
}

/// What a provider was told about a number, and from when on it acts by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    pub void_before: Option<Day>,
    pub clears_name: bool,
    pub on: Day,
}

impl Mark {
    /// What is left of it on a day, at a provider that applies a correction.
    pub fn standing(&self, applied: Option<Applied>, today: Day, keeps_undated: bool) -> Option<Self> {
        if self.first > today {
            return None;
        }
        let mut seen = Self { last: self.last.min(today), ..*self };
        let Some(applied) = applied else { return Some(seen) };
        if self.category.is_none() && applied.clears_name && self.first <= applied.on {
            return None;
        }
        let Some(void_before) = applied.void_before else { return Some(seen) };
        if !self.is_dated {
            let goes = self.first <= applied.on && !keeps_undated;
            return (!goes).then_some(seen);
        }
        if seen.last < void_before || (self.category.is_none() && self.first < void_before) {
            return None;
        }
        seen.first = seen.first.max(void_before);
        Some(seen)
    }

    pub fn count(&self) -> u64 {
        (self.per_day * f64::from(self.last - self.first + 1)).ceil() as u64
    }
}

pub type Marks = BTreeMap<usize, Vec<Mark>>;

/// All marks that are ever made of these numbers.
pub fn draw(lives: &[Life], seed: u64, last: Day) -> Marks {
    let mut marks = Marks::new();
    for (nth, life) in lives.iter().enumerate() {
        let mut dice = dice_of(seed, DICE, nth as u64);
        let mut of_number = Vec::new();
        for spell in &life.spells {
            if spell.until.is_none_or(|until| until > LIVES_FROM) {
                of_spell(&mut of_number, spell, last, &mut dice);
            }
        }
        copy(&mut of_number, &mut dice);
        if !of_number.is_empty() {
            marks.insert(nth, of_number);
        }
    }
    marks
}

fn of_spell(marks: &mut Vec<Mark>, spell: &Spell, horizon: Day, dice: &mut Dice) {
    let end = spell.until.unwrap_or(horizon + 1) - 1;
    let (holder, ring) = (spell.holder, spell.ring);
    let base = Mark {
        provider: 0,
        category: None,
        first: spell.from,
        last: end,
        per_day: 1.0,
        holder,
        ring,
        source: Source::Crowd,
        is_dated: true,
    };
    if spell.trade == Trade::Quiet {
        let from = spell.from.max(LIVES_FROM);
        let years = f64::from((end - from).max(0)) / 365.0;
        if happens(dice, GRUDGES_PER_YEAR * years) {
            let on = between(dice, from, end);
            let provider = dice.roll(PROVIDERS as u64) as u8;
            let category = pick(dice, &[(Category::Harass, 3), (Category::AdSales, 3), (Category::Fraud, 1)]);
            marks.push(Mark { provider, category: Some(category), first: on, last: on, ..base });
        }
        return;
    }
    let (category, source) = said_of(spell.trade, dice);
    for (provider, reach) in REACH.into_iter().enumerate() {
        let first = spell.from + 1 + days(dice, 40.0);
        let mut last = end - days(dice, 8.0);
        let is_late = happens(dice, LATE);
        if !happens(dice, reach) || first > last {
            continue;
        }
        if is_late && spell.until.is_some() {
            last = end + between(dice, 1, 20);
        }
        let per_day =
            if category.is_some() { 0.2 + 2.0 * f64::from(between(dice, 0, 100)) / 100.0 } else { 0.0 };
        let last = if category.is_some() { last } else { first };
        marks.push(Mark { provider: provider as u8, category, first, last, per_day, source, ..base });
    }
}

fn said_of(trade: Trade, dice: &mut Dice) -> (Option<Category>, Source) {
    match trade {
        Trade::Quiet => (None, Source::Crowd),
        Trade::Courier => {
            let what =
                pick(dice, &[(Category::Express, 3), (Category::FoodDelivery, 2), (Category::Taxi, 1)]);
            (Some(what), Source::Crowd)
        }
        Trade::Shop => (None, pick(dice, &[(Source::Business, 1), (Source::Partner, 1)])),
        Trade::Sales => {
            let what =
                pick(dice, &[(Category::AdSales, 3), (Category::Harass, 2), (Category::HouseAgent, 2)]);
            (Some(what), Source::Crowd)
        }
        Trade::Fraud => (Some(Category::Fraud), Source::Crowd),
    }
}

fn copy(marks: &mut Vec<Mark>, dice: &mut Dice) {
    let (from, to) = COPIES;
    let copies: Vec<Mark> = marks
        .iter()
        .filter(|mark| mark.provider == from)
        .filter_map(|mark| {
            let on = mark.first + 30 + days(dice, 60.0);
            let is_dated = happens(dice, COPIED_WITH_DAY);
            let copied =
                Mark { provider: to, first: on, last: on, source: Source::Partner, is_dated, ..*mark };
            happens(dice, COPIED).then_some(copied)
        })
        .collect();
    marks.extend(copies);
}
