//! Handing in documents. Their names, and what the sender says that they are,
//! are not read.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::view::DocumentView;
use crate::domain::id::DisputeId;
use crate::domain::policy::{DOCUMENT_BYTES_MAX, DOCUMENTS_PER_DISPUTE_MAX};
use crate::domain::refusal::Refusal;
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
    let boundary = multipart::boundary(&call.headers, BODY_BYTES_MAX)?;
    let _place = app.limits.uploads_by_number.take(&claimant.number())?;
    let mut receiving = app.casework.receive_documents(&claimant).await?;
    call.deadline().extend(MORE_TIME);
    let mut parts = Parts::new(call.take_body(), boundary, BODY_BYTES_MAX);
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
    let handed = receiving.finish().await?;
    let documents: Vec<DocumentView> = handed.documents.iter().map(DocumentView::of).collect();
    let status = if handed.is_news { StatusCode::CREATED } else { StatusCode::OK };
    private(&paid, reply::json(status, &json!({ "status": handed.status, "documents": documents })))
}
