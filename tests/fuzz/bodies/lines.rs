//! Uploads as they are read: line by line, in pieces of any size.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, ReadBuf};
use zhengming::domain::lines::{LineError, LineFormat};
use zhengming::http::body::{BodyStream, Lines};
use zhengming::http::uploads::{Form, LINE_BYTES_MAX, SaidLines, UPLOAD_BYTES_MAX};

use super::wire::at_once;

/// A body that comes in pieces of so many bytes.
pub struct Pieces {
    pub rest: Vec<u8>,
    pub piece: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.piece.min(self.rest.len()).min(into.remaining());
        into.put_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Poll::Ready(Ok(()))
    }
}

pub fn body(data: &[u8], piece: usize) -> BodyStream {
    BodyStream::from_reader(Pieces { rest: data.to_vec(), piece })
}

/// Of each line its number, and what it says or why it says nothing.
pub type Said<T> = Vec<(u64, Result<T, LineError>)>;

/// An upload in one piece, which says the same in many; `None` where it is
/// refused as a whole.
pub fn said<T: PartialEq + std::fmt::Debug>(
    form: Form,
    data: &[u8],
    columns: &[&str],
    parse: impl Fn(&[u8], &LineFormat) -> Result<T, LineError>,
) -> Option<Said<T>> {
    let whole = said_in_pieces(form, data, 64 * 1024, columns, &parse);
    for piece in [1, 7] {
        assert_eq!(said_in_pieces(form, data, piece, columns, &parse), whole, "in pieces of {piece}");
    }
    let lines = 1 + data.iter().filter(|b| **b == b'\n').count() as u64;
    let said = whole?;
    assert!(said.is_sorted_by(|(one, _), (next, _)| one < next));
    assert!(said.iter().all(|(number, _)| (1..=lines).contains(number)));
    Some(said)
}

fn said_in_pieces<T>(
    form: Form,
    data: &[u8],
    piece: usize,
    columns: &[&str],
    parse: impl Fn(&[u8], &LineFormat) -> Result<T, LineError>,
) -> Option<Said<T>> {
    let lines = Lines::new(body(data, piece), LINE_BYTES_MAX, UPLOAD_BYTES_MAX);
    let mut lines = at_once(SaidLines::begin(form, lines, columns)).ok()?;
    let mut said = Vec::new();
    while let Some(line) = at_once(lines.next(&parse)).expect("nothing breaks off, and nothing is too much") {
        said.push(line);
    }
    assert_eq!(lines.taken(), said.len() as u64);
    assert_eq!(lines.digest(), <[u8; 32]>::from(Sha256::digest(data)));
    Some(said)
}
