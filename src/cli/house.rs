//! Puts the rooms together out of a configuration.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::casework::documents::Vault;
use crate::casework::secret::{SECRET_BYTES, Secret};
use crate::casework::staging::Staging;
use crate::casework::{Casework, Parts, Settings};
use crate::cli::config::{Config, PublishReleases, StoreUrl};
use crate::cli::copies::must_be_whole;
use crate::cli::{Failed, partners, sms};
use crate::domain::hex::hex;
use crate::domain::reference::{Reference, ReferenceTexts};
use crate::env::clock::{Clock, Elapsed};
use crate::env::entropy::Entropy;
use crate::env::metrics::Registry;
use crate::env::process::ProcessMetrics;
use crate::env::secret_files;
use crate::feed::note::NoteSigner;
use crate::feed::shared::Sharing;
use crate::feed::snapshot::Snapshots;
use crate::feed::{Feed, FeedError, LogsDir};
use crate::gateway::Now;
use crate::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};
use crate::http::limits::{Limits, LimitsConfig};
use crate::http::meters::RequestMeters;
use crate::http::pages::PageSettings;
use crate::http::service::{App, Service};
use crate::store::memory::MemoryStore;
use crate::store::postgres::{PostgresOptions, PostgresStore};
use crate::store::sled::{OpenError, SledOptions, SledStore};
use crate::store::{Meters, Store};

/// The world outside, as arguments.
#[derive(Debug, Clone)]
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

#[derive(Debug)]
pub struct House {
    pub app: App,
    /// Becomes true when the store has failed and the process has to end.
    pub store_failed: watch::Receiver<bool>,
    /// No other process has this data folder while it is held.
    pub lock: Option<File>,
}

impl House {
    pub async fn build(config: &Config, world: &World) -> Result<Self, Failed> {
        let secret = open_secret(config, world)?;
        let lock = lock_data_dir(config)?;
        let reference = Arc::new(read_reference(config.reference_dir.as_deref())?);
        warn_of_years_without_data(&reference, world);
        let log = begin_log(config, world)?;
        let commits = Meters::new(Elapsed::monotonic());
        let (store, store_failed) = open_counted(config, &commits).await?;
        let shared_dir = config.shared_dir.as_ref().unwrap_or(&config.data_dir);
        let staging = shared_dir.join("staging");
        let staging =
            if is_shared(config) { Staging::open_shared(&staging) } else { Staging::open(&staging) };
        let staging = staging.map_err(|error| Failed::new("the staging folder", &error))?;
        let vault = Vault::open(&shared_dir.join("documents"));
        let vault = vault.map_err(|error| Failed::new("the documents' folder", &error))?;
        let casework = Casework::new(Parts {
            store: store.clone(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            secret,
            reference,
            settings: settings(config),
            sms: sms::gateway(config, world)?,
            operators: partners::operators(&config.operators, world)?,
            lookups: partners::lookups(&config.providers, world)?,
            webhooks: Arc::new(WebhookPost::new(config.feed.webhooks_to_private_addresses, WEBHOOK_TIMEOUT)),
            staging,
            vault,
        });
        same_secret(&casework).await?;
        if is_shared(config) {
            same_shared_dir(&casework, shared_dir, world).await?;
        }
        let casework = match sms::texting(&config.sms)? {
            Some(texting) => casework.with_texting(texting),
            None => casework,
        };
        let mut casework = casework.with_public_url(config.public_url.clone());
        if is_shared(config) {
            casework = casework.with_others(config.instances);
        }
        let feed = open_feed(store, config, world, log).await?.timed_by(world.clock.clone());
        let dir = config.data_dir.join("snapshots");
        let snapshots = Snapshots::of(&feed, &dir, config.disk_free_bytes_min).await;
        let snapshots = snapshots.map_err(|error| Failed::new("the snapshots' folder", &error))?;
        let limits = Limits::new(&rates(config), &Elapsed::monotonic());
        let pages = PageSettings { secure: config.public_url.starts_with("https:") };
        let (requests, mut metrics) = (RequestMeters::default(), Registry::default());
        metrics.register_collector(Box::new(ProcessMetrics { started_at: world.clock.now() }));
        requests.register(&mut metrics);
        limits.register(&mut metrics);
        commits.register(&mut metrics);
        casework.register(&mut metrics);
        feed.register(&mut metrics);
        let app = Service { casework, feed, snapshots, limits, pages, requests, metrics: metrics.into() };
        Ok(Self { app: Arc::new(app), store_failed, lock })
    }
}

/// Whether there may be other instances on the same database.
pub fn is_shared(config: &Config) -> bool {
    matches!(config.store, StoreUrl::Postgres(_))
}

/// Begins to check the log's hashes, while the store is being opened.
pub fn begin_log(config: &Config, world: &World) -> Result<(LogsDir, NoteSigner), Failed> {
    let signer = open_signer(config, world)?;
    Ok((LogsDir::checking(&log_dir(config), signer.verifier()), signer))
}

/// The log, alone or with the other instances.
pub async fn open_feed(
    store: Arc<dyn Store>,
    config: &Config,
    world: &World,
    (logs, signer): (LogsDir, NoteSigner),
) -> Result<Feed, Failed> {
    let feed = if is_shared(config) {
        let mut me = [0; 16];
        world.entropy.fill(&mut me);
        let sharing = Sharing { clock: world.clock.clone(), me: hex(&me) };
        Feed::open_shared(store, logs, signer, sharing).await
    } else {
        Feed::open(store, logs, signer).await
    };
    feed.map_err(|error| feed_failed(&error))
}

/// A database of one process has a lock of its own. One that is shared says
/// nothing of who else has this folder.
pub fn lock_data_dir(config: &Config) -> Result<Option<File>, Failed> {
    if !is_shared(config) {
        return Ok(None);
    }
    let path = config.data_dir.join("lock");
    let lock = File::create(&path).map_err(|error| Failed::new(&path.display().to_string(), &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(Failed::because(&format!(
            "another process has the data folder {}",
            config.data_dir.display()
        ))
        .hint(
            "each instance needs one of its own; if that is the service, is admin_listen the same as its?",
        )),
        Err(TryLockError::Error(error)) => Err(Failed::new(&path.display().to_string(), &error)),
    }
}

/// The secret key, made by the first command that needs it.
pub fn open_secret(config: &Config, world: &World) -> Result<Secret, Failed> {
    let dir = &config.data_dir;
    make_private_dir(dir)
        .map_err(|error| Failed::new(&format!("the data folder {}", dir.display()), &error))?;
    let path = dir.join("secret.key");
    let bytes = secret_files::read_or_create::<SECRET_BYTES>(&path, world.entropy.as_ref());
    Ok(Secret::new(bytes.map_err(|error| Failed::new("the secret key", &error))?))
}

/// The log's key under its name, made by the first command that needs it.
pub fn open_signer(config: &Config, world: &World) -> Result<NoteSigner, Failed> {
    let path = config.data_dir.join("feed.key");
    let secret = secret_files::read_or_create(&path, world.entropy.as_ref());
    let secret = secret.map_err(|error| Failed::new("the feed's key", &error))?;
    NoteSigner::new(&config.feed.origin, &secret).map_err(|error| Failed::new("feed.origin", &error))
}

/// Where the files of this log, and of those before it, are.
pub fn log_dir(config: &Config) -> PathBuf {
    config.data_dir.join("log")
}

async fn same_secret(casework: &Casework) -> Result<(), Failed> {
    let known = casework.knows_secret().await;
    if known.map_err(|error| Failed::new("the secret key's fingerprint", &error))? {
        return Ok(());
    }
    Err(Failed::because("secret.key is not the one that this database was used with").hint(
        "put back the secret.key that belongs to it, from a backup or from another instance of the service",
    ))
}

/// A mark in the folder tells it from any other.
async fn same_shared_dir(casework: &Casework, dir: &Path, world: &World) -> Result<(), Failed> {
    let path = dir.join("folder.id");
    let mark = secret_files::read_or_create::<16>(&path, world.entropy.as_ref());
    let mark = mark.map_err(|error| Failed::new(&path.display().to_string(), &error))?;
    let known = casework.knows_shared_dir(&mark).await;
    if known.map_err(|error| Failed::new("the shared folder's mark", &error))? {
        return Ok(());
    }
    Err(Failed::because(&format!("{} is not the folder that the other instances share", dir.display()))
        .hint("set shared_dir to it; it holds uploads that are under way and documents"))
}

fn feed_failed(error: &FeedError) -> Failed {
    let failed = Failed::new("the feed", error);
    match error {
        FeedError::OtherLog { .. } => failed.hint(
            "if feed.key or feed.origin was changed by mistake, change it back; to go on under another name \
             or key on purpose, stop the service and run `zhengming feed new-log --origin ORIGIN`",
        ),
        FeedError::SetBack { .. } => failed.hint(
            "bring the newest database back; if there is none, what was published cannot be gone on with, and \
             `zhengming feed new-log --origin ORIGIN` begins anew from what is here",
        ),
        _ => failed,
    }
}

pub fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    if !dir.exists() {
        fs::create_dir_all(dir)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The built-in data, with those files that the folder has in their place.
fn read_reference(dir: Option<&Path>) -> Result<Reference, Failed> {
    let read = |name: &str, built_in: &str| match dir.map(|dir| dir.join(name)) {
        Some(path) if path.exists() => {
            fs::read_to_string(&path).map_err(|error| Failed::new(&path.display().to_string(), &error))
        }
        _ => Ok(built_in.to_owned()),
    };
    let built_in = ReferenceTexts::BUILT_IN;
    let numbering = read("numbering.toml", built_in.numbering)?;
    let labels = read("labels.toml", built_in.labels)?;
    let providers = read("providers.toml", built_in.providers)?;
    let working_days = read("working-days.toml", built_in.working_days)?;
    let texts = ReferenceTexts {
        numbering: &numbering,
        labels: &labels,
        providers: &providers,
        working_days: &working_days,
    };
    Reference::from_texts(&texts).map_err(|error| Failed::new("reference data", &error))
}

fn warn_of_years_without_data(reference: &Reference, world: &World) {
    let today = jiff::tz::TimeZone::UTC.to_datetime(world.clock.now()).date();
    // Due dates of the next weeks may lie in the next year.
    let soon = crate::domain::day::plus_days(today, 30);
    for year in reference.working_days.years_without_data(today.year()..=soon.year()) {
        tracing::warn!(
            year,
            "working-days.toml has no holidays for this year: due dates count Mondays to Fridays"
        );
    }
}

/// And word of its end.
pub type Opened = (Arc<dyn Store>, watch::Receiver<bool>);

/// The store, unless it is half filled.
pub async fn open_store(config: &Config) -> Result<Opened, Failed> {
    open_counted(config, &Meters::default()).await
}

async fn open_counted(config: &Config, meters: &Meters) -> Result<Opened, Failed> {
    let opened = open_any_store(config, meters).await?;
    must_be_whole(&*opened.0).await?;
    Ok(opened)
}

async fn open_any_store(config: &Config, meters: &Meters) -> Result<Opened, Failed> {
    match &config.store {
        StoreUrl::Memory => Ok((Arc::new(MemoryStore::new()), watch::channel(false).1)),
        StoreUrl::Sled(dir) => {
            let options = SledOptions { meters: meters.clone(), ..sled_options(config, dir) };
            let store = SledStore::open(&options).map_err(sled_failed)?;
            let failed = store.failed();
            Ok((Arc::new(store), failed))
        }
        StoreUrl::Postgres(url) => {
            let store = open_postgres(url, meters).await?;
            let failed = store.failed();
            Ok((Arc::new(store), failed))
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub fn sled_failed(error: OpenError) -> Failed {
    let failed = Failed::new("the store", &error);
    match error {
        OpenError::InUse { .. } => failed
            .hint("another process has it open; if that is the service, is admin_listen the same as its?"),
        // The disk's own trouble says nothing of what lies on it.
        OpenError::Sled { source: sled::Error::Io(_), .. } => failed,
        OpenError::Sled { .. } | OpenError::Store { .. } | OpenError::Foreign { .. } => failed.hint(
            "put the folder aside, its high-water mark left in place, and bring back the newest copy that is \
             whole: `zhengming store import --in COPY`",
        ),
        _ => failed,
    }
}

pub async fn open_postgres(url: &str, meters: &Meters) -> Result<PostgresStore, Failed> {
    let options = PostgresOptions { meters: meters.clone(), ..PostgresOptions::new(url) };
    let store = PostgresStore::open(&options).await;
    store.map_err(|error| Failed::new("the store", &error))
}

pub fn sled_options(config: &Config, dir: &Path) -> SledOptions {
    let mut options = SledOptions::new(dir, mark_path(config));
    options.disk_free_bytes_min = config.disk_free_bytes_min;
    options
}

pub fn mark_path(config: &Config) -> PathBuf {
    config.data_dir.join("high-water-mark")
}

pub(super) fn now_of(world: &World) -> Now {
    let clock = world.clock.clone();
    Arc::new(move || clock.now())
}

fn settings(config: &Config) -> Settings {
    Settings {
        codes_per_number_per_day: config.limits.codes_per_number_per_day,
        filings_per_number_per_90_days: config.limits.filings_per_number_per_90_days,
        cluster_filings_per_30_days: config.limits.cluster_filings_per_30_days,
        sms_per_minute: config.limits.sms_per_minute,
        releases_per_operator_per_day: config.limits.releases_per_operator_per_day,
        recycling_dates_per_number_per_day: config.limits.recycling_dates_per_number_per_day,
        labels_per_provider_per_day: config.limits.labels_per_provider_per_day,
        approvals_per_second_look: config.limits.approvals_per_second_look,
        publish_all_releases: config.feed.publish_releases == PublishReleases::All,
        altcha_max_number: u64::from(config.altcha.max_number),
    }
}

/// This instance's part: all of them together keep to what is configured.
fn rates(config: &Config) -> LimitsConfig {
    let limits = &config.limits;
    let part = |of_all: u32| of_all.div_ceil(config.instances);
    LimitsConfig {
        requests_per_address_per_second: part(limits.requests_per_address_per_second),
        requests_per_provider_per_second: part(limits.requests_per_provider_per_second),
        requests_per_operator_per_second: part(limits.requests_per_operator_per_second),
        requests_per_number_per_second: part(limits.requests_per_number_per_second),
        requests_per_moderator_per_second: part(limits.requests_per_moderator_per_second),
        verifications_per_address_per_hour: part(limits.verifications_per_address_per_hour),
        logins_per_address_per_minute: part(limits.logins_per_address_per_minute),
        logins_per_account_per_hour: part(limits.logins_per_account_per_hour),
        snapshots_per_provider_per_day: part(limits.snapshots_per_provider_per_day),
        ..LimitsConfig::default()
    }
}
