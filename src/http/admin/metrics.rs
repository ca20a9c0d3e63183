//! What the service counts, for Prometheus.

use std::time::Duration;

use futures_util::future::join;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use prometheus_client::encoding::prometheus_text;
use tokio::time::timeout;
use warp::Reply;

use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// Asked for every few seconds: what is looked up in the store are single
/// records, and no list is gone through. A store that does not answer keeps back
/// what it would say, and nothing else.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

pub(super) async fn metrics(app: &Service) -> Answer {
    // One after the other: what is looked up for one is not taken from another.
    let registry = app.metrics.lock().await;
    let providers = async { app.casework.providers_with_keys().await.unwrap_or_default() };
    let look = join(app.casework.measure(), app.feed.measure(providers, app.casework.now()));
    let _ = timeout(LOOK_WITHIN, look).await;
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry).map_err(|error| {
        tracing::error!(%error, "metrics cannot be written down");
        Problem::internal()
    })?;
    let mut response = text.into_response();
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(prometheus_text::CONTENT_TYPE));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
