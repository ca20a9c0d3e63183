//! What a machine is told when the answer is no: `application/problem+json`
//! (RFC 9457), and the one table from a domain refusal to a status.
//!
//! Refusals come from the domain with their own codes; the problems that only
//! HTTP knows (a wrong method, a body too large) have constructors here. No
//! problem carries an internal cause: that belongs in the log, where `instance`
//! leads to it.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use warp::reply::Response;

use crate::domain::number::NumberError;
use crate::domain::refusal::Refusal;
use crate::env::correlation;

mod code;
pub use code::Code;

/// What a handler returns: a finished response, or the problem that stopped it.
pub type Answer = Result<Response, Problem>;

/// Where a page or a client reads more about a code.
const TYPE_BASE: &str = "/docs/problems#";

/// How soon to come back when the service, not the caller, is the trouble.
const BUSY_RETRY_S: u64 = 2;

/// Boxed, since it travels as the error of nearly every `Result` in this room.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    status: StatusCode,
    code: Code,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
}

/// The one table. Exhaustive on purpose: a new refusal does not compile until
/// somebody has decided its status.
pub fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NumberMalformed(why) if *why == NumberError::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::NumberMalformed(_) | Refusal::FieldMalformed { .. } | Refusal::IdempotencyKeyMissing => {
            StatusCode::BAD_REQUEST
        }
        Refusal::Unauthenticated | Refusal::LoginWrong => StatusCode::UNAUTHORIZED,
        Refusal::Forbidden | Refusal::SamePerson | Refusal::LeaseMissing | Refusal::FreshControlNeeded => {
            StatusCode::FORBIDDEN
        }
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::DisputeOpen
        | Refusal::IdempotencyKeyInUse
        | Refusal::WrongState { .. }
        | Refusal::Stale
        | Refusal::NotPublished
        | Refusal::CursorAhead { .. }
        | Refusal::Diverged
        | Refusal::NotInForce => StatusCode::CONFLICT,
        Refusal::VerificationSpent
        | Refusal::CursorExpired { .. }
        | Refusal::DocumentPurged
        | Refusal::DocumentDamaged => StatusCode::GONE,
        Refusal::DocumentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::DocumentTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::ProofOfWork
        | Refusal::SmsUnreachable
        | Refusal::MethodNotOffered
        | Refusal::CodeWrong { .. }
        | Refusal::OpenedNeeded
        | Refusal::LabelNeeded
        | Refusal::UsccWrong(_)
        | Refusal::FilingsExhausted
        | Refusal::DocumentsTooMany { .. }
        | Refusal::DocumentUnreadable { .. }
        | Refusal::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(status_of(&refusal), Code::from(&refusal), refusal.to_string());
        match refusal {
            Refusal::FieldMalformed { field, .. } => problem.with("field", field),
            Refusal::CodeWrong { attempts_left } => problem.with("attempts_left", attempts_left),
            Refusal::WrongState { status } => problem.with("state", status),
            Refusal::DocumentsTooMany { documents_max } => problem.with("documents_max", documents_max),
            Refusal::CursorAhead { size } => problem.with("size", size),
            Refusal::CursorExpired { oldest } => {
                problem.with("oldest", oldest).with("snapshot", "/feed/v1/snapshot")
            }
            // A stored quota refuses without telling its size; what the caller
            // can act on is that one more is taken after the wait.
            Refusal::TooMany { what, retry_after_s } => problem
                .header(
                    HeaderName::from_static("ratelimit-policy"),
                    format!("\"{what}\";q=1;w={retry_after_s}"),
                )
                .header(HeaderName::from_static("ratelimit"), format!("\"{what}\";r=0;t={retry_after_s}"))
                .header(RETRY_AFTER, retry_after_s.to_string()),
            _ => problem,
        }
    }
}

impl Problem {
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        let problem = Self(Box::new(Inner {
            status,
            code,
            detail: detail.into(),
            members: Map::new(),
            headers: HeaderMap::new(),
        }));
        if status == StatusCode::UNAUTHORIZED {
            return problem.header(WWW_AUTHENTICATE, "Bearer");
        }
        problem
    }

    /// An extension member (RFC 9457 §3.2).
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(member.to_owned(), value.into());
        self
    }

    /// A header field; a value that is not one is left out.
    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.0.headers.insert(name, value);
        }
        self
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn code(&self) -> &'static str {
        self.0.code.as_str()
    }

    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.members.get(name)
    }

    // --- the caller's request, as HTTP sees it -----------------------------

    pub fn not_found() -> Self {
        Refusal::NotFound.into()
    }

    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let allow = allow_value(allowed);
        let names: Vec<Value> = allow.split(", ").map(Value::from).collect();
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::METHOD_NOT_ALLOWED,
            "this path does not take this method",
        )
        .with("allow", names)
        .header(ALLOW, allow)
    }

    pub fn not_acceptable(offered: &[&str]) -> Self {
        let offered: Vec<Value> = offered.iter().copied().map(Value::from).collect();
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            Code::NOT_ACCEPTABLE,
            "none of the forms offered here is accepted",
        )
        .with("offered", offered)
    }

    pub fn request_malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::REQUEST_MALFORMED, detail)
    }

    pub fn query_malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::QUERY_MALFORMED, detail)
    }

    pub fn body_malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BODY_MALFORMED, detail)
    }

    pub fn field_unknown(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::FIELD_UNKNOWN, detail)
    }

    pub fn field_malformed(field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::FIELD_MALFORMED, detail).with("field", field)
    }

    pub fn body_incomplete() -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BODY_INCOMPLETE, "the body ended before its announced end")
    }

    pub fn body_stalled() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, Code::BODY_STALLED, "the body did not arrive in time")
    }

    pub fn length_required() -> Self {
        Self::new(
            StatusCode::LENGTH_REQUIRED,
            Code::LENGTH_REQUIRED,
            "send a body, with its length or chunked",
        )
    }

    pub fn body_too_large(bytes_max: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::BODY_TOO_LARGE,
            format!("the body may have {bytes_max} bytes at most"),
        )
        .with("bytes_max", bytes_max)
    }

    pub fn media_type_unsupported(wanted: &[&str]) -> Self {
        let detail = format!("send {}", wanted.join(" or "));
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::MEDIA_TYPE_UNSUPPORTED, detail)
    }

    pub fn encoding_unsupported() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::ENCODING_UNSUPPORTED,
            "send the body without a content coding",
        )
    }

    // --- our own trouble ---------------------------------------------------

    /// The service cannot answer now and may soon.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::BUSY, "the service cannot answer now; try again")
            .header(RETRY_AFTER, BUSY_RETRY_S.to_string())
    }

    /// Something that should not happen did; the log knows, the caller does not.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::INTERNAL,
            "something went wrong here; it was noted",
        )
    }

    pub fn into_response(self) -> Response {
        let Inner { status, code, detail, mut members, headers } = *self.0;
        if let Some(request_id) = correlation::current() {
            members.insert("instance".to_owned(), format!("urn:uuid:{request_id}").into());
        }
        let body = document(status.as_u16(), code.as_str(), detail, members);
        let mut response = Response::new(body.to_string().into());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl warp::Reply for Problem {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}

/// RFC 9457: the standard members, which no extension replaces.
pub(super) fn document(status: u16, code: &str, detail: String, members: Map<String, Value>) -> Value {
    let mut body = Map::new();
    body.insert("type".into(), format!("{TYPE_BASE}{code}").into());
    body.insert("title".into(), title(code).into());
    body.insert("status".into(), status.into());
    body.insert("detail".into(), detail.into());
    body.insert("code".into(), code.into());
    for (member, value) in members {
        body.entry(member).or_insert(value);
    }
    Value::Object(body)
}

/// The `Allow` field: what was listed, what comes along with GET, and OPTIONS.
pub(crate) fn allow_value(allowed: &[Method]) -> String {
    let mut names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    if allowed.contains(&Method::GET) && !allowed.contains(&Method::HEAD) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

/// `code_wrong` reads "Code wrong": a title that cannot drift from its code.
fn title(code: &str) -> String {
    let words = code.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn body_of(response: Response) -> Value {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_becomes_a_problem_document_with_its_members() {
        let response = Problem::from(Refusal::CodeWrong { attempts_left: 3 }).into_response();
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = body_of(response).await;
        assert_eq!(body["type"], "/docs/problems#code_wrong");
        assert_eq!(body["title"], "Code wrong");
        assert_eq!(body["status"], 422);
        assert_eq!(body["code"], "code_wrong");
        assert_eq!(body["attempts_left"], 3);
    }

    #[test]
    fn an_unsupported_number_is_well_formed_but_refused() {
        let unsupported = Refusal::NumberMalformed(NumberError::Unsupported);
        assert_eq!(status_of(&unsupported), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn statuses_bring_the_fields_that_their_definitions_require() {
        let unauthenticated = Problem::from(Refusal::Unauthenticated).into_response();
        assert_eq!(unauthenticated.headers()[WWW_AUTHENTICATE], "Bearer");

        let too_many = Problem::from(Refusal::TooMany { what: "logins", retry_after_s: 12 }).into_response();
        assert_eq!(too_many.headers()[RETRY_AFTER], "12");
        assert_eq!(too_many.headers()["ratelimit"], "\"logins\";r=0;t=12");

        let busy = Problem::busy().into_response();
        assert!(busy.headers().contains_key(RETRY_AFTER));

        let method = Problem::method_not_allowed(&[Method::GET, Method::POST]).into_response();
        assert_eq!(method.headers()[ALLOW], "GET, POST, HEAD, OPTIONS");
    }

    #[tokio::test]
    async fn members_never_replace_the_standard_ones() {
        let response = Problem::not_found().with("status", 200).into_response();
        assert_eq!(body_of(response).await["status"], 404);
    }
}
