//! Handing in documents. Their names, and what the sender says that they are,
//! are not read.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::view::DocumentView;
use crate::casework::actors::Claimant;
use crate::casework::documents::Handed;
use crate::domain::id::DisputeId;
use crate::domain::policy::{DOCUMENT_BYTES_MAX, DOCUMENTS_PER_DISPUTE_MAX};
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::call::Call;
use crate::http::multipart::{self, Parts};
use crate::http::problem::{Answer, Problem};
use crate::http::reply;
use crate::http::service::{Service, private};

/// All documents, and what is between them.
const BODY_BYTES_MAX: u64 = (DOCUMENTS_PER_DISPUTE_MAX * DOCUMENT_BYTES_MAX + 64 * 1024) as u64;
/// On top of what any request has: a photograph over a poor line, and its turn
/// to be looked at.
const MORE_TIME: Duration = Duration::from_secs(60);
const PART: &str = "file";

pub(super) async fn hand_in(app: &Service, id: DisputeId, mut call: Call) -> Answer {
    let (claimant, paid) = app.claimant(&call, id).await?;
    let body = call.take_body();
    let parts = parts_of(&call.headers, body)?;
    let handed = take_files(app, &claimant, &call, parts).await?;
    let documents: Vec<DocumentView> = handed.documents.iter().map(DocumentView::of).collect();
    let status = if handed.is_news { StatusCode::CREATED } else { StatusCode::OK };
    private(&paid, reply::json(status, &json!({ "status": handed.status, "documents": documents })))
}

pub(in crate::http) fn parts_of(headers: &HeaderMap, body: BodyStream) -> Result<Parts, Problem> {
    Ok(Parts::new(body, multipart::boundary(headers, BODY_BYTES_MAX)?, BODY_BYTES_MAX))
}

/// The files that are left, all or none of them.
pub(in crate::http) async fn take_files(
    app: &Service,
    claimant: &Claimant,
    call: &Call,
    mut parts: Parts,
) -> Result<Handed, Problem> {
    let _place = app.limits.uploads_by_number.take(&claimant.number())?;
    let mut receiving = app.casework.receive_documents(claimant).await?;
    call.deadline().extend(MORE_TIME);
    let mut has_any = false;
    while let Some(part) = parts.next(PART).await? {
        has_any = true;
        receiving.begin_document()?;
        let whole = parts.whole(part, DOCUMENT_BYTES_MAX).await?;
        receiving.push(whole.ok_or(Refusal::DocumentTooLarge { most: "8 MiB" })?).await?;
    }
    if !has_any {
        return Err(Problem::field_malformed(PART, format!("send at least one part called \"{PART}\"")));
    }
    Ok(receiving.finish().await?)
}
