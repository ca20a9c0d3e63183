//! A case as a moderator sees it: all that a decision needs, notes included.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::casework::Casework;
use crate::casework::control::Language;
use crate::casework::moderation::CaseInHand;
use crate::domain::dispute::{
    Claim, Control, Dispute, DisputedLabel, Event, Flag, Reason, Show, State, Status,
};
use crate::domain::evidence::Evidence;
use crate::domain::id::{DisputeId, ModeratorName};
use crate::domain::number::Number;
use crate::domain::opened::Opened;
use crate::domain::tenure::TenureLine;
use crate::domain::window::Window;
use crate::http::holders::{DocumentView, LabelView};
use crate::http::words;

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
    /// The same in words, with the figures there are.
    why: Vec<FlagView>,
    /// How control of the number was proved, or is to be.
    control: &'a Control,
    control_proved: bool,
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
    documents: Vec<DocumentView>,
    /// What providers show.
    labels: Vec<LabelView<'a>>,
    /// What operators told.
    tenures: &'a [TenureLine],
    events: &'a [Event],
    history: Vec<Earlier>,
}

/// Why a case was flagged.
#[derive(Debug, Serialize)]
pub(super) struct FlagView {
    flag: Flag,
    text: &'static str,
    /// For clusters: so many filings, this one among them,
    #[serde(skip_serializing_if = "Option::is_none")]
    filings: Option<u32>,
    /// in so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i32>,
    /// In the queue: of how many cases it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<u64>,
}

impl FlagView {
    fn of(flag: Flag, state: &State, language: Language) -> Self {
        let seen = state.clusters.iter().rev().find(|seen| Flag::from(seen.kind) == flag);
        Self {
            filings: seen.map(|seen| seen.filings),
            days: seen.map(|seen| seen.days),
            ..Self::in_queue(flag, None, language)
        }
    }

    pub(super) fn in_queue(flag: Flag, cases: Option<u64>, language: Language) -> Self {
        Self { flag, text: words::flag(flag).say(language), filings: None, days: None, cases }
    }
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
    pub(super) fn of(case: &'a CaseInHand, casework: &'a Casework, language: Language) -> Self {
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
            why: case.state.flags.iter().map(|flag| FlagView::of(*flag, &case.state, language)).collect(),
            control: &dispute.control,
            control_proved: dispute.is_control_proved(),
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
            documents: case.state.documents.iter().map(DocumentView::of).collect(),
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
