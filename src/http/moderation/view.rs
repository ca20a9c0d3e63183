//! A case as a moderator sees it: all that a decision needs, notes included.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::casework::Casework;
use crate::casework::moderation::CaseInHand;
use crate::domain::dispute::{Claim, Dispute, DisputedLabel, Event, Flag, Reason, Show, Status};
use crate::domain::evidence::Evidence;
use crate::domain::id::{DisputeId, ModeratorName};
use crate::domain::number::Number;
use crate::domain::opened::Opened;
use crate::domain::tenure::TenureLine;
use crate::domain::window::Window;
use crate::http::holders::LabelView;

#[derive(Debug, Serialize)]
pub(super) struct CaseView<'a> {
    id: DisputeId,
    /// To be named in the decision.
    version: u64,
    lease_until: Option<Timestamp>,
    number: Number,
    reason: Reason,
    status: Status,
    flags: Vec<Flag>,
    opened: Option<Opened>,
    window: Option<Window>,
    show: Option<&'a Show>,
    /// What the holder named.
    disputed: &'a [DisputedLabel],
    note: Option<&'a str>,
    filed_at: Timestamp,
    due_on: Date,
    overdue: bool,
    first_approval_by: Option<&'a ModeratorName>,
    evidence: &'a [Evidence],
    /// What providers show.
    labels: Vec<LabelView<'a>>,
    /// What operators told.
    tenures: &'a [TenureLine],
    events: &'a [Event],
    history: Vec<Earlier>,
}

/// Another dispute of the number.
#[derive(Debug, Serialize)]
struct Earlier {
    id: DisputeId,
    reason: Reason,
    status: Status,
    filed_at: Timestamp,
    refusal: Option<String>,
}

impl<'a> CaseView<'a> {
    pub(super) fn of(case: &'a CaseInHand, casework: &'a Casework) -> Self {
        let dispute = &case.dispute.value;
        let (opened, show) = match &dispute.claim {
            Claim::Reassigned { opened, .. } => (*opened, None),
            Claim::NameMismatch { show } => (None, show.as_ref()),
        };
        let lease = dispute.lease.as_ref().filter(|lease| casework.now() < lease.until);
        let catalog = &casework.reference().labels;
        Self {
            id: dispute.id,
            version: case.dispute.version,
            lease_until: lease.map(|lease| lease.until),
            number: dispute.number,
            reason: dispute.reason(),
            status: case.state.status,
            flags: case.state.flags.iter().copied().collect(),
            opened,
            window: dispute.window(),
            show,
            disputed: &dispute.labels,
            note: dispute.note.as_deref(),
            filed_at: dispute.filed_at,
            due_on: dispute.due_on,
            overdue: case.state.status.is_open() && dispute.due_on < casework.today(dispute.number),
            first_approval_by: case.state.first_approval.as_ref(),
            evidence: &case.state.evidence,
            labels: case.labels.iter().map(|label| LabelView::of(label, catalog)).collect(),
            tenures: case.ledger.lines(),
            events: &dispute.events,
            history: case.history.iter().map(Earlier::of).collect(),
        }
    }
}

impl Earlier {
    fn of(dispute: &Dispute) -> Self {
        let state = dispute.state();
        Self {
            id: dispute.id,
            reason: dispute.reason(),
            status: state.status,
            filed_at: dispute.filed_at,
            refusal: state.refusal.map(|refused| refused.code),
        }
    }
}
