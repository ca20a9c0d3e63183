//! Several sources as one, each of them ascending by number: of each number
//! the newest, be it a line or what is kept of one.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio_util::sync::CancellationToken;

use super::SnapshotError;
use crate::domain::number::Number;

/// Something about a number, out of an entry of the log.
pub trait Dated {
    fn number(&self) -> Number;
    fn seq(&self) -> u64;
}

/// By number, the newest first.
pub fn order(of: &impl Dated) -> (Number, Reverse<u64>) {
    (of.number(), Reverse(of.seq()))
}

pub type Source<'a, T> = Box<dyn Iterator<Item = Result<T, SnapshotError>> + Send + 'a>;

pub struct Merge<'a, T> {
    sources: Vec<Source<'a, T>>,
    heads: BinaryHeap<Reverse<Head<T>>>,
}

/// The next of a source.
struct Head<T> {
    next: T,
    source: usize,
}

impl<'a, T: Dated> Merge<'a, T> {
    pub fn new(sources: Vec<Source<'a, T>>) -> Result<Self, SnapshotError> {
        let heads = BinaryHeap::with_capacity(sources.len());
        let mut merge = Self { sources, heads };
        (0..merge.sources.len()).try_for_each(|source| merge.pull(source))?;
        Ok(merge)
    }

    fn pull(&mut self, source: usize) -> Result<(), SnapshotError> {
        if let Some(next) = self.sources[source].next() {
            self.heads.push(Reverse(Head { next: next?, source }));
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Option<T>, SnapshotError> {
        let Some(Reverse(Head { next, source })) = self.heads.pop() else { return Ok(None) };
        self.pull(source)?;
        Ok(Some(next))
    }

    fn newest(&mut self) -> Result<Option<T>, SnapshotError> {
        let Some(newest) = self.pop()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|Reverse(head)| head.next.number() == newest.number()) {
            self.pop()?;
        }
        Ok(Some(newest))
    }
}

impl<T: Dated> Iterator for Merge<'_, T> {
    type Item = Result<T, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.newest().transpose()
    }
}

impl<T: Dated> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.next).cmp(&order(&other.next))
    }
}

impl<T: Dated> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Dated> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Dated> Eq for Head<T> {}

/// How many to take between looks at whether to stop.
const ITEMS_BETWEEN_LOOKS: usize = 4_096;

/// The same, until it is to stop.
pub fn watched<T>(
    items: impl Iterator<Item = Result<T, SnapshotError>>,
    stop: &CancellationToken,
) -> impl Iterator<Item = Result<T, SnapshotError>> {
    items.enumerate().map(move |(place, item)| {
        if place.is_multiple_of(ITEMS_BETWEEN_LOOKS) {
            go_on(stop)?;
        }
        item
    })
}

pub fn go_on(stop: &CancellationToken) -> Result<(), SnapshotError> {
    if stop.is_cancelled() { Err(SnapshotError::Stopped) } else { Ok(()) }
}
