use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// RFC 6962 §2.1, word for word.
pub fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|seq| leaf_hash(&seq.to_be_bytes())).collect()
}

fn stretch(leaves: &[Hash], stretch: &Range<u64>) -> Hash {
    let hash = |tree: &Subtree| {
        let from = (tree.index << tree.level) as usize;
        naive_root(&leaves[from..from + (1 << tree.level)])
    };
    join(&subtrees(stretch).iter().map(hash).collect::<Vec<_>>())
}

fn hashes(leaves: &[Hash], stretches: &[Range<u64>]) -> Vec<Hash> {
    stretches.iter().map(|part| stretch(leaves, part)).collect()
}

#[test]
fn certificate_transparency_vectors() {
    let vectors =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
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
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let mut frontier = Frontier::default();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(frontier.size(), size as u64);
        assert_eq!(frontier.root().to_vec(), bytes(root), "at {size}");
        if let Some(leaf) = vectors.get(size) {
            frontier.push(leaf_hash(&bytes(leaf)));
        }
    }
}

#[test]
fn a_frontier_is_the_tree_at_every_size() {
    let leaves = leaves(300);
    let mut frontier = Frontier::default();
    for size in 0..=300 {
        assert_eq!(frontier.root(), naive_root(&leaves[..size]), "at {size}");
        let edge = subtrees(&(0..size as u64))
            .into_iter()
            .map(|tree| stretch(&leaves, &(tree.index << tree.level..(tree.index + 1) << tree.level)));
        let again = Frontier::new(size as u64, edge.collect()).unwrap();
        assert_eq!(again, frontier);
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    assert_eq!(Frontier::new(3, vec![[0; 32]]), None);
}

#[test]
fn every_entry_of_every_tree_is_proved_and_no_other() {
    let leaves = leaves(40);
    for size in 1..=40u64 {
        let root = naive_root(&leaves[..size as usize]);
        for seq in 0..size {
            let proof = hashes(&leaves, &inclusion(seq, size));
            let (leaf, other) = (&leaves[seq as usize], leaf_hash(b"x"));
            assert!(proves_inclusion(leaf, seq, size, &proof, &root), "{seq} of {size}");
            assert!(!proves_inclusion(&other, seq, size, &proof, &root));
            assert!(!proves_inclusion(leaf, seq, size, &proof, &[0; 32]));
            assert!(!proves_inclusion(leaf, size, size, &proof, &root));
            if size > 1 {
                assert!(!proves_inclusion(leaf, (seq + 1) % size, size, &proof, &root));
                assert!(!proves_inclusion(leaf, seq, size, &proof[1..], &root));
            }
            let longer = [&proof[..], &[[0; 32]]].concat();
            assert!(!proves_inclusion(leaf, seq, size, &longer, &root));
        }
    }
}

#[test]
fn every_growth_is_proved_and_no_fork() {
    let leaves = leaves(40);
    for size in 0..=40u64 {
        let root = naive_root(&leaves[..size as usize]);
        for old in 0..=size {
            let old_root = naive_root(&leaves[..old as usize]);
            let proof = if old == 0 { Vec::new() } else { hashes(&leaves, &consistency(old, size)) };
            let holds = |proof: &[Hash]| proves_consistency(old, &old_root, size, &root, proof);
            assert!(holds(&proof), "{old} to {size}");
            assert!(!proves_consistency(old, &[0; 32], size, &root, &proof));
            assert!(old == 0 || !proves_consistency(old, &old_root, size, &[0; 32], &proof));
            assert!(!holds(&[&proof[..], &[[0; 32]]].concat()));
            for cut in 0..proof.len() {
                assert!(!holds(&proof[..cut]), "{old} to {size} with {cut}");
                let mut forged = proof.clone();
                forged[cut][0] ^= 1;
                assert!(!holds(&forged));
            }
        }
        assert!(!proves_consistency(size + 1, &root, size, &root, &[]));
    }
}

proptest! {
    #[test]
    fn a_stretch_is_made_of_complete_subtrees(size in any::<u64>(), seq in any::<u64>()) {
        let size = size.max(1);
        for stretch in inclusion(seq % size, size).into_iter().chain(consistency(seq % size + 1, size)) {
            let mut at = stretch.start;
            for tree in subtrees(&stretch) {
                prop_assert_eq!(tree.index << tree.level, at);
                at += 1 << tree.level;
            }
            prop_assert_eq!(at, stretch.end);
        }
    }

    #[test]
    fn rubbish_proves_nothing_and_breaks_nothing(
        old: u64, size: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        prop_assert!(!proves_inclusion(&[1; 32], old, size, &proof, &[2; 32]));
        prop_assert!(!proves_consistency(old, &[1; 32], size, &[2; 32], &proof));
    }
}

#[test]
fn stretches_do_not_overlap() {
    let mut seen = BTreeMap::new();
    for stretch in inclusion(77, 1000) {
        assert!(seen.insert(stretch.start, stretch.end).is_none());
    }
    let covered: u64 = seen.iter().map(|(start, end)| end - start).sum();
    assert_eq!(covered, 999);
}
