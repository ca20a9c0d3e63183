//! Lines of the audit to take away: bounded, and noted in the audit itself.

use std::borrow::Cow;

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use warp::reply::Response;

use super::super::desk::Desk;
use super::audit::Wanted;
use crate::casework::auditing::AuditFound;
use crate::http::pages::shell::never_kept;
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// Where an export that was cut goes on: its `before`.
const NEXT: HeaderName = HeaderName::from_static("zhengming-next");

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Csv,
    Ndjson,
}

#[derive(Debug, Deserialize)]
struct Chosen {
    format: Format,
}

pub(super) async fn take(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let Chosen { format } = visit.call.query()?;
    let wanted: Wanted = visit.call.query()?;
    let found = app.casework.export_audit(&desk.moderator, &wanted.filter(), wanted.before).await?;
    let (body, kind, end) = match format {
        Format::Csv => (csv(&found), "text/csv; charset=utf-8", "csv"),
        Format::Ndjson => (ndjson(&found), "application/x-ndjson", "ndjson"),
    };
    let body = body.map_err(|error| {
        tracing::error!(%error, "an export of the audit could not be written");
        Problem::internal()
    })?;
    let mut response = never_kept(Response::new(body.into()));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let (start, stop) = (found.searched.start, found.searched.end);
    let name = format!("attachment; filename=\"zhengming-audit-{start}-{stop}.{end}\"");
    if let Ok(name) = HeaderValue::from_str(&name) {
        fields.insert(CONTENT_DISPOSITION, name);
    }
    if found.is_cut {
        fields.insert(NEXT, start.into());
    }
    Ok(response)
}

fn csv(found: &AuditFound) -> std::io::Result<Vec<u8>> {
    let mut to = csv::Writer::from_writer(Vec::new());
    to.write_record(["line", "at", "actor", "action", "subject", "digest", "hash"])?;
    for line in &found.lines {
        let draft = &line.draft;
        let (seq, at) = (line.seq.to_string(), draft.at.to_string());
        let digest = draft.digest.as_deref().unwrap_or_default();
        let said = [&seq, &at, &draft.actor, &draft.action, &draft.subject, digest, &line.hash];
        to.write_record(said.map(|cell| guarded(cell).into_owned()))?;
    }
    to.into_inner().map_err(|error| error.into_error())
}

/// A spreadsheet would compute a cell that begins like this.
fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

fn ndjson(found: &AuditFound) -> std::io::Result<Vec<u8>> {
    let mut to = Vec::new();
    for line in &found.lines {
        serde_json::to_writer(&mut to, line)?;
        to.push(b'\n');
    }
    Ok(to)
}
