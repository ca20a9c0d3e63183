//! Everything that the store holds, for the owner, as lines that travel from a
//! running service to the command line of the same release. A letter says what
//! a line holds, so that nothing is parsed twice:
//!
//! ```text
//! X{extent}   the first line: how far log and audit had come
//! R{record}   E{leaf, behind its number}   A{audit line, behind its number}
//! D{what is damaged, in words}
//! F{why it ended early, in words}
//! Z           the last line: that was all
//! ```
//!
//! A stream without its last line was cut short. Absent: how copies are kept.

use serde::Serialize;

use crate::casework::actors::Owner;
use crate::casework::{Casework, Result};
use crate::store::{Everything, Extent, Piece};

/// Lines as they are read from the store.
#[derive(Debug)]
pub struct Lines {
    /// `None` after the last line.
    everything: Option<Box<dyn Everything>>,
    has_begun: bool,
}

/// One line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Extent(Extent),
    Piece(Piece),
    /// It ended early.
    Failed(String),
    End,
}

impl Casework {
    pub async fn everything(&self, _owner: Owner) -> Result<Lines> {
        let everything = self.store().everything().await?;
        tracing::info!("everything is being read");
        Ok(Lines { everything: Some(everything), has_begun: false })
    }
}

impl Lines {
    /// Some lines, each ended; `None` after the last.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let everything = self.everything.as_mut()?;
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            write(&mut lines, 'X', None, &json(everything.extent()));
            return Some(lines);
        }
        match everything.next().await {
            Ok(pieces) if pieces.is_empty() => {
                self.everything = None;
                write(&mut lines, 'Z', None, b"");
            }
            Ok(pieces) => pieces.iter().for_each(|piece| write_piece(&mut lines, piece)),
            Err(error) => {
                self.everything = None;
                write(&mut lines, 'F', None, &json(&error.to_string()));
            }
        }
        Some(lines)
    }
}

fn write_piece(lines: &mut Vec<u8>, piece: &Piece) {
    match piece {
        Piece::Record(record) => write(lines, 'R', None, &json(record)),
        Piece::Entry { seq, leaf } => write(lines, 'E', Some(*seq), leaf),
        Piece::Audit { seq, line } => write(lines, 'A', Some(*seq), &json(line)),
        Piece::Damage(what) => write(lines, 'D', None, &json(what)),
    }
}

/// No leaf and no JSON has a line's end in it.
fn write(lines: &mut Vec<u8>, letter: char, number: Option<u64>, rest: &[u8]) {
    lines.push(letter as u8);
    if let Some(number) = number {
        lines.extend_from_slice(number.to_string().as_bytes());
        lines.push(b' ');
    }
    lines.extend_from_slice(rest);
    lines.push(b'\n');
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what came out of the store as JSON goes back into JSON")
}

/// Reads a line without its end; `None` where it is none of these.
pub fn read(line: &[u8]) -> Option<Line> {
    let (letter, rest) = line.split_first()?;
    let numbered = || {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let seq = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        Some((seq, &rest[space + 1..]))
    };
    Some(match letter {
        b'X' => Line::Extent(serde_json::from_slice(rest).ok()?),
        b'R' => Line::Piece(Piece::Record(serde_json::from_slice(rest).ok()?)),
        b'E' => {
            let (seq, leaf) = numbered()?;
            Line::Piece(Piece::Entry { seq, leaf: leaf.to_vec() })
        }
        b'A' => {
            let (seq, line) = numbered()?;
            Line::Piece(Piece::Audit { seq, line: serde_json::from_slice(line).ok()? })
        }
        b'D' => Line::Piece(Piece::Damage(serde_json::from_slice(rest).ok()?)),
        b'F' => Line::Failed(serde_json::from_slice(rest).ok()?),
        b'Z' if rest.is_empty() => Line::End,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::{AuditDraft, AuditLine, Claim, Record};

    #[test]
    fn a_line_reads_back_as_what_it_was() {
        let claim = Claim { name: "a\nb".to_owned(), value: "乙".to_owned(), expires_at: None };
        let at = jiff::Timestamp::UNIX_EPOCH;
        let draft =
            AuditDraft { at, actor: "a".into(), action: "b".into(), subject: "c".into(), digest: None };
        let pieces = [
            Piece::Record(Box::new(Record::Claim(claim))),
            Piece::Entry { seq: 7, leaf: b"{ any bytes }".to_vec() },
            Piece::Audit { seq: 8, line: draft.chained(8, AuditLine::HASH_BEFORE_FIRST) },
            Piece::Damage("a\nb".to_owned()),
        ];
        for piece in pieces {
            let mut lines = Vec::new();
            write_piece(&mut lines, &piece);
            assert_eq!(lines.pop(), Some(b'\n'));
            assert!(!lines.contains(&b'\n'));
            assert_eq!(read(&lines), Some(Line::Piece(piece)));
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["", "E", "E7", "Ex {}", "R{}", "Zx", "Y", "X"] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
