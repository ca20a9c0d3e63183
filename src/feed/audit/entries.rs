//! All entries that are still kept: each is the leaf that was signed for, is
//! written as entries are, and names the one that it supersedes.

use std::collections::HashMap;
use std::path::Path;

use futures_util::{StreamExt, stream};

use crate::domain::correction::Entry;
use crate::domain::number::Number;
use crate::feed::audit::tiles::Leaves;
use crate::feed::audit::{AuditError, EntriesReport, snapshot};
use crate::feed::merkle::leaf_hash;
use crate::feed::mirror::{Log, Phase, Progress, SnapshotSum, SourceError, leaves, strict, width};
use crate::feed::tiles::TILE_WIDTH;

const BUNDLES_AHEAD: usize = 8;

/// What entries say of their numbers, as far as they were read.
#[derive(Debug, Default)]
pub struct Fold {
    /// What comes before is not known.
    pub first: u64,
    pub newest: HashMap<Number, Newest>,
}

#[derive(Debug, Clone, Copy)]
pub struct Newest {
    pub seq: u64,
    pub withdrawn: bool,
}

pub async fn check(
    log: &Log,
    signed: &Leaves,
    sum: Option<SnapshotSum>,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<EntriesReport, AuditError> {
    let size = signed.size;
    let first = first_kept(log, size).await?;
    let mut fold = Fold { first: (first * TILE_WIDTH).min(size), newest: HashMap::new() };
    let fetches = (first..size.div_ceil(TILE_WIDTH))
        .map(|nth| async move { (nth, log.bundle(nth, width(0, nth, size)).await) });
    let mut fetched = stream::iter(fetches).buffered(BUNDLES_AHEAD);
    let (mut report, mut seq) = (None, fold.first);
    while let Some((nth, bundle)) = fetched.next().await {
        let bundle = bundle?;
        let cut = || AuditError::EntryWrong { seq, why: format!("bundle {nth} is truncated or damaged") };
        for leaf in leaves(&bundle, width(0, nth, size)).ok_or_else(cut)? {
            if let Some(sum) = sum.as_ref().filter(|sum| sum.size == seq) {
                report = Some(snapshot::check(log, sum, signed, &fold, scratch, progress).await?);
            }
            if leaf_hash(leaf) != signed.hash(seq)? {
                return Err(AuditError::EntryWrong { seq, why: "it is not the one in the tree".to_owned() });
            }
            fold.take(seq, &strict(seq, leaf)?)?;
            seq += 1;
        }
        progress.at(Phase::Fetching, seq - fold.first, size - fold.first);
    }
    if let Some(sum) = sum.filter(|_| report.is_none()) {
        if sum.size != seq {
            let why = format!("entries are kept from {} up to {seq} only", fold.first);
            return Err(AuditError::SnapshotWrong { size: sum.size, why });
        }
        report = Some(snapshot::check(log, &sum, signed, &fold, scratch, progress).await?);
    }
    let numbers = fold.newest.len() as u64;
    Ok(EntriesReport { first: fold.first, checked: seq - fold.first, numbers, snapshot: report })
}

impl Fold {
    fn take(&mut self, seq: u64, entry: &Entry) -> Result<(), AuditError> {
        let newest = Newest { seq, withdrawn: entry.withdrawn };
        let before = self.newest.insert(entry.number, newest).map(|newest| newest.seq);
        // One of those that we did not see may have been the first.
        let is_beyond_us = before.is_none() && entry.supersedes.is_some_and(|earlier| earlier < self.first);
        if entry.supersedes != before && !is_beyond_us {
            let told = |seq: Option<u64>| seq.map_or("nothing".to_owned(), |seq| format!("entry {seq}"));
            let why = format!("it supersedes {}, and should {}", told(entry.supersedes), told(before));
            return Err(AuditError::EntryWrong { seq, why });
        }
        Ok(())
    }
}

/// The first bundle that is still kept: they are pruned from the beginning.
async fn first_kept(log: &Log, size: u64) -> Result<u64, SourceError> {
    let is_kept = async |nth| match log.bundle(nth, width(0, nth, size)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_gone() => Ok(false),
        Err(error) => Err(error),
    };
    // Usually nothing was: one look saves the others.
    if size == 0 || is_kept(0).await? {
        return Ok(0);
    }
    let (mut pruned, mut kept) = (0, size.div_ceil(TILE_WIDTH));
    while kept - pruned > 1 {
        let middle = pruned + (kept - pruned) / 2;
        match is_kept(middle).await? {
            true => kept = middle,
            false => pruned = middle,
        }
    }
    Ok(kept)
}
