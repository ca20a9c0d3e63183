//! Which bytes of an answer the caller wants (RFC 9110 §14): all, or one range
//! of them. Several ranges at once, other units and what is malformed count as
//! all, as the RFC allows: whoever asked copes with 200.
//!
//! Absent: dates in If-Range. A moment is no version.

use std::ops::Range;

use http::HeaderMap;
use http::header::{self, IF_RANGE};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    All,
    /// Not empty, and within the answer's bytes.
    Part(Range<u64>),
    /// Nothing of what is there: 416.
    Nothing,
}

/// `tag` is the strong tag, with its quotes, of an answer of so many bytes.
pub fn wanted(headers: &HeaderMap, tag: &str, bytes: u64) -> Wanted {
    let mut ifs = headers.get_all(IF_RANGE).iter();
    if ifs.any(|known| known.as_bytes() != tag.as_bytes()) {
        return Wanted::All;
    }
    let mut fields = headers.get_all(header::RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Wanted::All };
    field.to_str().ok().and_then(|field| parse(field, bytes)).unwrap_or(Wanted::All)
}

/// `bytes 5-9/20`.
pub fn content_range(part: &Range<u64>, bytes: u64) -> String {
    format!("bytes {}-{}/{bytes}", part.start, part.end - 1)
}

/// `None` for what is not one range of bytes.
fn parse(field: &str, bytes: u64) -> Option<Wanted> {
    let (unit, ranges) = field.split_once('=')?;
    let mut ranges = ranges.split(',').map(str::trim).filter(|range| !range.is_empty());
    let (range, None) = (ranges.next()?, ranges.next()) else { return None };
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.split_once('-')?;
    let part = match (first, last) {
        ("", suffix) => bytes.saturating_sub(position(suffix)?)..bytes,
        (first, "") => position(first)?..bytes,
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(bytes)
        }
    };
    Some(match part {
        // Nothing is all there is.
        _ if bytes == 0 => Wanted::All,
        part if part.is_empty() => Wanted::Nothing,
        part => Wanted::Part(part),
    })
}

/// Digits alone; what is beyond a u64 is beyond every answer.
fn position(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const TAG: &str = "\"a-1\"";

    fn of(fields: &[(header::HeaderName, &str)], bytes: u64) -> Wanted {
        let fields = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let mut headers = HeaderMap::new();
        fields.for_each(|(name, value)| _ = headers.append(name, value));
        wanted(&headers, TAG, bytes)
    }

    fn range(field: &str) -> Wanted {
        of(&[(header::RANGE, field)], 10)
    }

    #[test]
    fn one_range_in_each_of_its_forms() {
        for (field, part) in [
            ("bytes=0-4", 0..5),
            ("bytes=0-0", 0..1),
            ("bytes=9-9", 9..10),
            ("bytes=5-", 5..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=5-99", 5..10),
            ("bytes=5-18446744073709551615", 5..10),
            ("bytes=5-99999999999999999999999", 5..10),
            ("Bytes=, 2-3 ,", 2..4),
        ] {
            assert_eq!(range(field), Wanted::Part(part), "{field}");
        }
        assert_eq!(content_range(&(5..10), 20), "bytes 5-9/20");
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for field in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(range(field), Wanted::Nothing, "{field}");
        }
    }

    #[test]
    fn anything_else_is_all() {
        for field in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes=0-1,3-4",
            "lines=0-4",
            "bytes =0-4",
            "0-4",
        ] {
            assert_eq!(range(field), Wanted::All, "{field}");
        }
        assert_eq!(of(&[], 10), Wanted::All);
        assert_eq!(of(&[(header::RANGE, "bytes=0-1"), (header::RANGE, "bytes=0-1")], 10), Wanted::All);
        for field in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(of(&[(header::RANGE, field)], 0), Wanted::All, "of nothing");
        }
    }

    #[test]
    fn a_part_of_another_version_is_not_given() {
        let with = |known| of(&[(header::RANGE, "bytes=0-1"), (IF_RANGE, known)], 10);
        assert_eq!(with(TAG), Wanted::Part(0..2));
        for known in ["\"a-2\"", "W/\"a-1\"", "Sun, 22 Nov 2026 03:04:05 GMT", ""] {
            assert_eq!(with(known), Wanted::All, "{known}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_lies_within(field in "bytes=[0-9]{0,3}-[0-9]{0,3}", bytes in 0..300u64) {
            match of(&[(header::RANGE, &field)], bytes) {
                Wanted::Part(part) => prop_assert!(part.start < part.end && part.end <= bytes),
                Wanted::Nothing => prop_assert!(bytes > 0),
                Wanted::All => {}
            }
        }

        #[test]
        fn parts_put_together_are_the_whole(cuts in prop::collection::btree_set(1..500u64, 0..8)) {
            let mut at = 0;
            for next in cuts.into_iter().chain([500]) {
                let field = format!("bytes={at}-{}", next - 1);
                prop_assert_eq!(of(&[(header::RANGE, &field)], 500), Wanted::Part(at..next));
                at = next;
            }
        }

        #[test]
        fn no_field_breaks_it(field in "[ -~]{0,40}", bytes: u64) {
            of(&[(header::RANGE, &field)], bytes);
        }
    }
}
