//! `corrections.csv` and `corrections.ndjson`: files of lines, ascending by
//! number, for who loads them whole. A step writes the file anew beside its
//! place and swaps it in, so that a reader has the old one or the new one.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::feed::mirror::entries::{Spool, strict};
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::output::merge::{Change, Form, Unmerged};
use crate::feed::mirror::output::swap::{Digesting, Kept, Swap};
use crate::feed::mirror::output::{Format, Output};
use crate::feed::mirror::snapshot::Snapshot;
use crate::feed::mirror::state::{Acked, State};
use crate::feed::mirror::{Phase, Progress};

const PROGRESS_EVERY: u64 = 10_000;
/// A file is written whole for every step: at this rate on average, so that a
/// large one does not keep a disk busy all the time.
const BYTES_PER_S: u64 = 20_000_000;
const REST_S_MAX: u64 = 300;

#[derive(Debug)]
pub struct LinesOutput {
    form: Form,
    swap: Swap,
}

impl LinesOutput {
    pub fn open(dir: &Path, form: Form) -> Result<Self, MirrorError> {
        let format = match form {
            Form::Csv => Format::Csv,
            Form::Ndjson => Format::Ndjson,
        };
        Ok(Self { form, swap: Swap::open(dir, format.file_name())? })
    }

    /// What is there, if it stands for anything; else the same as of nothing.
    fn old(&self) -> Result<Box<dyn Read>, MirrorError> {
        Ok(match self.swap.kept() {
            Some(_) => Box::new(File::open(self.swap.data()).map_err(|error| self.swap.failed(&error))?),
            None => Box::new(Cursor::new(self.form.header())),
        })
    }

    fn damaged(&self) -> MirrorError {
        MirrorError::Damaged { path: self.swap.data() }
    }
}

impl Output for LinesOutput {
    fn state(&self) -> Option<&State> {
        self.swap.kept().map(|kept| &kept.state)
    }

    fn add(&mut self, entries: &Spool, state: State, progress: &dyn Progress) -> Result<(), MirrorError> {
        let newest = newest_by_number(entries, &self.swap)?;
        let count = newest.len() as u64;
        let changes = (1..).zip(newest).map(|(done, place)| {
            if done % PROGRESS_EVERY == 0 {
                progress.at(Phase::Applying, done, count);
            }
            let leaf = entries.leaf(place.at).map_err(|error| self.swap.failed(&error))?;
            let entry = strict(place.seq, &leaf)?;
            let line = (!entry.withdrawn).then(|| self.form.line(place.seq, &leaf, entry));
            Ok(Change { number: place.number, line })
        });
        let mut old = Digesting::new(self.old()?);
        let mut next = self.swap.next()?;
        let merged = self.form.merge(BufReader::new(&mut old), changes, |line| next.write_all(line));
        merged.map_err(|unmerged| match unmerged {
            Unmerged::Damaged => self.damaged(),
            Unmerged::Reading(error) | Unmerged::Writing(error) => self.swap.failed(&error),
            Unmerged::Change(error) => error,
        })?;
        // Somebody may have written into it since it was last looked at.
        if self.swap.kept().is_some_and(|kept: &Kept| kept.data != old.digested()) {
            return Err(self.damaged());
        }
        self.swap.put(next, state)
    }

    fn replace(
        &mut self,
        snapshot: &Snapshot,
        state: State,
        progress: &dyn Progress,
    ) -> Result<(), MirrorError> {
        let mut next = self.swap.next()?;
        next.write_all(&self.form.header()).map_err(|error| self.swap.failed(&error))?;
        let lines = snapshot.lines().map_err(|error| self.swap.failed(&error))?;
        for (done, line) in (1..).zip(lines) {
            let line = line?;
            let line = match self.form {
                Form::Ndjson => line.line,
                Form::Csv => self.form.line(line.seq, &line.leaf, line.entry),
            };
            next.write_all(&line).map_err(|error| self.swap.failed(&error))?;
            if done % PROGRESS_EVERY == 0 {
                progress.at(Phase::Applying, done, snapshot.sum.count);
            }
        }
        self.swap.put(next, state)
    }

    fn acknowledged(&mut self, acked: Acked) -> Result<(), MirrorError> {
        let Some(kept) = self.swap.kept() else { return Ok(()) };
        let state = State { acked: Some(acked), ..kept.state.clone() };
        self.swap.put_state(state)
    }

    fn rest(&self) -> Duration {
        let bytes = self.swap.kept().map_or(0, |kept| kept.data.bytes);
        Duration::from_secs((bytes / BYTES_PER_S).min(REST_S_MAX))
    }
}

/// Where the newest entry of a number lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    seq: u64,
    at: u64,
}

/// Ascending by number. The entries themselves stay on disk.
fn newest_by_number(entries: &Spool, swap: &Swap) -> Result<Vec<Place>, MirrorError> {
    let mut places = Vec::with_capacity(entries.len() as usize);
    for spooled in entries.entries() {
        let spooled = spooled.map_err(|error| swap.failed(&error))?;
        let number = strict(spooled.seq, &spooled.leaf)?.number.digits();
        places.push(Place { number, seq: spooled.seq, at: spooled.at });
    }
    // The newest first among those of one number, for that one is kept.
    places.sort_unstable_by_key(|place| (place.number, std::cmp::Reverse(place.seq)));
    places.dedup_by_key(|place| place.number);
    Ok(places)
}
