//! A snapshot is the one before it, merged with what the log has had since: the
//! compact form first (`compact`), then those of text.
//!
//! The log is read in order and in stretches that fit in memory. For the texts
//! each is folded to its numbers' newest lines; all but the last go to scratch
//! files, and one merge of the earlier snapshot, these and the last stretch
//! writes them. So memory is bounded, disks read and write from front to back,
//! and nobody who commits or reads waits for it.
//!
//! Which stretches and which earlier snapshot it went through leaves no trace
//! in the bytes: they are those of the log up to the size, and of the key.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::compact::{self, Runs};
use super::folder::Folder;
use super::form::Form;
use super::lines::{self, Line, Lines};
use super::merge::{Merge, go_on, watched};
use super::sum::Sum;
use super::writing::{self, Texts, Written};
use super::{Log, SnapshotError};
use crate::env::background;
use crate::feed::zms::Header;

/// How much is done at once; the bytes do not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Portions {
    /// Most entries in memory: with leaves of 300 bytes, 100 MiB or so.
    pub chunk_entries: usize,
    /// So many scratch files are merged to one before there is another.
    pub scratch_files: usize,
}

impl Default for Portions {
    fn default() -> Self {
        Self { chunk_entries: 262_144, scratch_files: 32 }
    }
}

pub struct Build {
    pub folder: Arc<Folder>,
    pub portions: Portions,
    /// Which log, and at which size.
    pub header: Header,
    pub stop: CancellationToken,
}

impl Build {
    /// Writes all corrections in force, from an earlier snapshot on or from
    /// nothing.
    pub async fn run(
        self: Arc<Self>,
        log: &dyn Log,
        previous: Option<Sum>,
    ) -> Result<Written, SnapshotError> {
        let compact = self.clone().compact(log, previous.clone()).await?;
        tracing::info!(size = self.header.size, "compact form of a snapshot made");
        let mut written = self.texts(log, previous).await?;
        if written.count != compact.count {
            return Err(io::Error::other("the forms are not of the same corrections").into());
        }
        written.digests.extend(compact.digests);
        written.drafts.extend(compact.drafts);
        Ok(written)
    }

    async fn compact(
        self: Arc<Self>,
        log: &dyn Log,
        previous: Option<Sum>,
    ) -> Result<Written, SnapshotError> {
        let mut at = previous.as_ref().map_or(0, |previous| previous.size);
        let mut runs = Runs::default();
        while at < self.header.size {
            let chunk = self.chunk(log, at, self.header.size).await?;
            let (first, this) = (at, self.clone());
            at += chunk.len() as u64;
            runs = behind(move || {
                runs.add(&this.folder, first, &chunk)?;
                Ok(runs)
            })
            .await?;
        }
        behind(move || {
            let previous = previous.map(|sum| compact::of_signed(&self.folder, &sum)).transpose()?;
            runs.write(&self.folder, &self.header, previous.as_ref(), &self.stop)
        })
        .await
    }

    async fn texts(self: Arc<Self>, log: &dyn Log, previous: Option<Sum>) -> Result<Written, SnapshotError> {
        let size = self.header.size;
        let mut at = previous.as_ref().map_or(0, |previous| previous.size);
        let mut scratch = Vec::new();
        loop {
            let chunk = self.chunk(log, at, size).await?;
            let (first, this) = (at, self.clone());
            at += chunk.len() as u64;
            if at == size {
                return behind(move || this.write(previous, scratch, lines::fold(first, &chunk)?)).await;
            }
            scratch = behind(move || this.set_aside(scratch, lines::fold(first, &chunk)?)).await?;
        }
    }

    async fn chunk(&self, log: &dyn Log, first: u64, size: u64) -> Result<Vec<Vec<u8>>, SnapshotError> {
        let end = size.min(first.saturating_add(self.portions.chunk_entries as u64));
        let mut chunk = Vec::new();
        loop {
            let at = first + chunk.len() as u64;
            if at == end {
                return Ok(chunk);
            }
            go_on(&self.stop)?;
            chunk.extend(log.leaves(at, end).await?);
        }
    }

    fn set_aside(&self, mut files: Vec<File>, lines: Vec<Line>) -> Result<Vec<File>, SnapshotError> {
        if files.len() >= self.portions.scratch_files {
            let merged = writing::scratch(&self.folder, watched(Merge::new(read_all(files)?)?, &self.stop))?;
            files = vec![merged];
        }
        files.push(writing::scratch(&self.folder, lines.into_iter().map(Ok))?);
        Ok(files)
    }

    fn write(
        &self,
        previous: Option<Sum>,
        scratch: Vec<File>,
        newest: Vec<Line>,
    ) -> Result<Written, SnapshotError> {
        let mut sources = Vec::new();
        if let Some(previous) = previous {
            sources.push(self.read_previous(&previous)?);
        }
        sources.extend(read_all(scratch)?);
        sources.push(Box::new(newest.into_iter().map(Ok)));
        let mut texts = Texts::begin(&self.folder)?;
        for line in watched(Merge::new(sources)?, &self.stop) {
            let line = line?;
            if !line.withdrawn {
                texts.push(&line)?;
            }
        }
        texts.finish()
    }

    fn read_previous(&self, previous: &Sum) -> Result<Lines<'static>, SnapshotError> {
        let damaged = SnapshotError::Damaged { size: previous.size };
        let path = self.folder.path(previous.size, Form::Ndjson, None);
        match (File::open(path), previous.digest(Form::Ndjson)) {
            (Ok(file), Some(digest)) => {
                Ok(lines::of_signed_file(previous.size, *digest, BufReader::new(file)))
            }
            _ => Err(damaged),
        }
    }
}

fn read_all(files: Vec<File>) -> Result<Vec<Lines<'static>>, SnapshotError> {
    let read = |mut file: File| {
        file.rewind()?;
        Ok(lines::of_file(BufReader::new(file)))
    };
    files.into_iter().map(read).collect()
}

/// Away from the threads that answer, and behind them.
async fn behind<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    background::run(work).await?
}
