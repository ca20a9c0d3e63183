//! One line for each request, fit to be kept: no number, name, code, token or
//! query string, and no more of an address than its prefix.

use std::time::Duration;

use http::{Method, StatusCode};
use tracing::Span;
use uuid::Uuid;

use super::client::AddressPrefix;
use super::meters::known;

/// Path segments shown before the rest is left out.
const SEGMENTS_MAX: usize = 8;
const SEGMENT_BYTES_MAX: usize = 24;
/// Fewer digits cannot be a telephone number or a code that was sent.
const DIGITS_MAX: usize = 4;

pub(super) fn span(request_id: Uuid, method: &Method, client: AddressPrefix) -> Span {
    tracing::info_span!("request", %request_id, method = known(method), %client)
}

/// The closing line, inside the request's span. A path that no route knew is
/// a stranger's text and is not shown at all.
pub(super) fn answered(path: Option<&str>, status: StatusCode, took: Duration) {
    let path = path.map_or_else(|| "(unrouted)".to_owned(), redacted);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(path, status = status.as_u16(), duration_ms, "answered");
}

/// The path with every segment that could tell something replaced by `{}`.
pub(super) fn redacted(path: &str) -> String {
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let mut shown = String::with_capacity(path.len());
    for (place, segment) in segments.enumerate() {
        shown.push('/');
        if place == SEGMENTS_MAX {
            shown.push('…');
            break;
        }
        shown.push_str(if is_harmless(segment) { segment } else { "{}" });
    }
    shown
}

/// The words of our own paths: short, lower case, hardly any digits.
fn is_harmless(segment: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    segment.len() <= SEGMENT_BYTES_MAX
        && segment.bytes().all(is_word)
        && segment.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX
        && !segment.starts_with("zm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tokens_and_ids_are_left_out() {
        assert_eq!(redacted("/feed/v1/corrections/8613800138000"), "/feed/v1/corrections/{}");
        assert_eq!(redacted("/d/0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f"), "/d/{}");
        assert_eq!(redacted("/d/zmd_abcdef"), "/d/{}");
        assert_eq!(redacted("/v1/verifications/AbCdEf/confirm"), "/v1/verifications/{}/confirm");
        assert_eq!(redacted("/feed/v1/tile/0/x001/x234/067"), "/feed/v1/tile/0/x001/x234/067");
        assert_eq!(redacted("/v1/张三"), "/v1/{}");
        assert_eq!(redacted("/"), "/");
        assert_eq!(redacted("/1/2/3/4/5/6/7/8/9/0"), "/1/2/3/4/5/6/7/8/…");
    }

    #[test]
    fn a_number_cut_by_other_characters_is_still_a_number() {
        assert_eq!(redacted("/n/138-0013-8000"), "/n/{}");
    }

    #[test]
    fn an_invented_method_is_not_repeated() {
        assert_eq!(known(&Method::GET), "GET");
        assert_eq!(known(&Method::from_bytes(b"ZHANGSAN").unwrap_or_default()), "other");
    }
}
