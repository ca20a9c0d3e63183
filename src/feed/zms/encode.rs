//! Writing a snapshot, in two passes over the same records: `Statistics` sees
//! how often each symbol occurs, `Encoder` writes.
//!
//! Memory does not grow with the count of records, but for the index: a byte
//! for each 200 of them. The same records make the same bytes.

use std::fmt;
use std::io;

use super::bytes::write_varint;
use super::rans::{self, Share};
use super::record::{self, Record, Sink};
use super::table::{BySymbol, FIELDS, Field, OTHER_DAY, Table};
use super::{
    BLOCK_RECORDS, COUNT_BITS, CRC_BYTES, HEADER_BYTES_MAX, Header, MAGIC, NUMBER_BITS, VERSION, ZmsError,
    crc,
};
use crate::domain::number::Number;

/// The first pass.
pub struct Statistics {
    place: Place,
    seen: Seen,
}

impl Default for Statistics {
    fn default() -> Self {
        let seen = FIELDS.map(|field| vec![0; field.symbols() as usize]);
        Self { place: Place::default(), seen: Seen(seen) }
    }
}

impl Statistics {
    pub fn observe(&mut self, record: &Record) -> Result<(), ZmsError> {
        self.place.spell(record, &mut self.seen)
    }

    pub fn count(&self) -> u64 {
        self.place.count
    }
}

/// The second pass: exactly the records that were observed, in their order.
pub struct Encoder<W> {
    out: W,
    /// The CRC of the header.
    seal: u32,
    /// How many there will be.
    count: u64,
    place: Place,
    block: Block,
    index: Index,
}

impl<W: io::Write> Encoder<W> {
    /// Small pieces are written: give it a buffer.
    pub fn new(mut out: W, header: &Header, statistics: &Statistics) -> Result<Self, ZmsError> {
        let table = |field: Field| Table::new(field, &statistics.seen.0[field as usize]);
        let tables = FIELDS.map(table);
        let (header, seal) = sealed(header, statistics.count(), &tables)?;
        out.write_all(&header)?;
        let shares = FIELDS.map(|field| BySymbol::new(field, &tables[field as usize]));
        let block = Block { shares, first: 0, count: 0, steps: Vec::new() };
        let index = Index { bytes: Vec::new(), first: 0 };
        Ok(Self { out, seal, count: statistics.count(), place: Place::default(), block, index })
    }

    /// A record that is refused leaves no trace.
    pub fn push(&mut self, record: &Record) -> Result<(), ZmsError> {
        if self.place.is_at_block() {
            self.end_block()?;
            self.block.first = record.number.digits();
        }
        let whole = self.block.steps.len();
        self.place.spell(record, &mut self.block).inspect_err(|_| self.block.steps.truncate(whole))?;
        self.block.count += 1;
        Ok(())
    }

    /// Gives the sink back, not flushed.
    pub fn finish(mut self) -> Result<W, ZmsError> {
        if self.place.count != self.count {
            return Err(ZmsError::Unencodable("there were more or fewer records than observed"));
        }
        self.end_block()?;
        let mut index = self.index.bytes;
        let too_many = |_| ZmsError::Unencodable("there are too many records");
        index.extend(u32::try_from(index.len()).map_err(too_many)?.to_be_bytes());
        self.out.write_all(&index)?;
        self.out.write_all(&crc(self.seal, &index).to_be_bytes())?;
        Ok(self.out)
    }

    fn end_block(&mut self) -> Result<(), ZmsError> {
        if self.block.count == 0 {
            return Ok(());
        }
        let bytes = self.block.take_bytes();
        self.out.write_all(&bytes)?;
        self.out.write_all(&crc(self.seal, &bytes).to_be_bytes())?;
        self.index.add(self.block.first, bytes.len() + CRC_BYTES);
        Ok(())
    }
}

/// How far it is; the rest would fill screens.
impl fmt::Debug for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statistics").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl<W> fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("count", &self.place.count)
            .field("of", &self.count)
            .finish_non_exhaustive()
    }
}

/// The header's bytes and its CRC.
fn sealed(header: &Header, count: u64, tables: &[Table; 5]) -> Result<(Vec<u8>, u32), ZmsError> {
    let bad_origin = ZmsError::Unencodable("an origin has 1 to 255 bytes");
    let Some(origin_bytes @ 1..) = u8::try_from(header.origin.len()).ok() else { return Err(bad_origin) };
    let mut rest = Vec::new();
    rest.extend(header.size.to_be_bytes());
    rest.extend(header.root);
    rest.extend(count.to_be_bytes());
    rest.push(origin_bytes);
    rest.extend(header.origin.as_bytes());
    tables.iter().for_each(|table| table.write(&mut rest));
    let length = (super::PREAMBLE_BYTES + rest.len() + CRC_BYTES) as u32;
    debug_assert!(length <= HEADER_BYTES_MAX, "tables name a bounded number of days");
    let mut bytes = [&MAGIC[..], &VERSION.to_be_bytes(), &length.to_be_bytes(), &rest].concat();
    let seal = crc32fast::hash(&bytes);
    bytes.extend(seal.to_be_bytes());
    Ok((bytes, seal))
}

/// How far a pass has come; both passes count alike.
#[derive(Default)]
struct Place {
    count: u64,
    last: Option<Number>,
}

impl Place {
    /// The next record is the first of a block.
    fn is_at_block(&self) -> bool {
        self.count.is_multiple_of(BLOCK_RECORDS)
    }

    fn spell(&mut self, record: &Record, to: &mut impl Sink) -> Result<(), ZmsError> {
        if self.last.is_some_and(|last| record.number <= last) {
            return Err(ZmsError::Unencodable("numbers have to ascend"));
        }
        let after = self.last.filter(|_| !self.is_at_block());
        record::write(record, after, to)?;
        self.count += 1;
        self.last = Some(record.number);
        Ok(())
    }
}

/// How often each symbol of each field occurs.
struct Seen([Vec<u64>; 5]);

impl Sink for Seen {
    fn symbol(&mut self, field: Field, symbol: u32) -> Result<(), ZmsError> {
        self.0[field as usize][symbol as usize] += 1;
        Ok(())
    }

    fn bits(&mut self, _: u32, _: u64) {}

    fn day(&mut self, field: Field, day: u16) -> Result<(), ZmsError> {
        self.symbol(field, day.into())
    }
}

/// The block that is being filled.
struct Block {
    shares: [BySymbol; 5],
    first: u64,
    count: u64,
    steps: Vec<Share>,
}

impl Block {
    /// And begins anew.
    fn take_bytes(&mut self) -> Vec<u8> {
        let mut steps = Vec::with_capacity(self.steps.len() + 5);
        rans::push_bits(&mut steps, COUNT_BITS, self.count - 1);
        rans::push_bits(&mut steps, NUMBER_BITS, self.first);
        steps.append(&mut self.steps);
        self.count = 0;
        rans::encode(&steps)
    }

    fn share(&self, field: Field, symbol: u32) -> Option<Share> {
        self.shares[field as usize].share(symbol)
    }
}

const NOT_OBSERVED: ZmsError = ZmsError::Unencodable("there was no such record among those observed");

impl Sink for Block {
    fn symbol(&mut self, field: Field, symbol: u32) -> Result<(), ZmsError> {
        self.steps.push(self.share(field, symbol).ok_or(NOT_OBSERVED)?);
        Ok(())
    }

    fn bits(&mut self, bits: u32, value: u64) {
        rans::push_bits(&mut self.steps, bits, value);
    }

    fn day(&mut self, field: Field, day: u16) -> Result<(), ZmsError> {
        if let Some(share) = self.share(field, day.into()) {
            self.steps.push(share);
            return Ok(());
        }
        self.symbol(field, OTHER_DAY)?;
        self.bits(u16::BITS, day.into());
        Ok(())
    }
}

/// Where blocks begin, as the file will say it.
struct Index {
    bytes: Vec<u8>,
    /// The first number of the block before.
    first: u64,
}

impl Index {
    fn add(&mut self, first: u64, block_bytes: usize) {
        write_varint(&mut self.bytes, first - self.first);
        write_varint(&mut self.bytes, block_bytes as u64);
        self.first = first;
    }
}
