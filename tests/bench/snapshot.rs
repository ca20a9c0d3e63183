//! Corrections as there may be in a country, by chance that can be had again,
//! and how many bits they ask for at least.

use std::collections::BTreeMap;
use std::f64::consts::{LN_2, PI};

use jiff::civil::Date;
use zhengming::domain::correction::{EntryReason, NameAction};
use zhengming::domain::day::plus_days;
use zhengming::domain::evidence::Assurance;
use zhengming::domain::number::{Number, NumberKind};
use zhengming::domain::numbering::Numbering;
use zhengming::feed::zms::Record;

use crate::dice::Dice;

const TODAY: Date = Date::constant(2026, 11, 23);
/// Days that `void_before` may lie back.
const YEARS: u64 = 1_461;
/// Behind the first three digits of the national number.
const TAIL: u64 = 100_000_000;

/// Every mobile number of the plan for +86.
pub struct Mobiles(Vec<u64>);

/// What the plan takes is decided by the first three digits alone.
pub fn mobiles() -> Mobiles {
    let plan = Numbering::from_toml(include_str!("../../data/numbering.toml")).expect("it is ours");
    let is_mobile = |digits: u64| {
        Number::from_digits(digits).is_some_and(|number| plan.kind(number) == NumberKind::Mobile)
    };
    let all = (100..1_000).map(|prefix| (86_000 + prefix) * TAIL);
    let taken = all.filter(|first| {
        let tails = [0, 1, 12_345_678, 50_000_000, TAIL - 1].map(|tail| is_mobile(first + tail));
        assert!(tails.iter().all(|taken| *taken == tails[0]), "three digits decide");
        tails[0]
    });
    Mobiles(taken.collect())
}

impl Mobiles {
    pub fn count(&self) -> u64 {
        self.0.len() as u64 * TAIL
    }
}

/// So many different ones, each set as likely as any other, ascending.
pub fn draw(mobiles: &Mobiles, count: usize) -> Vec<Number> {
    let mut dice = Dice::new(1);
    let mut drawn: Vec<Number> = Vec::with_capacity(count);
    while drawn.len() < count {
        drawn.extend((drawn.len()..count).map(|_| {
            let place = dice.roll(mobiles.count());
            let digits = mobiles.0[(place / TAIL) as usize] + place % TAIL;
            Number::from_digits(digits).expect("it is in the plan")
        }));
        drawn.sort_unstable();
        drawn.dedup();
    }
    drawn
}

/// A correction for each number; the same ones every time.
pub struct Corrections<'a> {
    numbers: std::slice::Iter<'a, Number>,
    dice: Dice,
}

impl<'a> Corrections<'a> {
    pub fn of(numbers: &'a [Number]) -> Self {
        Self { numbers: numbers.iter(), dice: Dice::new(2) }
    }

    /// More often lately than long ago.
    fn day(&mut self) -> Date {
        let age = self.dice.roll(YEARS) * self.dice.roll(YEARS) / YEARS;
        plus_days(TODAY, -(age as i32))
    }

    fn pick<T: Copy>(&mut self, percents: &[(u64, T)]) -> T {
        let mut left = self.dice.roll(percents.iter().map(|(percent, _)| percent).sum());
        for (percent, what) in percents {
            if left < *percent {
                return *what;
            }
            left -= percent;
        }
        unreachable!("the dice has as many sides as the percents sum up to")
    }

    fn name(&mut self) -> String {
        const BEGINS: [&str; 10] =
            ["厦门", "福州", "老王", "顺丰", "阳光", "金牌", "蓝天", "诚信", "华联", "Happy "];
        const MIDDLES: [&str; 10] =
            ["烧烤", "速运", "快修", "幼儿园", "旅行社", "家政", "开锁", "超市", "科技", "Coffee"];
        const ENDS: [&str; 5] = ["", "(总店)", "有限公司", "第二分店", "连锁"];
        let mut one_of = |words: &[&'static str]| words[self.dice.roll(words.len() as u64) as usize];
        [one_of(&BEGINS), one_of(&MIDDLES), one_of(&ENDS)].concat()
    }
}

impl Iterator for Corrections<'_> {
    type Item = Record;

    /// 95 % are about marks only; where a name is the matter, 3 of 5 are about
    /// nothing else, so that 3 % have no `void_before`.
    fn next(&mut self) -> Option<Record> {
        use EntryReason::{NameMismatch, Reassigned, Released, Renewed, Reverted, TenureEnded};
        let number = *self.numbers.next()?;
        let name_action = self.pick(&[(95, NameAction::Keep), (4, NameAction::Clear), (1, NameAction::Set)]);
        let reason = match name_action {
            NameAction::Keep => self.pick(&[(70, Released), (24, Reassigned), (1, Reverted)]),
            NameAction::Clear => self.pick(&[(60, NameMismatch), (38, TenureEnded), (2, Reverted)]),
            NameAction::Set => self.pick(&[(30, NameMismatch), (70, Renewed)]),
        };
        let is_name_only = name_action != NameAction::Keep && self.dice.roll(5) < 3;
        let void_before = (!is_name_only).then(|| self.day());
        let is_set = name_action == NameAction::Set;
        let name = is_set.then(|| self.name());
        let name_until = is_set.then(|| plus_days(TODAY, 1 + self.dice.roll(90) as i32));
        let assurance = if self.dice.once_in(33) { Assurance::Document } else { Assurance::Operator };
        Some(Record { number, void_before, name_action, name, name_until, reason, assurance })
    }
}

/// How often everything occurs, and what that asks for.
#[derive(Debug, Default)]
pub struct Bound {
    /// The bits that the set of numbers takes.
    numbers: f64,
    void_before: BTreeMap<Date, u64>,
    name_until: BTreeMap<Date, u64>,
    /// By whether there is a day, and by the indices of the other three.
    rest: BTreeMap<(bool, u8, u8, u8), u64>,
    /// Of names, each ended with a zero.
    bytes: BTreeMap<u8, u64>,
}

impl Bound {
    pub fn count(&mut self, record: &Record) {
        let rest = (
            record.void_before.is_some(),
            record.name_action as u8,
            record.reason as u8,
            record.assurance as u8,
        );
        *self.rest.entry(rest).or_default() += 1;
        let days = [(&mut self.void_before, record.void_before), (&mut self.name_until, record.name_until)];
        for (seen, day) in days {
            if let Some(day) = day {
                *seen.entry(day).or_default() += 1;
            }
        }
        for byte in record.name.iter().flat_map(|name| name.bytes().chain([0])) {
            *self.bytes.entry(byte).or_default() += 1;
        }
    }

    /// The numbers are `n` of `all`.
    pub fn choose(&mut self, all: u64, n: u64) {
        self.numbers = (ln_factorial(all) - ln_factorial(n) - ln_factorial(all - n)) / LN_2;
    }

    /// With names at 8 bits a byte.
    pub fn bits(&self) -> f64 {
        let bytes: u64 = self.bytes.iter().filter(|(byte, _)| **byte != 0).map(|(_, times)| times).sum();
        self.bits_but_names() + 8.0 * bytes as f64
    }

    /// With names at the entropy of their bytes and ends.
    pub fn strict_bits(&self) -> f64 {
        self.bits_but_names() + entropy(self.bytes.values())
    }

    fn bits_but_names(&self) -> f64 {
        let days = entropy(self.void_before.values()) + entropy(self.name_until.values());
        self.numbers + days + entropy(self.rest.values())
    }
}

/// Of all that was counted together, in bits.
fn entropy<'a>(times: impl Iterator<Item = &'a u64> + Clone) -> f64 {
    let total = times.clone().sum::<u64>() as f64;
    times.map(|times| *times as f64 * (total / *times as f64).log2()).sum()
}

/// Stirling's series: exact to more digits than are shown.
fn ln_factorial(n: u64) -> f64 {
    let n = n as f64;
    n * n.ln() - n + 0.5 * (2.0 * PI * n).ln() + 1.0 / (12.0 * n)
}
