//! One round: from what one has to what the checkpoint says.
//!
//! Absent: when the next one is due (`follow`).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::progress::Stage;
use crate::feed::merkle::Frontier;
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::log::{Log, Signed};
use crate::feed::mirror::output::Format;
use crate::feed::mirror::place::Place;
use crate::feed::mirror::snapshot::SnapshotSum;
use crate::feed::mirror::source::{Source, SourceError};
use crate::feed::mirror::state::{Acked, State};
use crate::feed::mirror::tiles::Tiles;
use crate::feed::mirror::{Progress, entries};
use crate::feed::note::NoteVerifier;

#[derive(Debug, Clone)]
pub struct Options {
    pub verifier: NoteVerifier,
    pub dir: PathBuf,
    pub format: Format,
    /// What is acknowledged once a round is in the file.
    pub stage: Stage,
    /// A longer way is taken in steps, each of which is kept for good; a
    /// snapshot is worth a look.
    pub step_entries_max: u64,
}

impl Options {
    pub const STEP_ENTRIES_MAX: u64 = 1_000_000;
}

pub struct Mirror {
    log: Log,
    place: Place,
    stage: Stage,
    step_entries_max: u64,
    progress: Arc<dyn Progress>,
}

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// How many entries the file now comes from.
    pub size: u64,
    /// How many of them are new.
    pub new: u64,
    /// The service knows. If not, the next round tells it.
    pub is_acknowledged: bool,
    /// How long to leave the disk alone.
    pub rest: Duration,
}

impl Mirror {
    pub fn new(
        source: Arc<dyn Source>,
        options: Options,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, MirrorError> {
        let Options { verifier, dir, format, stage, step_entries_max } = options;
        let place = Place::take(&dir, format, verifier.to_string())?;
        Ok(Self { log: Log { source, verifier }, place, stage, step_entries_max, progress })
    }

    /// How many entries the file comes from.
    pub async fn size(&self) -> Result<u64, MirrorError> {
        Ok(self.state().await?.map_or(0, |state| state.tree.size()))
    }

    /// Returns once there may be more than `after` entries, or after a while.
    pub async fn news(&self, after: u64) -> Result<(), SourceError> {
        self.log.news(after).await
    }

    /// Takes in everything there is. After an error the file is that of the
    /// last step that was right.
    pub async fn catch_up(&self) -> Result<Round, MirrorError> {
        match self.round().await {
            // It has been put out of the way, and there is nothing to wait for.
            Err(error @ MirrorError::Damaged { .. }) => {
                tracing::warn!(%error, "starting over");
                self.round().await
            }
            done => done,
        }
    }

    /// After a round: does what could wait until the service knew. Who never
    /// calls it has the same data, and new entries cost more and more.
    pub async fn settle(&self) -> Result<(), MirrorError> {
        self.place.with(|output| output.settle()).await
    }

    async fn round(&self) -> Result<Round, MirrorError> {
        let mut state = self.state().await?;
        let before = state.as_ref().map_or(0, |state| state.tree.size());
        let mut signed = self.log.checkpoint().await?;
        let state = loop {
            match state {
                Some(state) if self.is_there(&state, &signed)? => break state,
                behind => state = Some(self.step(behind, &mut signed).await?),
            }
        };
        let size = state.tree.size();
        let is_acknowledged = self.acknowledge(state).await?;
        let rest = self.place.with(|output| Ok(output.rest())).await?;
        Ok(Round { size, new: size - before, is_acknowledged, rest })
    }

    fn is_there(&self, state: &State, signed: &Signed) -> Result<bool, MirrorError> {
        let (have, size) = (state.tree.size(), signed.checkpoint.size);
        if have > size {
            return Err(MirrorError::Shrunken { have, size });
        }
        if have == size && state.tree.root() != signed.checkpoint.root {
            return Err(self.forked(state, signed));
        }
        Ok(have == size)
    }

    /// Goes on by one step, and returns what the file then stands for.
    async fn step(&self, from: Option<State>, signed: &mut Signed) -> Result<State, MirrorError> {
        let have = from.as_ref().map_or(0, |state| state.tree.size());
        let missing = signed.checkpoint.size - have;
        if missing > self.step_entries_max
            && let Some(sum) = self.shortcut(have).await?
        {
            return self.take_snapshot(&sum, from.as_ref(), signed).await;
        }
        let end = have + missing.min(self.step_entries_max);
        match self.take_entries(from.as_ref(), end, signed).await {
            Err(error) if error.is_expired() => {
                let sum = SnapshotSum::newest(&self.log).await?;
                if sum.size <= have {
                    return Err(MirrorError::SnapshotOld { have, size: sum.size });
                }
                self.take_snapshot(&sum, from.as_ref(), signed).await
            }
            done => done,
        }
    }

    async fn take_entries(
        &self,
        from: Option<&State>,
        end: u64,
        signed: &Signed,
    ) -> Result<State, MirrorError> {
        let checkpoint = &signed.checkpoint;
        let have = from.map(|state| state.tree.clone()).unwrap_or_default();
        let root = match end == checkpoint.size {
            true => checkpoint.root,
            false => Tiles::of(&self.log, checkpoint).beginning(end).await?.root(),
        };
        let spool = entries::fetch(&self.log, &have, end, self.place.dir(), self.progress.as_ref()).await?;
        if spool.tree().root() != root {
            return Err(self.why_not(from, &have, end, signed).await);
        }
        let state = self.state_with(spool.tree().clone(), from, signed);
        let (written, progress) = (state.clone(), self.progress.clone());
        self.place.with(move |output| output.add(&spool, written, progress.as_ref())).await?;
        Ok(state)
    }

    /// What one has and what came do not give the signed root together: one of
    /// the two is not the log's, and its tiles tell which.
    async fn why_not(&self, from: Option<&State>, have: &Frontier, end: u64, signed: &Signed) -> MirrorError {
        match Tiles::of(&self.log, &signed.checkpoint).beginning(have.size()).await {
            Err(error) => error,
            Ok(tree) => match from {
                Some(state) if tree != *have => self.forked(state, signed),
                _ => {
                    let why = "their hashes do not add up to its root".to_owned();
                    MirrorError::EntriesWrong { first: have.size(), end, why }
                }
            },
        }
    }

    /// A snapshot, where it has no more corrections than entries are saved.
    async fn shortcut(&self, have: u64) -> Result<Option<SnapshotSum>, MirrorError> {
        match SnapshotSum::newest(&self.log).await {
            Ok(sum) => Ok(Some(sum).filter(|sum| sum.size > have && sum.count <= sum.size - have)),
            // The entries are there all the same.
            Err(MirrorError::Source(SourceError::Refused { .. } | SourceError::Busy { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn take_snapshot(
        &self,
        sum: &SnapshotSum,
        from: Option<&State>,
        signed: &mut Signed,
    ) -> Result<State, MirrorError> {
        if sum.size > signed.checkpoint.size {
            // Made a moment ago.
            *signed = self.log.checkpoint().await?;
        }
        if sum.size > signed.checkpoint.size {
            return Err(sum.wrong("no checkpoint signs for as many entries"));
        }
        let mut tiles = Tiles::of(&self.log, &signed.checkpoint);
        if let Some(state) = from
            && tiles.beginning(state.tree.size()).await? != state.tree
        {
            return Err(self.forked(state, signed));
        }
        let tree = tiles.beginning(sum.size).await?;
        if tree.root() != sum.root {
            return Err(sum.wrong("its root is not that of the log"));
        }
        let snapshot = sum.download(&self.log, self.place.dir(), self.progress.as_ref()).await?;
        let state = self.state_with(tree, from, signed);
        let (written, progress) = (state.clone(), self.progress.clone());
        self.place.with(move |output| output.replace(&snapshot, written, progress.as_ref())).await?;
        Ok(state)
    }

    /// Returns whether the service knows how far we are. That it does not is
    /// no reason to do anything about the file.
    async fn acknowledge(&self, state: State) -> Result<bool, MirrorError> {
        let acked = Acked { size: state.tree.size(), stage: self.stage };
        if acked.size == 0 || state.acked.as_ref() == Some(&acked) {
            return Ok(true);
        }
        match self.log.acknowledge(acked.size, &state.tree.root(), acked.stage).await {
            Ok(()) => {
                self.place.with(move |output| output.acknowledged(acked)).await?;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(%error, size = acked.size, "the acknowledgement did not get through");
                Ok(false)
            }
        }
    }

    async fn state(&self) -> Result<Option<State>, MirrorError> {
        self.place.with(|output| Ok(output.state().cloned())).await
    }

    fn state_with(&self, tree: Frontier, from: Option<&State>, signed: &Signed) -> State {
        State {
            verifier: self.log.verifier.to_string(),
            tree,
            checkpoint: signed.note.clone(),
            acked: from.and_then(|state| state.acked.clone()),
        }
    }

    fn forked(&self, state: &State, signed: &Signed) -> MirrorError {
        match self.place.keep_evidence(&state.checkpoint, &signed.note) {
            Ok(evidence) => MirrorError::Forked { size: state.tree.size(), evidence },
            Err(error) => error,
        }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("log", &self.log).field("place", &self.place).finish_non_exhaustive()
    }
}
