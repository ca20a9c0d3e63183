//! New entries: fetched in bundles, hashed as they come, and put by in a
//! nameless file until the root says that they are the right ones.
//!
//! That the tree of the entries one has, grown by the new ones, has the root
//! that is signed proves everything at once: that the log is still the one it
//! was, and that each entry is in it. No proof is fetched for that.
//!
//! Absent: where entries go from here (`output`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use futures_util::{StreamExt, stream};
use serde::Deserialize;

use crate::domain::correction::{ENTRY_VERSION, Entry, NameAction};
use crate::feed::merkle::{Frontier, leaf_hash};
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::log::{Log, leaves, width};
use crate::feed::mirror::{Phase, Progress};
use crate::feed::render;
use crate::feed::tiles::TILE_WIDTH;

/// Bundles under way at once, 260 KB each at most.
const BUNDLES_AHEAD: usize = 8;

/// Entries on disk, in order, not yet known to be right.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    first: u64,
    /// Of what was there before and the entries in here.
    tree: Frontier,
}

/// One of them, and where it lies.
#[derive(Debug)]
pub struct Spooled {
    pub seq: u64,
    pub at: u64,
    pub leaf: Vec<u8>,
}

/// Fetches what the log has beyond the tree `have`, up to `end`.
pub async fn fetch(
    log: &Log,
    have: &Frontier,
    end: u64,
    dir: &Path,
    progress: &dyn Progress,
) -> Result<Spool, MirrorError> {
    let first = have.size();
    let io = |error| MirrorError::io(dir, &error);
    let mut spool = Spool::create(dir, have.clone()).map_err(io)?;
    let bundles = first / TILE_WIDTH..end.div_ceil(TILE_WIDTH);
    let fetches = bundles.map(|nth| async move { (nth, log.bundle(nth, width(0, nth, end)).await) });
    let mut fetched = stream::iter(fetches).buffered(BUNDLES_AHEAD);
    while let Some((nth, bundle)) = fetched.next().await {
        let bundle = bundle?;
        let leaves = leaves(&bundle, width(0, nth, end)).ok_or_else(|| MirrorError::EntriesWrong {
            first,
            end,
            why: format!("bundle {nth} is truncated or damaged"),
        })?;
        let known = first.saturating_sub(nth * TILE_WIDTH) as usize;
        for leaf in &leaves[known..] {
            // Into the page cache, on a thread that has nothing else to do.
            spool.push(leaf).map_err(io)?;
        }
        progress.at(Phase::Fetching, spool.tree.size() - first, end - first);
    }
    spool.file.flush().map_err(io)?;
    Ok(spool)
}

impl Spool {
    pub fn create(dir: &Path, tree: Frontier) -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile_in(dir)?);
        Ok(Self { file, first: tree.size(), tree })
    }

    fn push(&mut self, leaf: &[u8]) -> io::Result<()> {
        self.tree.push(leaf_hash(leaf));
        let length = u16::try_from(leaf.len()).expect("a bundle tells lengths in two bytes");
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(leaf)
    }

    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    pub fn first(&self) -> u64 {
        self.first
    }

    pub fn len(&self) -> u64 {
        self.tree.size() - self.first
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries in their order.
    pub fn entries(&self) -> impl Iterator<Item = io::Result<Spooled>> {
        let mut file = BufReader::new(Reading { file: self.file.get_ref(), at: 0 });
        let mut at = 0;
        (self.first..self.tree.size()).map(move |seq| {
            let leaf = read_leaf(&mut file)?;
            let spooled = Spooled { seq, at, leaf };
            at += 2 + spooled.leaf.len() as u64;
            Ok(spooled)
        })
    }

    /// The entry that lies there.
    pub fn leaf(&self, at: u64) -> io::Result<Vec<u8>> {
        read_leaf(&mut Reading { file: self.file.get_ref(), at })
    }
}

fn read_leaf(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    file.read_exact(&mut length)?;
    let mut leaf = vec![0; u16::from_be_bytes(length).into()];
    file.read_exact(&mut leaf)?;
    Ok(leaf)
}

/// Reads with a position of its own, so that several can read one file.
struct Reading<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Reading<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The entry that a leaf is, to the letter. What a provider's apps do rests
/// on it: whatever this version does not know for sure it does not follow.
pub fn strict(seq: u64, leaf: &[u8]) -> Result<Entry, MirrorError> {
    let unknown = |why: &str| MirrorError::EntryUnknown { seq, why: why.to_owned() };
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    let versioned: Versioned = serde_json::from_slice(leaf).map_err(|_| unknown("it is no entry"))?;
    if versioned.v != u64::from(ENTRY_VERSION) {
        let why =
            format!("it is of version {}, and this mirror knows {ENTRY_VERSION}: renew it", versioned.v);
        return Err(unknown(&why));
    }
    let entry = render::entry(seq, leaf).map_err(|_| unknown("a field of it is none we know"))?;
    let written = serde_json::to_vec(&entry).expect("strings, dates and numbers always serialize");
    if written != leaf {
        return Err(unknown("it is not written as entries are"));
    }
    if entry.supersedes.is_some_and(|earlier| earlier >= seq) {
        return Err(unknown("it supersedes a later one"));
    }
    let is_set = entry.name_action == NameAction::Set;
    if entry.name.is_some() != is_set || entry.name_until.is_some() != is_set {
        return Err(unknown("its name and what to do with names do not fit"));
    }
    if entry.name.as_deref().is_some_and(|name| name.is_empty() || name.chars().any(char::is_control)) {
        return Err(unknown("its name is none"));
    }
    if entry.withdrawn && (entry.void_before.is_some() || entry.name_action != NameAction::Keep) {
        return Err(unknown("it withdraws and says something"));
    }
    Ok(entry)
}

/// The next line with its end; empty at the end of the file, cut where it has
/// more bytes than a line may have.
pub fn read_line(file: &mut impl BufRead, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(bytes_max).read_until(b'\n', &mut line)?;
    Ok(line)
}
