//! Documents, for the eyes of whoever has the case in hand.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use warp::reply::Response;

use crate::casework::actors::ModeratorActor;
use crate::domain::id::{DisputeId, DocumentId};
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{Service, private};

pub(super) async fn show(app: &Service, dispute: DisputeId, id: DocumentId, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    private(&paid, document_of(app, &moderator, dispute, id).await)
}

/// With the watermark of whoever looks; it is never kept.
pub(in crate::http) async fn document_of(
    app: &Service,
    moderator: &ModeratorActor,
    dispute: DisputeId,
    id: DocumentId,
) -> Answer {
    let shown = app.casework.show_document(moderator, dispute, id).await?;
    let mut response = Response::new(shown.bytes.into());
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(shown.kind.media_type()));
    // A name of ours, so that there is nothing to escape.
    let file = format!("inline; filename=\"{id}.{}\"", shown.kind.extension());
    let file = HeaderValue::from_str(&file).map_err(|_| Problem::internal())?;
    fields.insert(CONTENT_DISPOSITION, file);
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
