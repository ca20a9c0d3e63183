//! The feed as providers pull it: pages of corrections, the correction of one
//! number, the log as static tiles, snapshots, and what they say back.
//!
//! Absent: what is in the log and how much of it may be seen (`crate::feed`).

mod ack;
mod corrections;
mod events;
mod former;
mod log;
mod regressed;
mod snapshots;

use http::header::{CACHE_CONTROL, ETAG, HeaderValue, VARY};
use warp::Filter;
use warp::reply::Response;

use super::call::{Call, call};
use super::service::{App, Paid, Routes};

pub fn routes(app: &App) -> Routes {
    let (paged, looked_up, acknowledged) = (app.clone(), app.clone(), app.clone());
    let page = warp::path!("feed" / "v1" / "corrections").and(call()).then(move |call: Call| {
        let app = paged.clone();
        async move { by_method!(call => { GET: corrections::page(&app, call) }) }
    });
    let one = warp::path!("feed" / "v1" / "corrections" / String).and(call()).then(
        move |digits: String, call: Call| {
            let app = looked_up.clone();
            async move { by_method!(call => { GET: corrections::of_number(&app, &digits, call) }) }
        },
    );
    let ack = warp::path!("feed" / "v1" / "ack").and(call()).then(move |call: Call| {
        let app = acknowledged.clone();
        async move { by_method!(call => { PUT: ack::put(&app, call) }) }
    });
    let listening = app.clone();
    let events = warp::path!("feed" / "v1" / "events").and(call()).then(move |call: Call| {
        let app = listening.clone();
        async move { by_method!(call => { GET: events::get(&app, call) }) }
    });
    let complaining = app.clone();
    let regressed = warp::path!("feed" / "v1" / "regressed").and(call()).then(move |call: Call| {
        let app = complaining.clone();
        async move { by_method!(call => { GET: regressed::get(&app, call) }) }
    });
    let calls = page.or(one).unify().or(ack).unify().or(events).unify().or(regressed).unify();
    calls.or(static_files(app)).unify().boxed()
}

fn static_files(app: &App) -> Routes {
    let logs = log::routes(app).or(former::routes(app)).unify();
    logs.or(snapshots::routes(app)).unify().boxed()
}

/// An answer that only its key's bearer may keep, and asks about before each
/// use: what is in force today may not be tomorrow.
fn keyed(paid: &Paid, mut response: Response) -> Response {
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    fields.insert(VARY, HeaderValue::from_static("Authorization, Accept, Accept-Encoding"));
    paid.tell(response)
}

/// The same, of what never changes.
fn keyed_for_ever(paid: &Paid, mut response: Response) -> Response {
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    fields.insert(VARY, HeaderValue::from_static("Authorization, Accept, Accept-Encoding"));
    paid.tell(response)
}

fn tagged(tag: &str, mut response: Response) -> Response {
    let tag = HeaderValue::from_str(tag).expect("a tag is made of hex digits and quotes");
    response.headers_mut().insert(ETAG, tag);
    response
}
