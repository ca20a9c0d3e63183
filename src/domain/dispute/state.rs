//! The fold: what a dispute's events come to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::cluster::{ClusterKind, ClusterSeen};
use crate::domain::correction::Effect;
use crate::domain::dispute::{Actor, Dispute, Event, Flag, Status, What};
use crate::domain::document::{Document, GivenDocument};
use crate::domain::evidence::Evidence;
use crate::domain::id::{DocumentId, ModeratorName};
use crate::domain::policy::DOCUMENTS_PER_DISPUTE_MAX;

/// A "no" and its reason; `note` is for moderators only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub status: Status,
    pub flags: BTreeSet<Flag>,
    /// The figures behind the flags for clusters.
    pub clusters: Vec<ClusterSeen>,
    /// The answers of the present round of asking; older ones are history.
    pub evidence: Vec<Evidence>,
    /// When to ask again, while that is what the case waits for.
    pub ask_again_at: Option<Timestamp>,
    pub first_approval: Option<ModeratorName>,
    /// Who decided before an appeal; they do not decide the appeal.
    pub decided_by: BTreeSet<ModeratorName>,
    pub refusal: Option<Refused>,
    /// The instant and effect of the approval in force.
    pub approved: Option<(Timestamp, Effect)>,
    /// When the wait for documents ends.
    pub lapses_on: Option<Date>,
    /// Everything that was handed in, oldest first.
    pub documents: Vec<GivenDocument>,
    /// How many more are taken, once a moderator has asked.
    pub documents_left: Option<usize>,
    /// When the last decision closed the case.
    pub closed_at: Option<Timestamp>,
}

impl Dispute {
    pub fn state(&self) -> State {
        let mut state = State {
            status: Status::Checking,
            flags: BTreeSet::new(),
            clusters: Vec::new(),
            evidence: Vec::new(),
            ask_again_at: None,
            first_approval: None,
            decided_by: BTreeSet::new(),
            refusal: None,
            approved: None,
            lapses_on: None,
            documents: Vec::new(),
            documents_left: None,
            closed_at: None,
        };
        for event in &self.events {
            state.apply(event);
        }
        state
    }

    pub fn status(&self) -> Status {
        self.state().status
    }
}

impl State {
    fn apply(&mut self, event: &Event) {
        match &event.what {
            What::Filed => {}
            What::ControlProved => {
                self.flags.remove(&Flag::ControlUnproved);
            }
            What::Flagged { why } => {
                self.flags.extend(why.iter().map(|seen| Flag::from(seen.kind)));
                self.clusters.extend(why);
            }
            What::Answered(evidence) => self.evidence.push(evidence.clone()),
            What::AskingAgain { next_at } => {
                self.evidence.clear();
                self.ask_again_at = Some(*next_at);
            }
            What::SentToReview { flags } => {
                self.status = Status::InReview;
                self.ask_again_at = None;
                self.flags.extend(flags);
            }
            What::DocumentsAsked { until, .. } => {
                self.status = Status::NeedsEvidence;
                self.lapses_on = Some(*until);
                self.documents_left = Some(DOCUMENTS_PER_DISPUTE_MAX);
            }
            What::DocumentsGiven { documents } => {
                self.status = Status::InReview;
                self.lapses_on = None;
                self.take(documents, event.at);
            }
            What::DocumentsPurged => self.purge(event.at),
            What::ApprovedOnce { .. } => {
                self.status = Status::AwaitingSecond;
                self.first_approval = event.moderator().cloned();
            }
            What::SecondRefused { .. } => {
                self.status = Status::InReview;
                self.first_approval = None;
            }
            What::Approved { effect, .. } => {
                self.close(Status::Corrected, event);
                self.approved = Some((event.at, effect.clone()));
                self.refusal = None;
            }
            What::Refused(refused) => {
                self.close(Status::Refused, event);
                self.refusal = Some(refused.clone());
            }
            What::RecheckAsked => {
                self.status = Status::Checking;
                self.evidence.clear();
                self.flags.remove(&Flag::OperatorUnknown);
                self.first_approval = None;
            }
            What::Withdrawn { .. } => self.close(Status::Withdrawn, event),
            What::Appealed { .. } => {
                self.status = Status::InReview;
                self.closed_at = None;
                self.refusal = None;
                self.flags.insert(Flag::Appeal);
            }
            What::Reverted { .. } => {
                self.close(Status::Reverted, event);
                self.approved = None;
            }
        }
    }

    fn take(&mut self, documents: &[Document], at: Timestamp) {
        self.documents_left = self.documents_left.map(|left| left.saturating_sub(documents.len()));
        let given = |document: &Document| GivenDocument { document: document.clone(), at, purged_at: None };
        self.documents.extend(documents.iter().map(given));
    }

    fn purge(&mut self, at: Timestamp) {
        for given in self.documents.iter_mut().filter(|given| given.purged_at.is_none()) {
            given.purged_at = Some(at);
        }
    }

    /// What was handed in and is still there.
    pub fn kept_documents(&self) -> impl Iterator<Item = &Document> {
        let is_kept = |given: &&GivenDocument| given.purged_at.is_none();
        self.documents.iter().filter(is_kept).map(|given| &given.document)
    }

    pub fn document(&self, id: DocumentId) -> Option<&GivenDocument> {
        self.documents.iter().find(|given| given.document.id == id)
    }

    fn close(&mut self, status: Status, event: &Event) {
        self.status = status;
        self.closed_at = Some(event.at);
        self.ask_again_at = None;
        self.lapses_on = None;
        self.documents_left = None;
        self.decided_by.extend(self.first_approval.take());
        self.decided_by.extend(event.moderator().cloned());
    }
}

impl From<ClusterKind> for Flag {
    fn from(kind: ClusterKind) -> Self {
        match kind {
            ClusterKind::Neighbours => Self::NeighboursCluster,
            ClusterKind::Address => Self::AddressCluster,
            ClusterKind::Contact => Self::ContactCluster,
        }
    }
}

impl Event {
    pub fn moderator(&self) -> Option<&ModeratorName> {
        match &self.actor {
            Actor::Moderator { name } => Some(name),
            Actor::Holder | Actor::Rule => None,
        }
    }
}
