//! `.zms`, the compact snapshot: all corrections in force at one size of the
//! log, in about the space that information theory asks for.
//!
//! This text is the format, to the bit; `tests/zms_reader.py` is a reader
//! written from it, `fixtures/zms/` are files to try another one with.
//!
//! # The file
//!
//! ```text
//! header | block … | index | trailer
//! ```
//!
//! Integers are unsigned and big-endian. A *varint* has 7 bits of its value in
//! each byte, the lowest first; bit 7 is set in all bytes but the last; it is at
//! most 8 bytes long. *CRC-32* is that of zlib (polynomial 0xEDB88320
//! reflected, begun and ended with all ones). A *day* is the number of days
//! since 1970-01-01, from 0 to 65535.
//!
//! ```text
//! header   magic                6   "zmsnap"
//!          version              u16 1; any other is to be refused
//!          bytes of the header  u32 with its CRC; at most 2^20
//!          size of the log      u64
//!          root of the log      32  RFC 6962, at that size
//!          count of records     u64
//!          length of origin     u8  1 to 255
//!          origin               UTF-8: whose log it is
//!          five tables              gap, shape, void_before, name_until, name byte
//!          CRC-32               u32 of all the header's bytes before
//! block    state and bytes          see below
//!          CRC-32               u32 of the header's CRC (4 bytes) and the block's bytes before
//! index    for each block: varint first number, less that of the block before it
//!                          varint bytes of the block with its CRC, at most 2^20
//! trailer  bytes of the index   u32
//!          CRC-32               u32 of the header's CRC, the index and the 4 bytes before
//! ```
//!
//! The blocks lie one after another without a gap, so that their lengths say
//! where each begins. Header and one block are enough to decode that block.
//!
//! # Tables
//!
//! A table shares 2^16 *slots* out among symbols, in the symbols' order,
//! beginning with slot 0: the symbol with `n` slots costs `16 - log2 n` bits.
//!
//! ```text
//! table    varint count of symbols; 0 where none ever occurs
//!          for each, ascending: varint symbol, less the one before it, less 1 (the first: the symbol itself)
//!                               varint slots, at least 1; all together 65536
//! ```
//!
//! | table | symbols |
//! |---|---|
//! | gap | 0 to 383: a bucket of distances between numbers |
//! | shape | 0 to 71: `((assurance * 6 + reason) * 3 + name_action) * 2 + has_void_before` |
//! | void_before | 0 to 65535: the day; 65536: some other day |
//! | name_until | the same |
//! | name byte | 0 to 255; 0 ends the name |
//!
//! assurance: document 0, operator 1. reason: reassigned 0, name_mismatch 1,
//! released 2, tenure_ended 3, renewed 4, reverted 5. name_action: keep 0, clear
//! 1, set 2. has_void_before: 0 for none, 1 for a day.
//!
//! # Blocks
//!
//! A block is one stream of an asymmetric numeral system (rANS). Its state is a
//! u32, the block's first 4 bytes. Two things are read from it:
//!
//! ```text
//! take a slot:     slot = state mod 65536; it lies in the share [start, start + n) of one symbol
//!                  state = n * (state div 65536) + slot - start
//!                  while state < 2^23: state = state * 256 + the next byte
//! symbol(table):   take a slot, the shares being the table's
//! bits(k):         k bits, 16 at a time from the highest, the rest last. Each piece of w bits:
//!                  take a slot, piece p having n = 2^(16 - w) slots from start = p * n
//! ```
//!
//! The state is always in [2^23, 2^31). After the last record all bytes before
//! the CRC are used up and the state is 2^23; anything else is damage.
//!
//! ```text
//! block    bits(10)             count of records, less 1 (in this version all blocks but the last have 1024)
//!          bits(50)             the first number: country code and national number as one integer
//!          for each record:
//!            but for the first: distance, less 1, to the number before:
//!              s = symbol(gap)
//!              s < 8:  it is s
//!              s >= 8: it is (8 + s mod 8) * 2^w + bits(w), with w = s div 8 - 1
//!            symbol(shape)
//!            where the shape has a void_before:  d = symbol(void_before); 65536: the day is bits(16)
//!            where its name_action is set:       d = symbol(name_until);  65536: the day is bits(16)
//!              the name, 1 to 480 bytes of UTF-8: symbol(name byte) until it is 0
//! ```
//!
//! Numbers ascend strictly, also from block to block, and have 7 to 15 digits.
//!
//! Absent: which corrections are in force, where snapshots lie and who may have
//! them, the signed sum.

mod bytes;
mod decode;
mod encode;
pub(in crate::feed) mod plain;
mod rans;
mod record;
mod table;

pub use decode::{Decoder, Records};
pub use encode::{Encoder, Statistics};
pub use record::Record;

use std::io;

use crate::feed::merkle::Hash;

/// Whose log it is, and what the log was when the snapshot was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// At most 255 bytes.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

#[derive(Debug, thiserror::Error)]
pub enum ZmsError {
    #[error("it is no .zms file")]
    NotZms,
    #[error("version {0} of the .zms format is not known here")]
    VersionUnknown(u16),
    #[error("the .zms file is damaged: {0}")]
    Damaged(&'static str),
    /// What was to be encoded has no form in this format.
    #[error("a .zms file cannot hold this: {0}")]
    Unencodable(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

const MAGIC: &[u8; 6] = b"zmsnap";
const VERSION: u16 = 1;
/// Magic, version and the header's length.
const PREAMBLE_BYTES: usize = 12;
const CRC_BYTES: usize = 4;
const TRAILER_BYTES: usize = 8;
const HEADER_BYTES_MAX: u32 = 1 << 20;
/// Enough for 1,024 records with the longest names, at 16 bits a byte.
const BLOCK_BYTES_MAX: u32 = 1 << 20;
const BLOCK_RECORDS: u64 = 1 << COUNT_BITS;
/// Of a block's count of records, and of its first number.
const COUNT_BITS: u32 = 10;
const NUMBER_BITS: u32 = 50;

/// The checksum of a part of the file, which also knows which file's: `seal`
/// is the header's own.
fn crc(seal: u32, part: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seal.to_be_bytes());
    hasher.update(part);
    hasher.finalize()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
