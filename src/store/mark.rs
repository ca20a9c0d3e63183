//! The high-water mark: how far the database had come, kept outside of it, so
//! that a database which has lost its tail, or was set back to an earlier day,
//! is known by it. Where several instances share a database, each keeps one of
//! what it has seen signed.
//!
//! One file of two slots, written in turn, each in a block of its own: a crash
//! while one is written leaves the other, which is one group older.
//!
//! ```text
//! magic 8 | turn u64 | commit u64 | log size u64 | audit size u64
//! | has checkpoint u8 | its size u64 | its root 32 | CRC-32 of all before u32
//! ```

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::store::LogHead;

const MAGIC: &[u8; 8] = b"zmmark1\n";
const SLOT_BYTES: usize = 85;
/// Blocks of the disk are not larger: a torn write stays in its slot.
const SLOT_AT: [u64; 2] = [0, 4096];
const FILE_BYTES: usize = 8192;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    pub commit: u64,
    pub log_size: u64,
    pub audit_size: u64,
    /// The newest one that was signed.
    pub checkpoint: Option<Checkpoint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: u64,
    pub root: [u8; 32],
}

#[derive(Debug)]
pub struct MarkFile {
    file: File,
    /// How often it was written; odd and even name the slot.
    turn: u64,
    mark: Mark,
    /// What the mark before it knew to be signed: it never falls behind that.
    floor: Option<Checkpoint>,
    /// Not in its place yet: its first advance puts it there.
    place: Option<Placing>,
}

#[derive(Debug)]
struct Placing {
    from: PathBuf,
    to: PathBuf,
}

/// What is found at a mark's path.
#[derive(Debug)]
pub enum Found {
    Missing,
    /// Neither slot can be read.
    Damaged,
    Whole(MarkFile),
}

impl MarkFile {
    pub fn open(path: &Path) -> io::Result<Found> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
            Err(error) => return Err(error),
        };
        let slots = SLOT_AT.map(|at| {
            let mut slot = [0; SLOT_BYTES];
            file.read_exact_at(&mut slot, at).ok().and_then(|()| decode(&slot))
        });
        let newest = slots.into_iter().flatten().max_by_key(|(turn, _)| *turn);
        Ok(match newest {
            Some((turn, mark)) => Found::Whole(Self { file, turn, mark, floor: None, place: None }),
            None => Found::Damaged,
        })
    }

    /// A new one, which takes the place of whatever is there with its first
    /// advance: whole, or not at all. Until then the old one says what it said.
    pub fn create(path: &Path, mark: Mark) -> io::Result<Self> {
        let beside = path.with_extension("new");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&beside, [0; FILE_BYTES])?;
        let file = File::options().read(true).write(true).open(&beside)?;
        file.sync_all()?;
        let place = Some(Placing { from: beside, to: path.to_owned() });
        Ok(Self { file, turn: 0, mark, floor: None, place })
    }

    /// As `create`, for a database that is filled anew: whatever was signed
    /// before stays known. One that cannot be read knows nothing.
    pub fn refill(path: &Path, mark: Mark) -> io::Result<Self> {
        let floor = match Self::open(path)? {
            Found::Whole(before) => before.mark.checkpoint,
            Found::Missing | Found::Damaged => None,
        };
        let checkpoint = newer(mark.checkpoint, floor.clone());
        Ok(Self { floor, ..Self::create(path, Mark { checkpoint, ..mark })? })
    }

    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Durable on return.
    pub fn advance(&mut self, mark: Mark) -> io::Result<()> {
        let checkpoint = newer(mark.checkpoint, self.floor.clone());
        self.mark = Mark { checkpoint, ..mark };
        self.turn += 1;
        let at = SLOT_AT[usize::from(self.turn.is_multiple_of(2))];
        self.file.write_all_at(&encode(self.turn, &self.mark), at)?;
        self.file.sync_data()?;
        if let Some(Placing { from, to }) = self.place.take() {
            fs::rename(from, &to)?;
            sync_parent(&to)?;
        }
        Ok(())
    }
}

/// Of two of one size the one that was known before: another root for it is
/// for whoever opens the database to refuse.
fn newer(checkpoint: Option<Checkpoint>, floor: Option<Checkpoint>) -> Option<Checkpoint> {
    match (checkpoint, floor) {
        (Some(checkpoint), Some(floor)) if floor.size >= checkpoint.size => Some(floor),
        (checkpoint, floor) => checkpoint.or(floor),
    }
}

impl Checkpoint {
    pub fn of(head: &LogHead) -> Self {
        Self { size: head.size, root: head.root }
    }
}

/// The size of the newest checkpoint that was signed, if a mark knows it.
pub fn signed_by_mark(path: &Path) -> io::Result<Option<u64>> {
    Ok(match MarkFile::open(path)? {
        Found::Whole(mark) => mark.mark().checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        Found::Missing | Found::Damaged => None,
    })
}

/// Makes a file's name durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn encode(turn: u64, mark: &Mark) -> Vec<u8> {
    let mut slot = Vec::with_capacity(SLOT_BYTES);
    slot.extend_from_slice(MAGIC);
    for counter in [turn, mark.commit, mark.log_size, mark.audit_size] {
        slot.extend_from_slice(&counter.to_be_bytes());
    }
    let (size, root) = mark.checkpoint.as_ref().map_or((0, [0; 32]), |it| (it.size, it.root));
    slot.push(u8::from(mark.checkpoint.is_some()));
    slot.extend_from_slice(&size.to_be_bytes());
    slot.extend_from_slice(&root);
    let crc = crc32fast::hash(&slot);
    slot.extend_from_slice(&crc.to_be_bytes());
    slot
}

fn decode(slot: &[u8; SLOT_BYTES]) -> Option<(u64, Mark)> {
    let (body, crc) = slot.split_last_chunk::<4>()?;
    if crc32fast::hash(body).to_be_bytes() != *crc || !body.starts_with(MAGIC) {
        return None;
    }
    let integer = |at: usize| Some(u64::from_be_bytes(body.get(at..at + 8)?.try_into().ok()?));
    let checkpoint = match body.get(40)? {
        0 => None,
        _ => Some(Checkpoint { size: integer(41)?, root: body.get(49..81)?.try_into().ok()? }),
    };
    let mark = Mark { commit: integer(16)?, log_size: integer(24)?, audit_size: integer(32)?, checkpoint };
    Some((integer(8)?, mark))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(commit: u64) -> Mark {
        Mark { commit, log_size: commit * 2, audit_size: commit * 3, checkpoint: None }
    }

    fn reopened(path: &Path) -> Option<MarkFile> {
        match MarkFile::open(path).unwrap() {
            Found::Whole(mark) => Some(mark),
            Found::Missing | Found::Damaged => None,
        }
    }

    #[test]
    fn a_slot_reads_back_as_it_was_written() {
        let checkpoint = Some(Checkpoint { size: 7, root: [9; 32] });
        for mark in [Mark::default(), Mark { commit: 1, log_size: 2, audit_size: 3, checkpoint }] {
            let slot = encode(11, &mark);
            assert_eq!(decode(slot.as_slice().try_into().unwrap()), Some((11, mark)));
        }
    }

    #[test]
    fn every_flipped_bit_of_a_slot_is_noticed() {
        let slot = encode(11, &Mark::default());
        for bit in 0..SLOT_BYTES * 8 {
            let mut flipped: [u8; SLOT_BYTES] = slot.as_slice().try_into().unwrap();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn what_was_signed_stays_known_while_a_database_is_filled_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let signed_at = |commit, size: Option<u64>| {
            let checkpoint = size.map(|size| Checkpoint { size, root: [9; 32] });
            Mark { checkpoint, ..at(commit) }
        };
        let advanced = |commit, size| {
            let mut mark = MarkFile::refill(&path, Mark::default()).unwrap();
            mark.advance(signed_at(commit, size)).unwrap();
            reopened(&path).unwrap().mark().clone()
        };
        for (commit, of_copy, known) in
            [(9, Some(7), 7), (1, None, 7), (2, Some(5), 7), (3, None, 7), (4, Some(8), 8)]
        {
            assert_eq!(advanced(commit, of_copy), signed_at(commit, Some(known)));
        }
    }

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let mut mark = MarkFile::create(&path, Mark::default()).unwrap();
        mark.advance(at(0)).unwrap();
        for commit in 1..=5 {
            mark.advance(at(commit)).unwrap();
            assert_eq!(reopened(&path).unwrap().mark().commit, commit);
            let torn = SLOT_AT[usize::from(mark.turn.is_multiple_of(2))];
            mark.file.write_all_at(b"torn", torn).unwrap();
            assert_eq!(reopened(&path).unwrap().mark().commit, commit - 1, "the other slot");
            mark.file.write_all_at(MAGIC, torn).unwrap();
        }
        for at in SLOT_AT {
            mark.file.write_all_at(b"torn", at).unwrap();
        }
        assert!(reopened(&path).is_none());
    }
}
