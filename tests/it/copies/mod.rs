//! A copy of a store, written and taken into another: whatever the engines
//! and wherever it is cut short, the other one is the first one's twin.

mod check;
mod damaged;
mod killed;
mod moving;
mod rewriting;
mod writing;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use zhengming::cli::Failed;
use zhengming::cli::copies::copy::Copy;
use zhengming::cli::copies::export::{Folder, Shape, write};
use zhengming::cli::copies::fill::fill;
use zhengming::cli::copies::manifest::Manifest;
use zhengming::cli::copies::source::Source;
use zhengming::feed::Feed;
use zhengming::store::{Changeset, LogHead, Store};

use crate::support::dice::Dice;
use crate::support::history::{History, random_changeset};
use crate::support::records::at;
use crate::support::service::signer;

type Any = Arc<dyn Store>;

/// So small that there are many parts.
fn small() -> Shape {
    Shape { part_bytes_max: 4_000, is_plain: false, disk_free_bytes_min: 0 }
}

fn nothing(_: &'static str, _: u64, _: u64) {}

async fn export(store: &dyn Store, dir: &Path, shape: &Shape) -> Result<Manifest, Failed> {
    let mut source = Source::of_store(store).await?;
    write(&mut source, &Folder::create(dir)?, shape, at(7), &nothing).await
}

async fn import(dir: &Path, store: &dyn Store) -> Result<(), Failed> {
    let copy = Copy::open(dir)?;
    copy.verify(&nothing)?;
    fill(&copy, store, &nothing).await
}

/// Random commits, and a log that is signed.
async fn played(store: &Any, seed: u64, commits: usize) {
    let (mut history, mut dice) = (History::default(), Dice::new(seed));
    for _ in 0..commits {
        history.play(&**store, random_changeset(&mut dice, &**store).await).await;
    }
    // By chance nobody signs as a log is signed.
    if let Some(head) = store.load::<LogHead>(&()).await.unwrap() {
        let mut changeset = Changeset::default();
        changeset.delete(&head);
        store.commit(changeset).await.unwrap();
    }
    signed(store).await;
}

/// The checkpoint under which all of its log is.
async fn signed(store: &Any) -> String {
    let dir = tempfile::tempdir().unwrap();
    let feed = Feed::open(Arc::clone(store), dir.path(), signer()).await.unwrap();
    feed.newest().note.to_string()
}

/// A copy of a random store.
async fn a_copy(seed: u64, commits: usize) -> (Any, TempDir) {
    let store: Any = Arc::new(zhengming::store::memory::MemoryStore::new());
    played(&store, seed, commits).await;
    let dir = tempfile::tempdir().unwrap();
    export(&*store, dir.path(), &small()).await.unwrap();
    (store, dir)
}
