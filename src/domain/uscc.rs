//! 统一社会信用代码: the code that names an enterprise, by GB 32100-2015.
//!
//! Absent: whether anybody bears it. An operator's answer says that.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const CHARS: usize = 18;

/// GB 32100's digits in the order of their values: no I, O, Z, S, V.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A code whose shape and two check characters are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uscc([u8; CHARS]);

impl Uscc {
    /// Reads a code; small letters are taken for capital ones.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let code: [u8; CHARS] =
            text.to_ascii_uppercase().into_bytes().try_into().map_err(|_| "it has 18 characters")?;
        let mut values = [0u32; CHARS];
        for (value, byte) in values.iter_mut().zip(code) {
            let place = ALPHABET.iter().position(|known| *known == byte);
            *value = place.ok_or("it has only digits and capital letters other than I, O, Z, S, V")? as u32;
        }
        if !code[2..8].iter().all(u8::is_ascii_digit) {
            return Err("its third to eighth characters are the digits of a region");
        }
        if organisation_check(&code[8..16]) != code[16] {
            return Err("the check character of its organisation code, the seventeenth, does not fit");
        }
        if check(&values[..17]) != values[17] {
            return Err("its last character, a check, does not fit");
        }
        Ok(Self(code))
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("parse lets only ASCII in")
    }
}

/// GB 32100: weights 3^i mod 31.
fn check(values: &[u32]) -> u32 {
    let mut weight = 1;
    let mut sum = 0;
    for value in values {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    (31 - sum % 31) % 31
}

/// GB 11714, over the organisation code inside: letters count from A = 10.
fn organisation_check(body: &[u8]) -> u8 {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let value = |byte: u8| (byte as char).to_digit(36).expect("the alphabet is letters and digits");
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(byte, weight)| value(*byte) * weight).sum();
    match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        digit => b'0' + digit as u8,
    }
}

impl FromStr for Uscc {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Uscc {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Uscc> for String {
    fn from(code: Uscc) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "91350211M000100Y46";

    /// A code with both check characters computed.
    fn complete(head: &str) -> String {
        let mut code = head.as_bytes().to_vec();
        code.push(organisation_check(&head.as_bytes()[8..16]));
        let value = |byte: &u8| ALPHABET.iter().position(|known| known == byte).unwrap() as u32;
        let values: Vec<u32> = code.iter().map(value).collect();
        code.push(ALPHABET[check(&values) as usize]);
        String::from_utf8(code).unwrap()
    }

    #[test]
    fn codes_that_are_borne_are_taken() {
        // The first is made up, the others are borne by well-known enterprises.
        for text in
            [VALID, "91440300708461136T", "91330100799655058B", "914403001922038216", "91110000600037341L"]
        {
            match Uscc::parse(text) {
                Ok(code) => assert_eq!(code.to_string(), text),
                Err(why) => panic!("{text}: {why}"),
            }
        }
        assert_eq!(Uscc::parse("91350211m000100y46").unwrap().as_str(), VALID);
    }

    #[test]
    fn junk_is_refused() {
        for text in [
            "",
            "0",
            "91350211M000100Y4",
            "91350211M000100Y463",
            "91350211M000100Y46\n",
            " 91350211M000100Y46",
            "91350211M000100Y43",
            "91350211M000100Y36",
            "9135021IM000100Y46",
            "91350211M00O100Y46",
            "9135A211M000100Y46",
            "９１３５０２１１M000100Y46",
            "统一社会信用",
            "🏢🏢🏢🏢🏢",
            &"9".repeat(10_000),
        ] {
            assert!(Uscc::parse(text).is_err(), "{}", text.chars().take(30).collect::<String>());
        }
    }

    #[test]
    fn travels_as_a_string() {
        let code = Uscc::parse(VALID).unwrap();
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, format!("\"{VALID}\""));
        assert_eq!(serde_json::from_str::<Uscc>(&json).unwrap(), code);
        assert!(serde_json::from_str::<Uscc>("\"91350211M000100Y43\"").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*|[0-9A-Z]{18}") {
            if let Ok(code) = Uscc::parse(&text) {
                prop_assert_eq!(code.to_string(), text.to_ascii_uppercase());
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(
            head in "[1-9AN][1-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{8}", at in 0usize..18, to in 0usize..31,
        ) {
            let text = complete(&head);
            prop_assert_eq!(Uscc::parse(&text).unwrap().to_string(), text.clone());
            let mut wrong = text.clone().into_bytes();
            wrong[at] = ALPHABET[to];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(Uscc::parse(&wrong).is_ok(), wrong == text);
        }
    }
}
