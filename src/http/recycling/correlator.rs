//! `x-correlator`: what names an exchange in both houses' records.

use http::header::{HeaderName, HeaderValue};
use warp::reply::Response;

use crate::http::call::Call;

const X_CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
const BYTES_MAX: usize = 256;

/// The caller's, or one of ours where there is none to be repeated.
#[derive(Debug)]
pub(super) struct Correlator {
    value: HeaderValue,
    is_malformed: bool,
}

impl Correlator {
    pub(super) fn of(call: &Call) -> Self {
        let mut sent = call.headers.get_all(X_CORRELATOR).iter();
        match (sent.next(), sent.next()) {
            (Some(sent), None) if fits(sent.as_bytes()) && !sent.is_empty() => {
                Self { value: sent.clone(), is_malformed: false }
            }
            (sent, more) => {
                let ours = HeaderValue::from_str(&call.request_id().to_string());
                let value = ours.expect("a UUID is made of hex digits and hyphens");
                let is_malformed = sent.is_some_and(|sent| !fits(sent.as_bytes())) || more.is_some();
                Self { value, is_malformed }
            }
        }
    }

    pub(super) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    pub(super) fn tell(self, mut response: Response) -> Response {
        response.headers_mut().insert(X_CORRELATOR, self.value);
        response
    }
}

/// `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`
fn fits(text: &[u8]) -> bool {
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(b);
    text.len() <= BYTES_MAX && text.iter().all(is_allowed)
}
