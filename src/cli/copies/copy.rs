//! A copy as it lies in a folder: opened, looked through, and read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::Failed;
use crate::cli::copies::Progress;
use crate::cli::copies::manifest::{Holds, MANIFEST, Manifest, Part};
use crate::cli::copies::parts::{Reader, is_whole};
use crate::cli::copies::reckoning::Reckoning;
use crate::store::Piece;

/// How many lines are read between two words about it.
const LINES_BETWEEN_WORDS: u64 = 1_000;

#[derive(Debug)]
pub struct Copy {
    dir: PathBuf,
    pub manifest: Manifest,
    /// Of the manifest: which copy this is.
    pub digest: String,
}

/// A line of a part, with its number in the whole copy.
#[derive(Debug)]
pub struct Numbered {
    pub number: u64,
    pub piece: Piece,
    pub line: Vec<u8>,
}

impl Copy {
    pub fn open(dir: &Path) -> Result<Self, Failed> {
        let path = dir.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let failed = Failed::new(&path.display().to_string(), &error);
            failed.hint("a copy has its manifest written last: without one it was cut short, or is none")
        })?;
        let (manifest, digest) = Manifest::read(&text)?;
        if let Some(part) = manifest.parts.iter().find(|part| part.file.contains('/')) {
            return Err(Failed::because(&format!("the part {} is not in the folder", part.file)));
        }
        Ok(Self { dir: dir.to_owned(), manifest, digest })
    }

    /// Reads all of it before anybody takes any of it: each part is the one
    /// that was written, and all of them together hold together and amount to
    /// what the manifest says.
    pub fn verify(&self, progress: Progress<'_>) -> Result<(), Failed> {
        for part in &self.manifest.parts {
            let whole = is_whole(&self.dir, part).map_err(|error| self.failed(part, &error))?;
            if !whole {
                let what = "is damaged: its bytes are not those that its SHA-256 was taken of";
                return Err(Failed::because(&format!("{} {what}", self.path(part))));
            }
        }
        let mut reckoning = Reckoning::new();
        let total = self.manifest.lines();
        for numbered in self.lines() {
            let numbered = numbered?;
            reckoning.take(&numbered.piece, &numbered.line);
            if numbered.number.is_multiple_of(LINES_BETWEEN_WORDS) {
                progress("looking through", numbered.number, total);
            }
        }
        progress("looking through", total, total);
        let (found, problems) = reckoning.finish(&self.manifest.total.extent());
        if !problems.is_empty() {
            return Err(Failed::because(&format!("the copy does not hold together:\n{}", problems.text())));
        }
        match self.manifest.total.difference(&found) {
            None => Ok(()),
            Some(what) => {
                Err(Failed::because(&format!("the parts do not hold what the manifest says; {what}")))
            }
        }
    }

    /// Every line, part by part.
    pub fn lines(&self) -> impl Iterator<Item = Result<Numbered, Failed>> {
        let mut places: BTreeMap<Holds, u64> = BTreeMap::new();
        let numbered = self.manifest.parts.iter().flat_map(move |part| {
            // Entries and audit lines are numbered over all the parts that hold them.
            let place = places.entry(part.holds).or_default();
            let first = *place;
            *place += part.lines;
            self.part_lines(part, first)
        });
        (0..).zip(numbered).map(|(number, read)| read.map(|(piece, line)| Numbered { number, piece, line }))
    }

    fn part_lines<'a>(
        &'a self,
        part: &'a Part,
        first: u64,
    ) -> impl Iterator<Item = Result<(Piece, Vec<u8>), Failed>> + 'a {
        let (reader, unreadable) = match Reader::open(&self.dir, part) {
            Ok(reader) => (Some(reader), None),
            Err(error) => (None, Some(Err(self.failed(part, &error)))),
        };
        let lines = (first..).zip(reader.into_iter().flatten()).map(move |(place, line)| {
            let line = line.map_err(|error| self.failed(part, &error))?;
            let piece = piece(part.holds, place, &line).map_err(|error| {
                Failed::new(&format!("line {} of {}", place - first, self.path(part)), &error)
            })?;
            Ok((piece, line))
        });
        unreadable.into_iter().chain(lines)
    }

    fn failed(&self, part: &Part, error: &dyn std::error::Error) -> Failed {
        Failed::new(&self.path(part), error)
    }

    fn path(&self, part: &Part) -> String {
        self.dir.join(&part.file).display().to_string()
    }
}

fn piece(holds: Holds, seq: u64, line: &[u8]) -> serde_json::Result<Piece> {
    Ok(match holds {
        Holds::Records => Piece::Record(serde_json::from_slice(line)?),
        Holds::Log => Piece::Entry { seq, leaf: line.to_vec() },
        Holds::Audit => Piece::Audit { seq, line: serde_json::from_slice(line)? },
    })
}

/// A piece as a line of a part, and which parts hold such; nothing for damage.
pub fn line_of(piece: &Piece) -> Option<(Holds, Vec<u8>)> {
    const READABLE: &str = "what came out of the store as JSON goes back into JSON";
    match piece {
        Piece::Record(record) => Some((Holds::Records, serde_json::to_vec(record).expect(READABLE))),
        Piece::Entry { leaf, .. } => Some((Holds::Log, leaf.clone())),
        Piece::Audit { line, .. } => Some((Holds::Audit, serde_json::to_vec(line).expect(READABLE))),
        Piece::Damage(_) => None,
    }
}
