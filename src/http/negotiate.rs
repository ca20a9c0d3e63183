//! What the caller accepts, already holds, and carries as its credential.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use warp::reply::Response;

use super::problem::Problem;

/// The media type to answer in. `offered` is in our order of preference and
/// its first is the default; types without parameters.
pub fn media_type(headers: &HeaderMap, offered: &[&'static str]) -> Result<&'static str, Problem> {
    let Some(wishes) = wishes(headers, ACCEPT) else {
        return offered.first().copied().ok_or_else(|| Problem::not_acceptable(offered));
    };
    best(offered, |candidate| quality(&wishes, |range| media_match(range, candidate)))
        .ok_or_else(|| Problem::not_acceptable(offered))
}

/// The content coding to answer in, out of those we hold; `None` is identity,
/// which is always at hand, so that this never fails.
pub fn coding(headers: &HeaderMap, held: &[&'static str]) -> Option<&'static str> {
    let wishes = wishes(headers, ACCEPT_ENCODING)?;
    best(held, |candidate| {
        quality(&wishes, |range| match range {
            "*" => Some(0),
            _ => range.eq_ignore_ascii_case(candidate).then_some(1),
        })
    })
}

/// Whether the caller holds this version already (weak comparison). `tag`
/// comes with its quotes.
pub fn holds(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lines = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|theirs| theirs.trim() == "*" || opaque(theirs) == opaque(tag))
}

/// The answer to a caller that holds this version.
pub fn not_modified(tag: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = http::StatusCode::NOT_MODIFIED;
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The bearer token. Two credentials are none: nobody can say which was meant.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let is_fine = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    is_fine.then_some(token)
}

/// One element of a list such as `text/csv;q=0.5`: the range, and its quality
/// in thousandths.
type Wish<'a> = (&'a str, u16);

fn wishes(headers: &HeaderMap, name: HeaderName) -> Option<Vec<Wish<'_>>> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let list: Vec<Wish<'_>> = lines.flat_map(|line| line.split(',')).filter_map(wish).collect();
    (!list.is_empty()).then_some(list)
}

fn wish(element: &str) -> Option<Wish<'_>> {
    let mut parts = element.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((range, q.map_or(1000, thousandths)))
}

/// `0.5` as 500. What is no number counts as unwanted.
fn thousandths(q: &str) -> u16 {
    let q: f32 = q.parse().unwrap_or(0.0);
    if q.is_nan() { 0 } else { (q.clamp(0.0, 1.0) * 1000.0) as u16 }
}

/// How specifically a range names a media type, or `None` where it does not.
fn media_match(range: &str, candidate: &str) -> Option<u8> {
    if range == "*/*" {
        return Some(0);
    }
    if range.eq_ignore_ascii_case(candidate) {
        return Some(2);
    }
    let kind = range.strip_suffix("/*")?;
    let (candidate_kind, _) = candidate.split_once('/')?;
    kind.eq_ignore_ascii_case(candidate_kind).then_some(1)
}

/// The quality that the most specific matching range gives.
fn quality(wishes: &[Wish<'_>], matches: impl Fn(&str) -> Option<u8>) -> u16 {
    let ranked = wishes.iter().filter_map(|(range, q)| Some((matches(range)?, *q)));
    ranked.max().map_or(0, |(_, q)| q)
}

/// The candidate of highest quality above zero; the earlier one when equal.
fn best(candidates: &[&'static str], quality: impl Fn(&str) -> u16) -> Option<&'static str> {
    let wanted = candidates.iter().copied().map(|c| (quality(c), c)).filter(|(q, _)| *q > 0);
    wanted.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, candidate)| candidate)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OFFERED: &[&str] = &["application/x-ndjson", "application/json", "text/csv"];

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn chosen(accept: &'static str) -> Option<&'static str> {
        media_type(&with(ACCEPT, accept), OFFERED).ok()
    }

    #[test]
    fn the_first_offer_is_the_default() {
        assert_eq!(media_type(&HeaderMap::new(), OFFERED).unwrap(), OFFERED[0]);
        assert_eq!(chosen("*/*"), Some(OFFERED[0]));
    }

    #[test]
    fn quality_and_specificity_decide() {
        assert_eq!(chosen("text/csv;q=0.9, application/json;q=0.8"), Some("text/csv"));
        assert_eq!(chosen("text/*"), Some("text/csv"));
        assert_eq!(chosen("*/*;q=0.1, Application/JSON"), Some("application/json"));
        assert_eq!(chosen("application/x-ndjson;q=0, */*"), Some("application/json"));
        assert_eq!(chosen("text/csv; charset=utf-8; q=0.3"), Some("text/csv"));
    }

    #[test]
    fn nothing_acceptable_is_406() {
        assert_eq!(chosen("image/png"), None);
        assert_eq!(chosen("text/csv;q=0"), None);
        assert_eq!(chosen("text/csv;q=pretty"), None);
        let problem = media_type(&with(ACCEPT, "image/png"), OFFERED).unwrap_err();
        assert_eq!(problem.status(), 406);
    }

    #[test]
    fn a_coding_is_used_only_when_asked_for() {
        let held = &["zstd", "gzip"];
        assert_eq!(coding(&HeaderMap::new(), held), None);
        assert_eq!(coding(&with(ACCEPT_ENCODING, "gzip, br"), held), Some("gzip"));
        assert_eq!(coding(&with(ACCEPT_ENCODING, "gzip, zstd"), held), Some("zstd"));
        assert_eq!(coding(&with(ACCEPT_ENCODING, "zstd;q=0, *"), held), Some("gzip"));
        assert_eq!(coding(&with(ACCEPT_ENCODING, "br"), held), None);
    }

    #[test]
    fn tags_compare_weakly() {
        assert!(holds(&with(IF_NONE_MATCH, "\"a\", W/\"b\""), "\"b\""));
        assert!(holds(&with(IF_NONE_MATCH, "*"), "\"b\""));
        assert!(!holds(&with(IF_NONE_MATCH, "\"a\""), "\"b\""));
        assert!(!holds(&HeaderMap::new(), "\"b\""));
        assert_eq!(not_modified("\"b\"").status(), 304);
    }

    #[test]
    fn only_one_well_formed_bearer_counts() {
        assert_eq!(bearer(&with(AUTHORIZATION, "bearer zmp_x")), Some("zmp_x"));
        assert_eq!(bearer(&with(AUTHORIZATION, "Basic zmp_x")), None);
        assert_eq!(bearer(&with(AUTHORIZATION, "Bearer ")), None);
        assert_eq!(bearer(&with(AUTHORIZATION, "Bearer a b")), None);
        let mut two = with(AUTHORIZATION, "Bearer a");
        two.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(bearer(&two), None);
    }
}
