//! What two people sign: taking a correction back, and the fate of the lines
//! of an upload that are held. 202 for the first of them, 200 for the second.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::BODY_BYTES_MAX;
use crate::casework::batches::Fate;
use crate::casework::reversal::Signed;
use crate::domain::id::BatchId;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::service::{Service, private};
use crate::http::{reply, text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revert {
    reason: String,
    /// As the look at it said.
    version: Option<u64>,
}

pub(super) async fn revert(app: &Service, seq: u64, mut call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Revert { reason, version } = call.json(BODY_BYTES_MAX).await?;
    let reason = text::required("reason", &reason)?;
    let signed = app.casework.revert(&moderator, seq, Some(&reason), version).await?;
    private(&paid, answer(signed, "reverted"))
}

pub(super) async fn batches(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let held = app.casework.held_batches(&moderator).await?;
    let batches: Vec<Value> = held
        .iter()
        .map(|batch| {
            json!({
                "id": batch.id,
                "operator": batch.operator,
                "received_at": batch.received_at,
                "lines": batch.tally.lines,
                "accepted": batch.tally.accepted,
                "held": batch.tally.held,
                "release_asked_by": batch.release_asked,
                "discard_asked_by": batch.discard_asked,
            })
        })
        .collect();
    private(&paid, reply::json(StatusCode::OK, &json!({ "batches": batches, "next": null })))
}

pub(super) async fn batch(app: &Service, id: BatchId, fate: Fate, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let signed = app.casework.sign_batch(&moderator, id, fate).await?;
    let done = match fate {
        Fate::Release => "released",
        Fate::Discard => "discarded",
    };
    private(&paid, answer(signed, done))
}

fn answer(signed: Signed, done: &str) -> Answer {
    let (status, now) = match signed {
        Signed::AwaitingSecond => (StatusCode::ACCEPTED, "awaiting_second"),
        Signed::Done => (StatusCode::OK, done),
    };
    reply::json(status, &json!({ "status": now }))
}
