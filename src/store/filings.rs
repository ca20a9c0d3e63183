//! Records of what was filed in lists, and of what filings have in common.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::cluster::ClusterKind;
use crate::domain::dispute::{DisputedLabel, Enterprise, Reason};
use crate::domain::id::{DisputeId, FilingId};
use crate::domain::language::Language;
use crate::domain::number::Number;
use crate::domain::opened::Opened;

/// A list of numbers that an enterprise filed at once. What it says of each
/// lies in its parts; a task makes disputes of them, one part after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    pub id: FilingId,
    pub enterprise: Enterprise,
    pub reason: Reason,
    /// Have the enterprise's name shown.
    pub show_name: bool,
    pub note: Option<String>,
    /// Gets the messages; its control was proved.
    pub contact: Number,
    #[serde(default, skip_serializing_if = "Language::is_zh")]
    pub language: Language,
    pub control_proved_at: Timestamp,
    pub filed_at: Timestamp,
    /// A keyed hash of the network prefix that it came from, until its disputes
    /// are made.
    pub address: Option<AddressMac>,
    pub accepted: u64,
    /// What was not taken, as told when it was filed.
    pub rejected: Vec<RejectedLine>,
    pub parts: u16,
    /// How many parts are disputes already.
    pub parts_made: u16,
    /// What the contact was told.
    #[serde(default)]
    pub told: BTreeSet<FilingNews>,
}

/// A line that was not taken. Its text is not kept where it is no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedLine {
    #[serde(flatten)]
    pub at: LinePlace,
    pub number: Option<String>,
    pub code: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinePlace {
    /// Of a file, as an editor shows it.
    Line(u64),
    /// In a list, from 0.
    Index(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilingPart {
    pub filing: FilingId,
    pub nth: u16,
    pub lines: Vec<FilingLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilingLine {
    /// Named before it is made.
    pub dispute: DisputeId,
    pub number: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<DisputedLabel>,
    /// Why no dispute came of it: another list was faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// What a filing's contact is told, once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilingNews {
    DocumentsAsked,
    AllDecided,
}

pub type AddressMac = [u8; 16];

/// What filings can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "in", content = "of")]
pub enum Cluster {
    /// The number without its last two digits.
    Neighbours(u64),
    /// Never the address itself.
    Address(AddressMac),
    Contact(Number),
}

/// A filing belongs to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub cluster: Cluster,
    pub at: Timestamp,
    /// The dispute's id; a list counts once, by its own.
    pub filing: Uuid,
    pub expires_at: Timestamp,
}

impl Cluster {
    pub fn kind(&self) -> ClusterKind {
        match self {
            Self::Neighbours(_) => ClusterKind::Neighbours,
            Self::Address(_) => ClusterKind::Address,
            Self::Contact(_) => ClusterKind::Contact,
        }
    }
}
