//! A bounded home for the buckets of a rate.
//!
//! An attacker can invent keys without end, and memory has one. Known callers
//! keep their own bucket; when the map is full, newcomers share a single one,
//! so that the flood competes with itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

#[derive(Debug)]
pub(super) struct BoundedStore<K> {
    keys_max: usize,
    buckets: Mutex<Buckets<K>>,
}

/// For each caller, when its bucket will be full again.
#[derive(Debug)]
struct Buckets<K> {
    own: HashMap<K, Nanos>,
    shared: Option<Nanos>,
}

impl<K> BoundedStore<K> {
    pub(super) fn new(keys_max: usize) -> Self {
        Self { keys_max, buckets: Mutex::new(Buckets { own: HashMap::new(), shared: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, Buckets<K>> {
        // A panic cannot leave a number half written.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for BoundedStore<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut buckets = self.lock();
        if let Some(bucket) = buckets.own.get_mut(key) {
            let (outcome, next) = measure(Some(*bucket))?;
            *bucket = next;
            return Ok(outcome);
        }
        if buckets.own.len() < self.keys_max {
            let (outcome, next) = measure(None)?;
            buckets.own.insert(key.clone(), next);
            return Ok(outcome);
        }
        let (outcome, next) = measure(buckets.shared)?;
        buckets.shared = Some(next);
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for BoundedStore<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().own.retain(|_, full_at| *full_at > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.lock().own.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.lock().own.len()
    }

    fn is_empty(&self) -> bool {
        self.lock().own.is_empty()
    }
}
