//! From one request's head to the answer's: what every request gets, whatever
//! its route.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::guarded::Guarded;
use super::turns::TooMany;
use super::{Deadline, Server, ms};
use crate::env::correlation;
use crate::http::call::Edge;
use crate::http::problem::Problem;
use crate::http::request_log;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On an answer to a path that no route knew.
#[derive(Debug, Clone, Copy)]
struct Unrouted;

/// The routes, and a 404 behind the last of them: a rejection never reaches
/// the client.
pub(super) fn with_fallback(routes: BoxedFilter<(Response,)>) -> BoxedFilter<(Response,)> {
    routes.or(warp::any().map(unrouted)).unify().boxed()
}

fn unrouted() -> Response {
    let mut response = Problem::not_found().into_response();
    response.extensions_mut().insert(Unrouted);
    response
}

pub(super) async fn answer(
    server: Arc<Server>,
    peer: SocketAddr,
    draining: CancellationToken,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let began = Instant::now();
    let client = server.trusted_proxies.client(peer, request.headers());
    let request_id = (server.request_ids)();
    let span = request_log::span(request_id, request.method(), client.prefix());
    let (uri, method) = (request.uri().clone(), request.method().clone());
    let answering = async {
        let mut response = match objection(&request) {
            Some(objection) => objection,
            None => match server.turns.next(request.method()).await {
                Err(TooMany) => Problem::busy().into_response(),
                Ok(turn) => {
                    let edge = Edge {
                        uri: uri.clone(),
                        is_head: request.method() == Method::HEAD,
                        request_id,
                        client,
                        deadline: Deadline::new(ms(server.limits.request_timeout_ms), turn),
                        draining,
                    };
                    routed(&server, edge, request).await
                }
            },
        };
        let is_routed = response.extensions_mut().remove::<Unrouted>().is_none();
        let (path, took) = (is_routed.then(|| uri.path()), began.elapsed());
        server.meters.answered(path, &method, response.status(), took);
        request_log::answered(path, response.status(), took);
        put_request_id(&mut response, request_id);
        response
    };
    Ok(correlation::with(Some(request_id), answering).instrument(span).await)
}

/// What no route needs to see.
fn objection(request: &Request<Incoming>) -> Option<Response> {
    if request.version() == Version::HTTP_11 && request.headers().get_all(HOST).iter().count() != 1 {
        return Some(Problem::request_malformed("send one Host field").into_response());
    }
    if !is_framed_plainly(request.headers()) {
        let mut objection =
            Problem::request_malformed("send Transfer-Encoding: chunked, once").into_response();
        // Whatever follows may be a part of it, to whoever stands before us.
        objection.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Some(objection);
    }
    (!is_plain(request.uri().path())).then(unrouted)
}

/// The protocol layer looks for `chunked` at the end of a list of codings;
/// others would look for less, or for more, and see the body end elsewhere.
fn is_framed_plainly(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}

/// One spelling for one resource: no path of ours needs escapes, empty
/// segments or a slash at its end, and filters would take some of them.
fn is_plain(path: &str) -> bool {
    let has_odd_slash = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    path.starts_with('/') && !path.contains('%') && !has_odd_slash
}

/// The routes' answer, unless time runs out or a handler panics.
async fn routed(server: &Server, edge: Edge, request: Request<Incoming>) -> Response {
    let deadline = edge.deadline.clone();
    let idle = ms(server.limits.body_idle_timeout_ms);
    let (mut head, body) = request.into_parts();
    head.extensions.insert(edge);
    if head.method == Method::HEAD {
        // The protocol layer remembers and sends the head alone.
        head.method = Method::GET;
    }
    let request = Request::from_parts(head, Guarded::new(body, idle, deadline.clone()));
    let routes = TowerToHyperService::new(warp::service(server.routes.clone()));
    // Route state that a panic may leave torn ends with the request; what is
    // shared beyond it is guarded by its own rooms.
    let handled = AssertUnwindSafe(async move { routes.call(request).await }).catch_unwind();
    let response = tokio::select! {
        biased;
        handled = handled => match handled {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_panic) => {
                tracing::error!("a handler panicked");
                Problem::internal().into_response()
            }
        },
        () = deadline.passed() => {
            let problem = if deadline.awaits_body() { Problem::body_stalled() } else { Problem::busy() };
            problem.into_response()
        }
    };
    // What is sent of it may take long.
    deadline.leave_turn();
    response
}

fn put_request_id(response: &mut Response, request_id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    let text = request_id.hyphenated().encode_lower(&mut buffer);
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}
