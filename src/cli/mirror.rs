//! `mirror`: keeps a provider's file of corrections in step with a log.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cli::Failed;
use crate::cli::args::{LogArgs, MirrorArgs};
use crate::cli::house::World;
use crate::cli::progress::Bar;
use crate::env::{secret_files, signals};
use crate::feed::mirror::{HttpSource, Mirror, MirrorError, Options, follow};

/// What keys of providers begin with.
const KEY_PREFIX: &str = "zmp_";

pub async fn mirror(args: MirrorArgs, world: &World) -> Result<(), Failed> {
    let source = source(&args.log, Some(&args.key_file))?;
    let options = Options {
        verifier: args.log.verifier,
        dir: args.out,
        format: args.format.into(),
        stage: args.stage.into(),
        step_entries_max: Options::STEP_ENTRIES_MAX,
    };
    let mirror = Mirror::new(Arc::new(source), options, Arc::new(Bar::default())).map_err(failed)?;
    let stop = CancellationToken::new();
    signals::cancel_on_signal(stop.clone()).map_err(|error| Failed::new("signals", &error))?;
    if args.once {
        let Some(round) = stop.run_until_cancelled(mirror.catch_up()).await else {
            return Err(Failed::because("ended by a signal; what was there stays"));
        };
        let round = round.map_err(failed)?;
        let acked = if round.is_acknowledged { "acknowledged" } else { "not acknowledged yet" };
        println!("{} entries, {} of them new, {acked}", round.size, round.new);
        return mirror.settle().await.map_err(failed);
    }
    follow(&mirror, world.entropy.as_ref(), &stop).await.map_err(failed)?;
    tracing::info!("ended");
    Ok(())
}

/// The log at an address, with the key that a file holds.
pub fn source(log: &LogArgs, key_file: Option<&Path>) -> Result<HttpSource, Failed> {
    let key = key_file.map(read_key).transpose()?;
    let source = HttpSource::new(&log.url, key.as_deref());
    let source = source.map_err(|error| Failed::new("--url", &error))?;
    if source.exposes_key() {
        tracing::warn!("the key goes over plain http: anybody on the way can read and use it");
    }
    Ok(source)
}

fn read_key(file: &Path) -> Result<String, Failed> {
    let name = file.display().to_string();
    let key = secret_files::read_text(file).map_err(|error| Failed::new("--key-file", &error))?;
    let key = key.trim();
    if !key.starts_with(KEY_PREFIX) || key.contains(char::is_whitespace) {
        return Err(Failed::because(&format!("{name}: it does not hold a provider's key, {KEY_PREFIX}…")));
    }
    Ok(key.to_owned())
}

// Taken by value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
pub fn failed(error: MirrorError) -> Failed {
    Failed::because(&error.to_string())
}
