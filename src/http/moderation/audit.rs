//! The audit: every event, each line chained to the one before by its hash.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::reply;
use crate::http::service::{Service, private};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: u64,
}

pub(super) async fn lines(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Page { after } = call.query()?;
    let lines = app.casework.audit_lines(&moderator, after).await?;
    let next = after.saturating_add(lines.len() as u64);
    private(&paid, reply::json(StatusCode::OK, &json!({ "lines": lines, "next": next })))
}
