//! Tables: how 2^16 slots are shared out among the symbols of a field.
//!
//! Absent: what a symbol means, but for days, which are too many for a table
//! to name them all.

use super::ZmsError;
use super::bytes::{Bytes, write_varint};
use super::rans::{SLOTS, Share};

/// What has a table of its own, in the order of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Gap,
    Shape,
    VoidBefore,
    NameUntil,
    NameByte,
}

pub(super) const FIELDS: [Field; 5] =
    [Field::Gap, Field::Shape, Field::VoidBefore, Field::NameUntil, Field::NameByte];

/// In place of a day that the table does not name.
pub(super) const OTHER_DAY: u32 = 1 << 16;

impl Field {
    /// Its symbols are the integers below.
    pub(super) fn symbols(self) -> u32 {
        match self {
            Self::Gap => 384,
            Self::Shape => 72,
            Self::VoidBefore | Self::NameUntil => OTHER_DAY + 1,
            Self::NameByte => 256,
        }
    }

    pub(super) fn is_day(self) -> bool {
        matches!(self, Self::VoidBefore | Self::NameUntil)
    }
}

/// A rarer day is cheaper without a place in the table: it takes about 20
/// bits there, and saves about 6 each time.
const DAY_SEEN_MIN: u64 = 3;
/// So many that no table of the header grows beyond reason.
const DAYS_MAX: usize = 16_384;

/// Symbols, ascending, with their shares.
pub(super) struct Table(Vec<(u32, Share)>);

impl Table {
    /// `seen[symbol]` is how often the symbol occurs.
    pub(super) fn new(field: Field, seen: &[u64]) -> Self {
        let occurring = (0..).zip(seen.iter().copied()).filter(|(_, times)| *times > 0);
        let mut symbols: Vec<(u32, u64)> = occurring.collect();
        if field.is_day() {
            name_only_frequent(&mut symbols);
        }
        Self(shared_out(&symbols))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_varint(out, self.0.len() as u64);
        let mut next = 0;
        for (symbol, share) in &self.0 {
            write_varint(out, u64::from(symbol - next));
            write_varint(out, u64::from(share.slots));
            next = symbol + 1;
        }
    }

    pub(super) fn read(field: Field, from: &mut Bytes) -> Result<Self, ZmsError> {
        const MALFORMED: ZmsError = ZmsError::Damaged("a table is malformed");
        let count = from.varint()?;
        let (mut shares, mut next, mut start) = (Vec::new(), 0, 0);
        for _ in 0..count {
            let symbol = from.varint()?.saturating_add(next);
            let slots = from.varint()?;
            let fits = symbol < u64::from(field.symbols()) && (1..=u64::from(SLOTS - start)).contains(&slots);
            if !fits {
                return Err(MALFORMED);
            }
            shares.push((symbol as u32, Share { start, slots: slots as u32 }));
            start += slots as u32;
            next = symbol + 1;
        }
        if shares.is_empty() || start == SLOTS { Ok(Self(shares)) } else { Err(MALFORMED) }
    }
}

/// Takes rare days together as the last symbol, "another day".
fn name_only_frequent(days: &mut Vec<(u32, u64)>) {
    let mut frequent: Vec<(u32, u64)> =
        days.iter().copied().filter(|(_, times)| *times >= DAY_SEEN_MIN).collect();
    frequent.sort_by_key(|(day, times)| (std::cmp::Reverse(*times), *day));
    frequent.truncate(DAYS_MAX);
    frequent.sort_unstable();
    let times = |days: &[(u32, u64)]| days.iter().map(|(_, times)| times).sum::<u64>();
    let others = times(days) - times(&frequent);
    *days = frequent;
    if others > 0 {
        days.push((OTHER_DAY, others));
    }
}

/// Each symbol's share ends where its part of the whole does, rounded down,
/// but leaves at least a slot to itself and to each symbol behind it.
fn shared_out(symbols: &[(u32, u64)]) -> Vec<(u32, Share)> {
    let total: u128 = symbols.iter().map(|(_, times)| u128::from(*times)).sum();
    let (mut sum, mut start) = (0, 0);
    let behind = (0..symbols.len() as u32).rev();
    let share = |((symbol, times), behind): (&(u32, u64), u32)| {
        sum += u128::from(*times);
        let end = (sum * u128::from(SLOTS) / total) as u32;
        let end = end.clamp(start + 1, SLOTS - behind);
        let share = Share { start, slots: end - start };
        start = end;
        (*symbol, share)
    };
    symbols.iter().zip(behind).map(share).collect()
}

/// As an encoder asks: `shares[symbol]`.
pub(super) struct BySymbol(Vec<Share>);

impl BySymbol {
    pub(super) fn new(field: Field, table: &Table) -> Self {
        let mut shares = vec![Share::default(); field.symbols() as usize];
        for (symbol, share) in &table.0 {
            shares[*symbol as usize] = *share;
        }
        Self(shares)
    }

    pub(super) fn share(&self, symbol: u32) -> Option<Share> {
        self.0.get(symbol as usize).copied().filter(|share| share.slots > 0)
    }
}

/// As a decoder asks.
pub(super) struct BySlot {
    table: Table,
    /// For each slot, the place of its symbol in the table; nothing where the
    /// table has no symbols.
    places: Vec<u16>,
}

impl BySlot {
    pub(super) fn new(table: Table) -> Self {
        let mut places = Vec::new();
        for (place, (_, share)) in (0..=u16::MAX).zip(&table.0) {
            places.resize((share.start + share.slots) as usize, place);
        }
        Self { table, places }
    }

    pub(super) fn at(&self, slot: u32) -> Option<(u32, Share)> {
        let place = self.places.get(slot as usize)?;
        self.table.0.get(usize::from(*place)).copied()
    }
}
