//! How much of something one caller may have at the same time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use http::header::RETRY_AFTER;
use prometheus_client::metrics::counter::Counter;

use super::{RATELIMIT, RATELIMIT_POLICY};
use crate::env::metrics::{Counters, is};
use crate::http::problem::{Code, Problem};

/// Nobody knows when a place becomes free; not at once.
const RETRY_S: u32 = 15;

#[derive(Debug)]
pub struct Places<K: Hash + Eq> {
    name: &'static str,
    places_max: u32,
    taken: Taken<K>,
    refused: Counter,
}

/// Free again when it is dropped.
pub struct Place<K: Hash + Eq> {
    of: K,
    taken: Taken<K>,
}

/// Only callers that have one are in it.
type Taken<K> = Arc<Mutex<HashMap<K, u32>>>;

impl<K: Hash + Eq + Clone> Places<K> {
    pub fn new(name: &'static str, places_max: u32) -> Self {
        Self { name, places_max, taken: Taken::default(), refused: Counter::default() }
    }

    pub(super) fn counting(self, refusals: &Counters<1>) -> Self {
        let refused = refusals.get_or_create_owned(&[is("limit", self.name)]);
        Self { refused, ..self }
    }

    pub fn take(&self, key: &K) -> Result<Place<K>, Problem> {
        let mut taken = lock(&self.taken);
        let count = taken.get(key).copied().unwrap_or_default();
        if count >= self.places_max {
            self.refused.inc();
            return Err(self.refusal());
        }
        taken.insert(key.clone(), count + 1);
        Ok(Place { of: key.clone(), taken: self.taken.clone() })
    }

    fn refusal(&self) -> Problem {
        let Self { name, places_max, .. } = self;
        let detail = format!("at most {places_max} at a time; end one first");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TOO_MANY_REQUESTS, detail)
            .header(RATELIMIT_POLICY, format!("\"{name}\";q={places_max};qu=\"concurrent-requests\""))
            .header(RATELIMIT, format!("\"{name}\";r=0;t={RETRY_S}"))
            .header(RETRY_AFTER, RETRY_S.to_string())
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        match taken.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.of);
            }
        }
    }
}

impl<K: Hash + Eq> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

fn lock<K>(taken: &Mutex<HashMap<K, u32>>) -> MutexGuard<'_, HashMap<K, u32>> {
    // A panic cannot leave a number half written.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new("events", 2);
        let (first, _second, _other) =
            (places.take(&1).unwrap(), places.take(&1).unwrap(), places.take(&2).unwrap());
        let refused = places.take(&1).unwrap_err().into_response();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()[RETRY_AFTER], "15");
        assert_eq!(refused.headers()[RATELIMIT_POLICY], "\"events\";q=2;qu=\"concurrent-requests\"");
        assert_eq!(refused.headers()[RATELIMIT], "\"events\";r=0;t=15");
        drop(first);
        let third = places.take(&1).unwrap();
        assert!(places.take(&1).is_err());
        drop((third, _second));
        assert_eq!(lock(&places.taken).len(), 1, "who has none is forgotten");
    }
}
