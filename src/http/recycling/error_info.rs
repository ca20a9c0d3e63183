//! CAMARA's form of a no: `{status, code, message}`.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use warp::reply::Response;

use crate::http::problem::Problem;

#[derive(Debug)]
pub(super) struct ErrorInfo {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// That the status brings along: Retry-After, Allow and the like.
    headers: Box<HeaderMap>,
}

impl ErrorInfo {
    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), headers: Box::default() }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub(super) fn out_of_range() -> Self {
        let message = "specifiedDate: it lies before the first day that is known here, or in the future";
        Self::new(StatusCode::BAD_REQUEST, "OUT_OF_RANGE", message)
    }

    pub(super) fn not_found() -> Self {
        let message = "nothing is known here of who holds this phone number";
        Self::new(StatusCode::NOT_FOUND, "IDENTIFIER_NOT_FOUND", message)
    }

    pub(super) fn missing_identifier() -> Self {
        let message = "phoneNumber: the key stands for no number, so that one has to be named";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "MISSING_IDENTIFIER", message)
    }

    /// Neither answer is proved.
    pub(super) fn not_applicable() -> Self {
        let message = "what is known of this phone number answers neither true nor false for this date";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "SERVICE_NOT_APPLICABLE", message)
    }

    pub(super) fn named(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    pub(super) fn into_response(self) -> Response {
        let Self { status, code, message, headers } = self;
        let body = json!({ "status": status.as_u16(), "code": code, "message": message });
        let mut response = Response::new(body.to_string().into());
        *response.status_mut() = status;
        *response.headers_mut() = *headers;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The same no in the other form. Codes are those of CAMARA's commonalities.
impl From<Problem> for ErrorInfo {
    fn from(problem: Problem) -> Self {
        let (status, message) = (problem.status(), problem.detail().to_owned());
        let code = match status.as_u16() {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            405 => "METHOD_NOT_ALLOWED",
            408 => "REQUEST_TIMEOUT",
            411 => "LENGTH_REQUIRED",
            413 => "PAYLOAD_TOO_LARGE",
            415 => "UNSUPPORTED_MEDIA_TYPE",
            429 => "TOO_MANY_REQUESTS",
            503 => "UNAVAILABLE",
            _ => "INTERNAL",
        };
        let headers = Box::new(std::mem::take(problem.into_response().headers_mut()));
        Self { status, code, message, headers }
    }
}
