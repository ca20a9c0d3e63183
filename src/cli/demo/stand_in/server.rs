//! The socket side of the stand-in operator: connections, headers, bodies.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::cli::demo::stand_in::Api;
use crate::cli::demo::stand_in::desk::{Desk, Refused};

pub(super) const TOKEN_PATH: &str = "/token";

const CORRELATOR: &str = "x-correlator";
const CORRELATOR_CHARS_MAX: usize = 256;
const BODY_BYTES_MAX: usize = 16 * 1024;
const CONNECTIONS_MAX: usize = 256;
const DRAIN: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn serve(listener: TcpListener, desk: Arc<Desk>, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.count() < CONNECTIONS_MAX => {
                    spawn_connection(stream, &desk, &connections);
                }
                Ok(_) => {}
                // Out of descriptors, most likely: some will be given back.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    // Who is not done by then is cut off when the runtime ends.
    let _drained = tokio::time::timeout(DRAIN, connections.shutdown()).await;
}

fn spawn_connection(stream: TcpStream, desk: &Arc<Desk>, connections: &GracefulShutdown) {
    let desk = Arc::clone(desk);
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(respond(&desk, request).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    // A client that goes away is no news to anybody.
    tokio::spawn(async move { drop(connection.await) });
}

async fn respond(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let is_token = head.uri.path() == TOKEN_PATH;
    let api = Api::ALL.into_iter().find(|api| api.path() == head.uri.path());
    let correlator = head.headers.get(CORRELATOR).cloned();
    let outcome = if !is_token && api.is_none() {
        Err(Refused(StatusCode::NOT_FOUND, "NOT_FOUND"))
    } else if head.method != Method::POST {
        Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"))
    } else {
        match Limited::new(body, BODY_BYTES_MAX).collect().await {
            Ok(body) => dispatch(desk, api, &head.headers, &body.to_bytes()),
            Err(_) => Err(Refused::malformed()),
        }
    };
    let mut response = match outcome {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(refused) if is_token => token_refused(refused),
        Err(refused) => api_refused(refused),
    };
    if let Some(correlator) = correlator.filter(is_correlator) {
        response.headers_mut().insert(CORRELATOR, correlator);
    }
    response
}

/// To an API, or else to the token endpoint.
fn dispatch(desk: &Desk, api: Option<Api>, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refused> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_sent_as = |media_type: &str| {
        let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
    };
    let Some(api) = api else {
        if !is_sent_as("application/x-www-form-urlencoded") {
            return Err(Refused(StatusCode::BAD_REQUEST, "invalid_request"));
        }
        return desk.token(authorization.and_then(|text| text.strip_prefix("Basic ")), body);
    };
    let correlator = headers.get(CORRELATOR);
    if correlator.is_some_and(|value| !is_correlator(value)) || !is_sent_as("application/json") {
        return Err(Refused::malformed());
    }
    let bearer = authorization.and_then(|text| text.strip_prefix("Bearer "));
    desk.answer(api, bearer, correlator.and_then(|value| value.to_str().ok()), body)
}

fn api_refused(Refused(status, code): Refused) -> Response<Full<Bytes>> {
    let message = status.canonical_reason().unwrap_or(code);
    let mut response =
        json_response(status, &json!({"status": status.as_u16(), "code": code, "message": message}));
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// RFC 6749 §5.2.
fn token_refused(Refused(status, error): Refused) -> Response<Full<Bytes>> {
    let mut response = json_response(status, &json!({"error": error}));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
    }
    response
}

fn json_response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`
fn is_correlator(value: &HeaderValue) -> bool {
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(b);
    value.len() <= CORRELATOR_CHARS_MAX && value.as_bytes().iter().all(is_allowed)
}
