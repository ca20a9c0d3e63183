//! A store that forgets all when it is dropped: for the demo and for tests.
//! It keeps the whole promise but the one about crashes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::domain::number::Number;
use crate::store::embedded::past::{KEPT_BYTES_MAX, Pasts};
use crate::store::embedded::plan::{Counters, plan};
use crate::store::embedded::walk::Walk;
use crate::store::embedded::{Lookup, Pair, Space, read};
use crate::store::{AuditLine, Changeset, Cursor, Everything, Extent, Key, Listing, Page, Piece};
use crate::store::{Receipt, Record, Store, StoreError, Versioned};

#[derive(Debug)]
pub struct MemoryStore {
    state: Arc<Shared>,
    log_size: watch::Sender<u64>,
}

#[derive(Debug)]
struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    counters: Counters,
    pasts: Pasts,
}

#[derive(Debug)]
struct MemoryEverything {
    state: Arc<Shared>,
    walk: Walk,
}

impl MemoryStore {
    pub fn new() -> Self {
        let pasts = Pasts::new(KEPT_BYTES_MAX);
        let state = State { pairs: BTreeMap::new(), counters: Counters::new(), pasts };
        Self { state: Arc::new(Shared(Mutex::new(state))), log_size: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Shared {
    /// A plan is applied by insertions and removals, which do not panic, so
    /// that a poisoned state is whole all the same.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        read::get(&self.state().pairs, key)
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        read::list(&self.state().pairs, listing, after, limit)
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let state = self.state();
        read::log(&state.pairs, after, limit, state.counters.log_size)
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.log_size.subscribe()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        let state = self.state();
        read::newest_entry(&state.pairs, number, state.counters.log_size)
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        let state = self.state();
        read::audit(&state.pairs, after, limit, state.counters.audit_size)
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        let mut state = self.state();
        let walk = Walk::new(state.pasts.open()?, &state.counters);
        Ok(Box::new(MemoryEverything { state: Arc::clone(&self.state), walk }))
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        let mut state = self.state();
        let state = &mut *state;
        let plan = plan(&state.pairs, &state.counters, &changeset)?;
        state.pasts.keep(&state.pairs, &plan.writes)?;
        for (key, value) in plan.writes {
            match value {
                Some(value) => state.pairs.insert(key, value),
                None => state.pairs.remove(&key),
            };
        }
        state.counters = plan.counters;
        let size = state.counters.log_size;
        self.log_size.send_if_modified(|known| std::mem::replace(known, size) != size);
        Ok(plan.receipt)
    }
}

#[async_trait]
impl Everything for MemoryEverything {
    fn extent(&self) -> &Extent {
        self.walk.extent()
    }

    async fn next(&mut self) -> Result<Vec<Piece>, StoreError> {
        self.walk.next(&self.state.lock().pairs)
    }
}

impl Lookup for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }
}

impl Space for BTreeMap<Vec<u8>, Vec<u8>> {
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let found = self.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)));
        Ok(found.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
