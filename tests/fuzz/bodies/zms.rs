//! `.zms`: refused, or records that can be written again. Its checksums keep
//! chance out, so that the bytes are also read with the sums made right.

use std::io::Cursor;

use crc32fast::Hasher;
use zhengming::feed::zms::{Decoder, Encoder, Header, Record, Statistics, ZmsError};

use super::memory::bounded;

/// Tables, days and one block, whatever the file says.
const FIXED_BYTES: u64 = 8 << 20;
const PER_BYTE: u64 = 64;
/// What a few bytes can unfold to is not all looked at.
const RECORDS_MAX: usize = 20_000;
const INPUT_BYTES_MAX: usize = 64 * 1024;

pub fn run(data: &[u8]) {
    if data.len() > INPUT_BYTES_MAX {
        return;
    }
    read(data);
    if let Some(sealed) = sealed(data) {
        read(&sealed);
    }
}

fn read(file: &[u8]) {
    let (header, count, records, is_whole) = bounded(file, FIXED_BYTES, PER_BYTE, || {
        let Ok(mut decoder) = Decoder::open(Cursor::new(file)) else { return (None, 0, Vec::new(), false) };
        let (header, count) = (decoder.header().clone(), decoder.count());
        let (mut records, mut is_whole) = (Vec::new(), true);
        for record in decoder.records() {
            is_whole = record.is_ok() && records.len() < RECORDS_MAX;
            match record {
                // Named ones are kept below, where nobody counts.
                Ok(record) if is_whole => records.push(record.number),
                _ => break,
            }
        }
        (Some(header), count, records, is_whole)
    });
    let Some(header) = header else { return };
    assert!(records.is_sorted_by(|one, next| one < next));
    if !is_whole {
        return;
    }
    assert_eq!(records.len() as u64, count);
    let mut decoder = Decoder::open(Cursor::new(file)).unwrap();
    let records: Vec<Record> = decoder.records().map(Result::unwrap).collect();
    for record in records.iter().take(3) {
        assert_eq!(decoder.find(record.number).unwrap().as_ref(), Some(record));
    }
    let written = encoded(&header, &records).unwrap();
    let mut again = Decoder::open(Cursor::new(written.as_slice())).unwrap();
    assert_eq!(again.header(), &header);
    assert_eq!(again.records().map(Result::unwrap).collect::<Vec<_>>(), records);
}

fn encoded(header: &Header, records: &[Record]) -> Result<Vec<u8>, ZmsError> {
    let mut statistics = Statistics::default();
    records.iter().try_for_each(|record| statistics.observe(record))?;
    let mut encoder = Encoder::new(Vec::new(), header, &statistics)?;
    records.iter().try_for_each(|record| encoder.push(record))?;
    encoder.finish()
}

/// The same bytes, the checksums those of what is there; `None` where it does
/// not say where they are.
fn sealed(data: &[u8]) -> Option<Vec<u8>> {
    let mut file = data.to_vec();
    let head = u32::from_be_bytes(*file.get(8..)?.first_chunk()?) as usize;
    let seal = crc32fast::hash(file.get(..head.checked_sub(4)?)?);
    file.get_mut(head - 4..head)?.copy_from_slice(&seal.to_be_bytes());
    let trailer = file.len().checked_sub(8).filter(|at| *at >= head)?;
    let bytes = u32::from_be_bytes(*file[trailer..].first_chunk()?) as usize;
    let index = trailer.checked_sub(bytes).filter(|at| *at >= head)?;
    let sum = crc(seal, &file[index..trailer + 4]);
    file[trailer + 4..].copy_from_slice(&sum.to_be_bytes());
    let lengths = file[index..trailer].to_vec();
    let (mut at, mut rest) = (head, lengths.into_iter());
    while rest.len() > 0 {
        varint(&mut rest)?;
        let block = usize::try_from(varint(&mut rest)?).ok().filter(|block| *block >= 4)?;
        let end = at.checked_add(block).filter(|end| *end <= index)?;
        let sum = crc(seal, &file[at..end - 4]);
        file[end - 4..end].copy_from_slice(&sum.to_be_bytes());
        at = end;
    }
    Some(file)
}

fn crc(seal: u32, part: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&seal.to_be_bytes());
    hasher.update(part);
    hasher.finalize()
}

fn varint(from: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0;
    for place in 0..8 {
        let byte = from.next()?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
