//! The Merkle tree over the log (RFC 6962 §2.1): what every root, and later
//! every tile and proof, is read from.
//!
//! The hash of each complete subtree is kept, about 64 bytes an entry, so that
//! the root of any earlier size is a walk over the bits of that size.
//!
//! Absent: the leaves themselves, and anything that signs or serves.

use std::fmt;

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// Grows at its right end only.
#[derive(Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` covers the leaves from `i << k` up to `(i + 1) << k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf by its `leaf_hash`.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            if !row.len().is_multiple_of(2) {
                return;
            }
            hash = node_hash(&row[row.len() - 2], &row[row.len() - 1]);
        }
    }

    /// The root when there were `size` leaves; `None` for sizes yet to come.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        if size > self.size() {
            return None;
        }
        // Each bit of the size is a complete subtree, the smallest rightmost.
        let subtrees = (0..self.levels.len()).filter(|level| size >> level & 1 == 1);
        let root = subtrees.map(|level| &self.levels[level][(size >> level) as usize - 1]).fold(
            None,
            |right: Option<Hash>, left| match right {
                None => Some(*left),
                Some(right) => Some(node_hash(left, &right)),
            },
        );
        Some(root.unwrap_or_else(empty_root))
    }
}

/// Sizes say enough; the hashes would fill screens.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("size", &self.size()).finish_non_exhaustive()
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6962 §2.1, word for word.
    fn naive_root<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => leaf_hash(leaf.as_ref()),
            _ => {
                let mut split = 1;
                while split * 2 < leaves.len() {
                    split *= 2;
                }
                node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
            }
        }
    }

    fn tree_of<T: AsRef<[u8]>>(leaves: &[T]) -> Tree {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(leaf_hash(leaf.as_ref())));
        tree
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn certificate_transparency_vectors() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let tree = tree_of(&leaves.map(bytes));
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(tree.root_at(size as u64).unwrap().to_vec(), bytes(root), "at {size}");
        }
        assert_eq!(tree.root_at(9), None);
        assert_eq!(tree.root_at(u64::MAX), None);
    }

    #[test]
    fn every_size_agrees_with_the_definition() {
        let leaves: Vec<[u8; 8]> = (0..300u64).map(u64::to_be_bytes).collect();
        let whole = tree_of(&leaves);
        let mut growing = Tree::default();
        for size in 0..=300 {
            let root = Some(naive_root(&leaves[..size]));
            assert_eq!(growing.size(), size as u64);
            assert_eq!(growing.root_at(size as u64), root, "grown to {size}");
            assert_eq!(whole.root_at(size as u64), root, "looked back to {size}");
            if let Some(leaf) = leaves.get(size) {
                growing.push(leaf_hash(leaf));
            }
        }
    }

    proptest! {
        #[test]
        fn growing_never_changes_an_earlier_root(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..120),
            more in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..120),
        ) {
            let mut tree = tree_of(&leaves);
            let size = tree.size();
            let root = tree.root_at(size);
            prop_assert_eq!(root, Some(naive_root(&leaves)));
            more.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
            prop_assert_eq!(tree.root_at(size), root);
        }

        #[test]
        fn another_leaf_is_another_root(
            leaves in prop::collection::vec(any::<u64>(), 1..200),
            at in any::<prop::sample::Index>(),
        ) {
            let mut changed = leaves.clone();
            let at = at.index(leaves.len());
            changed[at] ^= 1;
            let tree = |leaves: &[u64]| tree_of(&leaves.iter().map(|n| n.to_be_bytes()).collect::<Vec<_>>());
            let (tree, other) = (tree(&leaves), tree(&changed));
            for size in 0..=leaves.len() as u64 {
                prop_assert_eq!(tree.root_at(size) == other.root_at(size), size <= at as u64);
            }
        }
    }
}
