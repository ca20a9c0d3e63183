//! Logs that were kept before this one, under another name or key: what was
//! published of them stays readable, and nothing is added.
//!
//! Absent: their newest entries that were in no full bundle; the hashes of
//! all are here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::feed::bundles::Coding;
use crate::feed::checkpoint::Checkpoint;
use crate::feed::files::LogFiles;
use crate::feed::note::NoteVerifier;
use crate::feed::tiles::{TILE_WIDTH, TilePlace};

#[derive(Debug)]
pub struct FormerLog {
    verifier: NoteVerifier,
    size: u64,
    note: String,
    files: LogFiles,
}

/// Those in the folder, but for the present one, by their keys' ids.
pub(super) fn all(dir: &Path, present: &str) -> io::Result<BTreeMap<String, FormerLog>> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(dir)? {
        let folder = folder?;
        let name = folder.file_name().to_string_lossy().into_owned();
        if name == present || !folder.file_type()?.is_dir() {
            continue;
        }
        match open(&folder.path())? {
            Some(log) => {
                found.insert(name, log);
            }
            None => tracing::warn!(folder = %folder.path().display(), "no readable log is here"),
        }
    }
    Ok(found)
}

fn open(dir: &Path) -> io::Result<Option<FormerLog>> {
    let read = |name: &str| match fs::read_to_string(dir.join(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    };
    let (Some(key), Some(note)) = (read("key")?, read("checkpoint")?) else { return Ok(None) };
    let Ok(verifier) = key.trim_end().parse::<NoteVerifier>() else { return Ok(None) };
    let Ok(checkpoint) = Checkpoint::open(&note, &verifier) else { return Ok(None) };
    // All that is there: nothing of a log that has ended is cut off.
    let files = LogFiles::open(dir, u64::MAX)?;
    Ok(Some(FormerLog { verifier, size: checkpoint.size, note, files }))
}

impl FormerLog {
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its last checkpoint, as it was signed.
    pub fn note(&self) -> &str {
        &self.note
    }

    pub fn tile(&self, level: u32, place: TilePlace) -> io::Result<Option<Vec<u8>>> {
        self.files.hashes().tile(level, place.nth, place.width, self.size)
    }

    /// A full bundle, in a coding or plain.
    pub fn bundle(&self, place: TilePlace, coding: Option<Coding>) -> io::Result<Option<Vec<u8>>> {
        if place.width < TILE_WIDTH {
            return Ok(None);
        }
        match coding {
            Some(coding) => self.files.bundle(place.nth, coding),
            None => match self.files.bundle(place.nth, Coding::Zstd)? {
                Some(frame) => Coding::Zstd.decompress(&frame).map(Some),
                None => Ok(None),
            },
        }
    }
}
