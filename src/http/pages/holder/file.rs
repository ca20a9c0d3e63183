//! Step 3: what is shown about the number, and since when it is the holder's.

use std::collections::BTreeMap;

use askama::Template;
use http::StatusCode;
use jiff::civil::Date;

use super::code::HOLDER;
use super::dispute::open_here;
use crate::casework::actors::Holder;
use crate::casework::filing::Idempotency;
use crate::domain::dispute::{Dispute, Reason};
use crate::domain::label::{Label, LabelKind};
use crate::domain::opened::Opened;
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::holders::{CorrectionView, FilingBody, NamedLabel, ReasonName, ShowBody, correction_of};
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::words::{Words, status};

#[derive(Template)]
#[template(path = "holder/file.html")]
struct FilePage<'a> {
    shell: &'a Shell,
    draft: &'a Draft,
    said: &'a str,
    masked: String,
    providers: Vec<ShownBy>,
    missing: Vec<String>,
    tenure_began_on: Option<Date>,
    correction: Option<CorrectionView>,
    disputes: Vec<Earlier>,
    names: Vec<DisputedName>,
    by_name: bool,
    /// The same for each sending of this form, so that a second press is the
    /// same filing.
    once: String,
}

/// What one provider shows.
struct ShownBy {
    name: String,
    labels: Vec<ShownLabel>,
}

struct ShownLabel {
    text: String,
    count: Option<u64>,
    since: Option<Date>,
    until: Option<Date>,
}

struct DisputedName {
    provider_name: String,
    name: String,
    /// What the box sends.
    value: String,
    checked: bool,
}

struct Earlier {
    id: String,
    reason: Words,
    status: Words,
    filed_on: Date,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    let holder = match holder(app, visit).await {
        Ok(holder) => holder,
        Err(problem) => return back(visit, "/", Form::default(), &problem),
    };
    let mine = app.casework.my_labels(&holder).await?;
    let catalog = &app.casework.reference().labels;
    let draft = Draft::of(visit);
    let mut providers: BTreeMap<&str, Vec<ShownLabel>> = BTreeMap::new();
    for label in &mine.labels {
        providers.entry(catalog.provider_name(&label.provider)).or_default().push(ShownLabel {
            text: label.shown_text().to_owned(),
            count: label.count,
            since: label.first_marked_on,
            until: label.last_marked_on,
        });
    }
    let name = |label: &Label| DisputedName {
        provider_name: catalog.provider_name(&label.provider).to_owned(),
        name: label.shown_text().to_owned(),
        value: label.provider.to_string(),
        checked: !draft.has_problem() || draft.form.has("name", label.provider.as_str()),
    };
    let disputes = app.casework.my_disputes(&holder).await?;
    let earlier = |dispute: &Dispute| Earlier {
        id: dispute.id.to_string(),
        reason: words::reason(dispute.reason()),
        status: status(dispute.status()),
        filed_on: app.casework.reference().numbering.today(dispute.number, dispute.filed_at),
    };
    let once = draft.form.optional("once").map_or_else(|| app.casework.new_visitor(), str::to_owned);
    page(
        StatusCode::OK,
        &FilePage {
            shell: &visit.shell,
            said: &words::said(&draft, visit.shell.language),
            masked: mine.number.masked(),
            providers: providers
                .into_iter()
                .map(|(name, labels)| ShownBy { name: name.to_owned(), labels })
                .collect(),
            missing: mine.missing.iter().map(|(id, _)| catalog.provider_name(id).to_owned()).collect(),
            tenure_began_on: mine.tenure_began_on,
            correction: correction_of(app, mine.number).await?,
            disputes: disputes.iter().map(|(dispute, _)| earlier(dispute)).collect(),
            names: mine.labels.iter().filter(|label| label.kind == LabelKind::Name).map(name).collect(),
            by_name: draft.form.get("reason") == Reason::NameMismatch.as_str(),
            once,
            draft: &draft,
        },
    )
}

pub(super) async fn file(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let form = Form::read(app, visit, body).await?;
    let holder = match holder(app, visit).await {
        Ok(holder) => holder,
        Err(problem) => return back(visit, "/", Form::default(), &problem),
    };
    match try_file(app, visit, &holder, &form).await {
        Ok(mut response) => {
            taken(visit, "/file", &mut response);
            Ok(response)
        }
        Err(problem) => back(visit, "/file", form, &problem),
    }
}

async fn try_file(app: &Service, visit: &Visit, holder: &Holder, form: &Form) -> Answer {
    let reason = if form.has("reason", Reason::NameMismatch.as_str()) {
        ReasonName::NameMismatch
    } else {
        ReasonName::Reassigned
    };
    let by_name = matches!(reason, ReasonName::NameMismatch);
    let labels = if by_name { named(app, holder, form).await? } else { Vec::new() };
    let text = |field: &str| form.optional(field).map(str::to_owned);
    let show = match (text("show_name"), text("uscc")) {
        (Some(name), uscc) if by_name => Some(ShowBody { name, uscc: uscc.unwrap_or_default() }),
        _ => None,
    };
    // Browsers without a field for months leave it to people how to write one.
    let month = |typed: String| Opened::parse_typed(&typed).map_or(typed, |opened| opened.to_string());
    let opened = if by_name { None } else { text("opened").map(month) };
    let said = FilingBody { reason, opened, labels, show, note: text("note"), contact: None };
    let filing = said.parse(&app.casework.reference().numbering)?;
    let key = text("once").ok_or(Refusal::IdempotencyKeyMissing)?;
    let from = visit.prefix().to_string();
    let filed = app
        .casework
        .file(holder, filing, &Idempotency { key, body_digest: form.digest() }, Some(&from))
        .await?;
    let mut response = see(&format!("/d/{}", filed.id))?;
    open_here(visit, &mut response, filed.id, &filed.token);
    Ok(response)
}

/// The names that were ticked, as each provider shows them now.
async fn named(app: &Service, holder: &Holder, form: &Form) -> Result<Vec<NamedLabel>, Problem> {
    let mine = app.casework.my_labels(holder).await?;
    let names = mine
        .labels
        .into_iter()
        .filter(|label| label.kind == LabelKind::Name && form.has("name", label.provider.as_str()));
    Ok(names
        .map(|label| NamedLabel { provider: label.provider.to_string(), category: None, name: label.name })
        .collect())
}

pub(super) async fn holder(app: &Service, visit: &Visit) -> Result<Holder, Problem> {
    let token = visit.cookie(&HOLDER).ok_or(Refusal::Unauthenticated)?;
    Ok(app.casework.holder(token).await?)
}
