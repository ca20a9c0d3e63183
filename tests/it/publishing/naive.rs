//! What the log's files have to hold, computed from the entries as the RFC and
//! the descriptions of the files word it, and by nothing of ours.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// Levels of hashes, 256 to one, and how many entries a bundle has.
const LEVELS: u32 = 8;
const WIDTH: usize = 256;

pub fn leaf_hashes(leaves: &[Vec<u8>]) -> Vec<Hash> {
    leaves.iter().map(|leaf| Sha256::digest([&[0], leaf.as_slice()].concat()).into()).collect()
}

/// RFC 6962 §2.1, word for word.
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest(b"").into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            Sha256::digest([&[1], &root(left)[..], &root(right)[..]].concat()).into()
        }
    }
}

/// The files that the log of these entries has are these, byte for byte, and
/// their bundles are its entries.
#[track_caller]
pub fn assert_files(dir: &Path, leaves: &[Vec<u8>]) {
    let mut hashes = leaf_hashes(leaves);
    for level in 0..LEVELS {
        let there = fs::read(dir.join(format!("hashes-{level}"))).unwrap();
        assert!(there == hashes.as_flattened(), "level {level} of {} entries", leaves.len());
        hashes = hashes.chunks_exact(WIDTH).map(root).collect();
    }
    let there = |name: &str| fs::read(dir.join(name)).unwrap();
    assert!(there("entries") == leaves.concat(), "{} entries", leaves.len());
    let ends = leaves.iter().scan(0, |end, leaf| {
        *end += leaf.len() as u64;
        Some(end.to_be_bytes())
    });
    assert!(there("entries.index") == ends.flatten().collect::<Vec<u8>>(), "{} entries", leaves.len());
    let full = leaves.len() / WIDTH;
    let bundles = bundle(&leaves[..full * WIDTH]);
    for coding in ["zstd", "gzip"] {
        let frames = fs::read(dir.join(format!("bundles-{coding}"))).unwrap();
        assert!(decoded(coding, &frames) == bundles, "{full} bundles in {coding}");
        let index = fs::metadata(dir.join(format!("bundles-{coding}.index"))).unwrap();
        assert_eq!(index.len(), full as u64 * 12, "{coding}");
    }
}

/// Two bytes tell an entry's length.
pub fn bundle(leaves: &[Vec<u8>]) -> Vec<u8> {
    let with_length = |leaf: &Vec<u8>| [&(leaf.len() as u16).to_be_bytes(), leaf.as_slice()].concat();
    leaves.iter().flat_map(with_length).collect()
}

/// One frame or several, one behind the other.
pub fn decoded(coding: &str, frames: &[u8]) -> Vec<u8> {
    // No frame is no bundle; zstd takes it for a torn one.
    if frames.is_empty() {
        return Vec::new();
    }
    if coding == "zstd" {
        return zstd::decode_all(frames).unwrap();
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(frames).read_to_end(&mut plain).unwrap();
    plain
}
