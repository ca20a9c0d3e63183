//! `store check`, `store export`, `store import` and `store rewrite`: everything
//! that a store holds, looked through, written as a copy, read back into another
//! store, and moved into fresh files.
//!
//! A copy is a folder of parts and a manifest, which is written last; so a
//! folder without one is no copy. Parts are lines of JSON, compressed:
//!
//! ```text
//! manifest.json              format and version, when and by which release, what all of it
//!                            amounts to, and each part's lines and SHA-256
//! records-00000.ndjson.zst   {"kind":"label","record":{…}}
//! log-00000.ndjson.zst       leaves, byte for byte; the first line of all is entry 0
//! audit-00000.ndjson.zst     {"seq":0,…,"hash":"…"}
//! ```
//!
//! Not in a copy, for the store does not hold it: `secret.key` and `feed.key`
//! (without them a copy is of no use, and with them a stolen one is the whole
//! service), the folders `documents` and `staging`; and what is made anew by
//! itself, the log's files and snapshots.
//!
//! Absent: how a store is read as of one moment (`store::Everything`).

mod check;
pub mod copy;
pub mod export;
pub mod fill;
pub mod manifest;
mod parts;
pub mod reckoning;
pub mod rewrite;
pub mod source;
mod target;

pub use fill::must_be_whole;

use crate::cli::Failed;
use crate::cli::args::{ConfigArg, StoreCommand};
use crate::cli::config::Config;
use crate::cli::house::World;

/// Told how far something long has come: what, how much is done, and of how
/// much (0: nobody knows).
pub type Progress<'a> = &'a (dyn Fn(&'static str, u64, u64) + Sync);

pub async fn store(
    command: StoreCommand,
    load: impl Fn(&ConfigArg) -> Result<Config, Failed>,
    world: &World,
) -> Result<(), Failed> {
    match command {
        StoreCommand::Check(config) => check::check(&load(&config)?, world).await,
        StoreCommand::Export(args) => export::export(&args, &load(&args.config)?, world).await,
        StoreCommand::Import(args) => target::import(&args.from, &load(&args.config)?, world).await,
        StoreCommand::Rewrite(args) => rewrite::rewrite(&args, &load(&args.config)?, world).await,
    }
}
