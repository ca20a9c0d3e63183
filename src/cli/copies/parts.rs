//! One part of a copy, written and read: lines, perhaps compressed, with the
//! SHA-256 of the file as it lies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::cli::copies::manifest::{Holds, Part};
use crate::domain::hex::hex;
use crate::env::digest::sha256_of;

/// Beyond it twice the time brings a few percent.
const ZSTD_LEVEL: i32 = 3;
const READ_BYTES: usize = 1 << 16;
/// More than any record, leaf or audit line has with its kind's name.
const LINE_BYTES_MAX: u64 = 128 << 10;

/// A part that is being written.
pub struct Writer {
    part: Part,
    /// Of its lines, before they are compressed.
    pub written: u64,
    coder: Coder,
}

enum Coder {
    Plain(Counted),
    Zstd(zstd::Encoder<'static, Counted>),
}

/// Counts and digests what goes into a file.
struct Counted {
    file: BufWriter<File>,
    bytes: u64,
    digest: Sha256,
}

impl Writer {
    pub fn create(dir: &Path, holds: Holds, nth: usize, is_plain: bool) -> io::Result<Self> {
        let suffix = if is_plain { "" } else { ".zst" };
        let file = format!("{}-{nth:05}.ndjson{suffix}", holds.name());
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(&file))?;
        let counted = Counted { file: BufWriter::new(opened), bytes: 0, digest: Sha256::new() };
        let coder = if is_plain {
            Coder::Plain(counted)
        } else {
            Coder::Zstd(zstd::Encoder::new(counted, ZSTD_LEVEL)?)
        };
        let (is_compressed, sha256) = (!is_plain, String::new());
        let part = Part { file, holds, is_compressed, lines: 0, bytes: 0, sha256 };
        Ok(Self { part, written: 0, coder })
    }

    pub fn holds(&self) -> Holds {
        self.part.holds
    }

    pub fn lines(&self) -> u64 {
        self.part.lines
    }

    pub fn push(&mut self, line: &[u8]) -> io::Result<()> {
        let to: &mut dyn Write = match &mut self.coder {
            Coder::Plain(counted) => counted,
            Coder::Zstd(encoder) => encoder,
        };
        to.write_all(line)?;
        to.write_all(b"\n")?;
        self.part.lines += 1;
        self.written += line.len() as u64 + 1;
        Ok(())
    }

    /// Durable on return, but for its name.
    pub fn finish(self) -> io::Result<Part> {
        let mut counted = match self.coder {
            Coder::Plain(counted) => counted,
            Coder::Zstd(encoder) => encoder.finish()?,
        };
        counted.file.flush()?;
        counted.file.get_ref().sync_all()?;
        Ok(Part { bytes: counted.bytes, sha256: hex(&counted.digest.finalize()), ..self.part })
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("part", &self.part).finish_non_exhaustive()
    }
}

/// Whether the file is the one that was written.
pub fn is_whole(dir: &Path, part: &Part) -> io::Result<bool> {
    let path = dir.join(&part.file);
    if fs::metadata(&path)?.len() != part.bytes {
        return Ok(false);
    }
    Ok(hex(&sha256_of(File::open(path)?)?) == part.sha256)
}

/// The lines of a part.
pub struct Reader {
    lines: Box<dyn BufRead + Send>,
}

impl Reader {
    pub fn open(dir: &Path, part: &Part) -> io::Result<Self> {
        let file = File::open(dir.join(&part.file))?;
        let lines: Box<dyn BufRead + Send> = if part.is_compressed {
            Box::new(BufReader::with_capacity(READ_BYTES, zstd::Decoder::new(file)?))
        } else {
            Box::new(BufReader::with_capacity(READ_BYTES, file))
        };
        Ok(Self { lines })
    }
}

/// Without their ends.
impl Iterator for Reader {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        match read.map(|_| line.pop()) {
            Ok(None) => None,
            Ok(Some(b'\n')) => Some(Ok(line)),
            Ok(Some(_)) => {
                let cut = "a line is cut short, or too long";
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, cut)))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
