//! What the console says of its own accord.

use crate::http::words::Words;

/// What was done, by the word in the address that one was sent on to.
pub(super) fn done(word: &str) -> Option<Words> {
    Some(match word {
        "logged_out" => Words { zh: "您已退出。", en: "You are logged out." },
        _ => return None,
    })
}
