//! A snapshot's file, read in pieces that are kept in memory for a while: many
//! download the same one at about the same time.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use quick_cache::sync::Cache;

use super::blocking;
use super::checks::Checks;
use super::folder::{damaged, kind};
use super::form::Form;
use crate::feed::Coding;
use crate::feed::kept::ByBytes;

pub const PIECE_BYTES: u64 = 1 << 20;
/// Of all files together; what is used least makes room.
const PIECES_BYTES_MAX: u64 = 64 << 20;

/// The size of the log, the form, its coding, and which piece.
type PieceOf = (u64, Form, Option<Coding>, u64);

pub struct Pieces(Cache<PieceOf, Bytes, ByBytes>);

impl Default for Pieces {
    fn default() -> Self {
        let count = PIECES_BYTES_MAX / PIECE_BYTES;
        Self(Cache::with_weighter(count as usize, PIECES_BYTES_MAX, ByBytes))
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pieces").field(&self.0.len()).finish()
    }
}

/// Can be read to its end whatever becomes of the snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    file: Arc<File>,
    bytes: u64,
    of: (u64, Form, Option<Coding>),
    /// Of all files of the snapshot.
    checks: Arc<Checks>,
    pieces: Arc<Pieces>,
}

impl SnapshotFile {
    /// `InvalidData` where it is not as long as it was.
    pub(super) fn new(
        file: File,
        of: (u64, Form, Option<Coding>),
        checks: Arc<Checks>,
        pieces: &Arc<Pieces>,
    ) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        if checks.of(&kind(of.1, of.2)).is_none_or(|check| check.bytes != bytes) {
            return Err(damaged("a snapshot's file has not its length"));
        }
        Ok(Self { file: Arc::new(file), bytes, of, checks, pieces: pieces.clone() })
    }

    /// How many there are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes from a place on, some of them; none at the end. `InvalidData`
    /// where they are not those that were written.
    pub async fn read(&self, at: u64) -> io::Result<Bytes> {
        if at >= self.bytes {
            return Ok(Bytes::new());
        }
        let nth = at / PIECE_BYTES;
        let (size, form, coding) = self.of;
        let piece = self.pieces.0.get_or_insert_async(&(size, form, coding, nth), self.piece(nth)).await?;
        Ok(piece.slice((at % PIECE_BYTES) as usize..))
    }

    async fn piece(&self, nth: u64) -> io::Result<Bytes> {
        let from = nth * PIECE_BYTES;
        let (file, length) = (self.file.clone(), PIECE_BYTES.min(self.bytes - from));
        let (checks, (_, form, coding)) = (self.checks.clone(), self.of);
        blocking(move || {
            let mut piece = vec![0; length as usize];
            file.read_exact_at(&mut piece, from)?;
            match checks.of(&kind(form, coding)) {
                Some(check) if check.holds(nth, &piece) => Ok(piece.into()),
                _ => Err(damaged("a snapshot's file is damaged")),
            }
        })
        .await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::feed::snapshot::checks::Checking;

    #[tokio::test]
    async fn pieces_put_together_are_the_file_wherever_one_begins() {
        let whole: Vec<u8> = (0..PIECE_BYTES * 5 / 2).map(|place| ((place * 31) >> 7) as u8).collect();
        let mut written = tempfile::tempfile().unwrap();
        written.write_all(&whole).unwrap();
        let file = opened(&written, &whole).unwrap();
        assert_eq!(file.bytes(), whole.len() as u64);
        for start in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 7, 2 * PIECE_BYTES, file.bytes() - 1]
        {
            let mut read = Vec::new();
            loop {
                let some = file.read(start + read.len() as u64).await.unwrap();
                if some.is_empty() {
                    break;
                }
                read.extend_from_slice(&some);
            }
            assert!(read == whole[start as usize..], "from {start} on");
        }
        // What has changed since is nobody's, and what lies around it is.
        written.write_all_at(&[whole[PIECE_BYTES as usize + 5] ^ 4], PIECE_BYTES + 5).unwrap();
        let file = opened(&written, &whole).unwrap();
        assert_eq!(file.read(PIECE_BYTES + 9).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(file.read(0).await.unwrap(), whole[..PIECE_BYTES as usize]);
        written.set_len(PIECE_BYTES).unwrap();
        assert_eq!(opened(&written, &whole).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    fn opened(file: &File, whole: &[u8]) -> io::Result<SnapshotFile> {
        let mut checking = Checking::default();
        checking.push(whole);
        let mut checks = Checks::default();
        checks.add("csv".to_owned(), checking.finish());
        SnapshotFile::new(file.try_clone()?, (3, Form::Csv, None), Arc::new(checks), &Arc::default())
    }
}
