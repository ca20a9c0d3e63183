//! Reading a snapshot, whole or a single number of it.
//!
//! Nothing is believed before its CRC, and not all of it after. What is held
//! in memory is one block, the index and the tables, whatever the file says.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use super::bytes::Bytes;
use super::rans::Steps;
use super::record::{self, Record, Source};
use super::table::{BySlot, FIELDS, Field, OTHER_DAY, Table};
use super::{
    BLOCK_BYTES_MAX, COUNT_BITS, CRC_BYTES, HEADER_BYTES_MAX, Header, MAGIC, NUMBER_BITS, PREAMBLE_BYTES,
    TRAILER_BYTES, VERSION, ZmsError, crc,
};
use crate::domain::number::Number;

pub struct Decoder<R> {
    file: R,
    header: Header,
    count: u64,
    /// The CRC of the header.
    seal: u32,
    /// One for each field.
    tables: Vec<BySlot>,
    /// Ascending by first number.
    index: Vec<Place>,
}

/// Where a block lies.
#[derive(Clone, Copy)]
struct Place {
    first: u64,
    at: u64,
    bytes: u32,
}

impl<R: Read + Seek> Decoder<R> {
    /// Reads and checks header and index.
    pub fn open(mut file: R) -> Result<Self, ZmsError> {
        let file_bytes = file.seek(SeekFrom::End(0))?;
        let head = read_head(&mut file, file_bytes)?;
        let (sealed, seal) = unsealed(&head, crc32fast::hash)?;
        let mut rest = Bytes(&sealed[PREAMBLE_BYTES..]);
        let (header, count) = read_header(&mut rest)?;
        let table = |field| Table::read(field, &mut rest).map(BySlot::new);
        let tables = FIELDS.into_iter().map(table).collect::<Result<_, _>>()?;
        if !rest.is_empty() {
            return Err(ZmsError::Damaged("the header is longer than what it says"));
        }
        let index = read_index(&mut file, seal, head.len() as u64, file_bytes)?;
        Ok(Self { file, header, count, seal, tables, index })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many records there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All records, ascending by number; ends after an error.
    pub fn records(&mut self) -> Records<'_, R> {
        Records { decoder: self, next_block: 0, block: None, last: None, count: 0, is_over: false }
    }

    /// The record of one number: reads one block.
    pub fn find(&mut self, number: Number) -> Result<Option<Record>, ZmsError> {
        let behind = self.index.partition_point(|place| place.first <= number.digits());
        let Some(place) = behind.checked_sub(1) else { return Ok(None) };
        let mut block = self.block(place)?;
        while let Some(record) = block.next(&self.tables)? {
            if record.number >= number {
                return Ok((record.number == number).then_some(record));
            }
        }
        Ok(None)
    }

    fn block(&mut self, place: usize) -> Result<Block, ZmsError> {
        let Place { first, at, bytes } = self.index[place];
        let mut block = read_at(&mut self.file, at, u64::from(bytes))?;
        let (body, _) = unsealed(&block, |body| crc(self.seal, body))?;
        block.truncate(body.len());
        Block::new(block, first)
    }
}

/// An iterator over all records.
pub struct Records<'a, R> {
    decoder: &'a mut Decoder<R>,
    next_block: usize,
    block: Option<Block>,
    last: Option<Number>,
    count: u64,
    is_over: bool,
}

impl<R: Read + Seek> Records<'_, R> {
    fn advance(&mut self) -> Result<Option<Record>, ZmsError> {
        loop {
            if let Some(block) = &mut self.block
                && let Some(record) = block.next(&self.decoder.tables)?
            {
                if self.last.is_some_and(|last| record.number <= last) {
                    return Err(ZmsError::Damaged("numbers do not ascend"));
                }
                self.last = Some(record.number);
                self.count += 1;
                return Ok(Some(record));
            }
            if self.next_block == self.decoder.index.len() {
                let is_all = self.count == self.decoder.count;
                return if is_all {
                    Ok(None)
                } else {
                    Err(ZmsError::Damaged("the count of records is another"))
                };
            }
            self.block = Some(self.decoder.block(self.next_block)?);
            self.next_block += 1;
        }
    }
}

impl<R: Read + Seek> Iterator for Records<'_, R> {
    type Item = Result<Record, ZmsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.advance().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// What it is of; the rest would fill screens, with numbers in it.
impl<R> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut decoder = f.debug_struct("Decoder");
        decoder.field("header", &self.header).field("count", &self.count).finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for Records<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("decoder", &self.decoder).finish_non_exhaustive()
    }
}

fn read_head(file: &mut (impl Read + Seek), file_bytes: u64) -> Result<Vec<u8>, ZmsError> {
    let preamble = read_at(file, 0, file_bytes.min(PREAMBLE_BYTES as u64))?;
    let mut rest = Bytes(&preamble);
    if rest.array().ok().as_ref() != Some(MAGIC) {
        return Err(ZmsError::NotZms);
    }
    let version = u16::from_be_bytes(rest.array()?);
    if version != VERSION {
        return Err(ZmsError::VersionUnknown(version));
    }
    let bytes = u32::from_be_bytes(rest.array()?);
    let least = (PREAMBLE_BYTES + CRC_BYTES) as u32;
    if !(least..=HEADER_BYTES_MAX).contains(&bytes) || u64::from(bytes) > file_bytes {
        return Err(ZmsError::Damaged("the header's length is impossible"));
    }
    read_at(file, 0, bytes.into())
}

fn read_header(from: &mut Bytes) -> Result<(Header, u64), ZmsError> {
    let size = u64::from_be_bytes(from.array()?);
    let root = from.array()?;
    let count = u64::from_be_bytes(from.array()?);
    let [origin_bytes] = from.array()?;
    let origin = str::from_utf8(from.take(origin_bytes.into())?).ok().filter(|origin| !origin.is_empty());
    let origin = origin.ok_or(ZmsError::Damaged("the origin is no text"))?.to_owned();
    Ok((Header { origin, size, root }, count))
}

/// The blocks lie from `at` on, the index behind them.
fn read_index(
    file: &mut (impl Read + Seek),
    seal: u32,
    mut at: u64,
    file_bytes: u64,
) -> Result<Vec<Place>, ZmsError> {
    const IMPOSSIBLE: ZmsError = ZmsError::Damaged("the index is impossible");
    let trailer_at = file_bytes.checked_sub(TRAILER_BYTES as u64).ok_or(IMPOSSIBLE)?;
    let trailer = read_at(file, trailer_at, TRAILER_BYTES as u64)?;
    let bytes = u64::from(u32::from_be_bytes(Bytes(&trailer).array()?));
    let index_at = trailer_at.checked_sub(bytes).filter(|index_at| *index_at >= at).ok_or(IMPOSSIBLE)?;
    let index = read_at(file, index_at, bytes + TRAILER_BYTES as u64)?;
    let (index, _) = unsealed(&index, |index| crc(seal, index))?;
    let mut rest = Bytes(&index[..bytes as usize]);
    let (mut places, mut first) = (Vec::new(), 0);
    while !rest.is_empty() {
        let beyond = rest.varint()?;
        let block = rest.varint()?;
        if beyond == 0 || block > u64::from(BLOCK_BYTES_MAX) || block > index_at - at {
            return Err(IMPOSSIBLE);
        }
        first += beyond;
        if first >> NUMBER_BITS != 0 {
            return Err(IMPOSSIBLE);
        }
        places.push(Place { first, at, bytes: block as u32 });
        at += block;
    }
    if at == index_at { Ok(places) } else { Err(IMPOSSIBLE) }
}

/// What stands before the CRC that ends a part of the file, and the CRC.
fn unsealed(part: &[u8], crc: impl Fn(&[u8]) -> u32) -> Result<(&[u8], u32), ZmsError> {
    const WRONG: ZmsError = ZmsError::Damaged("a checksum is wrong");
    let (body, sum) = part.split_last_chunk().ok_or(WRONG)?;
    let sum = u32::from_be_bytes(*sum);
    if crc(body) == sum { Ok((body, sum)) } else { Err(WRONG) }
}

/// The caller has compared the length with the file's.
fn read_at(file: &mut (impl Read + Seek), at: u64, bytes: u64) -> Result<Vec<u8>, ZmsError> {
    let mut read = vec![0; bytes as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut read)?;
    Ok(read)
}

/// A block that is being read.
struct Block {
    steps: Steps,
    /// Of the record last read; of the first one, before.
    number: u64,
    is_begun: bool,
    left: u64,
}

impl Block {
    fn new(bytes: Vec<u8>, first: u64) -> Result<Self, ZmsError> {
        let mut steps = Steps::new(bytes)?;
        let left = steps.bits(COUNT_BITS)? + 1;
        let number = steps.bits(NUMBER_BITS)?;
        if number != first {
            return Err(ZmsError::Damaged("a block does not begin as the index says"));
        }
        Ok(Self { steps, number, is_begun: false, left })
    }

    fn next(&mut self, tables: &[BySlot]) -> Result<Option<Record>, ZmsError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut spelling = Spelling { steps: &mut self.steps, tables };
        if self.is_begun {
            self.number += record::read_distance(&mut spelling)?;
        }
        let number = Number::from_digits(self.number).ok_or(ZmsError::Damaged("a number is impossible"))?;
        let record = record::read(number, &mut spelling)?;
        self.is_begun = true;
        self.left -= 1;
        if self.left == 0 {
            self.steps.end()?;
        }
        Ok(Some(record))
    }
}

/// Steps, read with the tables.
struct Spelling<'a> {
    steps: &'a mut Steps,
    tables: &'a [BySlot],
}

impl Source for Spelling<'_> {
    fn symbol(&mut self, field: Field) -> Result<u32, ZmsError> {
        let found = self.tables[field as usize].at(self.steps.slot());
        let (symbol, share) = found.ok_or(ZmsError::Damaged("a symbol is of a field that never occurs"))?;
        self.steps.take(share)?;
        Ok(symbol)
    }

    fn bits(&mut self, bits: u32) -> Result<u64, ZmsError> {
        self.steps.bits(bits)
    }

    fn day(&mut self, field: Field) -> Result<u16, ZmsError> {
        let symbol = self.symbol(field)?;
        let day = if symbol == OTHER_DAY { self.steps.bits(u16::BITS)? as u32 } else { symbol };
        Ok(day as u16)
    }
}
