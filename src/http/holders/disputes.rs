//! A holder's disputes: where they stand, withdrawing one, appealing.

use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response;

use super::view::dispute_view;
use crate::casework::actors::Claimant;
use crate::domain::id::DisputeId;
use crate::domain::refusal::Refusal;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::service::{Paid, Service, language, private};
use crate::http::{reply, text};

const BODY_BYTES_MAX: u64 = 4 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Appeal {
    text: String,
}

pub(super) async fn list(app: &Service, call: Call) -> Answer {
    let (holder, paid) = app.holder(&call).await?;
    let mine = app.casework.my_disputes(&holder).await?;
    let disputes: Vec<Value> = mine
        .iter()
        .map(|(dispute, token)| {
            json!({
                "id": dispute.id,
                "token": token,
                "number": dispute.number,
                "reason": dispute.reason(),
                "status": dispute.status(),
                "filed_at": dispute.filed_at,
                "due_on": dispute.due_on,
            })
        })
        .collect();
    private(&paid, reply::json(StatusCode::OK, &json!({ "disputes": disputes, "next": null })))
}

pub(super) async fn show(app: &Service, id: DisputeId, call: Call) -> Answer {
    let (claimant, paid) = app.claimant(&call, id).await?;
    shown(app, &call, &claimant, &paid).await
}

pub(super) async fn receipt(app: &Service, id: DisputeId, call: Call) -> Answer {
    let (claimant, paid) = app.claimant(&call, id).await?;
    private(&paid, receipt_of(app, &claimant).await)
}

/// The proof that the correction is in the public log, to keep.
pub(in crate::http) async fn receipt_of(app: &Service, claimant: &Claimant) -> Answer {
    let seq = app.casework.my_dispute(claimant, app.feed.size()).await?.seq;
    let receipt = app.feed.receipt(seq.ok_or(Refusal::NotPublished)?).await?;
    let mut response = Response::new(receipt.to_string().into());
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let file = HeaderValue::from_static("attachment; filename=\"zhengming.tlog-proof\"");
    fields.insert(CONTENT_DISPOSITION, file);
    Ok(response)
}

pub(super) async fn withdraw(app: &Service, id: DisputeId, mut call: Call) -> Answer {
    let (claimant, paid) = app.claimant(&call, id).await?;
    let Nothing {} = call.json(BODY_BYTES_MAX).await?;
    app.casework.withdraw(&claimant).await?;
    shown(app, &call, &claimant, &paid).await
}

pub(super) async fn appeal(app: &Service, id: DisputeId, mut call: Call) -> Answer {
    let (claimant, paid) = app.claimant(&call, id).await?;
    let Appeal { text } = call.json(BODY_BYTES_MAX).await?;
    app.casework.appeal(&claimant, &text::required("text", &text)?).await?;
    shown(app, &call, &claimant, &paid).await
}

async fn shown(app: &Service, call: &Call, claimant: &Claimant, paid: &Paid) -> Answer {
    let view = dispute_view(app, claimant, language(&call.headers)).await?;
    private(paid, reply::json(StatusCode::OK, &view))
}
