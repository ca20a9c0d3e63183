//! A document, with the watermark of whoever looks at it.

use crate::domain::id::{DisputeId, DocumentId};
use crate::http::moderation::document_of;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::Service;

pub(super) async fn show(app: &Service, visit: &Visit, dispute: DisputeId, id: DocumentId) -> Answer {
    let desk = Desk::of(app, visit).await?;
    document_of(app, &desk.moderator, dispute, id).await
}
