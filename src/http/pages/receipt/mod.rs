//! Checks a receipt for whoever has one: whether it is genuine, and what it
//! says. Nothing is looked up about its number: whoever holds a receipt learns
//! what is in it, and not whether the number is known now.
//!
//! Absent: the checking itself (`feed::receipt`, as on the command line).

mod verdict;

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use warp::Filter;

use self::verdict::{Genuine, NotGenuine, verdict};
use crate::domain::correction::{Entry, EntryReason, NameAction};
use crate::domain::evidence::Assurance;
use crate::feed::receipt::RECEIPT_BYTES_MAX;
use crate::http::body::BodyStream;
use crate::http::call::{Call, call};
use crate::http::pages::form::with_texts;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Routes, Service, with};

/// A file that is too large is said so by its own size, up to this.
const BODY_BYTES_MAX: u64 = 1024 * 1024;
/// What was pasted stays on the page; no receipt of ours has as much.
const KEPT_BYTES_MAX: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "receipt/receipt.html")]
struct ReceiptPage<'a> {
    shell: &'a Shell,
    typed: &'a str,
    /// Why there is no good answer.
    problem: Option<String>,
    genuine: Option<GenuineView>,
    verifier: String,
    kib_max: usize,
}

/// What the receipt proves, in words.
struct GenuineView {
    number: String,
    void_before: Option<String>,
    name: Option<String>,
    is_withdrawn: bool,
    reason: &'static str,
    assurance: &'static str,
    at: Timestamp,
    origin: String,
    index: u64,
    size: u64,
    is_of_former_log: bool,
}

/// What came with the form.
#[derive(Debug, Default)]
struct Sent {
    typed: String,
    file: Vec<u8>,
    is_too_large: bool,
}

pub(super) fn routes(app: &App) -> Routes {
    warp::path!("receipt")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: visit.shown(show(&app, &visit)),
                POST: visit.shown(check(&app, &visit, body)),
            })
        })
        .boxed()
}

async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    told(app, visit, StatusCode::OK, "", None)
}

/// The one form that is answered in its place instead of by a redirect: a
/// check changes nothing, so that a reload does no harm, and what was pasted
/// is too long for a cookie.
async fn check(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let sent = match Sent::read(app, visit, body).await {
        Err(problem) if problem.code() == "body_too_large" => Sent { is_too_large: true, ..Sent::default() },
        sent => sent?,
    };
    let bytes = if sent.file.is_empty() { sent.typed.as_bytes() } else { sent.file.as_slice() };
    let (status, outcome) = match () {
        () if sent.is_too_large => (StatusCode::PAYLOAD_TOO_LARGE, Err(NotGenuine::TooLarge)),
        () if bytes.trim_ascii().is_empty() => (StatusCode::UNPROCESSABLE_ENTITY, Err(NotGenuine::Nothing)),
        () => (StatusCode::OK, verdict(&app.feed, bytes)),
    };
    let typed = if sent.typed.len() <= KEPT_BYTES_MAX { sent.typed.as_str() } else { "" };
    told(app, visit, status, typed, Some(outcome))
}

fn told(
    app: &Service,
    visit: &Visit,
    status: StatusCode,
    typed: &str,
    outcome: Option<Result<Genuine, NotGenuine>>,
) -> Answer {
    let shell = &visit.shell;
    let (genuine, problem) = match outcome {
        None => (None, None),
        Some(Ok(genuine)) => (Some(genuine), None),
        Some(Err(why)) => (None, Some(why.said(app.feed.verifier().name(), shell.language))),
    };
    let verifier =
        genuine.as_ref().map_or_else(|| app.feed.verifier().to_string(), |one| one.verifier.clone());
    let genuine = genuine.map(|genuine| GenuineView::of(shell, genuine));
    page(status, &ReceiptPage { shell, typed, problem, genuine, verifier, kib_max: RECEIPT_BYTES_MAX / 1024 })
}

impl Sent {
    async fn read(app: &Service, visit: &Visit, body: BodyStream) -> Result<Self, Problem> {
        let mut parts = with_texts(app, visit, body, BODY_BYTES_MAX).await?;
        let mut sent = Self::default();
        for name in ["text", "file"] {
            let Some(part) = parts.next(name).await? else { break };
            let Some(bytes) = parts.whole(part, RECEIPT_BYTES_MAX).await? else {
                sent.is_too_large = true;
                break;
            };
            match name {
                "text" => sent.typed = String::from_utf8_lossy(&bytes).into_owned(),
                _ => sent.file = bytes,
            }
        }
        Ok(sent)
    }
}

impl GenuineView {
    fn of(shell: &Shell, genuine: Genuine) -> Self {
        let Genuine { entry, index, size, origin, is_of_former_log, .. } = genuine;
        Self {
            number: entry.number.masked(),
            void_before: entry.void_before.map(|day| day.to_string()),
            name: name_said(shell, &entry),
            is_withdrawn: entry.withdrawn,
            reason: reason(shell, entry.reason),
            assurance: match entry.assurance {
                Assurance::Operator => shell.say("运营商的记录", "the operator's records"),
                Assurance::Document => shell.say("审核过的材料", "documents that were looked at"),
            },
            at: entry.at,
            origin,
            index,
            size,
            is_of_former_log,
        }
    }
}

fn name_said(shell: &Shell, entry: &Entry) -> Option<String> {
    match (entry.name_action, &entry.name, entry.name_until) {
        (NameAction::Clear, ..) => {
            Some(shell.say("此前显示的名称不再显示", "names shown before are not to be shown").to_owned())
        }
        (NameAction::Set, Some(name), Some(until)) => {
            Some(format!("{}{name}{}{until}", shell.say("显示“", "show “"), shell.say("”，至 ", "” until ")))
        }
        _ => None,
    }
}

fn reason(shell: &Shell, reason: EntryReason) -> &'static str {
    match reason {
        EntryReason::Reassigned => shell.say("号码换了机主", "the number has a new holder"),
        EntryReason::NameMismatch => {
            shell.say("显示的名称不是机主的", "a displayed name was not the holder's")
        }
        EntryReason::Released => shell.say("运营商告知换了机主", "the operator told of a new holder"),
        EntryReason::TenureEnded => shell.say("机主不再使用这个号码", "its holder gave the number up"),
        EntryReason::Renewed => shell.say("显示的名称再次核实", "the shown name was confirmed again"),
        EntryReason::Reverted => shell.say("此前的更正被撤销", "an earlier correction was taken back"),
    }
}
