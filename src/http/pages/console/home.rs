//! What waits, and the way to the next case.

use askama::Template;
use http::StatusCode;

use super::desk::Desk;
use crate::casework::moderation::Queue;
use crate::casework::throughput::Throughput;
use crate::http::pages::form::Draft;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::Answer;
use crate::http::service::Service;

#[derive(Template)]
#[template(path = "console/home.html")]
struct HomePage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    queue: &'a Queue,
    waiting: u64,
    throughput: Throughput,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let queue = app.casework.queue(&desk.moderator).await?;
    let waiting = queue.by_status.values().sum();
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    let shell = &visit.shell;
    let throughput = app.casework.throughput(&desk.moderator).await?;
    page(
        StatusCode::OK,
        &HomePage { shell, desk: &desk, draft: &draft, said: &said, queue: &queue, waiting, throughput },
    )
}
