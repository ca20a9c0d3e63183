//! What a key space held at one moment, read while it is being changed.
//!
//! There are no snapshots here, so the writer hands over what it is about to
//! replace: before it applies a plan, it keeps for each reader the values of
//! those changed keys that the reader has not come to yet. The reader takes a
//! page as it is by then, and puts the kept values in their places.
//!
//! Why that is the moment's state, whatever the two do in which order: a key
//! is kept before it is changed, and the reader looks at what is kept after it
//! has scanned. So a change that the scan may have seen has been kept by then.
//! A key is passed only after its page was scanned, so that what is no longer
//! kept is no longer needed.
//!
//! Log entries and audit lines are not kept: they only come, and their numbers
//! tell which have come since.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::store::StoreError;
use crate::store::embedded::{Pair, Space, layout};

/// What is kept for one reader, in keys and values. A reader that falls so far
/// behind the writers has lapsed.
pub const KEPT_BYTES_MAX: usize = 128 << 20;
/// How many may read at once.
const READERS_MAX: usize = 2;
/// Of a kept key, beside its bytes.
const KEY_COST_BYTES: usize = 64;

/// After every key: no kind has this byte.
const END: &[u8] = &[0xff];

/// The writer's side: who reads at the moment.
#[derive(Debug)]
pub struct Pasts {
    readers: Vec<Weak<Past>>,
    kept_bytes_max: usize,
}

/// One reader's side.
#[derive(Debug)]
pub struct Past {
    kept_bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Where the reader goes on.
    from: Vec<u8>,
    /// As it was at the moment; `None`: it was not there.
    values: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    has_lapsed: bool,
}

impl Pasts {
    pub fn new(kept_bytes_max: usize) -> Self {
        Self { readers: Vec::new(), kept_bytes_max }
    }

    /// The moment is now: nobody may be applying a plan.
    pub fn open(&mut self) -> Result<Arc<Past>, StoreError> {
        self.readers.retain(|reader| reader.strong_count() > 0);
        if self.readers.len() >= READERS_MAX {
            return Err(StoreError::Lapsed("others are reading all of it already"));
        }
        let kept = Kept {
            // The counters are not among what is read.
            from: layout::just_after(layout::COUNTERS),
            values: BTreeMap::new(),
            bytes: 0,
            has_lapsed: false,
        };
        let past = Arc::new(Past { kept_bytes_max: self.kept_bytes_max, kept: Mutex::new(kept) });
        self.readers.push(Arc::downgrade(&past));
        Ok(past)
    }

    /// To be called before these writes are applied.
    pub fn keep<V>(&mut self, space: &impl Space, writes: &BTreeMap<Vec<u8>, V>) -> Result<(), StoreError> {
        for reader in &self.readers {
            if let Some(past) = reader.upgrade() {
                past.keep(space, writes.keys())?;
            }
        }
        Ok(())
    }
}

impl Past {
    /// The next pairs, at most `limit` and those that are gone meanwhile;
    /// `None` after the last.
    pub fn page(&self, space: &impl Space, limit: usize) -> Result<Option<Vec<Pair>>, StoreError> {
        let from = self.kept().from.clone();
        if from == END {
            return Ok(None);
        }
        let found = space.scan(&from, END, limit)?;
        let mut kept = self.kept();
        if kept.has_lapsed {
            return Err(StoreError::Lapsed("too much was written meanwhile"));
        }
        let last = found.last().filter(|_| found.len() == limit);
        let from = last.map_or(END.to_vec(), |(key, _)| layout::just_after(key));
        let still_to_come = kept.values.split_off(&from);
        kept.from = from;
        let past = std::mem::replace(&mut kept.values, still_to_come);
        let mut pairs: BTreeMap<_, _> = found.into_iter().collect();
        for (key, value) in past {
            kept.bytes -= cost(&key, value.as_deref());
            match value {
                Some(value) => pairs.insert(key, value),
                None => pairs.remove(&key),
            };
        }
        Ok(Some(pairs.into_iter().collect()))
    }

    fn keep<'a>(
        &self,
        space: &impl Space,
        keys: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut kept = self.kept();
        for key in keys {
            let is_needed = !kept.has_lapsed && *key >= kept.from && !layout::is_only_appended(key);
            if !is_needed || kept.values.contains_key(key) {
                continue;
            }
            let value = space.get(key)?;
            kept.bytes += cost(key, value.as_deref());
            kept.values.insert(key.clone(), value);
            if kept.bytes > self.kept_bytes_max {
                kept.has_lapsed = true;
                kept.values = BTreeMap::new();
            }
        }
        Ok(())
    }

    /// Between its fields nothing panics.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(key: &[u8], value: Option<&[u8]>) -> usize {
    KEY_COST_BYTES + key.len() + value.map_or(0, <[u8]>::len)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;
    type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

    fn key(nth: u8) -> Vec<u8> {
        vec![1, nth]
    }

    fn space() -> Pairs {
        (0..20).step_by(2).map(|nth| (key(nth), vec![nth])).collect()
    }

    fn write(space: &mut Pairs, pasts: &mut Pasts, writes: Writes) {
        pasts.keep(space, &writes).unwrap();
        for (key, value) in writes {
            match value {
                Some(value) => space.insert(key, value),
                None => space.remove(&key),
            };
        }
    }

    /// Every change at every place of the reading, in pages of every size.
    #[test]
    fn what_is_read_is_what_was_there() {
        let (before, all) = (space(), 20);
        for limit in 1..12 {
            for changed_at in 0..12 {
                let (mut space, mut pasts) = (space(), Pasts::new(KEPT_BYTES_MAX));
                let past = pasts.open().unwrap();
                let mut read = Vec::new();
                for round in 0.. {
                    if round == changed_at {
                        let other = |nth: u8| (nth > 6).then(|| vec![nth, nth]);
                        write(&mut space, &mut pasts, (0..all).map(|nth| (key(nth), other(nth))).collect());
                        write(&mut space, &mut pasts, (5..9).map(|nth| (key(nth), None)).collect());
                    }
                    let Some(page) = past.page(&space, limit).unwrap() else { break };
                    read.extend(page);
                }
                assert!(read.iter().cloned().eq(before.clone()), "{limit} {changed_at}: {read:?}");
                assert_eq!(past.kept().bytes, 0, "nothing is kept without need");
            }
        }
    }

    #[test]
    fn a_reader_far_behind_lapses_and_costs_no_more() {
        let (mut space, mut pasts) = (space(), Pasts::new(3 * (KEY_COST_BYTES + 3)));
        let past = pasts.open().unwrap();
        past.page(&space, 1).unwrap();
        // Of what was passed nothing is kept.
        write(&mut space, &mut pasts, [(key(0), None)].into());
        write(&mut space, &mut pasts, (2..8).map(|nth| (key(nth), None)).collect());
        assert!(matches!(past.page(&space, 1), Err(StoreError::Lapsed(_))));
        assert!(past.kept().values.is_empty());
        // There is room for others once it is gone.
        let _second = pasts.open().unwrap();
        assert!(matches!(pasts.open(), Err(StoreError::Lapsed(_))));
        drop(past);
        pasts.open().unwrap();
    }
}
