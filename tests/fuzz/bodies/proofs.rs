//! Proofs and hash tiles, against a small log that is known: what is believed
//! is true of it. `size u8 | place u8 | hashes`, and a tile of hashes.

use std::ops::Range;
use std::sync::LazyLock;

use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::domain::number::Number;
use zhengming::feed::checkpoint::Checkpoint;
use zhengming::feed::merkle::{
    Frontier, Hash, consistency, inclusion, join, leaf_hash, proves_consistency, proves_inclusion, root_of,
    subtrees,
};
use zhengming::feed::mirror::Tiles;

use super::wire::{Answers, at_once, signer};

/// More than a tile has, and no power of two.
pub const LEAVES: u64 = 300;

/// A log of that many entries.
pub struct SmallLog {
    leaves: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    pub checkpoint: Checkpoint,
}

/// Every target's.
pub static LOG: LazyLock<SmallLog> = LazyLock::new(SmallLog::new);

impl SmallLog {
    fn new() -> Self {
        let leaves: Vec<Vec<u8>> = (0..LEAVES).map(|seq| entry(seq).leaf()).collect();
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let root = Self::tree(&hashes, LEAVES).root();
        Self { leaves, hashes, checkpoint: Checkpoint { size: LEAVES, root } }
    }

    pub fn leaf(&self, seq: u64) -> &[u8] {
        &self.leaves[seq as usize]
    }

    /// The checkpoint as it is signed.
    pub fn note(&self) -> String {
        self.checkpoint.sign(&signer())
    }

    fn tree(hashes: &[Hash], size: u64) -> Frontier {
        let mut tree = Frontier::default();
        hashes[..size as usize].iter().for_each(|hash| tree.push(*hash));
        tree
    }

    pub fn root(&self, size: u64) -> Hash {
        Self::tree(&self.hashes, size).root()
    }

    pub fn proof(&self, stretches: &[Range<u64>]) -> Vec<Hash> {
        let of_subtree = |level: u32, index: u64| {
            let first = (index << level) as usize;
            root_of(&self.hashes[first..first + (1 << level)])
        };
        let of_stretch = |stretch: &Range<u64>| {
            let hashes =
                subtrees(stretch).into_iter().map(|subtree| of_subtree(subtree.level, subtree.index));
            join(&hashes.collect::<Vec<_>>())
        };
        stretches.iter().map(of_stretch).collect()
    }
}

fn entry(seq: u64) -> Entry {
    let correction = InForce {
        void_before: Some("2025-03-01".parse().unwrap()),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        assurance: Assurance::Operator,
    };
    let number = Number::from_digits(8_613_800_138_000 + seq).unwrap();
    let at = "2026-11-23T03:04:05Z".parse().unwrap();
    let salt = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    Entry::new(number, Some(correction), EntryReason::Reassigned, None, at, salt)
}

pub fn run(data: &[u8]) {
    let Some((&[high, low, place], rest)) = data.split_first_chunk() else { return };
    let size = u64::from(u16::from_be_bytes([high, low])) % LEAVES + 1;
    let place = u64::from(place) % size;
    let (hashes, _) = rest.as_chunks::<32>();
    proves(size, place, hashes);
    tiles(size, rest);
}

/// A proof is believed where it is the one that there is, and nowhere else.
fn proves(size: u64, place: u64, hashes: &[Hash]) {
    let root = LOG.root(size);
    let honest = LOG.proof(&inclusion(place, size));
    assert!(proves_inclusion(&leaf_hash(LOG.leaf(place)), place, size, &honest, &root));
    let believed = proves_inclusion(&leaf_hash(LOG.leaf(place)), place, size, hashes, &root);
    assert_eq!(believed, hashes == honest);
    // With the first hash in the place of the leaf's.
    if let Some((leaf, proof)) = hashes.split_first() {
        let believed = proves_inclusion(leaf, place, size, proof, &root);
        assert_eq!(believed, *leaf == leaf_hash(LOG.leaf(place)) && proof == honest);
    }
    let old = place + 1;
    let honest = LOG.proof(&consistency(old, size));
    assert!(proves_consistency(old, &LOG.root(old), size, &root, &honest));
    let believed = proves_consistency(old, &LOG.root(old), size, &root, hashes);
    assert_eq!(believed, hashes == honest);
    if let Some((other, proof)) = hashes.split_first() {
        assert!(!proves_consistency(old, other, size, &root, proof) || *other == LOG.root(old));
    }
}

/// Whatever tiles say: a beginning that they prove is that of the log.
fn tiles(size: u64, tile: &[u8]) {
    let answers = Answers { body: tile.to_vec(), location: String::new(), piece: 1 };
    let log = answers.log(signer().verifier());
    // In a log of one tile every path has the same answer, as here.
    for whole in [size.min(256), LEAVES] {
        let checkpoint = Checkpoint { size: whole, root: LOG.root(whole) };
        let beginning = at_once(Tiles::of(&log, &checkpoint).beginning(size.min(whole)));
        if let Ok(tree) = beginning {
            assert_eq!(tree.root(), LOG.root(size.min(whole)));
        }
    }
}
