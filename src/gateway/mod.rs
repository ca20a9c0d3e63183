//! The world outside: SMS (the outbox file, Kannel, a signed POST), operators
//! (CAMARA, Alibaba Cloud's number service), providers that are asked what
//! they show, webhooks.
//!
//! Absent: rules, retries and back-off. A gateway does one exchange and says
//! how it went; whoever called decides what that means and when to try again.
//! Nothing here puts a number, a name or a secret into an error or a log.

use std::sync::Arc;

use jiff::Timestamp;

pub mod aliyun;
pub mod camara;
mod exchange;
pub mod kannel;
pub mod lookup;
pub mod outbox;
pub mod sms_post;
pub mod webhook;

pub use exchange::Received;

/// What time it is, as an argument.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A gateway's configuration that cannot work, by its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Misconfigured {
    pub key: &'static str,
    pub why: String,
}
