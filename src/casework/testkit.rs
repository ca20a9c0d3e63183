//! What the casework's own tests are made of: nothing outside, no limits, and
//! a clock that moves when told. A test replaces the parts that it is about.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::casework::documents::Vault;
use crate::casework::ports::{Delivery, Message, Sms, Unavailable, WebhookMessage, Webhooks};
use crate::casework::secret::Secret;
use crate::casework::staging::Staging;
use crate::casework::{Parts, Settings};
use crate::domain::reference::Reference;
use crate::env::clock::MockClock;
use crate::env::entropy::SeededEntropy;
use crate::store::memory::MemoryStore;

#[derive(Debug)]
struct NobodyOutside;

#[async_trait]
impl Sms for NobodyOutside {
    async fn send(&self, _: &Message) -> Result<(), Unavailable> {
        Err(unavailable())
    }
}

#[async_trait]
impl Webhooks for NobodyOutside {
    async fn post(&self, _: &WebhookMessage) -> Delivery {
        Delivery::Failed(unavailable())
    }
}

fn unavailable() -> Unavailable {
    Unavailable { why: "there is nobody".into(), retry_after_s: None, alarm: false }
}

pub(super) fn parts(store: &Arc<MemoryStore>, clock: &MockClock, dir: &Path) -> Parts {
    Parts {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(1)),
        secret: Secret::new([7; 32]),
        reference: Arc::new(Reference::built_in()),
        settings: Settings {
            codes_per_number_per_day: 0,
            filings_per_number_per_90_days: 0,
            cluster_filings_per_30_days: 0,
            sms_per_minute: 0,
            releases_per_operator_per_day: 0,
            labels_per_provider_per_day: 0,
            recycling_dates_per_number_per_day: 0,
            approvals_per_second_look: 0,
            publish_all_releases: false,
            altcha_max_number: 0,
        },
        sms: Arc::new(NobodyOutside),
        operators: Vec::new(),
        lookups: Vec::new(),
        webhooks: Arc::new(NobodyOutside),
        staging: Staging::open(dir).unwrap(),
        vault: Vault::open(&dir.join("documents")).unwrap(),
    }
}
