//! Random bytes: from the operating system, or from a seed for tests and the
//! demo; and the ids made of them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::env::clock::Clock;

pub trait Entropy: fmt::Debug + Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the kernel's generator answers once the machine has started");
    }
}

/// The same bytes for the same seed and order of calls: SHA-256 over the seed
/// and a counter. Predictable, therefore only for tests and the demo.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    blocks: AtomicU64,
}

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self { seed, blocks: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let digest = Sha256::new()
                .chain_update(b"zhengming seeded entropy")
                .chain_update(self.seed.to_be_bytes())
                .chain_update(block.to_be_bytes())
                .finalize();
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// A UUID of version 7 whose order is the clock's down to a quarter of a
/// microsecond: its 12 bits below the millisecond hold the fraction
/// (RFC 9562 §6.2, method 3).
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let nanos = u128::try_from(clock.now().as_nanosecond()).unwrap_or(0);
    let millis = u64::try_from(nanos / 1_000_000).expect("the year 9999 in milliseconds fits 64 bits");
    let fraction = u16::try_from((nanos % 1_000_000) * 4096 / 1_000_000).expect("it is below 4096");

    let mut tail = [0; 10];
    entropy.fill(&mut tail[2..]);
    tail[..2].copy_from_slice(&fraction.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::env::clock::MockClock;

    fn bytes(entropy: &dyn Entropy, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        entropy.fill(&mut bytes);
        bytes
    }

    #[test]
    fn one_seed_gives_one_stream_and_another_seed_another() {
        let (a, b, c) = (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        assert_eq!(bytes(&a, 100), bytes(&b, 100));
        assert_eq!(bytes(&a, 7), bytes(&b, 7));
        assert_ne!(bytes(&a, 100), bytes(&c, 100));
    }

    #[test]
    fn a_stream_does_not_repeat_itself() {
        let entropy = SeededEntropy::new(1);
        let long = bytes(&entropy, 64);
        assert_ne!(long[..32], long[32..]);
        assert_ne!(bytes(&entropy, 32), bytes(&entropy, 32));
    }

    #[test]
    fn the_system_fills_every_byte() {
        // 4,096 zero bytes left over by chance: 1 in 2^32768.
        assert_ne!(bytes(&OsEntropy, 4096), vec![0; 4096]);
        assert_ne!(bytes(&OsEntropy, 32), bytes(&OsEntropy, 32));
    }

    #[test]
    fn ids_are_of_version_7_and_carry_the_time() {
        let clock = MockClock::at("2026-11-23T03:04:05.678Z".parse().unwrap());
        let id = uuid_v7(&clock, &SeededEntropy::new(1));
        assert_eq!(id.get_version(), Some(uuid::Version::SortRand));
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let millis = id.as_u128() >> 80;
        assert_eq!(millis, clock.now().as_millisecond().unsigned_abs().into());
    }

    #[test]
    fn ids_sort_as_the_clock_runs() {
        let clock = MockClock::at("2026-11-23T03:04:05.999998Z".parse().unwrap());
        let entropy = SeededEntropy::new(1);
        let ids: Vec<Uuid> = (0..2_000)
            .map(|_| {
                clock.advance(SignedDuration::from_nanos(500));
                uuid_v7(&clock, &entropy)
            })
            .collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn ids_of_one_instant_differ_and_a_clock_before_1970_does_not_panic() {
        let clock = MockClock::at(Timestamp::UNIX_EPOCH);
        let entropy = SeededEntropy::new(1);
        assert_ne!(uuid_v7(&clock, &entropy), uuid_v7(&clock, &entropy));
        clock.advance(SignedDuration::from_hours(-24));
        assert_eq!(uuid_v7(&clock, &entropy).as_u128() >> 80, 0);
    }
}
