//! One HTTP exchange with a house that we do not trust to be well: no
//! redirects, no proxy out of the environment, a bounded body, and errors
//! that carry nothing of what was sent.

use std::error::Error;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url, redirect};

use crate::casework::ports::Unavailable;
use crate::env::calls;
use crate::gateway::Misconfigured;

/// How somebody answered.
#[derive(Debug)]
pub struct Received {
    pub status: StatusCode,
    pub retry_after_s: Option<u64>,
    /// Empty where it was longer than allowed: then it is no answer, but the
    /// status still says something.
    pub body: Vec<u8>,
}

pub(super) fn url(key: &'static str, text: &str) -> Result<Url, Misconfigured> {
    let wrong = |why: &str| Misconfigured { key, why: why.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it is not an http or https address"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it has more than a host, a port and a path"));
    }
    Ok(url)
}

/// A client for these addresses.
pub(super) fn client(key: &'static str, urls: &[&Url]) -> Result<Client, Misconfigured> {
    let mut builder = builder();
    if urls.iter().all(|url| url.scheme() == "http") {
        // The machine's certificates are not needed, so it may have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| Misconfigured { key, why: chain(&error) })
}

/// A client that goes nowhere but where it is sent.
pub(super) fn builder() -> ClientBuilder {
    calls::client()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .user_agent(concat!("zhengming/", env!("CARGO_PKG_VERSION")))
}

pub(super) async fn exchange(
    request: RequestBuilder,
    body_bytes_max: usize,
) -> Result<Received, Unavailable> {
    let mut response = request.send().await.map_err(|error| broken(&error))?;
    let status = response.status();
    let retry_after_s = retry_after_s(&response);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > body_bytes_max {
            body.clear();
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, retry_after_s, body })
}

/// `Retry-After` in its form of seconds.
pub(super) fn retry_after_s(response: &Response) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// How an exchange went of which only the status counts.
pub(super) fn taken(status: StatusCode, retry_after_s: Option<u64>) -> Result<(), Unavailable> {
    let answered = format!("answered {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(Unavailable { retry_after_s, ..later(answered) })
        }
        status if status.is_server_error() => Err(Unavailable { retry_after_s, ..later(answered) }),
        _ => Err(Unavailable { retry_after_s, ..alarm(answered) }),
    }
}

/// Does without an answer that takes too long.
pub(super) async fn within<T>(
    time: Duration,
    exchange: impl Future<Output = Result<T, Unavailable>>,
) -> Result<T, Unavailable> {
    let late = |_| Err(later(format!("no answer within {} ms", time.as_millis())));
    tokio::time::timeout(time, exchange).await.unwrap_or_else(late)
}

/// Not now; nobody has to look.
pub(super) fn later(why: impl Into<String>) -> Unavailable {
    Unavailable { why: why.into(), retry_after_s: None, alarm: false }
}

/// It will not get better by itself.
pub(super) fn alarm(why: impl Into<String>) -> Unavailable {
    Unavailable { alarm: true, ..later(why) }
}

pub(super) fn broken(error: &reqwest::Error) -> Unavailable {
    if error.is_connect() {
        // What was sent cannot be in here: nothing was.
        later(format!("no connection: {}", chain(error)))
    } else if error.is_builder() {
        alarm("the request could not be made")
    } else {
        later("the exchange broke off")
    }
}

/// The innermost causes of a reqwest error: the outer ones repeat addresses.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
