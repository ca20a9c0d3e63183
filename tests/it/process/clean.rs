//! What no process of the program may write to its log, whatever test started
//! it: numbers, keys and tokens, codes that were sent. `logs` looks for more,
//! where it is known what there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use regex::Regex;

/// Those that were sent, by the folder of the house that sent them.
static CODES: Mutex<BTreeMap<PathBuf, Vec<String>>> = Mutex::new(BTreeMap::new());

/// In lines whose own times are taken out.
static FORBIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    let mobile = r"(?:^|[^0-9A-Za-z.-])(?:\+?86)?1[3-9][0-9]{9}(?:[^0-9A-Za-z]|$)";
    let any_number = r"\+86[0-9]{5,}";
    let token = r"\b(?:zm[a-z]_|whsec_)[A-Za-z0-9_+/-]{16,}";
    let credential = r"(?i)\bbearer [a-z0-9]|otpauth://";
    Regex::new(&[mobile, any_number, token, credential].join("|")).unwrap()
});

static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z").unwrap());

pub fn was_sent(folder: &Path, code: String) {
    CODES.lock().unwrap().entry(folder.to_owned()).or_default().push(code);
}

/// What is wrong with a line that a process in this folder wrote.
pub fn unclean(folder: &Path, line: &str) -> Option<String> {
    if line.starts_with("zhengming: ") {
        // No log: the last words of a command to whoever typed it.
        return None;
    }
    let line = TIME.replace_all(line, "");
    if let Some(found) = FORBIDDEN.find(&line) {
        return Some(found.as_str().to_owned());
    }
    let codes = CODES.lock().unwrap();
    let words = line.split(|c: char| !c.is_alphanumeric());
    let mut found =
        words.filter(|word| codes.get(folder).is_some_and(|codes| codes.iter().any(|code| code == word)));
    found.next().map(str::to_owned)
}

#[test]
fn each_kind_of_secret_is_seen() {
    let folder = Path::new("a house");
    was_sent(folder, "204816".to_owned());
    for line in [
        "filed number=13800138001",
        "filed number=+8613800138001 at last",
        "8613800138001",
        "filed for +861062345678",
        "a key zmp_AAAAAAAAAAAAAAAAAAAAAAAAA",
        r#"{"secret":"whsec_AAAAAAAAAAAAAAAAAAAAA="}"#,
        "authorization: Bearer abc",
        "otpauth://totp/a",
        "sent code=204816",
    ] {
        assert!(unclean(folder, line).is_some(), "{line}");
    }
    for line in [
        "2026-11-30T12:00:00.204816Z INFO answered request_id=0c7e2a60-2b1f-4c51-9d4e-138001380012",
        "size=20481613800138001234 path=/v1/labels/{} bytes=204817",
        "key issued prefix=zmp_",
        "zhengming: the running service said 400 Bad Request: unknown column \"+8613800138001\"",
    ] {
        assert_eq!(unclean(folder, line), None, "{line}");
    }
    assert_eq!(unclean(Path::new("another house"), "sent code=204816"), None);
}
