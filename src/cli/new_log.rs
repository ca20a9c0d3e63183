//! After a restore, on purpose: `feed new-log` goes on under another name when
//! what was published cannot be gone on with, and `feed confirm-head` says
//! that a database without its high-water mark is the newest one.
//!
//! Both need the data folder for themselves: the service, if it runs, would go
//! on under the name that it was started with. Of several instances each
//! confirms for itself.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::Failed;
use crate::cli::config::{Config, StoreUrl};
use crate::cli::copies::must_be_whole;
use crate::cli::house::{
    World, begin_log, is_shared, lock_data_dir, log_dir, mark_path, open_feed, open_signer, open_store,
    sled_options,
};
use crate::domain::hex::hex;
use crate::feed::Feed;
use crate::feed::merkle::empty_root;
use crate::store::mark::signed_by_mark;
use crate::store::sled::SledStore;
use crate::store::{AuditDraft, Changeset, LogHead, Store, Versioned};

/// The log gets a new name and begins, for those who follow it, at nothing;
/// its entries are those of this database, with the numbers that they have.
pub async fn new_log(origin: &str, mut config: Config, world: &World) -> Result<(), Failed> {
    origin.clone_into(&mut config.feed.origin);
    let signer = open_signer(&config, world)?;
    let verifier = signer.verifier().to_string();
    if log_dir(&config).join(signer.verifier().id()).exists() {
        return Err(Failed::because(&format!(
            "there was a log of this name and key already: {verifier}; a new one needs a new origin"
        )));
    }
    let _lock = lock_data_dir(&config)?;
    let store = adopt(&config).await?;
    let known = store.load::<LogHead>(&()).await.map_err(|error| Failed::new("the store", &error))?;
    let former = known.as_ref().map(|known| known.value.verifier.clone());
    let head = LogHead { verifier: verifier.clone(), size: 0, root: empty_root() };
    let mut changes = Changeset::default();
    changes.put(Versioned { version: known.map_or(0, |known| known.version), value: head });
    changes.audit.push(audit(world.clock.now(), "new_log", &verifier));
    // From here on the old name is refused, and the mark is the new log's.
    store.commit(changes).await.map_err(|error| Failed::new("the store", &error))?;
    if is_shared(&config) {
        // This instance knows that nothing was signed under the new name.
        confirm(&open_feed(store, &config, world, begin_log(&config, world)?).await?)?;
    }
    println!("The log begins anew as {origin}. Set this in the configuration, and start the service:\n");
    println!("    [feed]\n    origin = \"{origin}\"\n");
    println!("Providers need the new verifier key, and begin at 0 with it:\n\n    {verifier}\n");
    if let Some(former) = former {
        println!("What was published as {former} stays readable under /feed/v1/logs.");
    }
    Ok(())
}

/// Takes the database as the newest there is, if nothing speaks against it.
pub async fn confirm_head(config: &Config, world: &World) -> Result<(), Failed> {
    let _lock = lock_data_dir(config)?;
    let store = adopt(config).await?;
    if let StoreUrl::Sled(_) = &config.store {
        has_all_that_was_signed(config, store.as_ref()).await?;
    }
    // Refuses what does not fit the head.
    let feed = open_feed(store.clone(), config, world, begin_log(config, world)?).await?;
    let mut changes = Changeset::default();
    changes.audit.push(audit(world.clock.now(), "head_confirmed", &feed.verifier().to_string()));
    store.commit(changes).await.map_err(|error| Failed::new("the store", &error))?;
    confirm(&feed)?;
    let newest = feed.newest().checkpoint;
    println!("The head is confirmed: {} entries, root {}", newest.size, hex(&newest.root));
    println!("If a provider has seen more than these, its mirror will say that the log has shrunk.");
    Ok(())
}

/// By a mark that is there although the database was adopted.
async fn has_all_that_was_signed(config: &Config, store: &dyn Store) -> Result<(), Failed> {
    let mark = mark_path(config);
    let signed = signed_by_mark(&mark).map_err(|error| Failed::new(&mark.display().to_string(), &error))?;
    let head = store.load::<LogHead>(&()).await.map_err(|error| Failed::new("the store", &error))?;
    let head_size = head.as_ref().map_or(0, |head| head.value.size);
    match signed.filter(|signed| *signed > head_size) {
        None => Ok(()),
        Some(signed) => Err(Failed::because(&format!(
            "the high-water mark knows of a signed checkpoint of {signed} entries, and this database of one of \
             {head_size}: it is not the newest; bring that back, or begin anew with `zhengming feed new-log`"
        ))),
    }
}

/// The store, whatever its mark says; the mark changes with the first commit.
async fn adopt(config: &Config) -> Result<Arc<dyn Store>, Failed> {
    match &config.store {
        StoreUrl::Sled(dir) => {
            let mut options = sled_options(config, dir);
            options.adopt = true;
            let store = SledStore::open(&options).map_err(|error| Failed::new("the store", &error))?;
            must_be_whole(&store).await?;
            Ok(Arc::new(store))
        }
        StoreUrl::Postgres(_) => Ok(open_store(config).await?.0),
        StoreUrl::Memory => Err(Failed::because("a store in memory has no high-water mark")),
    }
}

fn confirm(feed: &Feed) -> Result<(), Failed> {
    feed.confirm().map_err(|error| Failed::new("the high-water mark", &error))
}

fn audit(at: Timestamp, action: &str, verifier: &str) -> AuditDraft {
    AuditDraft {
        at,
        actor: "cli".to_owned(),
        action: action.to_owned(),
        subject: format!("log:{verifier}"),
        digest: None,
    }
}
