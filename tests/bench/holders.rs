//! Stores in which holders have proved control, so that all that is left to do
//! is to file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use zhengming::store::postgres::{PostgresOptions, PostgresStore};
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{Changeset, Store};

use crate::fill::{Filled, empty_on};
use crate::program::SLED;

const CALLERS: usize = 64;

/// The program on a new store, once these are in it.
pub fn program(runtime: &Runtime, preparations: &[Changeset], store: &str) -> Filled {
    let made = empty_on(store);
    if store == SLED {
        drop(prepared_store(runtime, preparations, &made.folder.path().join("data")));
    } else {
        runtime.block_on(async {
            let store = PostgresStore::open(&PostgresOptions::new(store)).await.expect("it is empty");
            commit_all(&(Arc::new(store) as Arc<dyn Store>), preparations.to_vec()).await;
        });
    }
    made
}

pub fn prepared_store(runtime: &Runtime, preparations: &[Changeset], dir: &Path) -> Arc<dyn Store> {
    let options = SledOptions::new(dir.join("db"), dir.join("high-water-mark"));
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options).expect("a new store"));
    runtime.block_on(commit_all(&store, preparations.to_vec()));
    store
}

pub async fn commit_all(store: &Arc<dyn Store>, changesets: Vec<Changeset>) {
    let changesets = Arc::new(Mutex::new(changesets.into_iter()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, changesets) = (store.clone(), changesets.clone());
        callers.spawn(async move {
            let next = || changesets.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(changeset) = next() {
                store.commit(changeset).await.expect("each changeset is committed once");
            }
        });
    }
    callers.join_all().await;
}
