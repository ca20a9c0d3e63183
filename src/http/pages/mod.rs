//! Pages for people: holders on a phone, moderators at a desk, anybody who
//! looks at the figures. They are the same use cases as the API, in HTML.
//!
//! How a page is built: a route makes a `Visit` out of its call, a handler
//! answers it with a template or with a way to go on, and `shown` turns a
//! problem into a page too. Every form is answered by a redirect (POST,
//! redirect, GET), also where something was wrong: what was typed waits in a
//! cookie of its own, so that a reload loses nothing and sends nothing twice.
//!
//! Absent: scripts but for the proof of work, other hosts, and anything in an
//! address that opens something (a link's token moves into a cookie at once).

mod console;
mod cookies;
mod docs;
mod form;
mod holder;
mod receipt;
mod shell;
mod stats;
mod visit;
mod words;

pub use visit::PageSettings;

use warp::Filter;

use super::service::{App, Routes};

pub fn routes(app: &App) -> Routes {
    let people = holder::routes(app).or(console::routes(app)).unify();
    let everybody = stats::routes(app).or(receipt::routes(app)).unify().or(docs::routes(app)).unify();
    people.or(everybody).unify().boxed()
}
