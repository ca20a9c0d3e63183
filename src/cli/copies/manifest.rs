//! The manifest of a copy: what is in it, and what it amounts to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::Failed;
use crate::cli::copies::reckoning::Total;
use crate::domain::hex::hex;

pub const MANIFEST: &str = "manifest.json";
const FORMAT: &str = "zhengming-copy";
/// Raised when a reader of an old release would misread a copy.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: String,
    pub version: u32,
    pub created_at: Timestamp,
    /// Which release wrote it.
    pub release: String,
    pub total: Total,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub file: String,
    pub holds: Holds,
    pub is_compressed: bool,
    pub lines: u64,
    /// Of the file as it lies there.
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    Records,
    Log,
    Audit,
}

impl Holds {
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Log => "log",
            Self::Audit => "audit",
        }
    }
}

impl Manifest {
    pub fn new(created_at: Timestamp, total: Total, parts: Vec<Part>) -> Self {
        let release = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT.to_owned(), version: VERSION, created_at, release, total, parts }
    }

    pub fn lines(&self) -> u64 {
        self.parts.iter().map(|part| part.lines).sum()
    }

    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers always serialize");
        text + "\n"
    }

    /// The manifest and its digest, by which a copy is known.
    pub fn read(text: &str) -> Result<(Self, String), Failed> {
        #[derive(Deserialize)]
        struct Kind {
            format: String,
            version: u32,
        }
        let no_copy = |error| Failed::new("the manifest is not one of a copy", &error);
        let kind: Kind = serde_json::from_str(text).map_err(no_copy)?;
        if kind.format != FORMAT {
            return Err(Failed::because(&format!("{} is no format of a copy", kind.format)));
        }
        if kind.version != VERSION {
            let version = kind.version;
            return Err(Failed::because(&format!(
                "the copy has the format's version {version}, and this release knows {VERSION}"
            ))
            .hint("import it with the release that wrote it, or a later one"));
        }
        let manifest = serde_json::from_str(text).map_err(no_copy)?;
        Ok((manifest, hex(&Sha256::digest(text))))
    }
}
