//! Evidence (证据): a question to an operator and its answer, with source and
//! time. Unknown is never read as yes or as no.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::id::OperatorId;
use crate::domain::uscc::Uscc;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// Has the present subscriber held the number since `day`?
    HeldSince { day: Date },
    /// Has the number changed hands after `day`?
    ChangedAfter { day: Date },
    /// Is this displayed name the subscriber's?
    NameIs { name: String },
    /// Are this name and this code the subscriber's?
    EnterpriseIs { name: String, uscc: Uscc },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Yes,
    No,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub question: Question,
    pub answer: Answer,
    pub source: OperatorId,
    pub at: Timestamp,
    /// The operator's and our common name for the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlator: Option<String>,
    /// Why the answer is unknown, for moderators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Evidence {
    /// Nobody answered: the operator was out of reach for so long that it
    /// counts as not knowing.
    pub fn is_silence(&self) -> bool {
        self.answer == Answer::Unknown && self.correlator.is_none()
    }
}

/// The weakest evidence that a decision rests on. Ordered from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    Document,
    Operator,
}
