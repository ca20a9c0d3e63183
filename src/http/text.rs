//! What people write in their own words: bounded, and without characters
//! that only machines mean.

use super::problem::Problem;
use crate::domain::plain::{is_flooded, turns};
use crate::domain::policy::NOTE_CHARS_MAX;

/// A text that has to be there.
pub(super) fn required(field: &str, text: &str) -> Result<String, Problem> {
    let is_blank = text.chars().all(char::is_whitespace);
    let text = checked(field, text)?;
    if is_blank { Err(Problem::field_malformed(field, format!("{field}: it is empty"))) } else { Ok(text) }
}

/// A text that may be missing; an empty one is.
pub(super) fn optional(field: &str, text: Option<&str>) -> Result<Option<String>, Problem> {
    let text = text.map(|text| checked(field, text)).transpose()?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn checked(field: &str, text: &str) -> Result<String, Problem> {
    let wrong = |why: String| Problem::field_malformed(field, format!("{field}: {why}"));
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(wrong(format!("it has more than {NOTE_CHARS_MAX} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(wrong("it has control characters other than newlines".to_owned()));
    }
    // What nobody sees comes along with what is pasted, and does no harm.
    if text.chars().any(turns) || is_flooded(text) {
        return Err(wrong("it has characters that make others read otherwise than they are".to_owned()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_plain() {
        assert_eq!(required("note", "第一行\n第二行 🍺").unwrap(), "第一行\n第二行 🍺");
        assert!(required("note", &"字".repeat(500)).is_ok());
        for text in
            ["", " \n　", "a\rb", "a\tb", "a\0b", "a\u{85}b", "a\u{202e}b", "a\u{2028}b", &"字".repeat(501)]
        {
            let problem = required("note", text).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.code()), (400, "field_malformed"), "{text:?}");
        }
        assert_eq!(optional("note", None).unwrap(), None);
        assert_eq!(optional("note", Some(" \n")).unwrap(), None);
        assert!(optional("note", Some("\u{7f}")).is_err());
    }
}
