//! What both embedded engines share: one ordered key space of bytes, how
//! records lie in it, and how a changeset becomes writes to it.
//!
//! Absent: locks, threads, files. An engine gives a `Space` to read from, and
//! applies a `Plan` atomically; the rest of the promise is its own.

pub mod index;
pub mod layout;
pub mod past;
pub mod plan;
pub mod read;
pub mod walk;

use crate::store::StoreError;

pub type Pair = (Vec<u8>, Vec<u8>);

/// A map from bytes to bytes, to read from.
pub trait Lookup {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
}

/// The same in order.
pub trait Space: Lookup {
    /// At most `limit` pairs with `from <= key < to`, ascending.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;
}
