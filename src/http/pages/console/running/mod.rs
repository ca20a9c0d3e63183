//! The rooms of those who run the service: providers and gateways, keys, the
//! team, and each moderator's own account.

mod account;
mod gateways;
mod keys;
mod once;
mod providers;
mod qr;
mod team;

use warp::Filter;

use super::desk::at_desk;
use crate::domain::id::{KeyId, ModeratorName, ProviderId};
use crate::http::call::{Call, call};
use crate::http::pages::visit::Visit;
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let providers = warp::path!("console" / "providers").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, providers::show(&app, &visit)) })
        },
    );
    let provider = warp::path!("console" / "providers" / ProviderId).and(with(app)).and(call()).then(
        |id: ProviderId, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, providers::show_one(&app, &visit, id)) })
        },
    );
    let gateways = warp::path!("console" / "gateways").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: at_desk(&visit, gateways::show(&app, &visit)) })
        },
    );
    let account =
        warp::path!("console" / "me").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: at_desk(&visit, account::show(&app, &visit)),
                POST: at_desk(&visit, account::change(&app, &visit, body)),
            })
        });
    let machines = providers.or(provider).unify().or(gateways).unify();
    machines.or(account).unify().or(key_routes(app)).unify().or(team_routes(app)).unify().boxed()
}

fn key_routes(app: &App) -> Routes {
    let keys =
        warp::path!("console" / "keys").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: at_desk(&visit, keys::show(&app, &visit)),
                POST: at_desk(&visit, keys::issue(&app, &visit, body)),
            })
        });
    let rotate = warp::path!("console" / "keys" / KeyId / "rotate").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, keys::rotate(&app, &visit, id, body)) })
        },
    );
    let revoke = warp::path!("console" / "keys" / KeyId / "revoke").and(with(app)).and(call()).then(
        |id, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, keys::revoke(&app, &visit, id, body)) })
        },
    );
    keys.or(rotate).unify().or(revoke).unify().boxed()
}

fn team_routes(app: &App) -> Routes {
    let team =
        warp::path!("console" / "team").and(with(app)).and(call()).then(|app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => {
                GET: at_desk(&visit, team::show(&app, &visit)),
                POST: at_desk(&visit, team::add(&app, &visit, body)),
            })
        });
    let member = warp::path!("console" / "team" / ModeratorName).and(with(app)).and(call()).then(
        |name: ModeratorName, app: App, call: Call| async move {
            let (visit, body) = Visit::new(&app, call);
            by_method!(visit => { POST: at_desk(&visit, team::change(&app, &visit, name, body)) })
        },
    );
    team.or(member).unify().boxed()
}
