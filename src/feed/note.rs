//! Signed notes (C2SP signed-note): a text and who signed it, in a form that
//! people can read. Ed25519 keys alone (signature type 0x01).
//!
//! Absent: what the text means.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;

/// Of any note: ours have fewer than 500, and witnesses may add their lines.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;

const ED25519: u8 = 0x01;
const KEY_ID_BYTES: usize = 4;

/// Who can sign: a name and its secret key.
pub struct NoteSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

/// Who can check: the line `name+key id+key` that is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    id: [u8; KEY_ID_BYTES],
    key: VerifyingKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's name has no spaces, no plus and no control characters, and is not empty")]
pub struct KeyNameMalformed;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierMalformed {
    #[error("a verifier key reads name+8 hex digits+base64")]
    Shape,
    #[error("the verifier key is not an Ed25519 key")]
    NotEd25519,
    #[error("the verifier key's hash does not fit its name and key: has it been cut or mixed up?")]
    WrongHash,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("it is no signed note")]
    Malformed,
    #[error("nobody signed it whose name and key are those of {name}")]
    NotSigned { name: String },
    #[error("the signature of {name} is wrong")]
    WrongSignature { name: String },
}

impl NoteSigner {
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, KeyNameMalformed> {
        let key = SigningKey::from_bytes(secret);
        let verifier = NoteVerifier::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The same key under its name with something behind it.
    pub fn under(&self, suffix: &str) -> Result<Self, KeyNameMalformed> {
        Ok(Self { key: self.key.clone(), verifier: self.verifier.under(suffix)? })
    }

    /// The note of a text, which ends with a newline.
    pub fn sign(&self, text: &str) -> String {
        debug_assert!(text.ends_with('\n'), "a note's text is lines");
        let mut signature = self.verifier.id.to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n— {} {}\n", self.verifier.name, STANDARD.encode(signature))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoteSigner").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl NoteVerifier {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyNameMalformed> {
        let is_fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || !name.chars().all(is_fine) {
            return Err(KeyNameMalformed);
        }
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize();
        let id = hash.first_chunk().copied().expect("a hash has 32 bytes");
        Ok(Self { name: name.to_owned(), id, key })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Eight hex digits that tell keys apart.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// The same key under its name with something behind it.
    pub fn under(&self, suffix: &str) -> Result<Self, KeyNameMalformed> {
        Self::new(&format!("{}{suffix}", self.name), self.key)
    }

    /// Whether both have one key, whatever their names.
    pub fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The text of a note, once it is certain that it was signed with this
    /// key. Others may have signed it too.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        if note.len() > NOTE_BYTES_MAX || note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut is_signed = false;
        for line in lines.split('\n') {
            let (name, signature) = signature_line(line).ok_or(NoteError::Malformed)?;
            let Some((id, signature)) = signature.split_first_chunk() else {
                return Err(NoteError::Malformed);
            };
            if name != self.name || *id != self.id {
                continue;
            }
            let is_right = Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok());
            if !is_right {
                return Err(NoteError::WrongSignature { name: self.name.clone() });
            }
            is_signed = true;
        }
        if is_signed { Ok(text) } else { Err(NoteError::NotSigned { name: self.name.clone() }) }
    }
}

/// `— name base64`.
fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    Some((name, STANDARD.decode(signature).ok()?))
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, self.id(), STANDARD.encode(key))
    }
}

impl FromStr for NoteVerifier {
    type Err = VerifierMalformed;

    fn from_str(line: &str) -> Result<Self, VerifierMalformed> {
        let mut parts = line.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierMalformed::Shape);
        };
        let key = STANDARD.decode(key).map_err(|_| VerifierMalformed::Shape)?;
        let key = key.strip_prefix(&[ED25519]).and_then(|key| <&[u8; 32]>::try_from(key).ok());
        let key = key.and_then(|key| VerifyingKey::from_bytes(key).ok());
        let key = key.ok_or(VerifierMalformed::NotEd25519)?;
        let verifier = Self::new(name, key).map_err(|_| VerifierMalformed::Shape)?;
        if verifier.id() == id { Ok(verifier) } else { Err(VerifierMalformed::WrongHash) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// From the documentation of Go's `sumdb/note`.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn signer(name: &str) -> NoteSigner {
        NoteSigner::new(name, &[7; 32]).unwrap()
    }

    #[test]
    fn a_note_of_another_implementation() {
        let verifier: NoteVerifier = PETER.parse().unwrap();
        assert_eq!(verifier.to_string(), PETER);
        let text = verifier.open(NOTE).unwrap();
        assert!(text.starts_with("If you think") && text.ends_with("problem is.\n"));
    }

    #[test]
    fn what_is_signed_opens_and_anything_else_does_not() {
        let signer = signer("localhost/feed");
        let note = signer.sign("a\n\nb\n");
        assert_eq!(signer.verifier().open(&note), Ok("a\n\nb\n"));
        for at in 0..note.len() {
            let mut forged = note.clone().into_bytes();
            forged[at] ^= 1;
            if let Ok(forged) = String::from_utf8(forged) {
                assert!(signer.verifier().open(&forged).is_err(), "byte {at}");
            }
        }
        for rubbish in ["", "\n", "\n\n", "a\n\n", "a\n\n— b\n", "a\n\n— b c\n", "a\n— b AAAAAAAA\n"] {
            assert!(signer.verifier().open(rubbish).is_err(), "{rubbish:?}");
        }
    }

    #[test]
    fn others_may_have_signed_too() {
        let (ours, theirs) = (signer("a.example"), NoteSigner::new("b.example", &[8; 32]).unwrap());
        let (note, more) = (ours.sign("x\n"), theirs.sign("x\n"));
        let both = format!("{note}{}", more.strip_prefix("x\n\n").unwrap());
        assert_eq!(ours.verifier().open(&both), Ok("x\n"));
        assert_eq!(theirs.verifier().open(&both), Ok("x\n"));
        assert_eq!(theirs.verifier().open(&note), Err(NoteError::NotSigned { name: "b.example".to_owned() }));
    }

    #[test]
    fn a_verifier_line_is_checked() {
        let line = signer("a.example").verifier().to_string();
        assert_eq!(line.parse::<NoteVerifier>().unwrap(), *signer("a.example").verifier());
        assert_eq!(line.replacen('a', "b", 1).parse::<NoteVerifier>(), Err(VerifierMalformed::WrongHash));
        for rubbish in ["", "a", "a+b", "a+00000000+", "a b+00000000+AAAA", &PETER[..40]] {
            assert!(rubbish.parse::<NoteVerifier>().is_err(), "{rubbish:?}");
        }
        for name in ["", "a b", "a+b", "a\u{3000}b", "a\n"] {
            assert!(NoteSigner::new(name, &[7; 32]).is_err(), "{name:?}");
        }
    }

    #[test]
    fn one_key_under_another_name() {
        let signer = signer("a.example");
        let other = signer.under("/snapshot/v1").unwrap();
        assert_eq!(other.verifier().name(), "a.example/snapshot/v1");
        assert!(other.verifier().has_key_of(signer.verifier()));
        assert_ne!(other.verifier().id(), signer.verifier().id());
        assert_eq!(signer.verifier().under("/snapshot/v1").unwrap(), *other.verifier());
    }
}
