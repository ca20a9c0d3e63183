//! The console: what moderators, and those who run the service, do at a desk.
//! The same use cases as `http::moderation`, under a session in a cookie that
//! is sent to the console only.
//!
//! Absent: rules. A page may leave out what a role cannot do; whether it can
//! is asked of the use case.

mod case;
mod desk;
mod home;
mod oversight;
mod running;
mod session;
mod words;

use warp::Filter;

use self::desk::at_desk;
use crate::http::call::{Call, call};
use crate::http::pages::visit::Visit;
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let login =
        warp::path!("console" / "login").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: visit.shown(session::show(&app, &visit)),
                POST: visit.shown(session::log_in(&app, &visit, body)),
            })
        });
    let logout = warp::path!("console" / "logout").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: visit.shown(session::log_out(&app, &visit, body)) })
        },
    );
    let home = warp::path!("console").and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, _) = Visit::new(&app, call);
        by_method!(visit => { GET: at_desk(&visit, home::show(&app, &visit)) })
    });
    let door = home.or(login).unify().or(logout).unify();
    let work = case::routes(app).or(oversight::routes(app)).unify();
    door.or(work).unify().or(running::routes(app)).unify().boxed()
}
