//! The world outside: SMS (the outbox file).
//!
//! Absent: rules, retries and back-off. A gateway does one exchange and says
//! how it went; whoever called decides what that means and when to try again.
//! Nothing here puts a number, a name or a secret into an error or a log.

use std::sync::Arc;

use jiff::Timestamp;

pub mod outbox;

/// What time it is, as an argument.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
