//! Lists of numbers that an enterprise files at once, on pages: the form, and
//! what became of each number.

mod form;
mod standing;

use warp::Filter;

use super::place::{Place, or_prove};
use crate::domain::id::FilingId;
use crate::http::call::{Call, call};
use crate::http::pages::cookies::Cookie;
use crate::http::pages::visit::Visit;
use crate::http::service::{App, Routes, with};

const FILING_SECONDS_MAX: i64 = 180 * 86_400;

pub(super) fn routes(app: &App) -> Routes {
    let filings = warp::path!("filings").and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, body) = Visit::new(&app, call);
        by_method!(visit => {
            GET: visit.shown(form::show(&app, &visit)),
            POST: visit.shown(form::file(&app, &visit, body)),
        })
    });
    let filing = warp::path!("filings" / FilingId).and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            let place = Place::Filing(id);
            by_method!(visit => {
                GET: visit.shown(or_prove(&app, &visit, place, standing::show(&app, &visit, id))),
            })
        },
    );
    filings.or(filing).unify().boxed()
}

/// Opens one list to the browser that filed it.
fn filing_cookie(path: &str) -> Cookie<'_> {
    Cookie { name: "filing", path, seconds_max: FILING_SECONDS_MAX }
}
