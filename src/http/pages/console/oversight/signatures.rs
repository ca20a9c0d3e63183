//! What waits for a second person: reversals that somebody has signed, and
//! uploads that are held; and the way to a reversal of one's own.

use askama::Template;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::desk::Desk;
use super::words::{entry_reason, published, says};
use crate::casework::batches::Fate;
use crate::casework::reversal::Signed;
use crate::casework::signatures::PendingReversal;
use crate::domain::correction::Entry;
use crate::domain::id::{BatchId, ModeratorName, OperatorId};
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Code, Problem};
use crate::http::query;
use crate::http::service::Service;

pub(super) const PLACE: &str = "/console/signatures";
const REVERSALS_PER_PAGE: usize = 20;
/// The oldest; the others follow when these are done with.
const BATCHES_SHOWN_MAX: usize = 20;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Wanted {
    #[serde(default, deserialize_with = "query::blank_is_none")]
    after: Option<String>,
}

/// An upload that is held, and where each of its fates stands.
struct HeldBatch {
    id: BatchId,
    operator: OperatorId,
    received_at: jiff::Timestamp,
    lines: u64,
    corrections: u64,
    held: u64,
    release: Fated,
    discard: Fated,
}

/// Who signed first, and whether one may sign now.
struct Fated {
    by: Option<ModeratorName>,
    may_sign: bool,
}

#[derive(Template)]
#[template(path = "console/oversight/signatures.html")]
struct SignaturesPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    reversals: &'a [PendingReversal],
    next: Option<String>,
    batches: Vec<HeldBatch>,
    batches_more: usize,
}

impl SignaturesPage<'_> {
    fn what(&self, entry: &Entry) -> String {
        let said = says(self.shell, published(entry).as_ref()).join(" · ");
        format!("{} · {said}", self.shell.words(&entry_reason(entry.reason)))
    }

    /// Each fate of a held upload: its word, its name, where it stands.
    fn fates<'b>(&self, batch: &'b HeldBatch) -> [(&'static str, &'static str, &'b Fated); 2] {
        [
            ("release", self.shell.say("放行", "Release"), &batch.release),
            ("discard", self.shell.say("作废", "Discard"), &batch.discard),
        ]
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let wanted: Wanted = visit.call.query()?;
    let after = query::cursor(wanted.after.as_deref())?;
    let (reversals, next) =
        app.casework.pending_reversals(&desk.moderator, after, REVERSALS_PER_PAGE).await?;
    let me = desk.moderator.name();
    let fated = |by: Option<ModeratorName>| Fated { may_sign: by.as_ref() != Some(me), by };
    let held = app.casework.held_batches(&desk.moderator).await?;
    let batches_more = held.len().saturating_sub(BATCHES_SHOWN_MAX);
    let batches = held.into_iter().take(BATCHES_SHOWN_MAX).map(|batch| HeldBatch {
        id: batch.id,
        operator: batch.operator,
        received_at: batch.received_at,
        lines: batch.tally.lines,
        corrections: batch.tally.corrections,
        held: batch.tally.held,
        release: fated(batch.release_asked),
        discard: fated(batch.discard_asked),
    });
    let draft = Draft::of(visit);
    let view = SignaturesPage {
        shell: &visit.shell,
        desk: &desk,
        said: &words::said(&draft, visit.shell.language),
        reversals: &reversals,
        next: query::next(next).map(|next| format!("{PLACE}?after={next}")),
        batches: batches.collect(),
        batches_more,
        draft: &draft,
    };
    page(StatusCode::OK, &view)
}

/// To the page of a correction that is named by its place in the log, or by
/// its number.
pub(super) async fn look(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    match named(app, &desk, &form).await {
        Ok(seq) => {
            let mut response = see(&format!("{PLACE}/reversals/{seq}"))?;
            taken(visit, PLACE, &mut response);
            Ok(response)
        }
        Err(problem) if problem.code() == "forbidden" => Err(problem),
        Err(problem) => back(visit, PLACE, form, &problem),
    }
}

async fn named(app: &Service, desk: &Desk, form: &Form) -> Result<u64, Problem> {
    if let Some(seq) = form.optional("seq") {
        let seq = seq.trim_start_matches('#').parse();
        return seq.map_err(|_| Problem::field_malformed("seq", "seq is the place of an entry in the log"));
    }
    let number = app.casework.reference().numbering.parse_typed(form.get("number"));
    let number = number.map_err(Refusal::NumberMalformed)?;
    let standing = app.casework.corrections_of(&desk.moderator, number).await?;
    standing.first().copied().ok_or_else(no_correction)
}

/// What was asked for is no correction that stands.
pub(super) fn no_correction() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Code::NO_CORRECTION, "no correction of this name is in force")
}

pub(super) async fn sign_batch(
    app: &Service,
    visit: &Visit,
    id: BatchId,
    fate: Fate,
    body: BodyStream,
) -> Answer {
    let desk = Desk::of(app, visit).await?;
    Form::read(app, visit, body).await?;
    let done = match (app.casework.sign_batch(&desk.moderator, id, fate).await, fate) {
        (Ok(Signed::AwaitingSecond), Fate::Release) => "batch_release_begun",
        (Ok(Signed::Done), Fate::Release) => "batch_released",
        (Ok(Signed::AwaitingSecond), Fate::Discard) => "batch_discard_begun",
        (Ok(Signed::Done), Fate::Discard) => "batch_discarded",
        (Err(error), _) => return back(visit, PLACE, Form::default(), &error.into()),
    };
    see(&format!("{PLACE}?done={done}"))
}
