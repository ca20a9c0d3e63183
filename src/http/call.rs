//! One request on its way through a route: what the accept loop knows of it,
//! its head and its body; and the choice by method that every route ends in.

use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::accept::Deadline;
use super::body::{self, BodyStream, Lines};
use super::client::Client;
use super::problem::{Answer, Problem, allow_value};

/// A request whose path has matched.
pub struct Call {
    /// GET for HEAD too: the accept loop leaves the body out of the answer.
    pub method: Method,
    pub headers: HeaderMap,
    pub body: BodyStream,
    edge: Edge,
}

/// What the accept loop knows of a request, as a request extension.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) uri: Uri,
    pub(super) is_head: bool,
    pub(super) request_id: Uuid,
    pub(super) client: Client,
    pub(super) deadline: Deadline,
    pub(super) draining: CancellationToken,
}

/// The filter behind every path: it takes all that is left of the request.
///
/// ```text
/// warp::path!("v1" / "disputes" / DisputeId).and(call()).then(move |id, call: Call| {
///     let app = app.clone();
///     async move { by_method!(call => { GET: show(&app, id, call), POST: act(&app, id, call) }) }
/// })
/// ```
pub fn call() -> impl Filter<Extract = (Call,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::ext::get::<Edge>()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .map(|edge, method, headers, body| Call { method, headers, body: BodyStream::new(body), edge })
}

impl Call {
    pub fn client(&self) -> Client {
        self.edge.client
    }

    pub fn request_id(&self) -> Uuid {
        self.edge.request_id
    }

    /// Whether only the head of the answer will be sent. A route that spares
    /// itself the body says its length in the head.
    pub fn is_head(&self) -> bool {
        self.edge.is_head
    }

    pub fn path(&self) -> &str {
        self.edge.uri.path()
    }

    pub fn raw_query(&self) -> &str {
        self.edge.uri.query().unwrap_or("")
    }

    /// The query as a `T`. What was sent is not repeated in the problem.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_urlencoded::from_str(self.raw_query()).map_err(|error| {
            let message = error.to_string();
            let is_about_names = ["unknown field", "missing field", "duplicate field"];
            let is_safe = is_about_names.iter().any(|kind| message.starts_with(kind));
            Problem::query_malformed(if is_safe { message } else { "a query value is malformed".to_owned() })
        })
    }

    /// The body as JSON of at most `bytes_max`.
    pub async fn json<T: DeserializeOwned>(&mut self, bytes_max: u64) -> Result<T, Problem> {
        let body = self.take_body();
        body::json(&self.headers, body, bytes_max).await
    }

    /// The same together with the bytes that it was read from.
    pub async fn json_and_bytes<T: DeserializeOwned>(
        &mut self,
        bytes_max: u64,
    ) -> Result<(T, Bytes), Problem> {
        let body = self.take_body();
        body::json_and_bytes(&self.headers, body, bytes_max).await
    }

    /// The body line by line. An upload may take as long as its bytes flow.
    pub fn lines(&mut self, line_bytes_max: usize, body_bytes_max: u64) -> Result<Lines, Problem> {
        body::expect_body(&self.headers, body_bytes_max)?;
        self.edge.deadline.follow_body();
        Ok(Lines::new(self.take_body(), line_bytes_max, body_bytes_max))
    }

    pub fn take_body(&mut self) -> BodyStream {
        std::mem::replace(&mut self.body, BodyStream::empty())
    }

    /// By when an answer is due; a route that waits on purpose extends it.
    pub fn deadline(&self) -> &Deadline {
        &self.edge.deadline
    }

    /// Cancelled when the service stops: what waits or streams ends then.
    pub fn draining(&self) -> &CancellationToken {
        &self.edge.draining
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths, queries and header fields hold numbers and tokens.
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Ends a route: each method with the future that answers it. Any other
/// method is 405 with `Allow`; OPTIONS is answered from the same list.
#[macro_export]
macro_rules! by_method {
    ($call:ident => { $($method:ident: $handler:expr),+ $(,)? }) => {
        match $call.method {
            $(::http::Method::$method => $crate::http::call::finished($handler.await),)+
            ref other => $crate::http::call::other_method(other, &[$(::http::Method::$method),+]),
        }
    };
}

/// Problem or not, an answer is a response.
pub fn finished(answer: Answer) -> Response {
    answer.unwrap_or_else(Problem::into_response)
}

/// What a method outside a route's list gets.
pub fn other_method(method: &Method, allowed: &[Method]) -> Response {
    if method != Method::OPTIONS {
        return Problem::method_not_allowed(allowed).into_response();
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(&allow_value(allowed)) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}
