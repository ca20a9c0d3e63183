//! `store rewrite`: the embedded database in fresh files, so that what was
//! purged is in its files no more, and takes no room.
//!
//! Where a crash leaves what: `store::sled::rewrite`. Here the fresh database
//! is held against the old one before they change places: both are read from
//! end to end, and have to amount to the same and hold together.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::cli::Failed;
use crate::cli::args::RewriteArgs;
use crate::cli::config::{Config, StoreUrl};
use crate::cli::copies::reckoning::Total;
use crate::cli::copies::source::Source;
use crate::cli::copies::{Progress, must_be_whole};
use crate::cli::house::{World, sled_failed, sled_options};
use crate::cli::progress::Bar;
use crate::cli::remote::Remote;
use crate::env::files;
use crate::store::sled::rewrite::{RewriteError, Rewriting, bytes_of, rewritten_at};
use crate::store::sled::{SledOptions, SledStore};
use crate::store::{Piece, Store};

/// The bytes of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub before: u64,
    pub after: u64,
}

pub async fn rewrite(args: &RewriteArgs, config: &Config, world: &World) -> Result<(), Failed> {
    let dir = match sled_dir(config) {
        Err(none) if args.if_older_than_days.is_some() => {
            println!("{none}");
            return Ok(());
        }
        dir => dir?,
    };
    let now = world.clock.now();
    if let Some(why) = not_needed(args, dir, now)? {
        println!("{why}");
        return Ok(());
    }
    if Remote::find(config, world).await?.is_some() {
        return Err(Failed::because("the service runs: a database is rewritten while nobody serves it")
            .hint("stop it first; its systemd unit does this before a start, where it was long ago"));
    }
    let bar = Bar::default();
    let progress = |what, done, total| bar.show(what, done, total);
    let sizes = rewritten(&sled_options(config, dir), now, &progress).await?;
    bar.clear();
    let (before, after) = (mib(sizes.before), mib(sizes.after));
    println!(
        "the database was rewritten: {before} before, {after} now; its files hold nothing that was purged"
    );
    Ok(())
}

/// Why there is nothing to do, for who asks regularly.
fn not_needed(args: &RewriteArgs, dir: &Path, now: Timestamp) -> Result<Option<String>, Failed> {
    let there_is_none =
        (!dir.join("db").exists()).then(|| format!("there is no database at {}", dir.display()));
    match (args.if_older_than_days, there_is_none) {
        (None, Some(none)) => Err(Failed::because(&none)),
        (None, None) => Ok(None),
        (Some(_), Some(none)) => Ok(Some(none)),
        (Some(days), None) => Ok(done_lately(dir, days, now)
            .map(|at| format!("the database was rewritten at {at}: that is late enough"))),
    }
}

fn sled_dir(config: &Config) -> Result<&Path, Failed> {
    match &config.store {
        StoreUrl::Sled(dir) => Ok(dir),
        StoreUrl::Memory => Err(Failed::because("a store in memory (memory:) has no files")),
        StoreUrl::Postgres(_) => Err(Failed::because(
            "PostgreSQL keeps its files itself, and what is deleted in them is its own affair",
        )
        .hint("there it is `VACUUM FULL` that rewrites tables; how long its WAL, and the copies of it, are kept is set there too")),
    }
}

/// A time that has not come yet was a wrong clock's.
fn done_lately(dir: &Path, days: u16, now: Timestamp) -> Option<Timestamp> {
    let age = |at: &Timestamp| now.duration_since(*at);
    let most = SignedDuration::from_hours(24 * i64::from(days));
    rewritten_at(dir).filter(|at| !age(at).is_negative() && age(at) <= most)
}

/// Puts a fresh database in the place of the one that is there.
pub async fn rewritten(
    options: &SledOptions,
    at: Timestamp,
    progress: Progress<'_>,
) -> Result<Sizes, Failed> {
    let store = SledStore::open(options).map_err(sled_failed)?;
    must_be_whole(&store).await?;
    let dir = &options.dir;
    let bytes = || bytes_of(dir).map_err(|error| Failed::new(&dir.display().to_string(), &error));
    let before = bytes()?;
    must_have_room(options, before)?;
    let held = total_of(&store, "reading", progress).await?;
    let told = |copied| progress("copying", copied, 0);
    let mut rewriting = Rewriting::begin(store, options, at, &told).map_err(failed)?;
    if let Err(why) = must_be_the_same(&rewriting, &held, progress).await {
        rewriting.remove_other().map_err(failed)?;
        return Err(why);
    }
    progress("changing places", 0, 1);
    match rewriting.change_places() {
        Err(error @ RewriteError::Places { .. }) => {
            rewriting.remove_other().map_err(failed)?;
            return Err(failed(error));
        }
        changed => changed.map_err(failed)?,
    }
    progress("removing the old one", 0, 1);
    rewriting.remove_other().map_err(failed)?;
    Ok(Sizes { before, after: bytes()? })
}

/// A fresh database may be larger than one in which nothing was deleted, by a
/// seventh where that was measured: sled lays keys that come in order out loosely.
fn must_have_room(options: &SledOptions, bytes: u64) -> Result<(), Failed> {
    let name = options.dir.display();
    let free = files::free_bytes(&options.dir).map_err(|error| Failed::new(&name.to_string(), &error))?;
    let wanted = bytes.saturating_add(bytes / 2).saturating_add(options.disk_free_bytes_min);
    if free >= wanted {
        return Ok(());
    }
    let (free, wanted) = (mib(free), mib(wanted));
    Err(Failed::because(&format!(
        "the disk of {name} has {free} free, and it takes {wanted}: a second database, perhaps a larger one, \
         until the first is removed, and what disk_free_bytes_min keeps"
    )))
}

/// What a store amounts to that holds together.
async fn total_of(store: &dyn Store, what: &'static str, progress: Progress<'_>) -> Result<Total, Failed> {
    let mut source = Source::of_store(store).await?;
    let (total, problems) = source.reckon(|_: &Piece, done| progress(what, done, 0)).await?;
    if problems.is_empty() {
        return Ok(total);
    }
    Err(Failed::because(&format!("the store does not hold together:\n{}", problems.text()))
        .hint("nothing was changed; `zhengming store check` looks through it"))
}

async fn must_be_the_same(rewriting: &Rewriting, held: &Total, progress: Progress<'_>) -> Result<(), Failed> {
    let fresh = rewriting.fresh().map_err(sled_failed)?;
    let holds = total_of(&fresh, "reading again", progress).await?;
    match held.difference(&holds) {
        None => Ok(()),
        Some(what) => Err(Failed::because(&format!(
            "the fresh database does not hold what the old one does, and was removed; {what}"
        ))),
    }
}

fn failed(error: RewriteError) -> Failed {
    match error {
        RewriteError::Open(error) => sled_failed(error),
        error @ RewriteError::Places { .. } => Failed::new("the store", &error).hint(
            "nothing was changed; that takes a database in an ordinary folder of a local file system, \
             and no mount of its own",
        ),
        error => Failed::new("the store", &error),
    }
}

fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whether_it_was_lately() {
        let dir = tempfile::tempdir().unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let lately = |now: &str| done_lately(dir.path(), 30, at(now)).is_some();
        assert!(!lately("2026-11-23T03:00:00Z"), "never");
        std::fs::write(dir.path().join("rewritten"), "2026-11-23T03:00:00Z\n").unwrap();
        assert!(lately("2026-11-23T03:00:00Z") && lately("2026-12-23T03:00:00Z"));
        assert!(!lately("2026-12-23T03:00:01Z") && !lately("2026-11-23T02:59:59Z"));
        std::fs::write(dir.path().join("rewritten"), "yesterday").unwrap();
        assert!(!lately("2026-11-23T03:00:00Z"));
    }

    #[test]
    fn sizes_in_words() {
        assert_eq!([0, 1, 1 << 20, 1_572_864].map(mib), ["0.0 MiB", "0.1 MiB", "1.0 MiB", "1.5 MiB"]);
    }
}
