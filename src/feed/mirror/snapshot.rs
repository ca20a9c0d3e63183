//! Snapshots: all corrections in force at one size of the log, for who has
//! nothing yet or has been away too long.
//!
//! What the log's key signs for a snapshot is its size, its root, and a digest
//! of every form. A snapshot is not proved entry by entry, therefore it is
//! only taken where its root is that of the log at its size.
//!
//! Absent: when to take one (`round`), what becomes of it (`output`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::Path;

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::domain::correction::{ENTRY_BYTES_MAX, Entry};
use crate::domain::hex::hex;
use crate::feed::checkpoint::decimal;
use crate::feed::merkle::Hash;
use crate::feed::mirror::entries::{read_line, strict};
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::log::Log;
use crate::feed::mirror::source::SourceError;
use crate::feed::mirror::{Phase, Progress};
use crate::feed::snapshot::{KEY_NAME_SUFFIX, Said};

const NDJSON: &str = "application/x-ndjson";
/// An entry, `"seq":N,` and the newline.
const LINE_BYTES_MAX: u64 = ENTRY_BYTES_MAX as u64 + 32;
/// Far more than there are.
const FORMS_MAX: usize = 32;

/// What is signed for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSum {
    pub size: u64,
    pub root: Hash,
    /// How many corrections are in it.
    pub count: u64,
    /// SHA-256 in hex by form: ndjson, csv, zms.
    pub digests: BTreeMap<String, String>,
}

/// A correction of a snapshot.
#[derive(Debug)]
pub struct SnapshotLine {
    pub seq: u64,
    /// With its newline.
    pub line: Vec<u8>,
    pub leaf: Vec<u8>,
    pub entry: Entry,
}

impl SnapshotSum {
    /// Of the newest snapshot.
    pub async fn newest(log: &Log) -> Result<Self, MirrorError> {
        let location = log.source.location("/feed/v1/snapshot", NDJSON).await?;
        let size = location.rsplit_once("/feed/v1/snapshots/").and_then(|(_, name)| {
            let (size, _form) = name.split_once('.')?;
            decimal(size)
        });
        let size = size.ok_or_else(|| SourceError::Strange {
            path: "/feed/v1/snapshot".to_owned(),
            why: "it leads to no snapshot".to_owned(),
        })?;
        let wrong = |why: String| MirrorError::SnapshotWrong { size, why };
        let note = log.note(&format!("/feed/v1/snapshots/{size}.sum")).await?;
        let verifier =
            log.verifier.under(KEY_NAME_SUFFIX).expect("a suffix without spaces keeps a name fine");
        let text = verifier.open(&note).map_err(|error| wrong(error.to_string()))?;
        let sum = Self::parse(text, verifier.name());
        sum.filter(|sum| sum.size == size)
            .ok_or_else(|| wrong("its sum is not that of a snapshot".to_owned()))
    }

    fn parse(text: &str, name: &str) -> Option<Self> {
        let Said { size, root, count, digests } = Said::read(text, name)?;
        let owned = digests.into_iter().map(|(form, digest)| (form.to_owned(), digest.to_owned()));
        let digests: BTreeMap<_, _> = owned.collect();
        (count <= size && digests.len() <= FORMS_MAX).then_some(Self { size, root, count, digests })
    }

    pub fn path(&self, form: &str) -> String {
        format!("/feed/v1/snapshots/{}.{form}", self.size)
    }

    /// The snapshot as NDJSON in a nameless file, byte for byte what was
    /// signed. Where the connection breaks it goes on from there, as long as
    /// each attempt brings something.
    pub async fn download(
        &self,
        log: &Log,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<Snapshot, MirrorError> {
        let file = tempfile::tempfile_in(dir).map_err(|error| MirrorError::io(dir, &error))?;
        let mut download = Download { file, sha256: Sha256::new(), bytes: 0, lines: 0 };
        loop {
            let before = download.bytes;
            match self.go_on(&mut download, log, dir, progress).await {
                Ok(()) => break,
                Err(MirrorError::Source(SourceError::Unreachable { .. })) if download.bytes > before => {}
                Err(error) => return Err(error),
            }
        }
        if Some(&hex(&download.sha256.finalize())) != self.digests.get("ndjson") {
            return Err(self.wrong("its bytes are not those that were signed"));
        }
        Ok(Snapshot { sum: self.clone(), file: download.file })
    }

    async fn go_on(
        &self,
        download: &mut Download,
        log: &Log,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<(), MirrorError> {
        let mut pieces = log.source.stream(&self.path("ndjson"), download.bytes).await?;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            download.bytes += piece.len() as u64;
            download.lines += memchr::memchr_iter(b'\n', &piece).count() as u64;
            if download.lines > self.count || download.bytes > self.bytes_max() {
                return Err(self.wrong("it is longer than was signed"));
            }
            download.sha256.update(&piece);
            download.file.write_all(&piece).map_err(|error| MirrorError::io(dir, &error))?;
            progress.at(Phase::Snapshot, download.lines, self.count);
        }
        Ok(())
    }

    /// More than it can have in any form.
    pub fn bytes_max(&self) -> u64 {
        (self.count + 1).saturating_mul(LINE_BYTES_MAX)
    }

    pub fn wrong(&self, why: &str) -> MirrorError {
        MirrorError::SnapshotWrong { size: self.size, why: why.to_owned() }
    }
}

struct Download {
    file: File,
    sha256: Sha256,
    bytes: u64,
    lines: u64,
}

/// A snapshot whose bytes are those that were signed.
#[derive(Debug)]
pub struct Snapshot {
    pub sum: SnapshotSum,
    file: File,
}

impl Snapshot {
    /// Its corrections, ascending by number. An error is the last item.
    pub fn lines(&self) -> io::Result<impl Iterator<Item = Result<SnapshotLine, MirrorError>>> {
        let mut file = &self.file;
        file.rewind()?;
        let mut file = BufReader::new(file);
        let mut lines_left = self.sum.count;
        let mut newest_number = None;
        Ok(std::iter::from_fn(move || {
            let line = read_line(&mut file, LINE_BYTES_MAX);
            let line = match line {
                Ok(line) if line.is_empty() && lines_left == 0 => return None,
                Ok(line) if line.is_empty() || lines_left == 0 => {
                    return Some(Err(self.sum.wrong("it does not have as many corrections as was signed")));
                }
                Ok(line) => line,
                Err(error) => return Some(Err(self.sum.wrong(&error.to_string()))),
            };
            lines_left -= 1;
            Some(self.line(line, &mut newest_number))
        }))
    }

    fn line(&self, line: Vec<u8>, newest_number: &mut Option<u64>) -> Result<SnapshotLine, MirrorError> {
        let (seq, leaf) = numbered(&line).ok_or_else(|| self.sum.wrong("a line of it is none"))?;
        let entry = strict(seq, &leaf)?;
        let number = Some(entry.number.digits());
        if seq >= self.sum.size || entry.withdrawn || number <= *newest_number {
            return Err(self.sum.wrong("its corrections are not in order"));
        }
        *newest_number = number;
        Ok(SnapshotLine { seq, line, leaf, entry })
    }
}

/// A line is the leaf with `"seq":N,` put after the brace that opens it.
fn numbered(line: &[u8]) -> Option<(u64, Vec<u8>)> {
    let rest = line.strip_suffix(b"\n")?.strip_prefix(b"{\"seq\":")?;
    let comma = memchr::memchr(b',', rest)?;
    let seq = decimal(str::from_utf8(&rest[..comma]).ok()?)?;
    Some((seq, [b"{", &rest[comma + 1..]].concat()))
}
