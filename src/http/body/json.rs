//! From bytes to a request, and from serde's errors to problems that help the
//! sender without repeating what was sent: a wrong value may be a code, a
//! token or a name.

use serde::de::{DeserializeOwned, IgnoredAny};

use super::Problem;

/// Long enough for any field list of ours, too short to reflect much.
const DETAIL_CHARS_MAX: usize = 300;

pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::body_malformed("the body is not UTF-8"))?;
    // serde takes a list for the fields of a struct in their order, and so
    // even what nobody has described.
    if text.trim_start().starts_with('[') {
        return Err(Problem::body_malformed("the body is not what is wanted here: an object is"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // A number in an enum's place is a syntax error to serde_json.
        let is_json = error.inner().is_data() || serde_json::from_str::<IgnoredAny>(text).is_ok();
        problem(&error.path().to_string(), error.inner(), is_json)
    })?;
    reader.end().map_err(|error| problem(".", &error, false))?;
    Ok(value)
}

fn problem(path: &str, error: &serde_json::Error, is_json: bool) -> Problem {
    let place = format!("at line {} column {}", error.line(), error.column());
    if !is_json {
        return Problem::body_malformed(format!("the body is not valid JSON {place}"));
    }
    let message = error.to_string();
    if message.starts_with("unknown field") {
        return Problem::field_unknown(clip(&message));
    }
    let why = without_value(&message);
    if path == "." {
        return Problem::body_malformed(clip(&format!("the body is not what is wanted here: {why}")));
    }
    Problem::field_malformed(&clip(path), clip(&format!("{path}: {why}")))
}

/// Serde's message less the value that it quotes. Messages that are not
/// serde's own may quote anything, so nothing of them is passed on.
fn without_value(message: &str) -> String {
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        return without_place(message).to_owned();
    }
    for kind in ["invalid type", "invalid value", "invalid length", "unknown variant"] {
        if message.starts_with(kind) {
            let expected = message.rsplit_once(", expected ").map(|(_, expected)| without_place(expected));
            return expected.map_or(kind.to_owned(), |expected| format!("{kind}, expected {expected}"));
        }
    }
    "not a value of this kind".to_owned()
}

fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text)
}

fn clip(text: &str) -> String {
    text.chars().take(DETAIL_CHARS_MAX).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Nothing {}

    #[test]
    fn a_list_is_no_object() {
        assert!(parse::<Nothing>(b"{}").is_ok());
        assert_eq!(parse::<Nothing>(b" []").unwrap_err().code(), "body_malformed");
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its parsing is looked at")]
    struct Request {
        number: String,
        method: Option<Method>,
        opened: Option<jiff::civil::Date>,
        labels: Option<Vec<Request>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Method {
        SmsCode,
    }

    fn refused(text: &str) -> (&'static str, String) {
        let problem = parse::<Request>(text.as_bytes()).unwrap_err();
        (problem.code(), problem.detail().to_owned())
    }

    #[test]
    fn what_is_wrong_is_named_and_what_was_sent_is_not() {
        assert_eq!(refused("{").0, "body_malformed");
        assert_eq!(refused(r#"{"number":"1"} {}"#).0, "body_malformed");
        assert_eq!(refused("7").0, "body_malformed");
        assert_eq!(refused("{}").1, "the body is not what is wanted here: missing field `number`");

        let (code, detail) = refused(r#"{"number":"1","nubmer":"2"}"#);
        assert_eq!(code, "field_unknown");
        assert!(detail.starts_with("unknown field `nubmer`, expected one of `number`"), "{detail}");

        let (code, detail) = refused(r#"{"number":86138}"#);
        assert_eq!((code, &*detail), ("field_malformed", "number: invalid type, expected a string"));

        let (_, detail) = refused(r#"{"number":"1","method":"secret"}"#);
        assert_eq!(detail, "method: unknown variant, expected `sms_code`");

        let (code, detail) = refused(r#"{"number":"1","method":1}"#);
        assert_eq!((code, &*detail), ("field_malformed", "method: not a value of this kind"));

        let (_, detail) = refused(r#"{"number":"1","opened":"张三"}"#);
        assert_eq!(detail, "opened: not a value of this kind");

        let (_, detail) = refused(r#"{"number":"1","labels":[{"number":true}]}"#);
        assert_eq!(detail, "labels[0].number: invalid type, expected a string");
    }

    #[test]
    fn only_utf8_is_text() {
        assert_eq!(parse::<String>(b"\"\xff\"").unwrap_err().detail(), "the body is not UTF-8");
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        assert_eq!(parse::<serde_json::Value>("[".repeat(100_000).as_bytes()).unwrap_err().status(), 400);
    }
}
