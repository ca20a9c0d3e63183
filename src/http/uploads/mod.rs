//! Uploads: operators' tenure lines and providers' labels, streamed line by
//! line into the staging area and applied once they are whole.
//!
//! [`receive_tenures`] and [`receive_labels`] take a file as well as a body.
//!
//! Absent: what a line means (`domain::lines`), and what follows from it.

mod said_lines;

pub use said_lines::{Form, LINE_BYTES_MAX, SaidLines, UPLOAD_BYTES_MAX};

use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};
use warp::{Filter, Reply};

use super::call::{Call, call};
use super::problem::{Answer, Problem};
use super::service::{App, Routes, private, with};
use crate::casework::Casework;
use crate::casework::actors::{OperatorActor, ProviderActor};
use crate::casework::tenure_upload::TenureUpload;
use crate::casework::uploads::LabelUpload;
use crate::domain::lines::{LabelSaid, TenureSaid};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// A store on a slow disk applies more than this.
const LINES_APPLIED_PER_S_MIN: u64 = 500;

pub fn routes(app: &App) -> Routes {
    warp::path!("v1" / "tenures")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { POST: post_tenures(&app, call) }) })
        .boxed()
}

async fn post_tenures(app: &App, mut call: Call) -> Answer {
    let (operator, paid) = app.operator(&call).await?;
    let form = Form::of(&call.headers)?;
    let key = idempotency_key(&call.headers)?;
    let lines = call.lines(LINE_BYTES_MAX, UPLOAD_BYTES_MAX)?;
    let mut lines = SaidLines::begin(form, lines, TenureSaid::COLUMNS).await?;
    let upload = receive_tenures(&app.casework, &operator, key.as_deref(), &mut lines).await?;
    call.deadline().extend(time_to_apply(lines.taken()));
    let tally = upload.finish(lines.digest()).await?;
    let told = json!({
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "rejected": tally.rejected,
        "corrections": tally.corrections,
        "held": tally.held,
        "errors": errors(&tally.errors),
    });
    private(&paid, Ok(warp::reply::json(&told).into_response()))
}

/// Says nothing of the corrections that follow: a provider must not learn of
/// releases by inventing labels.
pub(super) async fn post_labels(app: &App, mut call: Call) -> Answer {
    let (provider, paid) = app.provider(&call).await?;
    let form = Form::of(&call.headers)?;
    let lines = call.lines(LINE_BYTES_MAX, UPLOAD_BYTES_MAX)?;
    let mut lines = SaidLines::begin(form, lines, LabelSaid::COLUMNS).await?;
    let upload = receive_labels(&app.casework, &provider, &mut lines).await?;
    call.deadline().extend(time_to_apply(lines.taken()));
    let tally = upload.finish().await?;
    let told = json!({
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "rejected": tally.rejected,
        "errors": errors(&tally.errors),
    });
    private(&paid, Ok(warp::reply::json(&told).into_response()))
}

/// Stages an operator's lines; nothing of them counts before `finish`.
pub async fn receive_tenures(
    casework: &Casework,
    operator: &OperatorActor,
    idempotency_key: Option<&str>,
    lines: &mut SaidLines,
) -> Result<TenureUpload, Problem> {
    let numbering = &casework.reference().numbering;
    let mut upload = casework.receive_tenures(operator, idempotency_key).await?;
    while let Some((line, said)) =
        lines.next(|line, format| TenureSaid::parse(line, format, numbering)).await?
    {
        upload.push(line, said).await?;
    }
    Ok(upload)
}

/// Stages a provider's labels; nothing of them counts before `finish`.
pub async fn receive_labels(
    casework: &Casework,
    provider: &ProviderActor,
    lines: &mut SaidLines,
) -> Result<LabelUpload, Problem> {
    let reference = casework.reference();
    let (numbering, catalog) = (&reference.numbering, &reference.labels);
    let today = |number| casework.today(number);
    let mut upload = casework.receive_labels(provider).await?;
    while let Some((line, said)) = lines
        .next(|line, format| LabelSaid::parse(line, format, provider.id(), numbering, catalog, today))
        .await?
    {
        upload.push(line, said).await?;
    }
    Ok(upload)
}

/// The answer waits until all is applied, however much it is.
pub fn time_to_apply(lines: u64) -> Duration {
    Duration::from_secs(lines / LINES_APPLIED_PER_S_MIN)
}

fn errors(errors: &[(u64, String)]) -> Vec<Value> {
    errors.iter().map(|(line, code)| json!({ "line": line, "code": code })).collect()
}

/// What names the batch, if it has a name.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut fields = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let key = field.to_str().ok().map(str::trim).filter(|key| !key.is_empty());
    match (key, fields.next()) {
        (Some(key), None) if key.len() <= IDEMPOTENCY_KEY_BYTES_MAX => Ok(Some(key.to_owned())),
        _ => Err(Problem::field_malformed(
            IDEMPOTENCY_KEY,
            format!("{IDEMPOTENCY_KEY}: 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible characters, once"),
        )),
    }
}
