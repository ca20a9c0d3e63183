//! Lines of NDJSON in the order of their numbers: out of a stretch of the log,
//! and out of a file.
//!
//! Withdrawing lines are carried along, for they take away what is older.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::SnapshotError;
use super::merge::{Dated, Source};
use crate::domain::correction::ENTRY_BYTES_MAX;
use crate::domain::number::Number;
use crate::feed::merkle::Hash;
use crate::feed::render::{self, LeafMalformed};

/// An entry, its `seq` in front, and LF.
const LINE_BYTES_MAX: u64 = ENTRY_BYTES_MAX as u64 + 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub number: Number,
    pub seq: u64,
    pub withdrawn: bool,
    /// As `corrections` writes it, without LF.
    pub text: Vec<u8>,
}

pub type Lines<'a> = Source<'a, Line>;

impl Dated for Line {
    fn number(&self) -> Number {
        self.number
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Line {
    fn of_leaf(seq: u64, leaf: &[u8]) -> Result<Self, LeafMalformed> {
        Self::parse(render::object(seq, leaf)?).ok_or(LeafMalformed { seq })
    }

    fn parse(text: Vec<u8>) -> Option<Self> {
        /// What has to be known of an entry here.
        #[derive(Deserialize)]
        struct Head {
            seq: u64,
            number: Number,
            withdrawn: bool,
        }
        let Head { seq, number, withdrawn } = serde_json::from_slice(&text).ok()?;
        Some(Self { number, seq, withdrawn, text })
    }
}

/// The newest line of each number in a stretch of the log.
pub fn fold(first: u64, leaves: &[Vec<u8>]) -> Result<Vec<Line>, LeafMalformed> {
    let mut newest = BTreeMap::new();
    for (seq, leaf) in (first..).zip(leaves) {
        let line = Line::of_leaf(seq, leaf)?;
        newest.insert(line.number, line);
    }
    Ok(newest.into_values().collect())
}

/// The lines of a file.
pub fn of_file<'a>(file: impl BufRead + Send + 'a) -> Lines<'a> {
    let mut file = file;
    Box::new(std::iter::from_fn(move || {
        let text = next_text(&mut file).transpose()?;
        Some(text.map_err(SnapshotError::Io).and_then(|text| Line::parse(text).ok_or_else(not_a_line)))
    }))
}

/// The lines of an earlier snapshot. They may be relied on once the last of
/// them has been taken without an error: only then it is known that these are
/// the bytes that were signed.
pub fn of_signed_file<'a>(size: u64, digest: Hash, file: impl BufRead + Send + 'a) -> Lines<'a> {
    let mut file = file;
    // Taken at the end.
    let mut seen = Some(Sha256::new());
    Box::new(std::iter::from_fn(move || {
        let damaged = || SnapshotError::Damaged { size };
        let hasher = seen.as_mut()?;
        match next_text(&mut file) {
            Ok(Some(text)) => {
                hasher.update(&text);
                hasher.update(b"\n");
                Some(Line::parse(text).ok_or_else(damaged))
            }
            end => {
                let is_whole = end.is_ok() && seen.take()?.finalize().as_slice() == digest;
                (!is_whole).then(|| Err(damaged()))
            }
        }
    }))
}

/// `None` at the end.
fn next_text(file: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    let read = io::Read::take(file, LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
    match text.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(text)),
        Some(_) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line of {read} bytes does not end")))
        }
    }
}

fn not_a_line() -> SnapshotError {
    io::Error::new(io::ErrorKind::InvalidData, "a line is no correction").into()
}
