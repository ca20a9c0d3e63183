//! What the casework needs of the world outside; `gateway` implements these.
//!
//! None of them but `LookUp` is called inside a request: the worker calls them,
//! with the work already durable, so that a crash or an outage delays and loses
//! nothing.

use std::fmt;

use async_trait::async_trait;

use crate::domain::evidence::{Answer, Question};
use crate::domain::label::LabelKind;
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
    /// Whether it is any use to ask. What is not offered is not known.
    fn offers(&self, _number: Number, _question: &Question) -> bool {
        true
    }

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

/// Says what a provider shows for a number now.
#[async_trait]
pub trait LookUp: fmt::Debug + Send + Sync {
    /// The kinds of labels that it tells of: one that is not in its answer is
    /// not shown.
    fn kinds(&self) -> &'static [LabelKind];

    /// Labels of this number as lines of an upload, in JSON, so that a label
    /// means the same both ways. How long it may take is for whoever asks.
    async fn ask(&self, number: Number) -> Result<Vec<String>, NoAnswer>;
}

/// Why a provider did not say what it shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("the answer is not what it ought to be")]
    Malformed,
    #[error("it does not tell of numbers of this kind")]
    Unsupported,
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
