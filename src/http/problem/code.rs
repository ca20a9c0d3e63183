//! The stable codes of problems: those of refusals, and those that only HTTP
//! speaks of. There is no other way to come by one, so that `Code::all` has
//! every code that a caller can meet.

use std::collections::BTreeSet;

use crate::domain::refusal::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(&'static str);

macro_rules! codes {
    ($($name:ident = $code:literal,)+) => {
        impl Code {
            $(pub const $name: Self = Self($code);)+
            const OF_HTTP: &[&str] = &[$($code),+];
        }
    };
}

codes! {
    BODY_INCOMPLETE = "body_incomplete",
    BODY_MALFORMED = "body_malformed",
    BODY_STALLED = "body_stalled",
    BODY_TOO_LARGE = "body_too_large",
    BUSY = "busy",
    ENCODING_UNSUPPORTED = "encoding_unsupported",
    FIELD_MALFORMED = "field_malformed",
    FIELD_UNKNOWN = "field_unknown",
    FORM_STALE = "form_stale",
    INTERNAL = "internal",
    LENGTH_REQUIRED = "length_required",
    MEDIA_TYPE_UNSUPPORTED = "media_type_unsupported",
    METHOD_NOT_ALLOWED = "method_not_allowed",
    NOT_ACCEPTABLE = "not_acceptable",
    NOT_CONFIRMED = "not_confirmed",
    NO_CORRECTION = "no_correction",
    NO_SNAPSHOT = "no_snapshot",
    QUERY_MALFORMED = "query_malformed",
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable",
    REQUEST_MALFORMED = "request_malformed",
    SESSION_ENDED = "session_ended",
    SNAPSHOT_GONE = "snapshot_gone",
    TOO_MANY_LINES = "too_many_lines",
    TOO_MANY_REQUESTS = "too_many_requests",
}

impl Code {
    pub fn all() -> BTreeSet<&'static str> {
        Refusal::CODES.iter().chain(Self::OF_HTTP).copied().collect()
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl From<&Refusal> for Code {
    fn from(refusal: &Refusal) -> Self {
        Self(refusal.code())
    }
}
