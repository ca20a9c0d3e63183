//! The mirror: keeps a file of the corrections in force in step with the log,
//! believing nobody. It is what a provider runs, and what its programmers read
//! who write their own.
//!
//! One round (`round`):
//!
//! 1. fetch the checkpoint, three signed lines: the log has `size` entries
//!    with this `root`;
//! 2. fetch the entries beyond those one has, and hash them on top of the tree
//!    of what one has: is the root the signed one, then the log is still the
//!    one it was, and every entry is in it (`entries`);
//! 3. work them into the file, all or nothing: the newest entry of a number
//!    wins, one that withdraws deletes (`output`);
//! 4. tell the service how far one has come.
//!
//! Who is far behind takes long ways in steps (`tiles` proves the log's root
//! at each), or begins with a snapshot (`snapshot`). `follow` does rounds
//! for ever, whatever happens.
//!
//! The file, what it stands for, and the tree's right edge (at most 64 hashes)
//! change together, so that a kill at any moment leaves a file to go on from.
//!
//! Absent: the server, the command line, what an app does with a correction.

mod entries;
mod error;
mod follow;
mod http;
mod log;
mod output;
mod place;
mod round;
mod snapshot;
mod source;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests;
mod tiles;

pub use entries::strict;
pub use error::MirrorError;
pub use follow::follow;
pub use http::{HttpSource, SourceMalformed};
pub use log::{Log, Signed, leaves, width};
pub use output::Format;
pub use round::{Mirror, Options, Round};
pub use snapshot::SnapshotSum;
pub use source::{ByteStream, Source, SourceError};
pub use tiles::Tiles;

/// As the service gets to know us.
const SOFTWARE: &str = concat!("zhengming-mirror/", env!("CARGO_PKG_VERSION"));

/// What takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Hash tiles are being fetched: only who audits the log needs them all.
    Tiles,
    /// Entries are being fetched.
    Fetching,
    /// Corrections of a snapshot are being fetched.
    Snapshot,
    /// They are being worked into the file.
    Applying,
}

/// Told now and then how far things are.
pub trait Progress: Send + Sync {
    fn at(&self, phase: Phase, done: u64, total: u64);
}
