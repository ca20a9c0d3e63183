//! What waits, and the way to the next case.

use askama::Template;
use http::StatusCode;

use super::desk::Desk;
use crate::casework::moderation::Queue;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::Service;

#[derive(Template)]
#[template(path = "console/home.html")]
struct HomePage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    queue: &'a Queue,
    waiting: u64,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let queue = app.casework.queue(&desk.moderator).await?;
    let waiting = queue.by_status.values().sum();
    page(StatusCode::OK, &HomePage { shell: &visit.shell, desk: &desk, queue: &queue, waiting })
}
