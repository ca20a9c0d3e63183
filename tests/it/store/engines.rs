//! The engines that keep the promise. Another joins with a function here and
//! its name in the two suites (`contract`, `listings`).

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use zhengming::store::Store;
use zhengming::store::memory::MemoryStore;
use zhengming::store::postgres::{PostgresOptions, PostgresStore};
use zhengming::store::sled::{SledOptions, SledStore};

/// An empty store, and what has to outlive it.
#[derive(Debug)]
pub struct Engine {
    pub store: Arc<dyn Store>,
    _dir: Option<TempDir>,
}

impl Deref for Engine {
    type Target = Arc<dyn Store>;

    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

pub async fn memory() -> Engine {
    Engine { store: Arc::new(MemoryStore::new()), _dir: None }
}

pub async fn sled() -> Engine {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(&sled_options(&dir)).unwrap();
    Engine { store: Arc::new(store), _dir: Some(dir) }
}

/// A new database of the one server that all tests share.
pub async fn postgres() -> Engine {
    let url = crate::support::postgres::new_database().await;
    let store = PostgresStore::open(&postgres_options(&url)).await.unwrap();
    Engine { store: Arc::new(store), _dir: None }
}

pub fn postgres_options(url: &str) -> PostgresOptions {
    PostgresOptions { connections_max: 6, look_every: Duration::from_millis(20), ..PostgresOptions::new(url) }
}

pub fn sled_options(dir: &TempDir) -> SledOptions {
    SledOptions { disk_free_bytes_min: 0, ..SledOptions::new(dir.path().join("db"), dir.path().join("mark")) }
}

/// Runs each case, an async function of an `Arc<dyn Store>`, on each engine.
macro_rules! on_each_engine {
    ([$($engine:ident)*] $cases:tt) => {
        $(on_each_engine!(@one $engine $cases);)*
    };
    (@one $engine:ident [$($case:ident)*]) => {
        mod $engine {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let engine = crate::store::engines::$engine().await;
                super::$case(std::sync::Arc::clone(&engine)).await;
            })*
        }
    };
}
pub(crate) use on_each_engine;
