//! The admin listener, for whoever runs the service: is it alive, is it ready,
//! what does it count (`metrics`), and the command line's way in (`owner`).
//!
//! Absent: keys and rates. Who reaches the listener may ask; who orders shows
//! that they can read the secret file.

mod everything;
mod metrics;
mod owner;

use std::time::Duration;

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use serde_json::json;
use tokio::time::timeout;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::call::{Call, call};
use super::problem::Answer;
use super::service::{App, Routes};
use crate::casework::Error;
use crate::casework::health::GatewayHealth;
use crate::feed::Backlog;

/// Probes ask every few seconds and do not wait for long.
const READY_WITHIN: Duration = Duration::from_secs(3);

pub fn routes(app: &App) -> Routes {
    let owner = owner::routes(app).or(everything::routes(app)).unify().boxed();
    let (app, counting) = (app.clone(), app.clone());
    let alive = warp::path!("healthz")
        .and(call())
        .then(|call: Call| async move { by_method!(call => { GET: async { Ok("ok".into_response()) } }) });
    let ready = warp::path!("readyz").and(call()).then(move |call: Call| {
        let app = app.clone();
        async move { by_method!(call => { GET: readyz(&app) }) }
    });
    let metrics = warp::path!("metrics").and(call()).then(move |call: Call| {
        let app = counting.clone();
        async move { by_method!(call => { GET: metrics::metrics(&app) }) }
    });
    alive.or(ready).unify().or(metrics).unify().or(owner).unify().boxed()
}

/// Ready is who can say yes and show it: the store takes writes, and the feed
/// publishes what is durable.
async fn readyz(app: &App) -> Answer {
    let store = match timeout(READY_WITHIN, app.casework.barrier()).await {
        Ok(Ok(())) => "ok",
        Ok(Err(Error::Fatal(_))) => "failed",
        Ok(Err(_)) | Err(_) => "busy",
    };
    let backlog = timeout(READY_WITHIN, app.feed.backlog(app.casework.now())).await;
    let told = Told {
        is_publishing: app.feed.is_publishing(),
        is_leading: app.feed.is_leading(),
        is_confirmed: app.feed.is_confirmed(),
        size: app.feed.size(),
        age_s: app.feed.checkpoint_age_s(),
        backlog: backlog.ok().and_then(Result::ok),
        commit: app.casework.high_water_mark(),
        signed: app.feed.high_water_mark(),
        gateways: app.casework.health().list(),
    };
    Ok(readiness(store, &told))
}

/// How the rest is doing.
struct Told {
    is_publishing: bool,
    /// Of several instances, this one signs.
    is_leading: bool,
    /// This one would, if it were its turn.
    is_confirmed: bool,
    size: u64,
    age_s: Option<u64>,
    /// What is durable and not published yet.
    backlog: Option<Backlog>,
    /// High-water marks: of the store, and of an instance that shares one.
    commit: Option<u64>,
    signed: Option<u64>,
    gateways: Vec<GatewayHealth>,
}

/// A gateway that fails is shown and unreadies nothing: its work waits.
fn readiness(store: &str, told: &Told) -> Response {
    let feed = match (told.is_publishing, told.is_confirmed) {
        (false, _) => "failing",
        (true, false) => "unconfirmed",
        (true, true) => "ok",
    };
    let is_ready = store == "ok" && told.is_publishing;
    let told = json!({
        "ready": is_ready,
        "store": store,
        "feed": feed,
        "leading": told.is_leading,
        "checkpoint_size": told.size,
        "checkpoint_age_s": told.age_s,
        "unpublished_entries": told.backlog.map(|backlog| backlog.entries),
        "unpublished_s": told.backlog.map(|backlog| backlog.seconds),
        // Where it cannot be written, the store has failed.
        "high_water_mark": { "commit": told.commit, "checkpoint_size": told.signed },
        "gateways": told.gateways,
    });
    let mut response = warp::reply::json(&told).into_response();
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !is_ready {
        fields.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_both() {
        for (store, publishes, status) in
            [("ok", true, 200), ("busy", true, 503), ("failed", true, 503), ("ok", false, 503)]
        {
            let told = Told {
                is_publishing: publishes,
                is_leading: false,
                is_confirmed: false,
                size: 0,
                age_s: None,
                backlog: None,
                commit: None,
                signed: None,
                gateways: Vec::new(),
            };
            let response = readiness(store, &told);
            assert_eq!(response.status(), status, "{store} {publishes}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503);
        }
    }
}
