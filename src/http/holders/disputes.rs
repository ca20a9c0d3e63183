//! A holder's disputes: where they stand, withdrawing one, appealing.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::view::dispute_view;
use crate::casework::actors::Claimant;
use crate::domain::id::DisputeId;
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
