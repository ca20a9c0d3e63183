//! A case in hand: taken as it comes, seen whole on one screen, decided, or
//! given back.

mod decision;
mod document;
mod picture;
mod reasons;
mod rows;
mod screen;
mod words;

use warp::Filter;

use super::desk::at_desk;
use crate::domain::id::{DisputeId, DocumentId};
use crate::http::call::{Call, call};
use crate::http::pages::visit::Visit;
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let next =
        warp::path!("console" / "next").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, decision::take_next(&app, &visit, body)) })
        });
    let case = warp::path!("console" / "disputes" / DisputeId).and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, screen::show(&app, &visit, id)) })
        },
    );
    let decision = warp::path!("console" / "disputes" / DisputeId / "decision")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, decision::decide(&app, &visit, id, body)) })
        });
    let release = warp::path!("console" / "disputes" / DisputeId / "release")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, decision::give_back(&app, &visit, id, body)) })
        });
    let document = warp::path!("console" / "disputes" / DisputeId / "documents" / DocumentId)
        .and(with(app))
        .and(call())
        .then(|id, document, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, document::show(&app, &visit, id, document)) })
        });
    next.or(case).unify().or(decision).unify().or(release).unify().or(document).unify().boxed()
}

/// A case's page.
fn place(id: DisputeId) -> String {
    format!("/console/disputes/{id}")
}
