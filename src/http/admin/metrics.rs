//! What the service counts, for Prometheus.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use prometheus_client::encoding::prometheus_text;
use warp::Reply;

use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// Nothing here goes through the store: it is asked for every few seconds.
pub(super) async fn metrics(app: &Service) -> Answer {
    let mut text = String::new();
    prometheus_text::encode(&mut text, &app.metrics).map_err(|error| {
        tracing::error!(%error, "metrics cannot be written down");
        Problem::internal()
    })?;
    let mut response = text.into_response();
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(prometheus_text::CONTENT_TYPE));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
