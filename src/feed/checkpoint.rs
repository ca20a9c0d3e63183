//! Checkpoints (C2SP tlog-checkpoint): how large a log is and what its root
//! is, in three lines that are signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::feed::merkle::Hash;
use crate::feed::note::{NoteError, NoteSigner, NoteVerifier};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: u64,
    pub root: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("the checkpoint cannot be trusted: {0}")]
    Note(#[from] NoteError),
    #[error("the checkpoint does not read origin, size, root")]
    Malformed,
    #[error("the checkpoint is that of another log, {0:?}")]
    OtherOrigin(String),
}

impl Checkpoint {
    /// As a note by the log's key, whose name is the log's origin.
    pub fn sign(&self, signer: &NoteSigner) -> String {
        let origin = signer.verifier().name();
        signer.sign(&format!("{origin}\n{}\n{}\n", self.size, STANDARD.encode(self.root)))
    }

    /// Extension lines of later times may follow, and are passed over.
    pub fn open(note: &str, verifier: &NoteVerifier) -> Result<Self, CheckpointError> {
        let mut lines = verifier.open(note)?.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed);
        };
        if origin != verifier.name() {
            return Err(CheckpointError::OtherOrigin(origin.to_owned()));
        }
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        let (Some(size), Some(root)) = (decimal(size), root) else {
            return Err(CheckpointError::Malformed);
        };
        Ok(Self { size, root })
    }
}

/// Without sign and leading zeroes, so that a number has one form.
pub fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back() {
        let signer = NoteSigner::new("localhost/feed", &[7; 32]).unwrap();
        let checkpoint = Checkpoint { size: 70_000, root: [9; 32] };
        let note = checkpoint.sign(&signer);
        assert!(
            note.starts_with("localhost/feed\n70000\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\n— ")
        );
        assert_eq!(Checkpoint::open(&note, signer.verifier()), Ok(checkpoint));
    }

    #[test]
    fn other_texts_are_none_whoever_signed_them() {
        let signer = NoteSigner::new("localhost/feed", &[7; 32]).unwrap();
        let root = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
        for text in [
            "localhost/feed\n".to_owned(),
            format!("localhost/feed\n007\n{root}\n"),
            format!("localhost/feed\n+7\n{root}\n"),
            format!("localhost/feed\n7\n{}\n", &root[4..]),
        ] {
            let opened = Checkpoint::open(&signer.sign(&text), signer.verifier());
            assert_eq!(opened, Err(CheckpointError::Malformed), "{text}");
        }
        let other = signer.sign(&format!("elsewhere/feed\n7\n{root}\n"));
        let opened = Checkpoint::open(&other, signer.verifier());
        assert_eq!(opened, Err(CheckpointError::OtherOrigin("elsewhere/feed".to_owned())));
        let extended = signer.sign(&format!("localhost/feed\n7\n{root}\nlater\n"));
        assert_eq!(Checkpoint::open(&extended, signer.verifier()).unwrap().size, 7);
    }
}
