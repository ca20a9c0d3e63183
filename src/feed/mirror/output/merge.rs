//! Lines of corrections, ascending by number, and how new entries are worked
//! into them: two sorted sequences, read once.
//!
//! Absent: files and how they are swapped (`swap`).

use std::io::{self, BufRead};

use crate::domain::correction::{ENTRY_BYTES_MAX, Entry};
use crate::feed::mirror::entries::read_line;
use crate::feed::render;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Csv,
    Ndjson,
}

/// What becomes of a number.
#[derive(Debug)]
pub struct Change {
    pub number: u64,
    /// `None` where its correction is withdrawn.
    pub line: Option<Vec<u8>>,
}

#[derive(Debug)]
pub enum Unmerged<E> {
    /// A line of ours that is not as we write them.
    Damaged,
    Reading(io::Error),
    Writing(io::Error),
    Change(E),
}

/// Every character of a name may be a quote, and every quote takes two.
const LINE_BYTES_MAX: u64 = 4 * ENTRY_BYTES_MAX as u64;

impl Form {
    /// What stands before all lines.
    pub fn header(self) -> Vec<u8> {
        match self {
            Self::Csv => render::csv_header(),
            Self::Ndjson => Vec::new(),
        }
    }

    pub fn line(self, seq: u64, leaf: &[u8], entry: Entry) -> Vec<u8> {
        match self {
            Self::Csv => render::csv_line(seq, entry),
            Self::Ndjson => {
                let mut line = render::object(seq, leaf).expect("an entry begins with a brace");
                line.push(b'\n');
                line
            }
        }
    }

    /// The digits of a line of ours.
    fn number(self, line: &[u8]) -> Option<u64> {
        let begins: &[u8] = match self {
            Self::Csv => b",+",
            Self::Ndjson => b"\"number\":\"+",
        };
        let at = memchr::memmem::find(line, begins)? + begins.len();
        let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0u64, |number, digit| number.wrapping_mul(10) + u64::from(digit - b'0'));
        (line.ends_with(b"\n") && number > 0).then_some(number)
    }

    /// Writes the lines of `old` with the changes, both ascending by number.
    pub fn merge<E>(
        self,
        mut old: impl BufRead,
        changes: impl Iterator<Item = Result<Change, E>>,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Unmerged<E>> {
        let header = self.header();
        let mut found = vec![0; header.len()];
        old.read_exact(&mut found).map_err(|_| Unmerged::Damaged)?;
        if found != header {
            return Err(Unmerged::Damaged);
        }
        write(&header).map_err(Unmerged::Writing)?;
        let mut next_old = || {
            let line = read_line(&mut old, LINE_BYTES_MAX).map_err(Unmerged::Reading)?;
            if line.is_empty() {
                return Ok(None);
            }
            let number = self.number(&line).ok_or(Unmerged::Damaged)?;
            Ok(Some((number, line)))
        };
        let mut kept = next_old()?;
        for change in changes {
            let change = change.map_err(Unmerged::Change)?;
            while let Some((number, line)) = kept.take_if(|(number, _)| *number <= change.number) {
                if number < change.number {
                    write(&line).map_err(Unmerged::Writing)?;
                }
                kept = next_old()?;
            }
            if let Some(line) = change.line {
                write(&line).map_err(Unmerged::Writing)?;
            }
        }
        while let Some((_, line)) = kept {
            write(&line).map_err(Unmerged::Writing)?;
            kept = next_old()?;
        }
        Ok(())
    }
}
