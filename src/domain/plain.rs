//! Characters by which a text reads otherwise than it is: such that turn the
//! direction of others, that nobody sees, or that pile up on one another.
//!
//! Absent: characters that merely look like others. Whoever compares names
//! does not rest on their looks (`name`).

/// Vietnamese puts two on a letter, phoneticians three or four.
const MARKS_IN_A_ROW_MAX: usize = 4;

/// Whether what follows is read the other way round, or on another line.
pub fn turns(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
    )
}

/// Whether it has no width. Joiners (U+200C, U+200D) and variation selectors
/// are not among them: emoji are made with them.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}'
    )
}

/// Whether marks pile up so high that they cover the lines above and below.
pub fn is_flooded(text: &str) -> bool {
    let mut in_a_row = 0;
    text.chars().any(|c| {
        in_a_row = if is_mark(c) { in_a_row + 1 } else { 0 };
        in_a_row > MARKS_IN_A_ROW_MAX
    })
}

/// One line that reads as it is.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || turns(c) || is_unseen(c)) && !is_flooded(text)
}

/// The blocks of combining marks that belong to no one script.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_and_what_is_unseen_are_known() {
        for c in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}'] {
            assert!(turns(c) && !is_unseen(c), "{c:?}");
        }
        for c in ['\u{200b}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{3164}'] {
            assert!(is_unseen(c) && !turns(c), "{c:?}");
        }
        for c in "老王 A1,。🍳\u{200d}\u{fe0f}\u{301}가".chars() {
            assert!(!turns(c) && !is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn marks_may_stand_on_letters_but_not_pile_up() {
        let marked = |marks: usize| format!("a{}b", "\u{301}".repeat(marks));
        assert!(!is_flooded("Việt Nam") && !is_flooded("e\u{302}\u{301}"));
        assert!(!is_flooded(&marked(MARKS_IN_A_ROW_MAX).repeat(50)));
        assert!(is_flooded(&marked(MARKS_IN_A_ROW_MAX + 1)));
    }
}
