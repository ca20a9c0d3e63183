//! The console's eye on the work of all: the whole queue, what waits for a
//! second signature, and the audit.
//!
//! Absent: cases themselves; nobody takes one from here.

mod audit;
mod export;
mod queue;
mod reversal;
mod signatures;
mod words;

pub(super) use words::{flag, status};

use warp::Filter;

use super::desk::at_desk;
use crate::casework::batches::Fate;
use crate::domain::id::BatchId;
use crate::http::call::{Call, call};
use crate::http::pages::visit::Visit;
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let queue =
        warp::path!("console" / "queue").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, queue::show(&app, &visit)) })
        });
    let audit =
        warp::path!("console" / "audit").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, audit::show(&app, &visit)) })
        });
    let export = warp::path!("console" / "audit" / "export").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, export::take(&app, &visit)) })
        },
    );
    queue.or(audit).unify().or(export).unify().or(signature_routes(app)).unify().boxed()
}

fn signature_routes(app: &App) -> Routes {
    let waiting = warp::path!("console" / "signatures").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, signatures::show(&app, &visit)) })
        },
    );
    let look = warp::path!("console" / "signatures" / "look").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, signatures::look(&app, &visit, body)) })
        },
    );
    let reversal = warp::path!("console" / "signatures" / "reversals" / u64).and(with(app)).and(call()).then(
        |seq, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: at_desk(&visit, reversal::show(&app, &visit, seq)),
                POST: at_desk(&visit, reversal::sign(&app, &visit, seq, body)),
            })
        },
    );
    let discard = warp::path!("console" / "signatures" / "reversals" / u64 / "discard")
        .and(with(app))
        .and(call())
        .then(|seq, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, reversal::discard(&app, &visit, seq, body)) })
        });
    let release_batch = warp::path!("console" / "signatures" / "batches" / BatchId / "release")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            let signing = signatures::sign_batch(&app, &visit, id, Fate::Release, body);
            by_method!(visit => { POST: at_desk(&visit, signing) })
        });
    let discard_batch = warp::path!("console" / "signatures" / "batches" / BatchId / "discard")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            let signing = signatures::sign_batch(&app, &visit, id, Fate::Discard, body);
            by_method!(visit => { POST: at_desk(&visit, signing) })
        });
    let reversals = waiting.or(look).unify().or(reversal).unify().or(discard).unify();
    reversals.or(release_batch).unify().or(discard_batch).unify().boxed()
}
