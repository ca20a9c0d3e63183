//! Holders (机主) over JSON: prove control of a number, see what is shown for
//! it, file, follow, withdraw, appeal, take the receipt.
//!
//! Absent: pages (they use the same use cases), and every rule. Each route
//! parses into domain types, finds its actor, calls one use case and renders.

mod disputes;
mod evidence;
mod filing;
mod filings;
mod labels;
mod verifications;
mod view;

pub(super) use disputes::receipt_of;
pub(super) use evidence::{parts_of, take_files};
pub(super) use filing::{Body as FilingBody, NamedLabel, ReasonName, ShowBody};
pub(super) use filings::{EnterpriseBody, Head as ListHead, Listing};
pub(super) use labels::list as list_labels;
pub(super) use view::{
    CorrectionView, DisputeView, DocumentView, Happened, LabelView, correction_of, dispute_view,
};

use warp::Filter;

use super::call::{Call, call};
use super::service::{App, Routes, with};
use crate::domain::id::{DisputeId, FilingId, VerificationId};

pub fn routes(app: &App) -> Routes {
    verification_routes(app).or(dispute_routes(app)).unify().or(filing_routes(app)).unify().boxed()
}

fn verification_routes(app: &App) -> Routes {
    let challenge =
        warp::path!("v1" / "challenge").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            by_method!(call => { GET: verifications::challenge(&app, call) })
        });
    let verifications = warp::path!("v1" / "verifications").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { POST: verifications::start(&app, call) }) },
    );
    let verification =
        warp::path!("v1" / "verifications" / VerificationId).and(with(app)).and(call()).then(
            |id, app: App, call: Call| async move {
                by_method!(call => { GET: verifications::show(&app, id, call) })
            },
        );
    let confirm = warp::path!("v1" / "verifications" / VerificationId / "confirm")
        .and(with(app))
        .and(call())
        .then(|id, app: App, call: Call| async move {
            by_method!(call => { POST: verifications::confirm(&app, id, call) })
        });
    challenge.or(verifications).unify().or(verification).unify().or(confirm).unify().boxed()
}

fn filing_routes(app: &App) -> Routes {
    let filings = warp::path!("v1" / "filings")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { POST: filings::file(&app, call) }) });
    let filing = warp::path!("v1" / "filings" / FilingId).and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move { by_method!(call => { GET: filings::show(&app, id, call) }) },
    );
    filings.or(filing).unify().boxed()
}

fn dispute_routes(app: &App) -> Routes {
    let disputes =
        warp::path!("v1" / "disputes").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            by_method!(call => { GET: disputes::list(&app, call), POST: filing::file(&app, call) })
        });
    let dispute = warp::path!("v1" / "disputes" / DisputeId).and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move { by_method!(call => { GET: disputes::show(&app, id, call) }) },
    );
    let withdraw =
        warp::path!("v1" / "disputes" / DisputeId / "withdraw").and(with(app)).and(call()).then(
            |id, app: App, call: Call| async move {
                by_method!(call => { POST: disputes::withdraw(&app, id, call) })
            },
        );
    let appeal =
        warp::path!("v1" / "disputes" / DisputeId / "appeal").and(with(app)).and(call()).then(
            |id, app: App, call: Call| async move {
                by_method!(call => { POST: disputes::appeal(&app, id, call) })
            },
        );
    let receipt =
        warp::path!("v1" / "disputes" / DisputeId / "receipt").and(with(app)).and(call()).then(
            |id, app: App, call: Call| async move {
                by_method!(call => { GET: disputes::receipt(&app, id, call) })
            },
        );
    let evidence =
        warp::path!("v1" / "disputes" / DisputeId / "evidence").and(with(app)).and(call()).then(
            |id, app: App, call: Call| async move {
                by_method!(call => { POST: evidence::hand_in(&app, id, call) })
            },
        );
    let closing = withdraw.or(appeal).unify().or(receipt).unify();
    disputes.or(dispute).unify().or(evidence).unify().or(closing).unify().boxed()
}
