//! Receivers that fail, recover and leave, under a clock that moves when told.
#![allow(clippy::unwrap_used)]

mod adding;
mod telling;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::casework::ports::{Delivery, Unavailable, WebhookMessage, Webhooks};
use crate::casework::testkit::parts;
use crate::casework::{Error, Parts};
use crate::env::clock::{Clock, MockClock};
use crate::store::Store;
use crate::store::memory::MemoryStore;

struct Town {
    casework: Casework,
    clock: MockClock,
    store: Arc<MemoryStore>,
    receiver: Arc<Receiver>,
    dir: TempDir,
}

/// Answers all alike, until told otherwise.
#[derive(Debug)]
struct Receiver {
    calls: Mutex<Vec<WebhookMessage>>,
    answer: Mutex<Delivery>,
}

#[async_trait]
impl Webhooks for Receiver {
    async fn post(&self, message: &WebhookMessage) -> Delivery {
        self.calls.lock().unwrap().push(message.clone());
        self.answer.lock().unwrap().clone()
    }
}

fn owner() -> Owner {
    Owner::at_the_command_line()
}

fn provider() -> ProviderId {
    "tencent".parse().unwrap()
}

fn url(nth: u32) -> WebhookUrl {
    format!("https://hooks.example.org/{nth}").parse().unwrap()
}

fn failed(why: &str) -> Delivery {
    Delivery::Failed(Unavailable { why: why.to_owned(), retry_after_s: None, alarm: false })
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn casework(
    store: &Arc<MemoryStore>,
    clock: &MockClock,
    webhooks: Arc<dyn Webhooks>,
    dir: &TempDir,
) -> Casework {
    Casework::new(Parts { webhooks, ..parts(store, clock, dir.path()) })
}

impl Town {
    /// With a provider who has a key.
    async fn new() -> Self {
        let clock = MockClock::at("2026-11-23T03:04:05Z".parse().unwrap());
        let store = Arc::new(MemoryStore::new());
        let receiver = Receiver { calls: Mutex::default(), answer: Mutex::new(Delivery::Delivered) };
        let (receiver, dir) = (Arc::new(receiver), tempfile::tempdir().unwrap());
        let casework = casework(&store, &clock, receiver.clone(), &dir);
        casework.issue_key(owner(), Grant::Provider(provider()), "腾讯").await.unwrap();
        Self { casework, clock, store, receiver, dir }
    }

    /// With a webhook too; its secret.
    async fn with_webhook() -> (Self, String) {
        let town = Self::new().await;
        let secret = town.add(0).await.unwrap();
        (town, secret)
    }

    async fn add(&self, nth: u32) -> Result<String> {
        self.casework.add_webhook(owner(), &provider(), &url(nth)).await
    }

    fn answers(&self, answer: Delivery) {
        *self.receiver.answer.lock().unwrap() = answer;
    }

    /// Makes the calls that are due now; the messages.
    async fn tell(&self, size: u64) -> Vec<WebhookMessage> {
        let mut calls = JoinSet::new();
        self.casework.begin_calls(size, &mut calls).await.unwrap();
        while let Some(ended) = calls.join_next().await {
            ended.unwrap().unwrap();
        }
        std::mem::take(&mut *self.receiver.calls.lock().unwrap())
    }

    async fn tell_one(&self, size: u64) -> WebhookMessage {
        let mut told = self.tell(size).await;
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }

    async fn webhook(&self) -> Webhook {
        let mut all = self.casework.webhooks(owner()).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    async fn audited(&self) -> Vec<(String, String)> {
        let lines = self.store.audit(0, 100).await.unwrap().into_iter();
        lines.map(|line| (line.draft.actor, line.draft.action)).collect()
    }
}

fn size_of(message: &WebhookMessage) -> u64 {
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    body["data"]["size"].as_u64().unwrap()
}

fn is_malformed<T: std::fmt::Debug>(outcome: Result<T>, wrong_field: &str) {
    match outcome {
        Err(Error::Refused(Refusal::FieldMalformed { field, .. })) => assert_eq!(field, wrong_field),
        other => panic!("{other:?}"),
    }
}
