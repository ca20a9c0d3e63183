//! `store import`: the store that is filled, and what its owner has to see to
//! afterwards.

use std::path::Path;
use std::sync::Arc;

use crate::cli::Failed;
use crate::cli::config::{Config, StoreUrl};
use crate::cli::copies::copy::Copy;
use crate::cli::copies::fill::fill;
use crate::cli::copies::manifest::Manifest;
use crate::cli::house::{
    World, is_shared, lock_data_dir, make_private_dir, mark_path, open_postgres, sled_failed, sled_options,
};
use crate::cli::progress::Bar;
use crate::cli::remote::Remote;
use crate::store::mark::signed_by_mark;
use crate::store::sled::SledStore;
use crate::store::{Meters, Store};

pub async fn import(from: &Path, config: &Config, world: &World) -> Result<(), Failed> {
    if Remote::find(config, world).await?.is_some() {
        return Err(Failed::because("the service runs: a store is filled while nobody serves it"));
    }
    let bar = Bar::default();
    let progress = |what, done, total| bar.show(what, done, total);
    let copy = Copy::open(from)?;
    copy.verify(&progress)?;
    let data_dir = &config.data_dir;
    make_private_dir(data_dir).map_err(|error| Failed::new(&data_dir.display().to_string(), &error))?;
    let _lock = lock_data_dir(config)?;
    let store = open_target(config).await?;
    fill(&copy, &*store, &progress).await?;
    bar.clear();
    // What was written is on disk and closed before it is said.
    drop(store);
    tell(&copy.manifest, config)
}

/// A store on disk takes its place even where a high-water mark tells of one
/// that was lost; what the mark knows to be signed it goes on knowing.
async fn open_target(config: &Config) -> Result<Arc<dyn Store>, Failed> {
    match &config.store {
        StoreUrl::Memory => {
            Err(Failed::because("a store in memory (memory:) forgets the copy with the end of this command"))
        }
        StoreUrl::Sled(dir) => {
            let mut options = sled_options(config, dir);
            options.refill = true;
            Ok(Arc::new(SledStore::open(&options).map_err(sled_failed)?))
        }
        StoreUrl::Postgres(url) => Ok(Arc::new(open_postgres(url, &Meters::default()).await?)),
    }
}

fn tell(manifest: &Manifest, config: &Config) -> Result<(), Failed> {
    let total = &manifest.total;
    let records: u64 = total.records.values().map(|kind| kind.count).sum();
    let (entries, lines) = (total.log.size, total.audit.size);
    println!(
        "the store holds the copy of {}: {records} records, {entries} log entries, {lines} audit lines",
        manifest.created_at
    );
    for key in ["secret.key", "feed.key"] {
        let path = config.data_dir.join(key);
        if !path.exists() {
            println!("Before it is served: put the {key} that belongs to it at {}", path.display());
        }
    }
    let Some(head) = &total.log.head else { return Ok(()) };
    println!("Its log is {}, signed up to {} entries.", head.verifier, head.size);
    if is_shared(config) {
        println!("Each instance signs once `zhengming feed confirm-head` was run on it.");
        return Ok(());
    }
    let mark = mark_path(config);
    let signed = signed_by_mark(&mark).map_err(|error| Failed::new(&mark.display().to_string(), &error))?;
    if let Some(signed) = signed.filter(|signed| *signed > head.size) {
        println!(
            "The high-water mark knows of a checkpoint of {signed} entries: providers may have more than this copy. \
             If there is no newer one, begin a new log with `zhengming feed new-log --origin ORIGIN`."
        );
    }
    Ok(())
}
