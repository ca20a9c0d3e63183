//! `{size}.sum`: what a snapshot holds, as a note that the log's key signs
//! under a name of its own.
//!
//! ```text
//! <origin>/snapshot/v1
//! <size>
//! <root of the log at that size, base64>
//! <how many corrections>
//! <form> <SHA-256 of its bytes, hex>
//! …
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::form::Form;
use crate::domain::hex::hex;
use crate::feed::checkpoint::decimal;
use crate::feed::merkle::Hash;
use crate::feed::note::{NoteError, NoteSigner, NoteVerifier};

/// What the key's name has behind the log's origin.
pub const KEY_NAME_SUFFIX: &str = "/snapshot/v1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub size: u64,
    pub root: Hash,
    pub count: u64,
    pub digests: Vec<(Form, Hash)>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    #[error("the snapshot's sum cannot be trusted: {0}")]
    Note(#[from] NoteError),
    #[error("the snapshot's sum does not read origin, size, root, count, digests")]
    Malformed,
}

impl Sum {
    /// Of a form's bytes without a coding.
    pub fn digest(&self, form: Form) -> Option<&Hash> {
        self.digests.iter().find(|(of, _)| *of == form).map(|(_, digest)| digest)
    }

    pub fn sign(&self, signer: &NoteSigner) -> String {
        let origin = signer.verifier().name();
        let (root, count) = (STANDARD.encode(self.root), self.count);
        let mut text = format!("{origin}\n{}\n{root}\n{count}\n", self.size);
        for (form, digest) in &self.digests {
            text.push_str(&format!("{} {}\n", form.name(), hex(digest)));
        }
        signer.sign(&text)
    }

    /// Forms of later releases are passed over.
    pub fn open(note: &str, verifier: &NoteVerifier) -> Result<Self, SumError> {
        let said = Said::read(verifier.open(note)?, verifier.name()).ok_or(SumError::Malformed)?;
        let mut digests = Vec::new();
        for (form, digest) in said.digests {
            let digest = unhex(digest).ok_or(SumError::Malformed)?;
            digests.extend(Form::of_name(form).map(|form| (form, digest)));
        }
        Ok(Self { size: said.size, root: said.root, count: said.count, digests })
    }
}

/// The text of a sum taken apart, with whatever forms it names.
#[derive(Debug)]
pub struct Said<'a> {
    pub size: u64,
    pub root: Hash,
    pub count: u64,
    /// Form and digest, as they stand there.
    pub digests: Vec<(&'a str, &'a str)>,
}

impl<'a> Said<'a> {
    /// `name` is that of the key which signed it.
    pub fn read(text: &'a str, name: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != name {
            return None;
        }
        let size = decimal(lines.next()?)?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let count = decimal(lines.next()?)?;
        let digests = lines.map(|line| line.split_once(' ')).collect::<Option<_>>()?;
        Some(Self { size, root, count, digests })
    }
}

fn unhex(text: &str) -> Option<Hash> {
    let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = Hash::default();
    if !is_hex || text.len() != 2 * bytes.len() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn signer() -> NoteSigner {
        NoteSigner::new("localhost/feed", &[7; 32]).unwrap().under(KEY_NAME_SUFFIX).unwrap()
    }

    fn sum() -> Sum {
        let digests = vec![(Form::Ndjson, [0xab; 32]), (Form::Csv, [1; 32])];
        Sum { size: 70_000, root: [9; 32], count: 65_000, digests }
    }

    #[test]
    fn a_sum_reads_back() {
        let note = sum().sign(&signer());
        let (ndjson, csv) = ("ab".repeat(32), "01".repeat(32));
        let text = format!(
            "localhost/feed/snapshot/v1\n70000\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n65000\nndjson {ndjson}\ncsv {csv}\n\n— localhost/feed/snapshot/v1 "
        );
        assert!(note.starts_with(&text), "{note}");
        let read = Sum::open(&note, signer().verifier()).unwrap();
        assert_eq!(read, sum());
        assert_eq!((read.digest(Form::Csv), read.digest(Form::Ndjson)), (Some(&[1; 32]), Some(&[0xab; 32])));
    }

    #[test]
    fn other_texts_are_none_whoever_signed_them() {
        let note = sum().sign(&signer());
        let text = signer().verifier().open(&note).unwrap().to_owned();
        for (from, to) in [
            ("localhost", "elsewhere"),
            ("70000", "070000"),
            ("65000", "many"),
            ("CQkJ", ""),
            ("\nndjson ", "\nndjson"),
            ("abab", "ABab"),
            ("abab", "ab"),
        ] {
            let other = signer().sign(&text.replacen(from, to, 1));
            assert_eq!(Sum::open(&other, signer().verifier()), Err(SumError::Malformed), "{from} {to}");
        }
        let later = signer().sign(&text.replacen("csv ", "parquet ", 1));
        assert_eq!(Sum::open(&later, signer().verifier()).unwrap().digests, [(Form::Ndjson, [0xab; 32])]);
        let log = NoteSigner::new("localhost/feed", &[7; 32]).unwrap();
        assert!(
            matches!(Sum::open(&note, log.verifier()), Err(SumError::Note(_))),
            "not under the log's name"
        );
    }
}
