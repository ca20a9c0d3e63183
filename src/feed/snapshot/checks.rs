//! What each piece of a snapshot's files was when it was written, kept in a
//! file beside them, so that nobody is sent what a disk has made of it since.
//!
//! ```text
//! ndjson.zst 1234567 0a1b2c3d 4e5f6071   name, bytes, CRC-32 of each piece of 1 MiB
//! …
//! 8293a4b5                               CRC-32 of all lines above
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;

use super::pieces::PIECE_BYTES;

/// By the names of the files, without their size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks(BTreeMap<String, FileCheck>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileCheck {
    pub bytes: u64,
    pieces: Vec<u32>,
}

/// While a file is written.
#[derive(Debug, Default)]
pub struct Checking {
    check: FileCheck,
    piece: crc32fast::Hasher,
}

impl Checking {
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.check.bytes % PIECE_BYTES;
            let (some, rest) = bytes.split_at(bytes.len().min(room as usize));
            self.piece.update(some);
            self.check.bytes += some.len() as u64;
            if self.check.bytes.is_multiple_of(PIECE_BYTES) {
                self.end_piece();
            }
            bytes = rest;
        }
    }

    pub fn finish(mut self) -> FileCheck {
        if !self.check.bytes.is_multiple_of(PIECE_BYTES) {
            self.end_piece();
        }
        self.check
    }

    fn end_piece(&mut self) {
        self.check.pieces.push(std::mem::take(&mut self.piece).finalize());
    }
}

impl FileCheck {
    /// Whether this is the piece that was written.
    pub fn holds(&self, nth: u64, piece: &[u8]) -> bool {
        let written = usize::try_from(nth).ok().and_then(|nth| self.pieces.get(nth));
        written == Some(&crc32fast::hash(piece))
    }
}

impl Checks {
    pub fn add(&mut self, name: String, check: FileCheck) {
        self.0.insert(name, check);
    }

    pub fn of(&self, name: &str) -> Option<&FileCheck> {
        self.0.get(name)
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, FileCheck { bytes, pieces }) in &self.0 {
            let pieces: String = pieces.iter().map(|piece| format!(" {piece:08x}")).collect();
            writeln!(text, "{name} {bytes}{pieces}").expect("a string takes all");
        }
        let check = crc32fast::hash(text.as_bytes());
        writeln!(text, "{check:08x}").expect("a string takes all");
        text
    }

    /// `None`: these are not the lines that were written.
    pub fn parse(text: &str) -> Option<Self> {
        let (lines, check) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let lines = &text[..=lines.len()];
        if u32::from_str_radix(check, 16).ok()? != crc32fast::hash(lines.as_bytes()) {
            return None;
        }
        lines.lines().map(file_check).collect::<Option<_>>().map(Self)
    }
}

fn file_check(line: &str) -> Option<(String, FileCheck)> {
    let mut words = line.split(' ');
    let (name, bytes) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    let pieces = words.map(|piece| u32::from_str_radix(piece, 16).ok()).collect::<Option<_>>()?;
    Some((name, FileCheck { bytes, pieces }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], step: usize) -> FileCheck {
        let mut checking = Checking::default();
        bytes.chunks(step).for_each(|some| checking.push(some));
        checking.finish()
    }

    #[test]
    fn each_piece_is_known_by_its_place_however_it_was_written() {
        let bytes: Vec<u8> = (0..PIECE_BYTES * 5 / 2)
            .map(|place| (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
            .collect();
        let whole = check(&bytes, bytes.len());
        assert_eq!(whole, check(&bytes, 77_777));
        let pieces: Vec<_> = bytes.chunks(PIECE_BYTES as usize).collect();
        for (nth, piece) in (0..).zip(&pieces) {
            assert!(whole.holds(nth, piece));
            assert!(!whole.holds(nth + 1, piece));
            let mut damaged = piece.to_vec();
            damaged[7] ^= 1;
            assert!(!whole.holds(nth, &damaged));
        }
        assert_eq!(check(&bytes[..PIECE_BYTES as usize], 9_999).pieces.len(), 1);
        assert_eq!(check(&[], 1), FileCheck::default());
    }

    #[test]
    fn the_lines_are_read_back_and_no_others() {
        let mut checks = Checks::default();
        checks.add("zms".to_owned(), check(b"abc", 1));
        checks.add("csv.gz".to_owned(), check(&[], 1));
        let text = checks.text();
        assert_eq!(Checks::parse(&text), Some(checks));
        assert_eq!(Checks::parse(&Checks::default().text()), None, "of no file at all");
        for place in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[place] ^= 1;
            assert_eq!(std::str::from_utf8(&damaged).ok().and_then(Checks::parse), None, "{place}");
            assert_eq!(Checks::parse(&text[..place]), None, "cut at {place}");
        }
    }
}
