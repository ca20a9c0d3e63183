//! What the figures for everybody are made of, as it is kept: tens that were
//! released, by week, and how far each series has been counted.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::figures::Tallies;
use crate::domain::id::ProviderId;

/// What is counted on its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "id")]
pub enum Series {
    /// Along the audit.
    Disputes,
    /// Along the log.
    Log,
    /// Along the log, as far as a provider serves it.
    Serving(ProviderId),
}

/// How far a series is counted, and what waits until there are ten of it. It
/// is put with what it releases, so that each case counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    pub series: Series,
    /// The first audit line, or log entry, that is not counted.
    pub next: u64,
    /// Disputes that are open.
    #[serde(default)]
    pub open: u64,
    pub waiting: Tallies,
}

/// What a series released in a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedWeek {
    pub series: Series,
    /// Its Monday.
    pub week: Date,
    pub released: Tallies,
    pub expires_at: Timestamp,
}
