//! What the API is: its description for machines (`GET /openapi.json`), and
//! what each problem means.
//!
//! Absent: pages for people (`http::pages::docs`), which show the same.

pub mod openapi;
pub mod problems;

use std::sync::LazyLock;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use sha2::{Digest, Sha256};
use warp::Filter;
use warp::reply::Response;

use super::call::{Call, call};
use super::negotiate::{holds, not_modified};
use super::problem::Answer;
use super::service::{App, Routes, with};
use crate::domain::hex::hex;

/// A new release is seen after five minutes at most.
pub const CACHE: &str = "public, max-age=300";

/// As it is sent, and its tag.
static SENT: LazyLock<(String, String)> = LazyLock::new(|| {
    let text = openapi::document().to_string();
    let tag = format!("\"{}\"", hex(&Sha256::digest(&text)[..16]));
    (text, tag)
});

pub fn routes(app: &App) -> Routes {
    warp::path!("openapi.json")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: async { send(&app, &call) } }) })
        .boxed()
}

fn send(app: &App, call: &Call) -> Answer {
    let paid = app.anyone(call)?;
    let (text, tag) = &*SENT;
    let mut response = if holds(&call.headers, tag) {
        not_modified(tag)
    } else {
        let mut response = Response::new(text.as_str().into());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let tag = HeaderValue::from_str(tag).expect("a tag is made of hex digits and quotes");
        response.headers_mut().insert(ETAG, tag);
        response
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(CACHE));
    Ok(paid.tell(response))
}
