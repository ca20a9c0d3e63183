//! All that a decision needs, on one screen.

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;

use super::picture::{self, Known, Picture};
use super::reasons::{self, Reason};
use super::rows::{self, DocumentRow, Earlier, EventRow, EvidenceRow, FlagRow, LabelRow, TenureRow};
use super::words;
use crate::casework::moderation::{CaseInHand, Verdict};
use crate::domain::correction::Effect;
use crate::domain::dispute::{Claim, Dispute, Show, State, Status, What};
use crate::domain::id::DisputeId;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::console::oversight;
use crate::http::pages::form::Draft;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::pages::words as page_words;
use crate::http::problem::Answer;
use crate::http::service::Service;

#[derive(Template)]
#[template(path = "console/case/case.html")]
struct CasePage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    dispute: &'a Dispute,
    state: &'a State,
    version: u64,
    /// In this moderator's hands until then, and for so many seconds.
    lease: Option<(Timestamp, i64)>,
    overdue: bool,
    claim: ClaimSaid<'a>,
    control: &'static str,
    flags: Vec<FlagRow>,
    evidence: Vec<EvidenceRow>,
    is_stale: bool,
    picture: Option<Picture>,
    labels: Vec<LabelRow>,
    documents: Vec<DocumentRow>,
    earlier: Vec<Earlier>,
    tenures: Vec<TenureRow>,
    events: Vec<EventRow>,
    effect: String,
    wants_second: bool,
    first: Option<FirstSignature<'a>>,
    is_chosen: fn(&Draft, &str, &str) -> bool,
}

/// What the holder says.
struct ClaimSaid<'a> {
    opened: Option<String>,
    show: Option<&'a Show>,
}

/// Whoever signs second sees why the first one did.
struct FirstSignature<'a> {
    by: String,
    at: Timestamp,
    reason: &'a str,
    note: Option<&'a str>,
}

impl CasePage<'_> {
    fn status(&self, status: &Status) -> &'static str {
        self.shell.words(&oversight::status(*status))
    }

    fn reason(&self) -> &'static str {
        self.shell.words(&page_words::reason(self.dispute.reason()))
    }

    fn reasons(&self, verdict: Verdict) -> impl Iterator<Item = &'static Reason> {
        reasons::of(verdict)
    }

    fn may_ask(&self) -> bool {
        self.state.status == Status::InReview
    }

    /// The event is news to whoever has seen so many.
    fn is_news(&self, nth: &usize) -> bool {
        self.draft.has_problem() && self.draft.form.get("seen").parse().is_ok_and(|seen: usize| *nth >= seen)
    }
}

pub(super) async fn show(app: &Service, visit: &Visit, id: DisputeId) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let case = app.casework.case_in_hand(&desk.moderator, id).await?;
    let draft = Draft::of(visit);
    let said = page_words::said(&draft, visit.shell.language);
    page(StatusCode::OK, &case_page(app, &visit.shell, &desk, &case, &draft, &said))
}

fn case_page<'a>(
    app: &Service,
    shell: &'a Shell,
    desk: &'a Desk,
    case: &'a CaseInHand,
    draft: &'a Draft,
    said: &'a str,
) -> CasePage<'a> {
    let (dispute, state) = (&case.dispute.value, &case.state);
    let now = app.casework.now();
    let catalog = &app.casework.reference().labels;
    let today = app.casework.today(dispute.number);
    let lease = dispute.lease_of(desk.moderator.name(), now).filter(|_| state.status.is_queued());
    let (opened, show) = match &dispute.claim {
        Claim::Reassigned { opened, .. } => (opened.map(|opened| opened.to_string()), None),
        Claim::NameMismatch { show } => (None, show.as_ref()),
    };
    let known = Known {
        labels: &case.labels,
        window: dispute.window(),
        rest_days: case.rest_days,
        effect: case.effect.as_ref(),
        began_on: case.ledger.began_on().filter(|_| !case.ledger.is_disconnected()),
        today,
    };
    let evidence = rows::evidence(state, now, shell);
    CasePage {
        shell,
        desk,
        draft,
        said,
        dispute,
        state,
        version: case.dispute.version,
        lease: lease.map(|lease| (lease.until, lease.until.duration_since(now).as_secs())),
        overdue: state.status.is_open() && dispute.due_on < today,
        claim: ClaimSaid { opened, show },
        control: shell.words(&words::control(&dispute.control, dispute.is_control_proved())),
        flags: rows::flags(state, shell),
        is_stale: evidence.iter().any(|row| row.is_old),
        evidence,
        picture: Picture::of(&known),
        labels: rows::labels(&case.labels, case.effect.as_ref(), catalog, shell),
        documents: rows::documents(state),
        earlier: rows::earlier(&case.history, shell),
        tenures: rows::tenures(&case.ledger, shell),
        events: rows::events(dispute, shell),
        effect: effect_said(case.effect.as_ref(), shell),
        wants_second: case.wants_second,
        first: first_signature(dispute, state),
        is_chosen: |draft, field, value| draft.form.has(field, value),
    }
}

/// What an approval does.
fn effect_said(effect: Option<&Effect>, shell: &Shell) -> String {
    match effect {
        None => shell
            .say("没有日期，不能通过：请先补充材料。", "Without a day there is nothing to approve.")
            .to_owned(),
        Some(Effect::VoidBefore { day }) => {
            format!(
                "{}{day}{}",
                shell.say("早于 ", "Marks from before "),
                shell.say(" 的标记作废", " are void")
            )
        }
        Some(Effect::ClearName) => shell.say("现在显示的名称作废", "The names shown now are void").to_owned(),
        Some(Effect::SetName { name, until }) => {
            format!("{}“{name}”, {until}", shell.say("显示名称：", "Shows the name "))
        }
    }
}

fn first_signature<'a>(dispute: &'a Dispute, state: &State) -> Option<FirstSignature<'a>> {
    let by = state.first_approval.as_ref()?;
    let signed = dispute.events.iter().rev().find(|event| matches!(event.what, What::ApprovedOnce { .. }))?;
    let (reason, note) = words::internal(&signed.what)?;
    Some(FirstSignature { by: by.to_string(), at: signed.at, reason, note })
}
