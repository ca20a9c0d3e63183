//! The phrase that a holder sends from a number to prove control of it: eight
//! letters, 40 bits, in an alphabet without I, O, 0 and 1. It is read as
//! people write: in either case, full-width, divided, with or without the
//! service's name.
//!
//! Absent: which verification has which phrase (it is derived like a code).

use std::fmt;

const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LENGTH: usize = 8;
/// No text that anybody means is longer.
const TEXT_BYTES_MAX: usize = 512;
const SERVICE_WORD: &str = "ZHENGMING";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase([u8; LENGTH]);

impl Phrase {
    /// Five bits for a letter.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        let bits = bits.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
        let letter = |place: usize| LETTERS[(bits >> (5 * (LENGTH - 1 - place)) & 31) as usize];
        Self(std::array::from_fn(letter))
    }

    /// The phrase in a text that somebody sent. All that is neither a letter
    /// nor a digit divides or adorns, the name in Chinese included.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let narrow = text.chars().map(narrowed).filter(char::is_ascii_alphanumeric);
        let written: String = narrow.map(|letter| letter.to_ascii_uppercase()).collect();
        let written = written.strip_prefix(SERVICE_WORD).unwrap_or(&written).as_bytes();
        // An l in a small hand.
        let letters = written.iter().map(|letter| if b"1I".contains(letter) { b'L' } else { *letter });
        let letters: Vec<u8> = letters.collect();
        let known = letters.iter().all(|letter| LETTERS.contains(letter));
        known.then(|| letters.try_into().ok().map(Self))?
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// Full-width forms as their ASCII ones.
fn narrowed(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
        _ => letter,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_letter_has_its_bits() {
        assert_eq!(Phrase::from_bits([0; 5]).to_string(), "22222222");
        assert_eq!(Phrase::from_bits([0xff; 5]).to_string(), "ZZZZZZZZ");
        // 00000 00001 00010 … 00111
        let counted = [0b0000_0000, 0b0100_0100, 0b0011_0010, 0b0001_0100, 0b1100_0111];
        assert_eq!(Phrase::from_bits(counted).to_string(), "23456789");
    }

    #[test]
    fn it_is_read_as_people_write() {
        let phrase = Phrase::read("ABLD2345").unwrap();
        for text in [
            "正名 ABLD2345",
            "正名ABLD2345",
            "正名　ＡＢＬＤ２３４５",
            "【正名】abld-2345。",
            " a b l d\t2 3 4 5\r\n",
            "Zhengming AB1D2345",
            "zhengmingABID2345",
            "ab\u{200b}ld2345",
            "“ABLD 2345”谢谢",
        ] {
            assert_eq!(Phrase::read(text), Some(phrase), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let long = format!("ABLD2345{}", " ".repeat(TEXT_BYTES_MAX));
        for text in ["", "正名", "ABLD234", "ABLD23456", "ABLD2340", "OBLD2345", "TD", "退订", &long] {
            assert_eq!(Phrase::read(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_phrase_is_read_back(bits in any::<[u8; 5]>()) {
            let phrase = Phrase::from_bits(bits);
            prop_assert_eq!(Phrase::read(&format!("正名 {phrase}")), Some(phrase));
            prop_assert_eq!(Phrase::read(&format!("Zhengming {phrase}").to_lowercase()), Some(phrase));
        }

        #[test]
        fn every_text_is_read_or_passed_over(text in "\\PC*|[a-zA-Z0-9 ]{0,12}") {
            if let Some(phrase) = Phrase::read(&text) {
                prop_assert_eq!(Phrase::read(&phrase.to_string()), Some(phrase));
            }
        }
    }
}
