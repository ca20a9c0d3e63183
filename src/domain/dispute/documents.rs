//! When documents are taken, and until when they are kept.
//!
//! The first ones that a holder hands in bring the case back to the
//! moderators; more are taken until one of them decides, so that nobody has to
//! put everything into one request. Each time documents are asked for, as many
//! can be handed in again.

use jiff::{SignedDuration, Timestamp};

use crate::domain::day::later;
use crate::domain::dispute::decide::wrong_state;
use crate::domain::dispute::{State, Status, What};
use crate::domain::document::Document;
use crate::domain::policy::{DOCUMENTS_KEPT_DAYS, DOCUMENTS_PER_DISPUTE_MAX};
use crate::domain::refusal::Refusal;

impl State {
    /// How many documents are taken now.
    pub fn takes_documents(&self) -> Result<usize, Refusal> {
        let is_time = matches!(self.status, Status::NeedsEvidence | Status::InReview);
        self.documents_left.filter(|_| is_time).ok_or_else(|| wrong_state(self))
    }

    /// What was handed in before is not handed in again.
    pub(super) fn take_documents(&self, documents: Vec<Document>) -> Result<Vec<What>, Refusal> {
        let most = self.takes_documents()?;
        let mut new: Vec<Document> = Vec::new();
        for document in documents {
            let is_same = |known: &Document| known.sha256 == document.sha256;
            if !self.kept_documents().any(is_same) && !new.iter().any(is_same) {
                new.push(document);
            }
        }
        if new.len() > most {
            return Err(Refusal::DocumentsTooMany { documents_max: DOCUMENTS_PER_DISPUTE_MAX });
        }
        Ok(if new.is_empty() { Vec::new() } else { vec![What::DocumentsGiven { documents: new }] })
    }

    /// The end of the documents of a closed case; an appeal takes it back.
    pub fn documents_kept_until(&self) -> Option<Timestamp> {
        self.kept_documents().next()?;
        let closed_at = self.closed_at.filter(|_| !self.status.is_open())?;
        Some(later(closed_at, SignedDuration::from_hours(24 * i64::from(DOCUMENTS_KEPT_DAYS))))
    }
}
