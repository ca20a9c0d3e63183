//! Files that pages load from us: built in, the same for everybody.
//!
//! Absent: pages, and files from anywhere else.

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use sha2::{Digest, Sha256};
use warp::Filter;
use warp::reply::Response;

use super::call::{Call, call};
use super::negotiate::{holds, not_modified};
use super::problem::{Answer, Problem};
use super::service::{App, Routes, with};
use crate::domain::hex::hex;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, media type, bytes.
const ASSETS: &[(&str, &str, &[u8])] = &[
    ("console.js", SCRIPT, include_bytes!("console.js")),
    ("desk.css", STYLE, include_bytes!("desk.css")),
    ("live.js", SCRIPT, include_bytes!("live.js")),
    ("proof-of-work.js", SCRIPT, include_bytes!("proof-of-work.js")),
    ("proof-of-work-worker.js", SCRIPT, include_bytes!("proof-of-work-worker.js")),
    ("style.css", STYLE, include_bytes!("style.css")),
];

/// Scripts that work together come out of one release after an hour at most.
const CACHE: &str = "public, max-age=3600";

pub fn routes(app: &App) -> Routes {
    warp::path!("assets" / String)
        .and(with(app))
        .and(call())
        .then(|name: String, app: App, call: Call| async move {
            by_method!(call => { GET: asset(&app, &name, &call) })
        })
        .boxed()
}

async fn asset(app: &App, name: &str, call: &Call) -> Answer {
    let paid = app.anyone(call)?;
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, media_type, bytes) = found.ok_or_else(Problem::not_found)?;
    let tag = format!("\"{}\"", hex(&Sha256::digest(bytes)[..16]));
    let mut response =
        if holds(&call.headers, &tag) { not_modified(&tag) } else { Response::new((*bytes).into()) };
    let is_whole = response.status() == StatusCode::OK;
    let fields = response.headers_mut();
    put(fields, CACHE_CONTROL, CACHE);
    if is_whole {
        put(fields, ETAG, &tag);
        put(fields, CONTENT_TYPE, media_type);
        put(fields, X_CONTENT_TYPE_OPTIONS, "nosniff");
        // A worker keeps to the policy that it came with.
        put(fields, CONTENT_SECURITY_POLICY, "default-src 'none'");
    }
    Ok(paid.tell(response))
}

fn put(fields: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}
