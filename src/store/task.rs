//! Work to do later, as it is kept: what, when, and how often it was tried.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::id::{BatchId, DisputeId, FilingId, ProviderId, VerificationId};
use crate::domain::number::Number;
use crate::store::filings::FilingNews;

/// Work that is due at a time; a crash leaves it where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub kind: TaskKind,
    pub run_at: Timestamp,
    pub attempts: u32,
    /// Of the request that it follows from, for the log alone; what follows from
    /// the task has it too. Kept here, so that it outlasts a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", content = "of")]
pub enum TaskKind {
    /// Gather the next piece of evidence, or decide.
    Check(DisputeId),
    /// Send the code of a verification.
    SendCode(VerificationId),
    /// Tell the holder where the dispute stands.
    Notify(DisputeId),
    /// End the wait for documents, if it still lasts.
    Lapse { dispute: DisputeId, on: Date },
    /// Ask again whether a shown name is still the subscriber's.
    RenewName(Number),
    /// Go on applying an upload.
    Apply(BatchId),
    /// Look whether a provider shows again what a dispute corrected.
    Probe { dispute: DisputeId, provider: ProviderId },
    /// Make disputes of a list of numbers.
    File(FilingId),
    /// Tell a list's contact how it stands.
    TellFiling { filing: FilingId, news: FilingNews },
    /// Delete what was handed in for a dispute that is closed for long.
    PurgeDocuments(DisputeId),
}

impl TaskKind {
    /// What it is, without what it is about.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::SendCode(_) => "send_code",
            Self::Notify(_) => "notify",
            Self::Lapse { .. } => "lapse",
            Self::RenewName(_) => "renew_name",
            Self::Apply(_) => "apply",
            Self::Probe { .. } => "probe",
            Self::File(_) => "file",
            Self::TellFiling { .. } => "tell_filing",
            Self::PurgeDocuments(_) => "purge_documents",
        }
    }
}
