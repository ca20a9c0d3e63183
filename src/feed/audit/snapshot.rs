//! The newest snapshot: signed, whole in all its forms, and the fold of the
//! log at its size.

use std::path::Path;

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::feed::audit::entries::Fold;
use crate::feed::audit::tiles::Leaves;
use crate::feed::audit::{AuditError, SnapshotReport};
use crate::feed::merkle::leaf_hash;
use crate::feed::mirror::{Log, Progress, SnapshotSum, SourceError};

/// `fold` is that of the log at the snapshot's size.
pub async fn check(
    log: &Log,
    sum: &SnapshotSum,
    signed: &Leaves,
    fold: &Fold,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<SnapshotReport, AuditError> {
    let wrong = |why: String| AuditError::SnapshotWrong { size: sum.size, why };
    if signed.tree(sum.size)?.root() != sum.root {
        return Err(wrong("its root is not that of the log".to_owned()));
    }
    for (form, digest) in &sum.digests {
        if digest_of(log, sum, form).await? != *digest {
            return Err(wrong(format!("the bytes of its form {form} are not those that were signed")));
        }
    }
    let snapshot = sum.download(log, scratch, progress).await?;
    let lines = snapshot.lines();
    let lines = lines.map_err(|source| AuditError::Scratch { path: scratch.to_owned(), source })?;
    let mut known = 0;
    for line in lines {
        let line = line?;
        let (seq, number) = (line.seq, line.entry.number);
        if leaf_hash(&line.leaf) != signed.hash(seq)? {
            return Err(wrong(format!("the correction of entry {seq} is not in the log")));
        }
        match fold.newest.get(&number) {
            Some(newest) if newest.seq != seq || newest.withdrawn => {
                return Err(wrong(format!("entry {seq} is not in force, entry {} is newer", newest.seq)));
            }
            Some(_) => known += 1,
            None if seq < fold.first => {}
            None => return Err(wrong(format!("entry {seq} is of another number"))),
        }
    }
    let in_force = fold.newest.values().filter(|newest| !newest.withdrawn).count();
    if known != in_force {
        return Err(wrong(format!("{in_force} corrections are in force, and it has {known} of them")));
    }
    Ok(SnapshotReport { size: sum.size, count: sum.count, forms: sum.digests.keys().cloned().collect() })
}

async fn digest_of(log: &Log, sum: &SnapshotSum, form: &str) -> Result<String, SourceError> {
    let path = sum.path(form);
    let mut pieces = log.source.stream(&path, 0).await?;
    let (mut sha256, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        if bytes > sum.bytes_max() {
            return Err(SourceError::Strange { path, why: "it is too long".to_owned() });
        }
        sha256.update(&piece);
    }
    Ok(hex(&sha256.finalize()))
}
