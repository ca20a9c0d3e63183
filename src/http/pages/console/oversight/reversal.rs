//! One correction and what taking it back would do: looked at first, and then
//! signed as it was looked at.

use askama::Template;
use http::StatusCode;

use super::super::desk::Desk;
use super::signatures::{PLACE, no_correction};
use super::words::{entry_reason, published, says};
use crate::casework::reversal::Signed;
use crate::casework::signatures::ReversalLook;
use crate::domain::correction::Ground;
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::text;

#[derive(Template)]
#[template(path = "console/oversight/reversal.html")]
struct ReversalPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    seen: &'a ReversalLook,
    because_of: &'static str,
    is_of_dispute: bool,
    said_then: Vec<String>,
    in_force: Vec<String>,
    after: Vec<String>,
}

pub(super) async fn show(app: &Service, visit: &Visit, seq: u64) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let look = match app.casework.look_at_reversal(&desk.moderator, seq).await.map_err(Problem::from) {
        Ok(look) => look,
        Err(problem) if problem.code() == "not_found" => {
            return back(visit, PLACE, Form::default(), &no_correction());
        }
        Err(problem) if problem.code() == "not_in_force" => {
            return back(visit, PLACE, Form::default(), &problem);
        }
        Err(problem) => return Err(problem),
    };
    let draft = Draft::of(visit);
    let shell = &visit.shell;
    let view = ReversalPage {
        shell,
        desk: &desk,
        said: &words::said(&draft, shell.language),
        because_of: shell.words(&entry_reason(look.entry.reason)),
        is_of_dispute: matches!(look.ground, Ground::Dispute { .. }),
        said_then: says(shell, published(&look.entry).as_ref()),
        in_force: says(shell, look.in_force.as_ref()),
        after: says(shell, look.after.as_ref()),
        seen: &look,
        draft: &draft,
    };
    page(StatusCode::OK, &view)
}

pub(super) async fn sign(app: &Service, visit: &Visit, seq: u64, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let signing = async {
        let version = form.get("version").parse();
        let version = version.map_err(|_| Problem::field_malformed("version", "version is of the look"))?;
        // The second person signs under the first one's reason.
        let reason = match form.has("as", "second") {
            true => None,
            false => Some(text::required("reason", &form.get("reason").replace('\r', ""))?),
        };
        let revert = app.casework.revert(&desk.moderator, seq, reason.as_deref(), Some(version));
        Ok::<_, Problem>(revert.await?)
    };
    let done = match signing.await {
        Ok(Signed::AwaitingSecond) => "reversal_begun",
        Ok(Signed::Done) => "reversal_done",
        Err(problem) => return back(visit, &place(seq), form.only(&["reason"]), &problem),
    };
    let mut response = see(&format!("{PLACE}?done={done}"))?;
    taken(visit, &place(seq), &mut response);
    Ok(response)
}

pub(super) async fn discard(app: &Service, visit: &Visit, seq: u64, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    Form::read(app, visit, body).await?;
    match app.casework.discard_reversal(&desk.moderator, seq).await.map_err(Problem::from) {
        Ok(()) => see(&format!("{PLACE}?done=reversal_discarded")),
        Err(problem) if problem.code() == "not_found" => {
            let stale = Problem::from(Refusal::Stale);
            back(visit, PLACE, Form::default(), &stale)
        }
        Err(problem) => back(visit, PLACE, Form::default(), &problem),
    }
}

fn place(seq: u64) -> String {
    format!("{PLACE}/reversals/{seq}")
}
