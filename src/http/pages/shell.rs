//! What all pages have in common: the frame around them, and the header
//! fields that keep them to themselves.

use askama::Template;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use warp::reply::Response;

use crate::casework::control::Language;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::words::Words;

/// No other host, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; \
                      connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

const OFF: &str = "camera=(), geolocation=(), microphone=(), payment=()";

/// The frame's own words.
#[derive(Debug, Clone)]
pub(in crate::http) struct Shell {
    pub language: Language,
    /// Where the language's switch leads: here again.
    pub path: String,
    /// What every form on the page sends back.
    pub form_token: String,
    pub zone: TimeZone,
}

impl Shell {
    pub fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    /// Where a file that the page loads lies.
    pub fn asset(&self, name: &str) -> String {
        format!("/assets/{name}")
    }

    pub fn words(&self, words: &Words) -> &'static str {
        words.say(self.language)
    }

    /// How far a provider has come, by its stable word.
    pub fn progress(&self, word: &str) -> &'static str {
        words::progress(word).say(self.language)
    }

    /// A moment as a clock on the wall here shows it.
    pub fn local(&self, at: &Timestamp) -> String {
        self.zone.to_datetime(*at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    pub fn lang(&self) -> &'static str {
        match self.language {
            Language::Zh => "zh-CN",
            Language::En => "en",
        }
    }

    pub fn other_lang(&self) -> &'static str {
        match self.language {
            Language::Zh => "en",
            Language::En => "zh",
        }
    }
}

/// A page that everybody sees alike is not made anew for each of them.
const KEPT_BY_ALL: &str = "public, max-age=300";

/// A page that is somebody's own: never kept, by nobody.
pub(in crate::http) fn page(status: StatusCode, template: &impl Template) -> Answer {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Problem::internal()
    })?;
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    fields.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    Ok(never_kept(response))
}

/// A page in which nothing is anybody's own: no form, no cookie.
pub(in crate::http) fn kept_by_all(mut page: Response) -> Response {
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(KEPT_BY_ALL));
    page
}

/// The answer to a form: go and see.
pub(in crate::http) fn see(location: &str) -> Answer {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(location).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(LOCATION, location);
    Ok(never_kept(response))
}

/// Somebody's own, and nobody else's business.
pub(in crate::http) fn never_kept(mut response: Response) -> Response {
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(OFF));
    fields.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}
