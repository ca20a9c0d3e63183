//! Who does what only one of several instances may do at a time.

use serde::{Deserialize, Serialize};

/// Held for as long as it keeps changing: its holder renews it, and who sees
/// it stand still takes it. What is done under it expects the version that it
/// has then, so that nobody does anything under one that was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// A process; empty: nobody.
    pub holder: String,
    /// How often it has passed to another.
    pub epoch: u64,
    /// How often it was renewed since.
    pub renewals: u64,
}
