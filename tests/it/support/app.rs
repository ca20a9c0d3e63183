//! The whole service without its sockets, over a store in memory and a folder,
//! with a clock that stands still and seeded chance. The fuzz targets use it
//! too.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use zhengming::casework::documents::Vault;
use zhengming::casework::ports::{Message, Sms, Unavailable};
use zhengming::casework::secret::Secret;
use zhengming::casework::staging::Staging;
use zhengming::casework::texting::Texting;
use zhengming::casework::{Casework, Parts, Settings};
use zhengming::domain::reference::Reference;
use zhengming::env::clock::{Elapsed, MockClock};
use zhengming::env::entropy::SeededEntropy;
use zhengming::env::metrics::Registry;
use zhengming::feed::Feed;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::snapshot::Snapshots;
use zhengming::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};
use zhengming::http::limits::{Limits, LimitsConfig};
use zhengming::http::meters::RequestMeters;
use zhengming::http::pages::PageSettings;
use zhengming::http::service::{App, Service};
use zhengming::store::memory::MemoryStore;

pub const NOW: &str = "2026-11-23T03:04:05Z";
pub const SECRET: [u8; 32] = [7; 32];

pub fn settings() -> Settings {
    Settings {
        codes_per_number_per_day: 5,
        filings_per_number_per_90_days: 4,
        cluster_filings_per_30_days: 10,
        sms_per_minute: 0,
        releases_per_operator_per_day: 10_000,
        recycling_dates_per_number_per_day: 3,
        labels_per_provider_per_day: 0,
        approvals_per_second_look: 0,
        publish_all_releases: false,
        altcha_max_number: 0,
    }
}

pub async fn over(
    store: Arc<MemoryStore>,
    dir: &Path,
    settings: Settings,
    limits: &LimitsConfig,
    texting: Option<Texting>,
) -> App {
    let casework = Casework::new(Parts {
        store: store.clone(),
        clock: Arc::new(MockClock::at(now())),
        entropy: Arc::new(SeededEntropy::new(1)),
        secret: Secret::new(SECRET),
        reference: Arc::new(Reference::built_in()),
        settings,
        sms: Arc::new(NoSms),
        operators: Vec::new(),
        lookups: Vec::new(),
        staging: Staging::open(&dir.join("staging")).unwrap(),
        vault: Vault::open(&dir.join("documents")).unwrap(),
        webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
    });
    let casework = match texting {
        Some(texting) => casework.with_texting(texting),
        None => casework,
    };
    let feed = Feed::open(store, dir, signer()).await.unwrap();
    let snapshots = Snapshots::of(&feed, &dir.join("snapshots"), 0).await.unwrap();
    let limits = Limits::new(limits, &Elapsed::default());
    let pages = PageSettings { secure: false };
    let (requests, metrics) = (RequestMeters::default(), Registry::default().into());
    Arc::new(Service { casework, feed, snapshots, limits, pages, requests, metrics })
}

/// The key of all tests' logs.
pub fn signer() -> NoteSigner {
    NoteSigner::new("localhost/feed", &[9; 32]).unwrap()
}

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

#[derive(Debug)]
struct NoSms;

#[async_trait]
impl Sms for NoSms {
    async fn send(&self, _: &Message) -> Result<(), Unavailable> {
        Err(Unavailable { why: "there is no gateway here".into(), retry_after_s: None, alarm: false })
    }
}
