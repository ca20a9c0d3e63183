//! Cases: the queue, the next one, one in hand, its decision.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::BODY_BYTES_MAX;
use super::view::{CaseView, FlagView};
use crate::casework::moderation::Verdict;
use crate::domain::dispute::Ruling;
use crate::domain::id::DisputeId;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{Service, language, private};
use crate::http::{reply, text};

const REASON_CODE_CHARS_MAX: usize = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    decision: Decided,
    reason_code: String,
    note: Option<String>,
    public_note: Option<String>,
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decided {
    Approve,
    Refuse,
    Ask,
}

pub(super) async fn queue(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let queue = app.casework.queue(&moderator).await?;
    let words = language(&call.headers);
    let flags = queue.by_flag.iter().map(|(flag, cases)| FlagView::in_queue(*flag, Some(*cases), words));
    let body = json!({
        "by_status": queue.by_status,
        "by_flag": queue.by_flag,
        "flags": flags.collect::<Vec<_>>(),
        "by_age_days": queue.by_age_days,
        "overdue": queue.overdue,
        "oldest_due_on": queue.oldest_due_on,
    });
    private(&paid, reply::json(StatusCode::OK, &body))
}

pub(super) async fn next(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let answer = match app.casework.next_case(&moderator).await? {
        Some(case) => {
            reply::json(StatusCode::OK, &CaseView::of(&case, &app.casework, language(&call.headers)))
        }
        None => reply::no_content(),
    };
    private(&paid, answer)
}

pub(super) async fn show(app: &Service, id: DisputeId, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let case = app.casework.case_in_hand(&moderator, id).await?;
    let view = CaseView::of(&case, &app.casework, language(&call.headers));
    private(&paid, reply::json(StatusCode::OK, &view))
}

pub(super) async fn decide(app: &Service, id: DisputeId, mut call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let said: Decision = call.json(BODY_BYTES_MAX).await?;
    let verdict = match said.decision {
        Decided::Approve => Verdict::Approve,
        Decided::Refuse => Verdict::Refuse,
        Decided::Ask => Verdict::Ask,
    };
    let ruling = Ruling {
        reason_code: reason_code(said.reason_code)?,
        note: text::optional("note", said.note.as_deref())?,
        public_note: text::optional("public_note", said.public_note.as_deref())?,
    };
    let status = app.casework.decide(&moderator, id, verdict, ruling, said.version).await?;
    private(&paid, reply::json(StatusCode::OK, &json!({ "status": status })))
}

pub(super) async fn give_back(app: &Service, id: DisputeId, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    app.casework.give_back(&moderator, id).await?;
    private(&paid, reply::no_content())
}

fn reason_code(text: String) -> Result<String, Problem> {
    let is_fine = text.len() <= REASON_CODE_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_fine {
        return Ok(text);
    }
    let wanted = format!("reason_code: 1 to {REASON_CODE_CHARS_MAX} characters in snake_case");
    Err(Problem::field_malformed("reason_code", wanted))
}
