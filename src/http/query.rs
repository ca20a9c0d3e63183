//! What the queries of lists have in common: where a page begins, and fields
//! of a form that were left empty.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::value::{Error as ValueError, StringDeserializer};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::problem::Problem;

/// Where a page begins, as a list said it in `next`.
pub(super) fn cursor(after: Option<&str>) -> Result<Option<Vec<u8>>, Problem> {
    let decoded = after.map(|after| URL_SAFE_NO_PAD.decode(after)).transpose();
    decoded.map_err(|_| Problem::query_malformed("after is what `next` said"))
}

pub(super) fn next(last: Option<Vec<u8>>) -> Option<String> {
    last.map(|last| URL_SAFE_NO_PAD.encode(last))
}

/// A form sends what was left empty too: that is no value.
pub(super) fn blank_is_none<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = Option::<String>::deserialize(from)?.map(|text| text.trim().to_owned());
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let value = T::deserialize(StringDeserializer::<ValueError>::new(text));
    value.map(Some).map_err(D::Error::custom)
}

/// The same for what is parsed.
pub(super) fn blank_is_none_parsed<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let text: Option<String> = blank_is_none(from)?;
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| D::Error::custom("a value is malformed"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::dispute::Status;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Wanted {
        #[serde(default, deserialize_with = "blank_is_none")]
        status: Option<Status>,
        #[serde(default, deserialize_with = "blank_is_none_parsed")]
        before: Option<u64>,
    }

    #[test]
    fn what_was_left_empty_is_no_value() {
        let read = |query: &str| serde_urlencoded::from_str::<Wanted>(query).ok();
        assert_eq!(read("status=&before=+"), Some(Wanted { status: None, before: None }));
        assert_eq!(read(""), read("status=&before="));
        let both = Wanted { status: Some(Status::InReview), before: Some(7) };
        assert_eq!(read("status=in_review&before=+7"), Some(both));
        assert_eq!(read("status=perhaps"), None);
        assert_eq!(read("before=-1"), None);
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let said = next(Some(vec![0, 255, 7]));
        assert_eq!(cursor(said.as_deref()).unwrap(), Some(vec![0, 255, 7]));
        assert_eq!(cursor(None).unwrap(), None);
        assert_eq!(cursor(Some("!")).unwrap_err().code(), "query_malformed");
    }
}
