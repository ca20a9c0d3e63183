//! `PUT /feed/v1/ack`: how far a provider has come.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use warp::Reply;

use crate::domain::progress::Stage;
use crate::feed::{Acknowledgement, RefusedEntry};
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, private};

/// A thousand refusals with long Chinese texts.
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    size: u64,
    root: String,
    stage: Stage,
    refused: Option<Vec<Refused>>,
    software: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    seq: u64,
    code: String,
    text: Option<String>,
}

pub(super) async fn put(app: &App, mut call: Call) -> Answer {
    let (provider, paid) = app.provider(&call).await?;
    let said: Said = call.json(BODY_BYTES_MAX).await?;
    let root = STANDARD.decode(&said.root).ok().and_then(|root| root.try_into().ok());
    let root =
        root.ok_or_else(|| Problem::field_malformed("root", "root: 32 bytes in base64 are expected"))?;
    let refused = said.refused.unwrap_or_default().into_iter();
    let refused = refused.map(|Refused { seq, code, text }| RefusedEntry { seq, code, text }).collect();
    let ack = Acknowledgement { size: said.size, root, stage: said.stage, refused, software: said.software };
    let advanced = app.feed.ack(provider.id(), &ack, app.casework.now()).await?;
    let told = serde_json::json!({ "advanced": advanced });
    private(&paid, Ok(warp::reply::json(&told).into_response()))
}
