//! What apps read: the corrections in force, in one of three forms.
//!
//! All of a step is written or nothing of it, whenever the process or the
//! machine ends; and what comes in here has been verified before.
//!
//! Absent: the network.

mod lines;
mod merge;
mod sqlite;
mod swap;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::feed::mirror::Progress;
use crate::feed::mirror::entries::Spool;
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::snapshot::Snapshot;
use crate::feed::mirror::state::{Acked, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Sqlite,
    Csv,
    Ndjson,
}

pub trait Output: fmt::Debug + Send {
    /// What the data stands for; `None` where there is none yet.
    fn state(&self) -> Option<&State>;

    /// Applies new entries in their order: the newest of a number wins, one
    /// that withdraws deletes.
    fn add(&mut self, entries: &Spool, state: State, progress: &dyn Progress) -> Result<(), MirrorError>;

    /// Puts a snapshot in the place of all that is there.
    fn replace(
        &mut self,
        snapshot: &Snapshot,
        state: State,
        progress: &dyn Progress,
    ) -> Result<(), MirrorError>;

    /// Notes what the service was told.
    fn acknowledged(&mut self, acked: Acked) -> Result<(), MirrorError>;

    /// Does what could wait until the service knew. The data stays the same.
    fn settle(&mut self) -> Result<(), MirrorError> {
        Ok(())
    }

    /// How long to leave the disk alone after a step.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Csv, Self::Ndjson];

    pub fn file_name(self) -> &'static str {
        match self {
            Self::Sqlite => "corrections.sqlite",
            Self::Csv => "corrections.csv",
            Self::Ndjson => "corrections.ndjson",
        }
    }

    /// Takes up what is in the folder, and puts in order what a crash has left.
    pub fn open(self, dir: &Path) -> Result<Box<dyn Output>, MirrorError> {
        let other =
            Self::ALL.into_iter().find(|other| *other != self && dir.join(other.file_name()).exists());
        if let Some(other) = other {
            let found = other.file_name().to_owned();
            return Err(MirrorError::OtherFormat { dir: dir.to_owned(), found });
        }
        Ok(match self {
            Self::Sqlite => Box::new(sqlite::SqliteOutput::open(dir)?),
            Self::Csv => Box::new(lines::LinesOutput::open(dir, merge::Form::Csv)?),
            Self::Ndjson => Box::new(lines::LinesOutput::open(dir, merge::Form::Ndjson)?),
        })
    }
}
