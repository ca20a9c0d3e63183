//! The arithmetic of Merkle trees over a log (RFC 6962 §2.1): what a root is,
//! and what proves that an entry is in a tree or that one tree grew into
//! another. Shared by who keeps the log and who checks it.
//!
//! Every hash that is asked for is that of a stretch of leaves, and every
//! stretch is made of complete subtrees. So whoever has the complete subtrees,
//! from files or from tiles fetched over HTTP, has everything: a proof is
//! first a list of stretches, and then their hashes.
//!
//! Absent: where hashes are kept, how they are fetched, signatures.

use std::ops::Range;

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// The complete subtree over the leaves from `index << level` on, `1 << level`
/// of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    pub level: u32,
    pub index: u64,
}

pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

pub fn empty_root() -> Hash {
    Sha256::digest(b"").into()
}

/// The complete subtrees that a stretch consists of, left to right. It begins
/// where a subtree of its length may begin, as all stretches here do.
pub fn subtrees(leaves: &Range<u64>) -> Vec<Subtree> {
    let mut at = leaves.start;
    let mut found = Vec::new();
    while at < leaves.end {
        let level = (leaves.end - at).ilog2();
        found.push(Subtree { level, index: at >> level });
        at += 1 << level;
    }
    found
}

/// The hash of a stretch out of those of its `subtrees`.
pub fn join(subtrees: &[Hash]) -> Hash {
    let mut from_the_right = subtrees.iter().rev();
    let Some(last) = from_the_right.next() else { return empty_root() };
    from_the_right.fold(*last, |right, left| node_hash(left, &right))
}

/// The hash of a complete subtree out of the hashes on one level of it: as many
/// as a power of two.
pub fn root_of(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}

/// The stretches whose hashes prove that leaf `seq` is in a tree of `size`,
/// from the leaf's sibling to the root's child (RFC 6962 §2.1.1).
pub fn inclusion(seq: u64, size: u64) -> Vec<Range<u64>> {
    let mut tree = 0..size;
    let mut siblings = Vec::new();
    while tree.end - tree.start > 1 {
        let middle = split(&tree);
        let (left, right) = (tree.start..middle, middle..tree.end);
        let (inside, sibling) = if seq < middle { (left, right) } else { (right, left) };
        siblings.push(sibling);
        tree = inside;
    }
    siblings.reverse();
    siblings
}

/// The stretches whose hashes prove that the tree of `old` leaves, at least
/// one, is the beginning of the tree of `size` (RFC 6962 §2.1.2).
pub fn consistency(old: u64, size: u64) -> Vec<Range<u64>> {
    let mut tree = 0..size;
    let mut proof = Vec::new();
    // Until the old tree ends where a subtree of the new one ends.
    while old != tree.end {
        let middle = split(&tree);
        let (left, right) = (tree.start..middle, middle..tree.end);
        let (inside, sibling) = if old <= middle { (left, right) } else { (right, left) };
        proof.push(sibling);
        tree = inside;
    }
    if tree.start > 0 {
        proof.push(tree);
    }
    proof.reverse();
    proof
}

/// Where RFC 6962 splits a tree: the left part is the largest that is complete
/// and not all of it.
fn split(tree: &Range<u64>) -> u64 {
    let leaves = tree.end - tree.start;
    tree.start + (1 << (leaves - 1).ilog2())
}

/// RFC 9162 §2.1.3.2.
pub fn proves_inclusion(leaf: &Hash, seq: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if seq >= size {
        return false;
    }
    let (mut node, mut last) = (seq, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// RFC 9162 §2.1.4.2, and for `old` = 0 that its root is that of no leaves.
pub fn proves_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old == size {
        let same = if old == 0 { empty_root() } else { *root };
        return old <= size && proof.is_empty() && *old_root == same;
    }
    if old > size {
        return false;
    }
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut proof = proof.iter();
    // A complete old tree is its own first hash.
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut of_old, mut of_new) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            of_old = node_hash(sibling, &of_old);
            of_new = node_hash(sibling, &of_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == *old_root && of_new == *root
}

/// A tree that forgets its inside: the complete subtrees along its right edge,
/// enough to grow and to tell the root. At most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Those of `subtrees(&(0..size))`.
    edge: Vec<Hash>,
}

impl Frontier {
    /// `edge` are the hashes of `subtrees(&(0..size))`; `None` for another count.
    pub fn new(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() as u32 == size.count_ones()).then_some(Self { size, edge })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    pub fn root(&self) -> Hash {
        join(&self.edge)
    }

    pub fn push(&mut self, leaf: Hash) {
        let complete = self.size.trailing_ones() as usize;
        let joined = self.edge.split_off(self.edge.len() - complete);
        let hash = joined.iter().rev().fold(leaf, |right, left| node_hash(left, &right));
        self.edge.push(hash);
        self.size += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests;
