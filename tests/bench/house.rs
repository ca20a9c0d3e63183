//! The service's use cases, as the benchmarks run them.

use std::path::Path;
use std::sync::Arc;

use zhengming::casework::documents::Vault;
use zhengming::casework::secret::Secret;
use zhengming::casework::staging::Staging;
use zhengming::casework::{Casework, Parts, Settings};
use zhengming::domain::reference::Reference;
use zhengming::env::clock::{Clock, SystemClock};
use zhengming::env::entropy::OsEntropy;
use zhengming::gateway::outbox::Outbox;
use zhengming::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};
use zhengming::store::Store;

/// The house's use cases over a store; their tokens are good over any.
#[allow(dead_code, reason = "not each benchmark takes the settings as they are")]
pub fn casework(store: Arc<dyn Store>, dir: &Path) -> Casework {
    casework_with(store, dir, settings())
}

/// The quotas that are kept in the store stand as they do by default.
pub fn settings() -> Settings {
    Settings {
        codes_per_number_per_day: 5,
        filings_per_number_per_90_days: 4,
        // All filings come from one address.
        cluster_filings_per_30_days: 0,
        sms_per_minute: 0,
        releases_per_operator_per_day: 10_000,
        recycling_dates_per_number_per_day: 3,
        labels_per_provider_per_day: 2_000_000,
        approvals_per_second_look: 0,
        publish_all_releases: false,
        altcha_max_number: 0,
    }
}

pub fn casework_with(store: Arc<dyn Store>, dir: &Path, settings: Settings) -> Casework {
    let outbox = Outbox::open(&dir.join("outbox.ndjson"), Arc::new(|| SystemClock.now()));
    Casework::new(Parts {
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        secret: Secret::new([7; 32]),
        reference: Arc::new(Reference::built_in()),
        settings,
        sms: Arc::new(outbox.expect("the folder is ours")),
        operators: Vec::new(),
        lookups: Vec::new(),
        webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
        staging: Staging::open(&dir.join("staging")).expect("the folder is ours"),
        vault: Vault::open(&dir.join("documents")).expect("the folder is ours"),
    })
}
