//! A browser's request: who it is, in which language, and what it is sent
//! back beside the page.

use askama::Template;
use http::header::{HeaderMap, SET_COOKIE, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Deserialize;
use warp::reply::Response;

use crate::casework::control::Language;
use crate::http::body::BodyStream;
use crate::http::call::Call;
use crate::http::client::AddressPrefix;
use crate::http::pages::cookies::Cookie;
use crate::http::pages::shell::{Shell, kept_by_all, page};
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{Service, language};

/// Names a browser, and nothing more: what its forms' tokens are made for.
const VISITOR: Cookie<'_> = Cookie { name: "visitor", path: "/", seconds_max: 30 * 86_400 };
const LANGUAGE: Cookie<'_> = Cookie { name: "lang", path: "/", seconds_max: 365 * 86_400 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSettings {
    /// The service is reached over TLS: cookies never travel without it.
    pub secure: bool,
}

pub(in crate::http) struct Visit {
    pub call: Call,
    pub method: Method,
    pub shell: Shell,
    secure: bool,
    /// What the answer sets, whatever the page.
    new_visitor: Option<String>,
    chosen_language: Option<&'static str>,
}

/// The switch at the end of each page.
#[derive(Debug, Deserialize)]
struct Switch {
    lang: Option<String>,
}

impl Visit {
    /// The body apart, for whoever reads it.
    pub fn new(app: &Service, mut call: Call) -> (Self, BodyStream) {
        let body = call.take_body();
        let secure = app.pages.secure;
        let known = VISITOR.read(&call.headers, secure).filter(|visitor| is_visitor(visitor));
        let new_visitor = known.is_none().then(|| app.casework.new_visitor());
        let visitor = known.or(new_visitor.as_deref()).unwrap_or_default();
        let form_token = app.casework.form_token(visitor);
        let chosen = call.query::<Switch>().ok().and_then(|switch| switch.lang);
        let chosen = chosen.and_then(|lang| named(&lang));
        let kept = LANGUAGE.read(&call.headers, secure).and_then(named);
        let language = chosen.or(kept).map_or_else(|| language(&call.headers), |(language, _)| language);
        let zone = app.casework.reference().numbering.home_zone();
        let shell = Shell { language, path: call.path().to_owned(), form_token, zone };
        let chosen_language = chosen.map(|(_, name)| name);
        let visit = Self { method: call.method.clone(), call, shell, secure, new_visitor, chosen_language };
        (visit, body)
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.call.headers
    }

    pub fn prefix(&self) -> AddressPrefix {
        self.call.client().prefix()
    }

    /// Browsers say whose page a request came from. `Origin` does not help: our
    /// pages send no referrer, and then it is `null`.
    pub fn came_from_elsewhere(&self) -> bool {
        let site = self.call.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        // "none": typed, or opened by another app.
        site.is_some_and(|site| !["same-origin", "none"].contains(&site))
    }

    pub fn cookie(&self, cookie: &Cookie<'_>) -> Option<&str> {
        cookie.read(&self.call.headers, self.secure)
    }

    /// All of one name: those of the longer paths come first (RFC 6265 §5.4).
    pub fn cookies<'v>(&'v self, cookie: &Cookie<'_>) -> impl Iterator<Item = &'v str> + use<'v> {
        cookie.read_all(&self.call.headers, self.secure)
    }

    pub fn set(&self, response: &mut Response, cookie: &Cookie<'_>, value: &str) {
        response.headers_mut().append(SET_COOKIE, cookie.set(value, self.secure));
    }

    pub fn remove(&self, response: &mut Response, cookie: &Cookie<'_>) {
        response.headers_mut().append(SET_COOKIE, cookie.remove(self.secure));
    }

    /// Ends a route: what was asked for, or a page that says why not.
    pub async fn shown(&self, answering: impl Future<Output = Answer>) -> Answer {
        let answer = match answering.await {
            Ok(response) => Ok(response),
            Err(problem) => self.problem(problem),
        };
        answer.map(|mut response| {
            if let Some(visitor) = &self.new_visitor {
                self.set(&mut response, &VISITOR, visitor);
            }
            if let Some(lang) = self.chosen_language {
                self.set(&mut response, &LANGUAGE, lang);
            }
            response
        })
    }

    /// Ends a route whose page is everybody's, and has no form. It sets no
    /// cookie, but for a language that is chosen with it.
    pub async fn shown_to_all(&self, answering: impl Future<Output = Answer>) -> Answer {
        if self.chosen_language.is_some() {
            return self.shown(answering).await;
        }
        match answering.await {
            Ok(response) => Ok(kept_by_all(response)),
            Err(problem) => self.problem(problem),
        }
    }

    fn problem(&self, problem: Problem) -> Answer {
        let said = words::problem(problem.code(), self.shell.language);
        let status = problem.status();
        let mut shell = self.shell.clone();
        let start = if shell.path.starts_with("/console") { "/console" } else { "/" };
        if self.method != Method::GET {
            // A page in another language cannot be had from where forms go.
            start.clone_into(&mut shell.path);
        }
        let mut response = page(status, &ProblemPage { shell: &shell, status, said: &said, start })?;
        // Retry-After and the like say the same to a browser; there is no
        // credential that it could show.
        let told = problem.into_response();
        for (name, value) in told.headers() {
            if name != WWW_AUTHENTICATE && !response.headers().contains_key(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    shell: &'a Shell,
    status: StatusCode,
    said: &'a str,
    start: &'a str,
}

/// It is only ever compared and hashed, but it goes back into a header.
fn is_visitor(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn named(lang: &str) -> Option<(Language, &'static str)> {
    match lang {
        "zh" => Some((Language::Zh, "zh")),
        "en" => Some((Language::En, "en")),
        _ => None,
    }
}
