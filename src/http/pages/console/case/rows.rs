//! The rows of a case's tables, in words.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::words;
use crate::domain::catalog::LabelCatalog;
use crate::domain::correction::Effect;
use crate::domain::dispute::{Dispute, Flag, State, What};
use crate::domain::document::DocumentKind;
use crate::domain::evidence::Answer;
use crate::domain::id::{DisputeId, DocumentId};
use crate::domain::label::Label;
use crate::domain::policy::FACTS_FRESH_HOURS;
use crate::domain::tenure::Ledger;
use crate::http::pages::console::oversight;
use crate::http::pages::shell::Shell;
use crate::http::pages::words as page_words;
use crate::http::words::{event, flag, question, refusal_in_short};

pub(super) struct FlagRow {
    pub name: &'static str,
    pub text: &'static str,
    /// So many filings in so many days.
    pub figures: Option<(u32, i32)>,
}

pub(super) struct EvidenceRow {
    pub question: String,
    pub answer: &'static str,
    pub tone: &'static str,
    pub source: String,
    pub at: Timestamp,
    pub detail: Option<String>,
    /// An approval asks it anew.
    pub is_old: bool,
}

pub(super) struct LabelRow {
    pub provider: String,
    pub text: String,
    pub source: &'static str,
    pub count: Option<u64>,
    pub first: Option<Date>,
    pub last: Option<Date>,
    pub is_harm: bool,
    /// What an approval would do to it.
    pub falls: &'static str,
}

pub(super) struct DocumentRow {
    pub id: DocumentId,
    pub at: Timestamp,
    pub is_picture: bool,
    pub is_purged: bool,
    pub kilobytes: u64,
}

pub(super) struct Earlier {
    pub id: DisputeId,
    pub reason: &'static str,
    pub status: &'static str,
    pub filed_at: Timestamp,
    pub refusal: Option<&'static str>,
}

pub(super) struct TenureRow {
    pub on: Date,
    pub event: &'static str,
    pub by: String,
    pub received_at: Timestamp,
}

pub(super) struct EventRow {
    pub at: Timestamp,
    pub actor: String,
    pub text: String,
    pub reason: Option<String>,
    /// For colleagues.
    pub note: Option<String>,
}

pub(super) fn flags(state: &State, shell: &Shell) -> Vec<FlagRow> {
    let figures = |why: Flag| {
        let seen = state.clusters.iter().rev().find(|seen| Flag::from(seen.kind) == why);
        seen.map(|seen| (seen.filings, seen.days))
    };
    let row = |why: &Flag| FlagRow {
        name: shell.words(&oversight::flag(*why)),
        text: shell.words(&flag(*why)),
        figures: figures(*why),
    };
    state.flags.iter().map(row).collect()
}

pub(super) fn evidence(state: &State, now: Timestamp, shell: &Shell) -> Vec<EvidenceRow> {
    let fresh = SignedDuration::from_hours(FACTS_FRESH_HOURS);
    let rows = state.evidence.iter().map(|evidence| EvidenceRow {
        question: question(&evidence.question, shell.language),
        answer: shell.words(&words::answer(evidence.answer)),
        tone: match evidence.answer {
            Answer::Yes => "good",
            Answer::No => "wrong",
            Answer::Unknown => "wait",
        },
        source: evidence.source.to_string(),
        at: evidence.at,
        detail: evidence.detail.clone(),
        is_old: evidence.answer != Answer::Unknown && now.duration_since(evidence.at) > fresh,
    });
    rows.collect()
}

pub(super) fn labels(
    labels: &[Label],
    effect: Option<&Effect>,
    catalog: &LabelCatalog,
    shell: &Shell,
) -> Vec<LabelRow> {
    let row = |label: &Label| LabelRow {
        provider: catalog.provider_name(&label.provider).to_owned(),
        text: label.shown_text().to_owned(),
        source: shell.words(&words::source(label.source)),
        count: label.count,
        first: label.first_marked_on,
        last: label.last_marked_on,
        is_harm: label.is_harm(),
        falls: falls(label, effect, shell),
    };
    labels.iter().map(row).collect()
}

fn falls(label: &Label, effect: Option<&Effect>, shell: &Shell) -> &'static str {
    let Some(Effect::VoidBefore { day }) = effect else { return "" };
    let is_before = |marked: Option<Date>| marked.map(|marked| marked < *day);
    match (is_before(label.first_marked_on), is_before(label.last_marked_on)) {
        (_, Some(true)) => pick(shell, "作废", "falls"),
        (Some(false), _) => pick(shell, "保留", "stays"),
        (Some(true), _) => pick(shell, "部分作废", "falls in part"),
        (None, _) => pick(shell, "无日期", "no dates"),
    }
}

fn pick(shell: &Shell, zh: &'static str, en: &'static str) -> &'static str {
    shell.words(&crate::http::words::Words { zh, en })
}

pub(super) fn documents(state: &State) -> Vec<DocumentRow> {
    let rows = state.documents.iter().map(|given| DocumentRow {
        id: given.document.id,
        at: given.at,
        is_picture: given.document.kind != DocumentKind::Pdf,
        is_purged: given.purged_at.is_some(),
        kilobytes: given.document.bytes.div_ceil(1024),
    });
    rows.collect()
}

pub(super) fn earlier(history: &[Dispute], shell: &Shell) -> Vec<Earlier> {
    let row = |dispute: &Dispute| {
        let state = dispute.state();
        Earlier {
            id: dispute.id,
            reason: shell.words(&page_words::reason(dispute.reason())),
            status: shell.words(&oversight::status(state.status)),
            filed_at: dispute.filed_at,
            refusal: state.refusal.map(|refused| refusal_in_short(&refused.code, shell.language)),
        }
    };
    history.iter().map(row).collect()
}

pub(super) fn tenures(ledger: &Ledger, shell: &Shell) -> Vec<TenureRow> {
    let rows = ledger.lines().iter().rev().map(|line| TenureRow {
        on: line.on,
        event: shell.words(&words::tenure_event(line.event)),
        by: line.by.to_string(),
        received_at: line.received_at,
    });
    rows.collect()
}

pub(super) fn events(dispute: &Dispute, shell: &Shell) -> Vec<EventRow> {
    let rows = dispute.events.iter().map(|happened| {
        let internal = words::internal(&happened.what);
        EventRow {
            at: happened.at,
            actor: words::actor(&happened.actor, shell),
            text: match &happened.what {
                What::Flagged { why } => {
                    let flags = why.iter().map(|seen| shell.words(&oversight::flag(Flag::from(seen.kind))));
                    flags.collect::<Vec<_>>().join("; ")
                }
                what => event(what, shell.language),
            },
            reason: internal.map(|(code, _)| code.to_owned()),
            note: internal.and_then(|(_, note)| note.map(str::to_owned)),
        }
    });
    rows.collect()
}
