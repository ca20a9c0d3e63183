//! Receipts: one entry of the log, the proof that it is in it, and the
//! checkpoint that signs for the whole (C2SP tlog-proof). A holder keeps it,
//! and anybody can check it without asking anybody.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <the entry's bytes, base64>
//! index <its place>
//! <a hash of the proof, base64>
//! ...
//!
//! <the checkpoint, as it was signed>
//! ```
//!
//! Absent: who may have which receipt.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::correction::{ENTRY_BYTES_MAX, Entry};
use crate::domain::refusal::Refusal;
use crate::feed::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::feed::merkle::{Hash, inclusion, leaf_hash, proves_inclusion};
use crate::feed::note::{NOTE_BYTES_MAX, NoteVerifier};
use crate::feed::{Feed, FeedError, render};

/// Two thousand bytes of entry, 64 lines of hashes, and the checkpoint.
pub const RECEIPT_BYTES_MAX: usize = NOTE_BYTES_MAX + 8 * 1024;

const FORMAT: &str = "c2sp.org/tlog-proof@v1";
/// A proof has a hash for each level of the tree.
const PROOF_HASHES_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The leaf, byte for byte.
    pub entry: Vec<u8>,
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub proof: Vec<Hash>,
    /// The signed note, which other logs' witnesses may have signed as well.
    pub checkpoint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("it is no receipt: it does not begin with {FORMAT}")]
    NoReceipt,
    #[error("the receipt is damaged: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the entry is not at place {index} of the log that the checkpoint signs for")]
    NotIncluded { index: u64 },
    #[error("the log has something at place {index} that is no entry as this version knows them")]
    NoEntry { index: u64 },
}

impl Receipt {
    /// The entry, once it is certain that the log has it, and the checkpoint
    /// that says so.
    pub fn verify(&self, verifier: &NoteVerifier) -> Result<(Entry, Checkpoint), ReceiptError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        let leaf = leaf_hash(&self.entry);
        if !proves_inclusion(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root) {
            return Err(ReceiptError::NotIncluded { index: self.index });
        }
        let entry = render::entry(self.index, &self.entry);
        let entry = entry.map_err(|_| ReceiptError::NoEntry { index: self.index })?;
        Ok((entry, checkpoint))
    }
}

impl Feed {
    /// Of an entry that is published, by the newest checkpoint. Receipts are
    /// made of old entries too, whatever is pruned.
    pub async fn receipt(&self, seq: u64) -> Result<Receipt, FeedError> {
        let newest = self.newest();
        if seq >= newest.checkpoint.size {
            return Err(Refusal::NotPublished.into());
        }
        let proof = self.proof(&inclusion(seq, newest.checkpoint.size))?;
        Ok(Receipt { entry: self.leaf(seq).await?, index: seq, proof, checkpoint: newest.note.to_string() })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FORMAT}\nextra {}\nindex {}", STANDARD.encode(&self.entry), self.index)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let rest = text.strip_prefix(FORMAT).and_then(|rest| rest.strip_prefix('\n'));
        let rest = rest.ok_or(ReceiptError::NoReceipt)?;
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::Malformed("it is too long"));
        }
        let (proof, checkpoint) = rest.split_once("\n\n").ok_or(ReceiptError::Malformed("it is cut"))?;
        let mut lines = proof.split('\n');
        let entry = lines.next().and_then(|line| STANDARD.decode(line.strip_prefix("extra ")?).ok());
        let entry = entry.filter(|entry| entry.len() <= ENTRY_BYTES_MAX);
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        let proof: Option<Vec<Hash>> = lines.map(hash).collect();
        let proof = proof.filter(|proof| proof.len() <= PROOF_HASHES_MAX);
        Ok(Self {
            entry: entry.ok_or(ReceiptError::Malformed("its second line does not hold an entry"))?,
            index: index.ok_or(ReceiptError::Malformed("its third line does not hold the entry's place"))?,
            proof: proof.ok_or(ReceiptError::Malformed("its proof is not made of hashes"))?,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::feed::fake::FakeStore;
    use crate::feed::fake::entry;
    use crate::feed::merkle::Frontier;
    use crate::feed::note::NoteSigner;

    fn signer() -> NoteSigner {
        NoteSigner::new("localhost/feed", &[7; 32]).unwrap()
    }

    fn leaf(seq: u64) -> Vec<u8> {
        entry(8_613_800_000_000 + seq, None, false).leaf()
    }

    fn receipt(index: u64, size: u64) -> Receipt {
        let root = |leaves: std::ops::Range<u64>| {
            let mut tree = Frontier::default();
            leaves.for_each(|seq| tree.push(leaf_hash(&leaf(seq))));
            tree.root()
        };
        let proof = inclusion(index, size).into_iter().map(root).collect();
        let checkpoint = Checkpoint { size, root: root(0..size) }.sign(&signer());
        Receipt { entry: leaf(index), index, proof, checkpoint }
    }

    #[tokio::test]
    async fn every_published_entry_has_one_under_the_newest_checkpoint() {
        let store = FakeStore::new(100);
        store.append_many(300).await;
        let feed = crate::feed::tests::open(&store).await;
        store.append_many(1).await;
        for seq in [0, 1, 255, 256, 299] {
            let receipt: Receipt = feed.receipt(seq).await.unwrap().to_string().parse().unwrap();
            let (entry, checkpoint) = receipt.verify(feed.verifier()).unwrap();
            assert_eq!(entry.leaf(), store.leaves()[seq as usize]);
            assert_eq!((receipt.index, checkpoint.size), (seq, 300));
        }
        assert_eq!(feed.receipt(300).await, Err(Refusal::NotPublished.into()));
    }

    #[test]
    fn every_entry_of_every_log_has_one() {
        for size in 1..20 {
            for index in 0..size {
                let receipt: Receipt = receipt(index, size).to_string().parse().unwrap();
                let (entry, checkpoint) = receipt.verify(signer().verifier()).unwrap();
                assert_eq!(entry.leaf(), leaf(index));
                assert_eq!(checkpoint.size, size);
            }
        }
    }

    #[test]
    fn it_reads_as_the_standard_says() {
        let text = receipt(2, 3).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
        assert_eq!(lines[1], format!("extra {}", STANDARD.encode(leaf(2))));
        assert_eq!(lines[2], "index 2");
        assert_eq!((lines[3].len(), lines[4]), (44, ""));
        assert_eq!((lines[5], lines[6]), ("localhost/feed", "3"));
        // The only entry needs no proof.
        assert!(receipt(0, 1).to_string().contains("index 0\n\nlocalhost/feed\n"));
    }

    #[test]
    fn a_changed_byte_is_seen() {
        let text = receipt(5, 9).to_string();
        for at in (0..text.len()).step_by(5) {
            let mut forged = text.clone().into_bytes();
            forged[at] ^= 1;
            let forged = String::from_utf8(forged).ok().and_then(|text| text.parse::<Receipt>().ok());
            assert!(forged.is_none_or(|receipt| receipt.verify(signer().verifier()).is_err()), "byte {at}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parsed = |text: &str| text.parse::<Receipt>().unwrap_err();
        assert_eq!(parsed("hello\n"), ReceiptError::NoReceipt);
        assert!(matches!(parsed("c2sp.org/tlog-proof@v1\nextra AA==\n"), ReceiptError::Malformed(_)));
        let text = receipt(1, 4).to_string();
        for (from, to) in [("extra ", "extra !"), ("index 1", "index 01"), ("index 1\n", "index 1\nAAAA\n")] {
            assert!(matches!(parsed(&text.replacen(from, to, 1)), ReceiptError::Malformed(_)), "{to}");
        }
        let moved: Receipt = text.replacen("index 1", "index 2", 1).parse().unwrap();
        assert_eq!(moved.verify(signer().verifier()), Err(ReceiptError::NotIncluded { index: 2 }));
        let stranger = NoteSigner::new("elsewhere", &[7; 32]).unwrap();
        let verified = receipt(1, 4).verify(stranger.verifier());
        assert!(matches!(verified, Err(ReceiptError::Checkpoint(_))));
    }

    #[test]
    fn rubbish_in_the_log_is_said_so() {
        let mut tree = Frontier::default();
        tree.push(leaf_hash(b"{}"));
        let checkpoint = Checkpoint { size: 1, root: tree.root() }.sign(&signer());
        let receipt = Receipt { entry: b"{}".to_vec(), index: 0, proof: Vec::new(), checkpoint };
        assert_eq!(receipt.verify(signer().verifier()), Err(ReceiptError::NoEntry { index: 0 }));
    }
}
