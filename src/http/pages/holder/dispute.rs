//! The dispute's own page: where it stands, by when, what each provider does,
//! and what one can do next.

use askama::Template;
use http::StatusCode;
use serde::Deserialize;
use warp::reply::Response;

use super::file::holder;
use super::place::MovedPage;
use crate::casework::actors::Claimant;
use crate::domain::dispute::Status;
use crate::domain::id::DisputeId;
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::holders::{DisputeView, Happened, dispute_view, receipt_of, take_files};
use crate::http::pages::cookies::Cookie;
use crate::http::pages::form::{Draft, Form, back, taken, with_files};
use crate::http::pages::shell::{Shell, never_kept, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::text;
use crate::http::words::{Words, status};

const DISPUTE_SECONDS_MAX: i64 = 180 * 86_400;

/// A link that was sent: its token moves into a cookie at once.
#[derive(Debug, Deserialize)]
struct Link {
    token: Option<String>,
}

#[derive(Template)]
#[template(path = "holder/dispute.html")]
struct DisputePage<'a> {
    shell: &'a Shell,
    draft: &'a Draft,
    said: &'a str,
    view: &'a DisputeView,
    masked: String,
    status: Words,
    tone: &'static str,
    reason: Words,
    is_open: bool,
    wants_documents: bool,
    may_appeal: bool,
    has_receipt: bool,
}

impl DisputePage<'_> {
    /// Why it was refused stands at the top, and need not be read twice.
    fn is_said_above(&self, happened: &Happened) -> bool {
        self.view.refusal.as_ref().is_some_and(|refusal| refusal.text == happened.text)
    }
}

pub(super) async fn show(app: &Service, visit: &Visit, id: DisputeId) -> Answer {
    app.anyone(&visit.call)?;
    let linked = visit.call.query::<Link>().ok().and_then(|link| link.token);
    if let Some(token) = linked {
        app.casework.claimant(&token, id).await?;
        let mut response = page(StatusCode::OK, &MovedPage { shell: &visit.shell, to: &visit.shell.path })?;
        open_here(visit, &mut response, id, &token);
        return Ok(response);
    }
    let (claimant, token) = claimant(app, visit, id).await?;
    let view = dispute_view(app, &claimant, visit.shell.language).await?;
    let draft = Draft::of(visit);
    let mut response = page(
        StatusCode::OK,
        &DisputePage {
            shell: &visit.shell,
            said: &words::said(&draft, visit.shell.language),
            masked: view.number.masked(),
            status: status(view.status),
            tone: tone(view.status),
            reason: words::reason(view.reason),
            is_open: view.status.is_open(),
            wants_documents: view.status == Status::NeedsEvidence,
            may_appeal: view.status == Status::Refused,
            has_receipt: view.correction.is_some() && view.status == Status::Corrected,
            draft: &draft,
            view: &view,
        },
    )?;
    // Reached by a fresh proof: the page stays open for as long as any.
    if visit.cookie(&dispute_cookie(&path(id))) != Some(token.as_str()) {
        open_here(visit, &mut response, id, &token);
    }
    Ok(response)
}

pub(super) async fn receipt(app: &Service, visit: &Visit, id: DisputeId) -> Answer {
    app.anyone(&visit.call)?;
    let (claimant, _) = claimant(app, visit, id).await?;
    receipt_of(app, &claimant).await.map(never_kept)
}

pub(super) async fn hand_in(app: &Service, visit: &Visit, id: DisputeId, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let parts = with_files(app, visit, body).await?;
    let (claimant, _) = claimant(app, visit, id).await?;
    match take_files(app, &claimant, &visit.call, parts).await {
        Ok(_) => {
            let mut response = see(&path(id))?;
            taken(visit, &path(id), &mut response);
            Ok(response)
        }
        Err(problem) => back(visit, &path(id), Form::default(), &problem),
    }
}

pub(super) async fn withdraw(app: &Service, visit: &Visit, id: DisputeId, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let form = Form::read(app, visit, body).await?;
    let (claimant, _) = claimant(app, visit, id).await?;
    match app.casework.withdraw(&claimant).await {
        Ok(()) => see(&path(id)),
        Err(error) => back(visit, &path(id), form, &error.into()),
    }
}

pub(super) async fn appeal(app: &Service, visit: &Visit, id: DisputeId, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let form = Form::read(app, visit, body).await?;
    let (claimant, _) = claimant(app, visit, id).await?;
    let appealed = async {
        let text = text::required("text", form.get("text"))?;
        Ok::<_, Problem>(app.casework.appeal(&claimant, &text).await?)
    };
    match appealed.await {
        Ok(()) => {
            let mut response = see(&path(id))?;
            taken(visit, &path(id), &mut response);
            Ok(response)
        }
        Err(problem) => back(visit, &path(id), form, &problem),
    }
}

/// Whoever has the dispute's cookie, or proved control of its number lately.
async fn claimant(app: &Service, visit: &Visit, id: DisputeId) -> Result<(Claimant, String), Problem> {
    if let Ok(holder) = holder(app, visit).await {
        // The fresher proof: an appeal wants one.
        if let Some(token) = app.casework.token_of(&holder, id).await? {
            return Ok((app.casework.claimant(&token, id).await?, token));
        }
    }
    let path = path(id);
    let token = visit.cookie(&dispute_cookie(&path)).ok_or(Refusal::Unauthenticated)?;
    Ok((app.casework.claimant(token, id).await?, token.to_owned()))
}

/// From now on this browser sees the dispute.
pub(super) fn open_here(visit: &Visit, response: &mut Response, id: DisputeId, token: &str) {
    visit.set(response, &dispute_cookie(&path(id)), token);
}

fn dispute_cookie(path: &str) -> Cookie<'_> {
    Cookie { name: "dispute", path, seconds_max: DISPUTE_SECONDS_MAX }
}

fn path(id: DisputeId) -> String {
    format!("/d/{id}")
}

pub(super) fn tone(status: Status) -> &'static str {
    match status {
        Status::Corrected => "good",
        Status::Refused | Status::Reverted => "wrong",
        Status::NeedsEvidence => "wait",
        _ => "",
    }
}
