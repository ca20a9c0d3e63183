//! The holder's way, one screen a step: number, code, what is shown and since
//! when it is yours. Then the dispute's own page. Beside it, lists of numbers.

mod code;
mod dispute;
mod file;
mod filings;
mod place;
mod start;

use warp::Filter;

use place::{Place, or_prove};

use crate::domain::id::DisputeId;
use crate::http::call::{Call, call};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let start = warp::path::end().and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, body) = Visit::new(&app, call);
        by_method!(visit => {
            GET: visit.shown(start::show(&app, &visit)),
            POST: visit.shown(start::begin(&app, &visit, body)),
        })
    });
    let code = warp::path!("code").and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, body) = Visit::new(&app, call);
        by_method!(visit => {
            GET: visit.shown(code::show(&app, &visit)),
            POST: visit.shown(code::confirm(&app, &visit, body)),
        })
    });
    let file = warp::path!("file").and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, body) = Visit::new(&app, call);
        by_method!(visit => {
            GET: visit.shown(file::show(&app, &visit)),
            POST: visit.shown(file::file(&app, &visit, body)),
        })
    });
    let steps = start.or(code).unify().or(file).unify();
    steps.or(filings::routes(app)).unify().or(dispute_routes(app)).unify().boxed()
}

/// A dispute's page, for who filed it.
async fn of(app: &App, visit: &Visit, id: DisputeId, answering: impl Future<Output = Answer>) -> Answer {
    or_prove(app, visit, Place::Dispute(id), answering).await
}

fn dispute_routes(app: &App) -> Routes {
    let dispute =
        warp::path!("d" / DisputeId).and(with(app)).and(call()).then(|id, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: visit.shown(of(&app, &visit, id, dispute::show(&app, &visit, id))) })
        });
    let evidence = warp::path!("d" / DisputeId / "evidence").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: visit.shown(of(&app, &visit, id, dispute::hand_in(&app, &visit, id, body))) })
        },
    );
    let withdraw = warp::path!("d" / DisputeId / "withdraw").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: visit.shown(of(&app, &visit, id, dispute::withdraw(&app, &visit, id, body))) })
        },
    );
    let appeal = warp::path!("d" / DisputeId / "appeal").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: visit.shown(of(&app, &visit, id, dispute::appeal(&app, &visit, id, body))) })
        },
    );
    let receipt = warp::path!("d" / DisputeId / "receipt").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: visit.shown(of(&app, &visit, id, dispute::receipt(&app, &visit, id))) })
        },
    );
    let moves = evidence.or(withdraw).unify();
    dispute.or(moves).unify().or(appeal).unify().or(receipt).unify().boxed()
}
