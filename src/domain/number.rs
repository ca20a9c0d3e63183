//! Telephone numbers as values: E.164 digits, and the kinds they come in.
//!
//! Absent: the plan that says which numbers exist (`numbering`). A `Number`
//! out of a record was checked when it came in, and is not checked again.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest number that E.164 allows, country code included.
pub const DIGITS_MAX: usize = 15;
/// Shorter ones are no numbers of any country that we know.
pub const DIGITS_MIN: usize = 7;

/// At least so many digits stay hidden when a number is masked.
const HIDDEN_MIN: usize = 4;

/// A telephone number (号码). `Display` shows all of it, `Debug` never does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u64);

impl Number {
    /// The number behind stored digits, if they can be one at all.
    pub fn from_digits(digits: u64) -> Option<Self> {
        let fewest = 10u64.pow(DIGITS_MIN as u32 - 1);
        let too_many = 10u64.pow(DIGITS_MAX as u32);
        (fewest..too_many).contains(&digits).then_some(Self(digits))
    }

    /// Country code and national number as one integer: 8613800138000.
    pub fn digits(self) -> u64 {
        self.0
    }

    /// The number with its middle hidden, for logs and screens:
    /// `+86138****8000`.
    pub fn masked(self) -> String {
        let digits = self.0.to_string();
        let visible = digits.len() - HIDDEN_MIN;
        let tail = (visible * 4 / 9).min(4);
        let head = (visible - tail).min(5);
        let hidden = digits.len() - head - tail;
        format!("+{}{}{}", &digits[..head], "*".repeat(hidden), &digits[head + hidden..])
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// Masked, so that a stray `{:?}` in a log gives nobody away.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a telephone number like \"+8613800138000\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                parse_e164(text).map_err(E::custom)
            }
        }
        from.deserialize_str(Text)
    }
}

/// What a number is for. Only mobiles receive SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    Mobile,
    Landline,
    Toll400,
    Toll800,
    /// A service number: 95xxx, 96xxx, 1010xxxx.
    Short,
    /// Stored under an earlier plan, and not in the present one.
    Unplanned,
}

impl NumberKind {
    pub fn receives_sms(self) -> bool {
        self == Self::Mobile
    }
}

/// Why a text is no number that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("it is empty")]
    Empty,
    #[error("it does not begin with + and the country code")]
    NoPlus,
    #[error("it has something other than the digits 0 to 9 in it")]
    NotDigits,
    #[error("it is too short")]
    TooShort,
    #[error("it is too long")]
    TooLong,
    #[error("a country code never begins with 0")]
    LeadingZero,
    #[error("numbers of this country are not served")]
    Unsupported,
    #[error("the country's numbering plan has no such number")]
    NotInPlan,
}

/// A "+…" text by E.164's syntax alone.
pub(super) fn parse_e164(text: &str) -> Result<Number, NumberError> {
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    parse_e164_digits(text.strip_prefix('+').ok_or(NumberError::NoPlus)?)
}

/// The same without the plus, as in URLs.
pub(super) fn parse_e164_digits(text: &str) -> Result<Number, NumberError> {
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::NotDigits);
    }
    if text.starts_with('0') {
        return Err(NumberError::LeadingZero);
    }
    if text.len() > DIGITS_MAX {
        return Err(NumberError::TooLong);
    }
    if text.len() < DIGITS_MIN {
        return Err(NumberError::TooShort);
    }
    Ok(Number(text.bytes().fold(0, |digits, b| digits * 10 + u64::from(b - b'0'))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        parse_e164(text).unwrap()
    }

    #[test]
    fn junk_is_refused_with_its_reason() {
        let too_long = format!("+{}", "8".repeat(10_000));
        let endless = "8".repeat(10_000);
        for (text, why) in [
            ("", NumberError::Empty),
            ("+", NumberError::Empty),
            ("0", NumberError::NoPlus),
            ("0000", NumberError::NoPlus),
            ("8613800138000", NumberError::NoPlus),
            ("＋８６１３８００１３８０００", NumberError::NoPlus),
            ("+８６１３８００１３８０００", NumberError::NotDigits),
            ("+0", NumberError::LeadingZero),
            ("+008613800138000", NumberError::LeadingZero),
            ("+86 138 0013 8000", NumberError::NotDigits),
            ("+86-13800138000", NumberError::NotDigits),
            ("+8613800138000\n", NumberError::NotDigits),
            (" +8613800138000", NumberError::NoPlus),
            ("++8613800138000", NumberError::NotDigits),
            ("+86138001380OO", NumberError::NotDigits),
            ("+86📞13800138000", NumberError::NotDigits),
            ("+86\u{200b}13800138000", NumberError::NotDigits),
            ("+86110", NumberError::TooShort),
            ("+8613800138000123", NumberError::TooLong),
            (&too_long, NumberError::TooLong),
            (&endless, NumberError::NoPlus),
        ] {
            let shown: String = text.chars().take(30).collect();
            assert_eq!(parse_e164(text), Err(why), "{shown:?}");
        }
        assert_eq!(parse_e164_digits("+8613800138000"), Err(NumberError::NotDigits));
    }

    #[test]
    fn shown_whole_only_when_displayed() {
        let mobile = number("+8613800138000");
        assert_eq!(mobile.to_string(), "+8613800138000");
        assert_eq!(mobile.masked(), "+86138****8000");
        assert_eq!(format!("{mobile:?}"), "+86138****8000");
        assert_eq!(number("+8695588").masked(), "+86****8");
        assert_eq!(number("+861062345678").masked(), "+86106****678");
    }

    #[test]
    fn stored_digits_are_checked_for_plausibility() {
        assert_eq!(Number::from_digits(8_613_800_138_000), Some(number("+8613800138000")));
        for digits in [0, 110, 999_999, 1_000_000_000_000_000, u64::MAX] {
            assert_eq!(Number::from_digits(digits), None, "{digits}");
        }
    }

    #[test]
    fn travels_as_a_string() {
        let mobile = number("+8613800138000");
        assert_eq!(serde_json::to_string(&mobile).unwrap(), r#""+8613800138000""#);
        assert_eq!(serde_json::from_str::<Number>(r#""+8613800138000""#).unwrap(), mobile);
        for bad in ["8613800138000", r#""8613800138000""#, r#""""#, "null"] {
            assert!(serde_json::from_str::<Number>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_parsed_or_refused(text in "\\PC*|[+0-9]{0,20}") {
            if let Ok(number) = parse_e164(&text) {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn every_number_comes_back(digits in 1_000_000u64..1_000_000_000_000_000) {
            let number = Number::from_digits(digits).unwrap();
            prop_assert_eq!(parse_e164(&number.to_string()), Ok(number));
            prop_assert_eq!(number.digits(), digits);
        }

        #[test]
        fn masked_hides_at_least_four_digits(digits in 1_000_000u64..1_000_000_000_000_000) {
            let number = Number::from_digits(digits).unwrap();
            let masked = number.masked();
            prop_assert!(!masked.contains(&digits.to_string()));
            prop_assert_eq!(masked.len(), digits.to_string().len() + 1);
            prop_assert!(masked.bytes().filter(|b| *b == b'*').count() >= HIDDEN_MIN);
            prop_assert_eq!(format!("{number:?}"), masked);
        }
    }
}
