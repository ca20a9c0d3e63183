//! What the casework needs of the world outside; `gateway` implements these.
//!
//! None of them is called inside a request: the worker calls them, with the
//! work already durable, so that a crash or an outage delays and loses nothing.

use std::fmt;

use async_trait::async_trait;

use crate::domain::evidence::{Answer, Question};
use crate::domain::number::Number;
use crate::domain::webhook::WebhookUrl;

/// A text message. Never more than the state of things: no label, no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for every attempt to send this message.
    pub id: String,
    pub to: Number,
    pub text: String,
    /// Of the id: whoever brings it back may say what became of the message.
    pub seal: String,
}

#[async_trait]
pub trait Sms: fmt::Debug + Send + Sync {
    async fn send(&self, message: &Message) -> Result<(), Unavailable>;
}

/// Answers questions about its subscribers.
#[async_trait]
pub trait Operator: fmt::Debug + Send + Sync {
    /// `correlator` names the exchange in both houses' records.
    async fn ask(&self, number: Number, question: &Question, correlator: &str) -> Result<Reply, Unavailable>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub answer: Answer,
    /// Why the answer is unknown, in the operator's terms.
    pub detail: Option<String>,
}

/// What a receiver is told, signed (https://www.standardwebhooks.com).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    pub url: WebhookUrl,
    /// The same for every attempt to deliver this message.
    pub id: String,
    /// Of this attempt, in seconds since 1970.
    pub timestamp: i64,
    pub signature: String,
    /// JSON.
    pub body: String,
}

/// Calls the address that a provider named.
#[async_trait]
pub trait Webhooks: fmt::Debug + Send + Sync {
    async fn post(&self, message: &WebhookMessage) -> Delivery;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Delivered,
    /// The receiver wants no more, ever.
    Gone,
    Failed(Unavailable),
}

/// No answer this time; asked again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unavailable {
    pub why: String,
    /// The other side named a pause.
    pub retry_after_s: Option<u64>,
    /// Our credentials do not work: somebody has to look.
    pub alarm: bool,
}
