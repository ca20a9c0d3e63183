//! What a moderator does with a case.

use http::StatusCode;

use super::place;
use super::reasons::{self, Reason};
use crate::casework::moderation::Verdict;
use crate::domain::dispute::{Ruling, Status};
use crate::domain::id::DisputeId;
use crate::http::body::BodyStream;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::form::{Form, back, keep, taken};
use crate::http::pages::shell::see;
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Code, Problem};
use crate::http::service::Service;
use crate::http::text;

const HOME: &str = "/console";

/// What is kept of a decision that was not taken.
const TYPED: [&str; 7] =
    ["decision", "reason_approve", "reason_refuse", "reason_ask", "note", "public_note", "seen"];

pub(super) async fn take_next(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    Form::read(app, visit, body).await?;
    match app.casework.next_case(&desk.moderator).await? {
        Some(case) => see(&place(case.dispute.value.id)),
        None => see(&format!("{HOME}?done=nothing_waits")),
    }
}

pub(super) async fn decide(app: &Service, visit: &Visit, id: DisputeId, body: BodyStream) -> Answer {
    let form = Form::read(app, visit, body).await?;
    let decided = async {
        let desk = Desk::of(app, visit).await?;
        let (verdict, ruling, version) = said(visit, &form)?;
        Ok::<_, Problem>(app.casework.decide(&desk.moderator, id, verdict, ruling, version).await?)
    };
    match decided.await {
        Ok(status) => {
            let mut response = see(&format!("{HOME}?done={}", done(status)))?;
            taken(visit, &place(id), &mut response);
            Ok(response)
        }
        // The page asks for a session first, and shows this then.
        Err(problem) if problem.code() == "unauthenticated" => {
            back(visit, &place(id), form.only(&TYPED), &ended())
        }
        // It is no longer theirs to see; should they be given it again, what
        // they typed is there.
        Err(problem) if problem.code() == "lease_missing" => {
            let mut response = back(visit, HOME, Form::default(), &problem)?;
            keep(visit, &mut response, &place(id), form.only(&TYPED), &problem);
            Ok(response)
        }
        Err(problem) => back(visit, &place(id), form.only(&TYPED), &problem),
    }
}

pub(super) async fn give_back(app: &Service, visit: &Visit, id: DisputeId, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    Form::read(app, visit, body).await?;
    match app.casework.give_back(&desk.moderator, id).await {
        Ok(()) => see(&format!("{HOME}?done=given_back")),
        Err(error) => back(visit, HOME, Form::default(), &error.into()),
    }
}

fn ended() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Code::SESSION_ENDED, "the session ended before this was sent")
}

fn said(visit: &Visit, form: &Form) -> Result<(Verdict, Ruling, u64), Problem> {
    let (verdict, field) = match form.get("decision") {
        "approve" => (Verdict::Approve, "reason_approve"),
        "refuse" => (Verdict::Refuse, "reason_refuse"),
        "ask" => (Verdict::Ask, "reason_ask"),
        _ => return Err(Problem::field_malformed("decision", "decision: approve, refuse or ask")),
    };
    let unknown = || Problem::field_malformed(field, format!("{field}: one of those that are offered"));
    let reason = reasons::find(verdict, form.get(field)).ok_or_else(unknown)?;
    let version = form.get("version").parse();
    let version = version.map_err(|_| Problem::field_malformed("version", "version: a number"))?;
    let ruling = Ruling {
        reason_code: reason.code.to_owned(),
        note: text::optional("note", Some(&typed(form, "note")))?,
        public_note: public_note(visit, reason, form)?,
    };
    Ok((verdict, ruling, version))
}

/// The moderator's own words, else the reason's.
fn public_note(visit: &Visit, reason: &Reason, form: &Form) -> Result<Option<String>, Problem> {
    let own = text::optional("public_note", Some(&typed(form, "public_note")))?;
    let template = visit.shell.words(&reason.note);
    Ok(own.or_else(|| (!template.is_empty()).then(|| template.to_owned())))
}

/// Forms end lines as mail does.
fn typed(form: &Form, field: &str) -> String {
    form.get(field).replace("\r\n", "\n")
}

fn done(status: Status) -> &'static str {
    match status {
        Status::Corrected => "approved",
        Status::AwaitingSecond => "awaits_second",
        Status::Refused => "refused",
        Status::NeedsEvidence => "documents_asked",
        // A second person would not sign.
        Status::InReview => "sent_back",
        // The facts were older than a day.
        Status::Checking | Status::Withdrawn | Status::Reverted => "asked_again",
    }
}
