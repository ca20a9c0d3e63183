//! A record, and how it is spelled in symbols and bits; read and written side
//! by side.
//!
//! Absent: blocks, and what a symbol costs.

use std::sync::LazyLock;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::ZmsError;
use super::table::Field;
use crate::domain::correction::{Entry, EntryReason, NameAction};
use crate::domain::day::{days_between, plus_days};
use crate::domain::evidence::Assurance;
use crate::domain::name::NAME_CHARS_MAX;
use crate::domain::number::Number;

/// A correction in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub number: Number,
    pub void_before: Option<Date>,
    pub name_action: NameAction,
    pub name: Option<String>,
    pub name_until: Option<Date>,
    pub reason: EntryReason,
    pub assurance: Assurance,
}

impl Record {
    /// What an entry leaves in force, unless it withdraws.
    pub fn of(entry: Entry) -> Option<Self> {
        (!entry.withdrawn).then_some(Self {
            number: entry.number,
            void_before: entry.void_before,
            name_action: entry.name_action,
            name: entry.name,
            name_until: entry.name_until,
            reason: entry.reason,
            assurance: entry.assurance,
        })
    }
}

/// Where spelling goes.
pub(super) trait Sink {
    fn symbol(&mut self, field: Field, symbol: u32) -> Result<(), ZmsError>;
    fn bits(&mut self, bits: u32, value: u64);
    /// One of the days that `Field::is_day`, whether the table names it or not.
    fn day(&mut self, field: Field, day: u16) -> Result<(), ZmsError>;
}

/// Where it comes from.
pub(super) trait Source {
    fn symbol(&mut self, field: Field) -> Result<u32, ZmsError>;
    fn bits(&mut self, bits: u32) -> Result<u64, ZmsError>;
    fn day(&mut self, field: Field) -> Result<u16, ZmsError>;
}

/// Spells a record that stands behind the number `after` in its block. What
/// cannot be spelled is refused before anything is written.
pub(super) fn write(record: &Record, after: Option<Number>, to: &mut impl Sink) -> Result<(), ZmsError> {
    let void_before = record.void_before.map(day_number).transpose()?;
    let name_until = record.name_until.map(day_number).transpose()?;
    let shown = match (record.name_action, &record.name, name_until) {
        (NameAction::Set, Some(name), Some(until)) => Some((checked_name(name)?, until)),
        (NameAction::Keep | NameAction::Clear, None, None) => None,
        _ => return Err(ZmsError::Unencodable("a name goes with a day and with being set")),
    };
    let distance = match after {
        None => None,
        Some(after) if record.number > after => Some(record.number.digits() - after.digits()),
        Some(_) => return Err(ZmsError::Unencodable("numbers have to ascend")),
    };
    if let Some(distance) = distance {
        write_distance(distance, to)?;
    }
    to.symbol(Field::Shape, shape(record))?;
    if let Some(day) = void_before {
        to.day(Field::VoidBefore, day)?;
    }
    if let Some((name, until)) = shown {
        to.day(Field::NameUntil, until)?;
        for byte in name.bytes().chain([0]) {
            to.symbol(Field::NameByte, byte.into())?;
        }
    }
    Ok(())
}

/// The record of this number, but for the number already read.
pub(super) fn read(number: Number, from: &mut impl Source) -> Result<Record, ZmsError> {
    let (has_void, name_action, reason, assurance) = unshaped(from.symbol(Field::Shape)?);
    let void_before = if has_void { Some(date_of(from.day(Field::VoidBefore)?)) } else { None };
    let (mut name, mut name_until) = (None, None);
    if name_action == NameAction::Set {
        name_until = Some(date_of(from.day(Field::NameUntil)?));
        name = Some(read_name(from)?);
    }
    Ok(Record { number, void_before, name_action, name, name_until, reason, assurance })
}

fn write_distance(distance: u64, to: &mut impl Sink) -> Result<(), ZmsError> {
    let (bucket, width) = bucket(distance - 1);
    to.symbol(Field::Gap, bucket)?;
    to.bits(width, distance - 1);
    Ok(())
}

/// What lies between this record's number and the one before it.
pub(super) fn read_distance(from: &mut impl Source) -> Result<u64, ZmsError> {
    let bucket = from.symbol(Field::Gap)?;
    if bucket < 8 {
        return Ok(u64::from(bucket) + 1);
    }
    let width = bucket / 8 - 1;
    Ok((u64::from(8 + bucket % 8) << width | from.bits(width)?) + 1)
}

/// Eight buckets for each power of two; the bits below choose within one.
fn bucket(value: u64) -> (u32, u32) {
    if value < 8 {
        return (value as u32, 0);
    }
    let width = value.ilog2() - 3;
    (8 * width + (value >> width) as u32, width)
}

/// In bytes of UTF-8.
const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

pub(super) fn checked_name(name: &str) -> Result<&str, ZmsError> {
    let is_fine = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0');
    if is_fine {
        Ok(name)
    } else {
        Err(ZmsError::Unencodable("a name is empty, too long, or has a zero in it"))
    }
}

fn read_name(from: &mut impl Source) -> Result<String, ZmsError> {
    let mut name = Vec::new();
    loop {
        match from.symbol(Field::NameByte)? as u8 {
            0 if name.is_empty() => return Err(ZmsError::Damaged("a name is empty")),
            0 => return String::from_utf8(name).map_err(|_| ZmsError::Damaged("a name is no UTF-8")),
            _ if name.len() == NAME_BYTES_MAX => return Err(ZmsError::Damaged("a name is too long")),
            byte => name.push(byte),
        }
    }
}

const EPOCH: Date = date(1970, 1, 1);

pub(super) fn day_number(day: Date) -> Result<u16, ZmsError> {
    u16::try_from(days_between(EPOCH, day))
        .map_err(|_| ZmsError::Unencodable("a day is before 1970 or after 2149"))
}

/// Counting anew for each would take half of the time that decoding takes.
pub(super) fn date_of(day: u16) -> Date {
    static DATES: LazyLock<Vec<Date>> =
        LazyLock::new(|| (0..=u16::MAX).map(|day| plus_days(EPOCH, day.into())).collect());
    DATES[usize::from(day)]
}

pub(super) fn shape(record: &Record) -> u32 {
    let action = match record.name_action {
        NameAction::Keep => 0,
        NameAction::Clear => 1,
        NameAction::Set => 2,
    };
    let reason = match record.reason {
        EntryReason::Reassigned => 0,
        EntryReason::NameMismatch => 1,
        EntryReason::Released => 2,
        EntryReason::TenureEnded => 3,
        EntryReason::Renewed => 4,
        EntryReason::Reverted => 5,
    };
    let assurance = match record.assurance {
        Assurance::Document => 0,
        Assurance::Operator => 1,
    };
    ((assurance * 6 + reason) * 3 + action) * 2 + u32::from(record.void_before.is_some())
}

const ACTIONS: [NameAction; 3] = [NameAction::Keep, NameAction::Clear, NameAction::Set];
const REASONS: [EntryReason; 6] = [
    EntryReason::Reassigned,
    EntryReason::NameMismatch,
    EntryReason::Released,
    EntryReason::TenureEnded,
    EntryReason::Renewed,
    EntryReason::Reverted,
];
const ASSURANCES: [Assurance; 2] = [Assurance::Document, Assurance::Operator];

/// Of a symbol that the table may have: below 72.
pub(super) fn unshaped(shape: u32) -> (bool, NameAction, EntryReason, Assurance) {
    let shape = shape as usize;
    (shape % 2 == 1, ACTIONS[shape / 2 % 3], REASONS[shape / 6 % 6], ASSURANCES[shape / 36])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_all_read_as_they_were_written() {
        for symbol in 0..Field::Shape.symbols() {
            let (has_void, name_action, reason, assurance) = unshaped(symbol);
            let record = Record {
                number: Number::from_digits(8_613_800_138_000).unwrap(),
                void_before: has_void.then_some(EPOCH),
                name_action,
                name: None,
                name_until: None,
                reason,
                assurance,
            };
            assert_eq!(shape(&record), symbol);
        }
    }

    #[test]
    fn buckets_lie_side_by_side() {
        let mut next = 0;
        for symbol in 0..Field::Gap.symbols() {
            let width = if symbol < 8 { 0 } else { symbol / 8 - 1 };
            assert_eq!(bucket(next), (symbol, width));
            next += 1 << width;
            assert_eq!(bucket(next - 1), (symbol, width));
        }
        assert_eq!(next, 1 << super::super::NUMBER_BITS);
    }

    #[test]
    fn days_are_counted_from_1970_to_2149() {
        for (day, number) in [(date(1970, 1, 1), 0), (date(2025, 3, 1), 20_148), (date(2149, 6, 6), 65_535)] {
            assert_eq!(day_number(day).unwrap(), number);
            assert_eq!(date_of(number), day);
        }
        for day in [Date::MIN, date(1969, 12, 31), date(2149, 6, 7), Date::MAX] {
            assert!(day_number(day).is_err(), "{day}");
        }
    }
}
