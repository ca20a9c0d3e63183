//! Moderators (审核员) over JSON: log in, take the next case, decide it, sign
//! reversals and held uploads, see how providers follow and how gateways are
//! doing, read the audit.
//!
//! Absent: the console's pages (they use the same use cases), and every rule:
//! who may decide what is the domain's.

mod audit;
mod cases;
mod documents;
mod gateways;
mod oversight;
mod providers;
mod session;
mod signatures;
mod view;

pub(in crate::http) use documents::document_of;
pub(in crate::http) use providers::providers_at_work;

use warp::Filter;

use super::call::{Call, call};
use super::service::{App, Routes, with};
use crate::casework::batches::Fate;
use crate::domain::id::{BatchId, DisputeId, DocumentId};

/// Longer than any request of this room.
const BODY_BYTES_MAX: u64 = 16 * 1024;

pub fn routes(app: &App) -> Routes {
    let session = warp::path!("v1" / "moderation" / "session").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { POST: session::log_in(&app, call) }) },
    );
    let audit = warp::path!("v1" / "moderation" / "audit")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: audit::lines(&app, call) }) });
    let people = session.or(audit).unify().or(case_routes(app)).unify();
    people
        .or(signature_routes(app))
        .unify()
        .or(provider_routes(app))
        .unify()
        .or(oversight::routes(app))
        .unify()
        .boxed()
}

fn provider_routes(app: &App) -> Routes {
    let list = warp::path!("v1" / "moderation" / "providers")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: providers::list(&app, call) }) });
    let regressed = warp::path!("v1" / "moderation" / "regressed").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { GET: providers::regressed(&app, call) }) },
    );
    let gateways = warp::path!("v1" / "moderation" / "gateways")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: gateways::list(&app, call) }) });
    list.or(regressed).unify().or(gateways).unify().boxed()
}

fn case_routes(app: &App) -> Routes {
    let queue = warp::path!("v1" / "moderation" / "queue")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: cases::queue(&app, call) }) });
    let next = warp::path!("v1" / "moderation" / "next")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { POST: cases::next(&app, call) }) });
    let case = warp::path!("v1" / "moderation" / "disputes" / DisputeId).and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move { by_method!(call => { GET: cases::show(&app, id, call) }) },
    );
    let decision = warp::path!("v1" / "moderation" / "disputes" / DisputeId / "decision")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            by_method!(call => { POST: cases::decide(&app, id, call) })
        });
    let release = warp::path!("v1" / "moderation" / "disputes" / DisputeId / "release")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            by_method!(call => { POST: cases::give_back(&app, id, call) })
        });
    let document = warp::path!("v1" / "moderation" / "disputes" / DisputeId / "documents" / DocumentId)
        .and(with(app))
        .and(call())
        .then(|id, document, app: App, call: Call| async move {
            by_method!(call => { GET: documents::show(&app, id, document, call) })
        });
    queue
        .or(next)
        .unify()
        .or(case)
        .unify()
        .or(document)
        .unify()
        .or(decision)
        .unify()
        .or(release)
        .unify()
        .boxed()
}

fn signature_routes(app: &App) -> Routes {
    let revert = warp::path!("v1" / "moderation" / "corrections" / u64 / "revert")
        .and(with(app))
        .and(call())
        .then(|seq, app: App, call: Call| async move {
            by_method!(call => { POST: signatures::revert(&app, seq, call) })
        });
    let batches = warp::path!("v1" / "moderation" / "batches").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { GET: signatures::batches(&app, call) }) },
    );
    let release = warp::path!("v1" / "moderation" / "batches" / BatchId / "release")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            by_method!(call => { POST: signatures::batch(&app, id, Fate::Release, call) })
        });
    let discard = warp::path!("v1" / "moderation" / "batches" / BatchId / "discard")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            by_method!(call => { POST: signatures::batch(&app, id, Fate::Discard, call) })
        });
    revert.or(batches).unify().or(release).unify().or(discard).unify().boxed()
}
