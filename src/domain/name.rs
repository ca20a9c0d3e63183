//! Names that are shown for a number: which texts can be one, and when two
//! of them are the same to a reader.
//!
//! Absent: whether a name is the subscriber's. An operator's answer says that.

use super::plain::{is_flooded, is_unseen, turns};

/// Longest name, in characters; a feed entry holds one of these.
pub const NAME_CHARS_MAX: usize = 120;

/// A name without the space around it.
pub fn parse_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err("it has more than 120 characters");
    }
    if name.chars().any(|c| c.is_control() || turns(c) || is_unseen(c)) {
        return Err("it has control characters, or such that turn the direction of text or are not seen");
    }
    if is_flooded(name) {
        return Err("it has too many marks on one letter");
    }
    Ok(name.to_owned())
}

/// A name that is to be published. The feed as CSV is opened by spreadsheets
/// too, which compute what begins like this, in full width as well.
pub fn parse_shown_name(text: &str) -> Result<String, &'static str> {
    let name = parse_name(text)?;
    if name.starts_with(|c| "=+-@".contains(half_width(c))) {
        return Err("it begins like a formula");
    }
    Ok(name)
}

/// Whether two names are the same but for width, case, spaces, punctuation
/// and the words for an enterprise's legal form.
pub fn names_agree(a: &str, b: &str) -> bool {
    let (folded_a, folded_b) = (folded(a), folded(b));
    if folded_a.is_empty() && folded_b.is_empty() {
        // Signs only: nothing is left but to take them as they are.
        return a.trim() == b.trim();
    }
    let (core_a, core_b) = (core(&folded_a), core(&folded_b));
    folded_a == folded_b || (core_a == core_b && !core_a.is_empty())
}

/// What is left of a text to compare it by: letters and digits, half as wide
/// and small.
pub(super) fn folded(text: &str) -> String {
    text.chars().map(half_width).flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// A folded name without the legal form at its end.
fn core(mut name: &str) -> &str {
    const FORMS: [&str; 10] = [
        "股份有限公司",
        "有限责任公司",
        "集团有限公司",
        "有限公司",
        "股份公司",
        "总公司",
        "公司",
        "集团",
        "控股",
        "个体工商户",
    ];
    while let Some(shorter) = FORMS.iter().find_map(|form| name.strip_suffix(form)) {
        name = shorter;
    }
    name
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(c as u32 - 0xfee0).expect("the block mirrors ASCII 0x21 to 0x7e")
        }
        c => c,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_trimmed_and_kept() {
        assert_eq!(parse_name("  老王烧烤(总店)　\n").unwrap(), "老王烧烤(总店)");
        assert_eq!(parse_name("O'Neill \"Bar\" \\ 🍺").unwrap(), "O'Neill \"Bar\" \\ 🍺");
        assert_eq!(parse_name("👨\u{200d}🍳小吃").unwrap(), "👨\u{200d}🍳小吃");
        assert!(parse_name(&"名".repeat(120)).is_ok());
    }

    #[test]
    fn junk_is_no_name() {
        for text in [
            "",
            " \u{3000}\n",
            "老王\n烧烤",
            "老王\0烧烤",
            "老王\u{7f}",
            "老王\u{85}烧烤",
            "\u{202e}烤烧王老",
            "老王\u{2066}烧烤",
            "老王\u{200b}烧烤",
            "老王\u{feff}烧烤",
            "老王\u{2028}烧烤",
            "老王\u{e0041}烧烤",
            "老\u{300}\u{301}\u{302}\u{303}\u{304}王",
            &"名".repeat(121),
            &"x".repeat(10_000),
        ] {
            assert!(parse_name(text).is_err(), "{:?}", text.chars().take(20).collect::<String>());
        }
    }

    #[test]
    fn a_name_that_is_published_is_no_formula() {
        for text in ["=1+1", "+86", "-1", "@SUM(A1)", "＝1", "＠a", " \t=1"] {
            assert!(parse_name(text).is_ok() && parse_shown_name(text).is_err(), "{text}");
        }
        for text in ["老王烧烤", "A+B=C", "(某某)公司", "【某某】"] {
            assert_eq!(parse_shown_name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn names_agree_but_for_how_they_are_written() {
        for (a, b) in [
            ("老王烧烤", "老王烧烤"),
            ("ＫＦＣ　宅急送", "kfc宅急送"),
            ("厦门某某科技有限公司", "厦门某某科技"),
            ("厦门某某科技有限责任公司", "厦门某某科技股份有限公司"),
            ("某某集团有限公司", "某某"),
            ("某某(集团)股份有限公司", "某某集团"),
            ("某某（厦门）有限公司", "某某厦门"),
            ("A.B.C. 咖啡", "abc咖啡"),
            ("【某某】外卖", "某某外卖"),
            ("某某小吃店（个体工商户）", "某某小吃店"),
            ("有限公司", "有限公司"),
            ("🍺", " 🍺"),
        ] {
            assert!(names_agree(a, b) && names_agree(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("老王烧烤", "老李烧烤"),
            ("厦门某某科技有限公司", "福州某某科技有限公司"),
            ("某某科技有限公司厦门分公司", "某某科技有限公司"),
            ("有限公司", "集团"),
            ("！！！", "？？？"),
            ("老王烧烤", ""),
        ] {
            assert!(!names_agree(a, b) && !names_agree(b, a), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_refused(text in any::<String>()) {
            if let Ok(name) = parse_name(&text) {
                prop_assert_eq!(parse_name(&name).unwrap(), name.clone());
                prop_assert_eq!(text.trim(), &name);
                prop_assert!(names_agree(&name, &name));
            }
        }

        #[test]
        fn agreeing_is_mutual(a in "[某老王A（）() 有限公司集团]{0,8}", b in "[某老王a（）() 有限公司集团]{0,8}") {
            prop_assert_eq!(names_agree(&a, &b), names_agree(&b, &a));
        }
    }
}
