//! Where a list stands: how many of its numbers are how far, each with the way
//! to its dispute, and which lines were not taken and why.

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use super::super::place::Place;
use super::filing_cookie;
use crate::casework::actors::Filer;
use crate::casework::filings::{LinePlace, ListView, ListedDispute, RejectedLine};
use crate::domain::dispute::Status;
use crate::domain::id::FilingId;
use crate::domain::refusal::Refusal;
use crate::http::pages::holder::code::HOLDER;
use crate::http::pages::holder::dispute::tone;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::words::{Words, status};

/// Of one page: all that it loads stays below 60 KB.
const ROWS_PER_PAGE_MAX: usize = 100;
const NOT_TAKEN: &str = "not_taken";
const PENDING: &str = "pending";

#[derive(Template)]
#[template(path = "holder/filings/standing.html")]
struct StandingPage<'a> {
    shell: &'a Shell,
    path: String,
    company: &'a str,
    reason: Words,
    filed_at: String,
    is_open: bool,
    has_not_taken: bool,
    /// How many numbers are how far, the ones that want something first.
    groups: Vec<Group>,
    chosen: &'static str,
    rows: &'a [Row],
    /// From which row on others are shown.
    earlier: Option<usize>,
    later: Option<usize>,
}

struct Group {
    state: &'static str,
    said: &'static str,
    tone: &'static str,
    count: usize,
}

/// One number, or a line that was not taken.
struct Row {
    place: u8,
    state: &'static str,
    line: Option<u64>,
    number: String,
    /// Of its dispute, once it is made.
    path: Option<String>,
    said: &'static str,
    tone: &'static str,
}

/// Which of the numbers.
#[derive(Debug, Default, Deserialize)]
struct Chosen {
    #[serde(default)]
    status: String,
    #[serde(default)]
    from: usize,
}

pub(super) async fn show(app: &Service, visit: &Visit, id: FilingId) -> Answer {
    app.anyone(&visit.call)?;
    let filer = filer(app, visit, id).await?;
    let ListView { filing, token, disputes, overtaken } = app.casework.my_list(&filer).await?;
    let shell = &visit.shell;
    let not_taken = filing.rejected.iter().map(|line| Row::of_rejected(shell, line));
    let overtaken = overtaken.into_iter().map(|(number, code)| {
        let said = words::rejected(&code).say(shell.language);
        Row { number: number.to_string(), ..Row::not_taken(said) }
    });
    let made = disputes.iter().map(|dispute| Row::of_dispute(shell, dispute));
    let mut rows: Vec<Row> = not_taken.chain(overtaken).chain(made).collect();
    rows.sort_by_key(|row| row.place);
    let groups: Vec<Group> = rows.chunk_by(|one, next| one.state == next.state).map(Group::of).collect();
    let Chosen { status, from } = visit.call.query().unwrap_or_default();
    let chosen = groups.iter().map(|group| group.state).find(|state| *state == status).unwrap_or("");
    rows.retain(|row| chosen.is_empty() || row.state == chosen);
    let (from, till) = (from.min(rows.len()), from.saturating_add(ROWS_PER_PAGE_MAX).min(rows.len()));
    let path = Place::Filing(id).to_string();
    let mut response = page(
        StatusCode::OK,
        &StandingPage {
            shell,
            path: path.clone(),
            company: &filing.enterprise.name,
            reason: words::reason(filing.reason),
            filed_at: shell.local(&filing.filed_at),
            is_open: disputes.iter().any(|dispute| dispute.status.is_none_or(Status::is_open)),
            has_not_taken: groups.iter().any(|group| group.state == NOT_TAKEN),
            groups,
            chosen,
            rows: &rows[from..till],
            earlier: (from > 0).then(|| from.saturating_sub(ROWS_PER_PAGE_MAX)),
            later: (till < rows.len()).then_some(till),
        },
    )?;
    if visit.cookie(&filing_cookie(&path)) != Some(token.as_str()) {
        visit.set(&mut response, &filing_cookie(&path), &token);
    }
    Ok(response)
}

/// Whoever proved control of the contact's number lately, or filed it here.
async fn filer(app: &Service, visit: &Visit, id: FilingId) -> Result<Filer, Problem> {
    if let Some(token) = visit.cookie(&HOLDER)
        && let Ok(filer) = app.casework.filer(token, id).await
    {
        return Ok(filer);
    }
    let path = Place::Filing(id).to_string();
    let token = visit.cookie(&filing_cookie(&path)).ok_or(Refusal::Unauthenticated)?;
    Ok(app.casework.filer(token, id).await?)
}

impl Group {
    /// Of rows that are equally far.
    fn of(alike: &[Row]) -> Self {
        let Row { state, tone, .. } = alike[0];
        let said = alike[0].said;
        Self { state, said, tone, count: alike.len() }
    }
}

impl Row {
    fn not_taken(said: &'static str) -> Self {
        Self {
            place: 0,
            state: NOT_TAKEN,
            line: None,
            number: String::new(),
            path: None,
            said,
            tone: "wrong",
        }
    }

    fn of_rejected(shell: &Shell, rejected: &RejectedLine) -> Self {
        let line = match rejected.at {
            LinePlace::Line(line) => line,
            LinePlace::Index(index) => index + 1,
        };
        let number = rejected.number.clone().unwrap_or_default();
        let said = words::rejected(&rejected.code).say(shell.language);
        Self { line: Some(line), number, ..Self::not_taken(said) }
    }

    fn of_dispute(shell: &Shell, listed: &ListedDispute) -> Self {
        let (state, said, tone) = match listed.status {
            Some(found) => (found.as_str(), shell.words(&status(found)), tone(found)),
            None => (PENDING, shell.say("即将开始", "About to begin"), ""),
        };
        Self {
            place: place(listed.status),
            state,
            line: None,
            number: listed.number.to_string(),
            path: listed.status.map(|_| Place::Dispute(listed.id).to_string()),
            said,
            tone,
        }
    }
}

/// What wants something of the company comes first, then what is under way.
fn place(status: Option<Status>) -> u8 {
    match status {
        Some(Status::NeedsEvidence) => 1,
        Some(Status::Refused) => 2,
        Some(Status::Reverted) => 3,
        Some(Status::InReview) => 4,
        Some(Status::AwaitingSecond) => 5,
        Some(Status::Checking) => 6,
        None => 7,
        Some(Status::Corrected) => 8,
        Some(Status::Withdrawn) => 9,
    }
}
