//! How to integrate, for people who read: guides for each kind of partner, the
//! meaning of every problem, and the API call by call, out of the description
//! that machines get.
//!
//! Absent: anything that is not checked: examples are those of the
//! description, which the tests send.

mod reference;

use askama::Template;
use http::StatusCode;
use warp::Filter;

use self::reference::{Called, Piece, calls, tags};
use crate::domain::refusal::Refusal;
use crate::http::call::{Call, call};
use crate::http::docs::problems::{Told, problems};
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::{App, Routes, Service, with};

#[derive(Template)]
#[template(path = "docs/start.html")]
struct StartPage<'a> {
    shell: &'a Shell,
    tags: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "docs/providers.html")]
struct ProvidersPage<'a> {
    shell: &'a Shell,
}

#[derive(Template)]
#[template(path = "docs/operators.html")]
struct OperatorsPage<'a> {
    shell: &'a Shell,
}

#[derive(Template)]
#[template(path = "docs/holders.html")]
struct HoldersPage<'a> {
    shell: &'a Shell,
}

#[derive(Template)]
#[template(path = "docs/problems.html")]
struct ProblemsPage<'a> {
    shell: &'a Shell,
    problems: Vec<(&'static str, &'static Told)>,
}

#[derive(Template)]
#[template(path = "docs/api.html")]
struct ApiPage<'a> {
    shell: &'a Shell,
    tag: String,
    about: &'static str,
    calls: Vec<Called>,
}

impl ProblemsPage<'_> {
    fn said<'t>(&self, told: &'t Told) -> &'t [String; 2] {
        if self.shell.lang() == "en" { &told.en } else { &told.zh }
    }
}

pub(super) fn routes(app: &App) -> Routes {
    let start = warp::path!("docs").and(with(app)).and(call()).then(|app: App, call: Call| async move {
        let (visit, _) = Visit::new(&app, call);
        by_method!(visit => { GET: visit.shown_to_all(show(&app, &visit, "")) })
    });
    let guide = warp::path!("docs" / String).and(with(app)).and(call()).then(
        |name: String, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: visit.shown_to_all(show(&app, &visit, &name)) })
        },
    );
    let api = warp::path!("docs" / "api" / String).and(with(app)).and(call()).then(
        |tag: String, app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: visit.shown_to_all(show_api(&app, &visit, tag)) })
        },
    );
    start.or(guide).unify().or(api).unify().boxed()
}

async fn show(app: &Service, visit: &Visit, name: &str) -> Answer {
    app.anyone(&visit.call)?;
    let shell = &visit.shell;
    match name {
        "" => page(StatusCode::OK, &StartPage { shell, tags: tags().collect() }),
        "providers" => page(StatusCode::OK, &ProvidersPage { shell }),
        "operators" => page(StatusCode::OK, &OperatorsPage { shell }),
        "holders" => page(StatusCode::OK, &HoldersPage { shell }),
        "problems" => {
            let problems = problems().iter().map(|(code, told)| (code.as_str(), told)).collect();
            page(StatusCode::OK, &ProblemsPage { shell, problems })
        }
        _ => Err(Refusal::NotFound.into()),
    }
}

async fn show_api(app: &Service, visit: &Visit, tag: String) -> Answer {
    app.anyone(&visit.call)?;
    let (_, about) = tags().find(|(known, _)| *known == tag).ok_or(Refusal::NotFound)?;
    let calls = calls(&tag);
    page(StatusCode::OK, &ApiPage { shell: &visit.shell, tag, about, calls })
}
