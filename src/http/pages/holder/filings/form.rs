//! The form for a list: the company, what is wrong, and the numbers, one on a
//! line as they are pasted out of a table.

use askama::Template;
use http::StatusCode;
use warp::reply::Response;

use super::super::file::holder;
use super::super::place::Place;
use super::filing_cookie;
use crate::casework::actors::Holder;
use crate::casework::filing::Idempotency;
use crate::casework::filings::{LinePlace, NumberList};
use crate::domain::dispute::{DisputedLabel, Reason};
use crate::domain::lines::LineError;
use crate::domain::opened::Opened;
use crate::domain::policy::{NOTE_CHARS_MAX, NUMBERS_PER_FILING_MAX};
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::holders::{EnterpriseBody, ListHead, Listing, NamedLabel, ReasonName};
use crate::http::pages::form::{Draft, Form, keep, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

const PATH: &str = "/filings";

#[derive(Template)]
#[template(path = "holder/filings/form.html")]
struct FormPage<'a> {
    shell: &'a Shell,
    form: &'a Form,
    said: String,
    /// The field that is wrong, by its name.
    wrong: &'static str,
    contact: String,
    by_name: bool,
    providers: Vec<(&'a str, &'a str)>,
    numbers_max: usize,
    note_chars_max: usize,
    once: String,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    let Ok(holder) = holder(app, visit).await else { return prove_first() };
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    form_page(app, visit, StatusCode::OK, &holder, &draft.form, (said, ""))
}

/// Where something is wrong the form is answered in its place: a list is too
/// long for the cookie in which others wait.
pub(super) async fn file(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let form = Form::read(app, visit, body).await?;
    let holder = match holder(app, visit).await {
        Ok(holder) => holder,
        Err(problem) => {
            let mut response = prove_first()?;
            keep(visit, &mut response, PATH, form, &problem);
            return Ok(response);
        }
    };
    match try_file(app, visit, &holder, &form).await {
        Ok(mut response) => {
            taken(visit, PATH, &mut response);
            Ok(response)
        }
        Err(problem) => {
            let language = visit.shell.language;
            let field = problem.member("field").and_then(|field| field.as_str()).unwrap_or_default();
            let wrong = wrong_field(problem.code(), field);
            let said = match words::field(wrong) {
                Some(said) => said.say(language).to_owned(),
                None => words::problem(problem.code(), language),
            };
            form_page(app, visit, problem.status(), &holder, &form, (said, wrong))
        }
    }
}

/// A contact's number is proved before a list is typed.
fn prove_first() -> Result<Response, Problem> {
    see(&format!("/?to={}", Place::Filings))
}

fn form_page(
    app: &Service,
    visit: &Visit,
    status: StatusCode,
    holder: &Holder,
    form: &Form,
    (said, wrong): (String, &'static str),
) -> Answer {
    let catalog = &app.casework.reference().labels;
    let shown = FormPage {
        shell: &visit.shell,
        form,
        said,
        wrong,
        contact: holder.number().masked(),
        by_name: form.has("reason", Reason::NameMismatch.as_str()),
        providers: catalog.provider_ids().map(|id| (id.as_str(), catalog.provider_name(id))).collect(),
        numbers_max: NUMBERS_PER_FILING_MAX,
        note_chars_max: NOTE_CHARS_MAX,
        once: form.optional("once").map_or_else(|| app.casework.new_visitor(), str::to_owned),
    };
    page(status, &shown)
}

async fn try_file(app: &Service, visit: &Visit, holder: &Holder, form: &Form) -> Answer {
    let list = list_of(app, form)?;
    let key = form.optional("once").ok_or(Refusal::IdempotencyKeyMissing)?.to_owned();
    let from = visit.prefix().to_string();
    let idempotency = Idempotency { key, body_digest: form.digest() };
    let filed = app.casework.file_list(holder, list, &idempotency, Some(&from)).await?;
    let path = Place::Filing(filed.filing.id).to_string();
    let mut response = see(&path)?;
    visit.set(&mut response, &filing_cookie(&path), &filed.token);
    Ok(response)
}

fn list_of(app: &Service, form: &Form) -> Result<NumberList, Problem> {
    let text = |field: &str| form.optional(field).map(str::to_owned);
    let by_name = form.has("reason", Reason::NameMismatch.as_str());
    let opened = match text("opened").filter(|_| !by_name).map(|typed| Opened::parse_typed(&typed)) {
        Some(Err(why)) => return Err(Problem::field_malformed("opened", why.to_string())),
        other => other.transpose().unwrap_or_default(),
    };
    let head = ListHead {
        reason: if by_name { ReasonName::NameMismatch } else { ReasonName::Reassigned },
        enterprise: EnterpriseBody {
            name: form.get("company").to_owned(),
            uscc: form.get("uscc").to_ascii_uppercase(),
        },
        show_name: by_name && form.has("show_name", "yes"),
        opened,
        note: text("note"),
    };
    let labels: Vec<DisputedLabel> = match (text("provider"), text("name")) {
        (Some(provider), Some(name)) if by_name => {
            let label = NamedLabel { provider, category: None, name: Some(name) };
            vec![label.parse(0)?]
        }
        _ => Vec::new(),
    };
    if by_name && !head.show_name && labels.is_empty() {
        return Err(Refusal::LabelNeeded.into());
    }
    let mut list = Listing::new(head.parse()?, opened);
    let numbering = &app.casework.reference().numbering;
    for (at, line) in form.get("numbers").lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = LinePlace::Line(at as u64 + 1);
        let (number, since) = line.split_once([',', '，', '\t', ';', '；']).unwrap_or((line, ""));
        let since = Some(since.trim()).filter(|since| !since.is_empty() && !by_name).map(Opened::parse_typed);
        // As it is typed, it is not what the wire calls a number.
        let typed = numbering.parse_typed(number);
        let number = typed.map_or_else(|_| number.trim().to_owned(), |number| number.to_string());
        match since.transpose() {
            Err(_) => list.reject(at, Some(&number), LineError::DateMalformed.code()),
            Ok(since) => list.add(at, &number, since, labels.clone(), numbering),
        }
    }
    list.whole()
}

/// The form's name for what the API calls otherwise.
fn wrong_field(code: &str, field: &str) -> &'static str {
    match (code, field) {
        ("uscc_wrong", _) => "uscc",
        ("label_needed", _) => "name",
        (_, "enterprise.name") => "company",
        (_, "opened") => "opened",
        (_, "numbers") => "numbers",
        (_, "note") => "note",
        (_, field) if field.starts_with("labels") => "name",
        _ => "",
    }
}
