//! Checking a receipt: whether it is genuine, and what it says.
//!
//! Absent: any look at the number. Whoever has a receipt has its entry; what
//! has become of the number since is not theirs to know.

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use warp::Filter;

use crate::domain::correction::{Entry, NameAction};
use crate::feed::checkpoint::{Checkpoint, CheckpointError};
use crate::feed::receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptError};
use crate::http::body::BodyStream;
use crate::http::call::{Call, call};
use crate::http::pages::form::with_files;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Routes, Service, with};
use crate::http::words::Words;

#[derive(Template)]
#[template(path = "receipt/receipt.html")]
struct ReceiptPage<'a> {
    shell: &'a Shell,
    /// What was pasted.
    text: &'a str,
    wrong: Option<Words>,
    genuine: Option<Genuine>,
    verifier: String,
}

/// What the log signed for.
struct Genuine {
    number: String,
    void_before: Option<Date>,
    clears_name: bool,
    shows: Option<(String, Date)>,
    withdrawn: bool,
    at: Timestamp,
    index: u64,
    size: u64,
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
    answer(app, visit, StatusCode::OK, "", None)
}

/// Answered at once and not by a redirect: a check changes nothing, so that to
/// send it twice is to look twice.
async fn check(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let text = read(app, visit, body).await?;
    let Some(text) = text else {
        return answer(app, visit, StatusCode::PAYLOAD_TOO_LARGE, "", Some(Err(TOO_LONG)));
    };
    let checked = checked(app, &text);
    let status = if checked.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    answer(app, visit, status, &text, Some(checked))
}

/// The file, where one was chosen, else what was pasted.
async fn read(app: &Service, visit: &Visit, body: BodyStream) -> Result<Option<String>, Problem> {
    let mut parts = with_files(app, visit, body).await?;
    let mut text = String::new();
    for field in ["text", "file"] {
        let Some(part) = parts.next(field).await? else { break };
        let Some(bytes) = parts.whole(part, 2 * RECEIPT_BYTES_MAX).await? else { return Ok(None) };
        let said = String::from_utf8_lossy(&bytes);
        if !said.trim().is_empty() {
            // Forms end lines as mail does, and who copies loses the last end.
            text = format!("{}\n", said.replace("\r\n", "\n").trim());
        }
    }
    Ok(Some(text))
}

fn checked(app: &Service, text: &str) -> Result<Genuine, Words> {
    if text.trim().is_empty() {
        return Err(EMPTY);
    }
    let receipt: Receipt = text.parse().map_err(|error| why_not(&error))?;
    let (entry, checkpoint) = receipt.verify(app.feed.verifier()).map_err(|error| why_not(&error))?;
    Ok(Genuine::of(entry, &checkpoint, receipt.index))
}

impl Genuine {
    fn of(entry: Entry, checkpoint: &Checkpoint, index: u64) -> Self {
        Self {
            number: entry.number.masked(),
            void_before: entry.void_before,
            clears_name: entry.name_action == NameAction::Clear,
            shows: entry.name.zip(entry.name_until),
            withdrawn: entry.withdrawn,
            at: entry.at,
            index,
            size: checkpoint.size,
        }
    }
}

fn answer(
    app: &Service,
    visit: &Visit,
    status: StatusCode,
    text: &str,
    checked: Option<Result<Genuine, Words>>,
) -> Answer {
    let (genuine, wrong) = match checked {
        Some(Ok(genuine)) => (Some(genuine), None),
        Some(Err(wrong)) => (None, Some(wrong)),
        None => (None, None),
    };
    let verifier = app.feed.verifier().to_string();
    page(status, &ReceiptPage { shell: &visit.shell, text, wrong, genuine, verifier })
}

const EMPTY: Words = Words {
    zh: "请粘贴回执的全部内容，或选择回执文件。",
    en: "Paste the whole receipt, or choose its file.",
};
const TOO_LONG: Words =
    Words { zh: "这不是回执：回执最多 20 KB。", en: "This is no receipt: one has at most 20 KB." };

fn why_not(error: &ReceiptError) -> Words {
    match error {
        ReceiptError::NoReceipt => Words {
            zh: "这不是回执：回执的第一行是 c2sp.org/tlog-proof@v1。请完整复制，包括最后的签名。",
            en: "This is no receipt: its first line is not c2sp.org/tlog-proof@v1. Copy all of it, down to the \
                 signature at its end.",
        },
        ReceiptError::Malformed(_) | ReceiptError::Checkpoint(CheckpointError::Malformed) => Words {
            zh: "回执不完整，或被改动过。请重新下载后再核对。",
            en: "The receipt is cut or was changed. Download it once more and try again.",
        },
        ReceiptError::Checkpoint(CheckpointError::OtherOrigin(_) | CheckpointError::Note(_)) => Words {
            zh: "签名不是本服务的：回执被改动过，或出自别的日志。",
            en: "The signature is not ours: the receipt was changed, or is of another log.",
        },
        ReceiptError::NotIncluded { .. } | ReceiptError::NoEntry { .. } => Words {
            zh: "签名是真的，但它没有为这条更正作证：回执的内容被改动过。",
            en: "The signature is genuine, but does not vouch for this correction: what the receipt says was \
                 changed.",
        },
    }
}
