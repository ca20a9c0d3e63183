//! What was published and never changes, kept in memory as it is sent: pages,
//! tiles, bundles, and the roots of past sizes.
//!
//! All providers ask for the same few at about the same time. Nothing here
//! decides who may have what: whoever takes something out has been through the
//! same checks as if it were read anew.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::feed::FeedError;
use crate::feed::bundles::Coding;
use crate::feed::merkle::Hash;
use crate::feed::render::PageForm;
use crate::feed::tiles::TilePlace;

/// For bodies; what is used least makes room.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Beside the bytes of what is kept.
const COST_BYTES: u64 = 128;
/// Only a guess, for the first allocation.
const BODIES: usize = 64;
const ROOTS_MAX: usize = 4_096;

/// Bytes as they are sent, with their SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub bytes: Bytes,
    pub digest: Hash,
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { digest: Sha256::digest(&bytes).into(), bytes: bytes.into() }
    }
}

/// What a body is. Of one log there is one body for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Page { first: u64, next: u64, form: PageForm },
    Tile { level: u32, place: TilePlace },
    Bundle { place: TilePlace, coding: Option<Coding> },
}

pub struct Kept {
    bodies: Cache<What, Body, ByBytes>,
    roots: Cache<u64, Hash>,
}

/// What is kept weighs as many bytes as it has.
#[derive(Debug, Clone)]
pub struct ByBytes;

impl<K, V: AsRef<[u8]>> Weighter<K, V> for ByBytes {
    fn weight(&self, _: &K, kept: &V) -> u64 {
        kept.as_ref().len() as u64 + COST_BYTES
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self { bodies: Cache::with_weighter(BODIES, KEPT_BYTES_MAX, ByBytes), roots: Cache::new(ROOTS_MAX) }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("bodies", &self.bodies.len()).finish_non_exhaustive()
    }
}

impl Kept {
    /// Made once, however many ask for it meanwhile.
    pub async fn body(
        &self,
        what: What,
        make: impl Future<Output = Result<Vec<u8>, FeedError>>,
    ) -> Result<Body, FeedError> {
        self.bodies.get_or_insert_async(&what, async { make.await.map(Body::from) }).await
    }

    /// The root at a past size.
    pub fn root(&self, size: u64, make: impl FnOnce() -> Result<Hash, FeedError>) -> Result<Hash, FeedError> {
        self.roots.get_or_insert_with(&size, make)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_is_asked_for_by_many_is_made_once() {
        let (kept, made) = (Kept::default(), Cell::new(0));
        let what = What::Tile { level: 0, place: TilePlace::full(7) };
        let make = || async {
            made.set(made.get() + 1);
            Ok(b"a tile".to_vec())
        };
        for _ in 0..3 {
            assert_eq!(kept.body(what, make()).await.unwrap(), Body::from(b"a tile".to_vec()));
        }
        assert_eq!(made.get(), 1);
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let kept = Kept::default();
        let what = What::Bundle { place: TilePlace::full(7), coding: None };
        let fails = async { Err(FeedError::Files("a test".into())) };
        assert!(kept.body(what, fails).await.is_err());
        assert!(kept.body(what, async { Ok(Vec::new()) }).await.is_ok());
    }

    #[tokio::test]
    async fn memory_has_an_end() {
        let kept = Kept::default();
        for first in 0..200 {
            let what = What::Page { first, next: first, form: PageForm::Json };
            kept.body(what, async { Ok(vec![0; 1 << 20]) }).await.unwrap();
        }
        assert!(kept.bodies.weight() <= KEPT_BYTES_MAX);
    }
}
