//! A document (材料) that a holder hands in where no operator could answer:
//! what is remembered of it. Absent: its contents, which are kept elsewhere
//! and only for a while.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::DocumentId;

/// Told from the first bytes alone: names and declared types are the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    Jpeg,
    Png,
    Pdf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub id: DocumentId,
    pub kind: DocumentKind,
    /// Of what is kept, which is not what was sent but made of it.
    pub bytes: u64,
    /// Of the same bytes, in hex.
    pub sha256: String,
}

/// A document in a dispute's story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenDocument {
    pub document: Document,
    pub at: Timestamp,
    /// Nothing of it is left since then but these lines.
    pub purged_at: Option<Timestamp>,
}

impl DocumentKind {
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        let begins = |magic: &[u8]| bytes.starts_with(magic);
        if begins(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if begins(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if begins(b"%PDF-") {
            Some(Self::Pdf)
        } else {
            None
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }

    /// How names of such files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_from_the_first_bytes() {
        for (bytes, kind) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], Some(DocumentKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(DocumentKind::Png)),
            (b"%PDF-1.7\n", Some(DocumentKind::Pdf)),
            (b"", None),
            (b"\xff\xd8", None),
            (b"\x89PNG", None),
            (b"GIF89a", None),
            (b"PK\x03\x04", None),
            (b"<html>%PDF-1.7", None),
            (b" %PDF-1.7", None),
        ] {
            assert_eq!(DocumentKind::sniff(bytes), kind, "{}", bytes.escape_ascii());
        }
    }
}
