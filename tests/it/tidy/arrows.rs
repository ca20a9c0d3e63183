//! Which room may name which.

use std::sync::LazyLock;

use regex::Regex;

use super::source::{Source, pattern};

/// A room and what it may name beside itself and `domain`. Adapters of the
/// store are rooms of their own: who may name `store` may not name them.
const ARROWS: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("env", &[]),
    ("store", &["env"]),
    ("store::memory", &["store", "env"]),
    ("store::postgres", &["store", "env"]),
    ("store::sled", &["store", "env"]),
    ("casework", &["store", "env", "casework::ports"]),
    ("feed", &["store", "env"]),
    ("gateway", &["env", "casework::ports"]),
    ("http", &["casework", "casework::ports", "feed", "env"]),
    (
        "cli",
        &[
            "env",
            "store",
            "store::memory",
            "store::postgres",
            "store::sled",
            "casework",
            "casework::ports",
            "feed",
            "gateway",
            "http",
        ],
    ),
    ("main", &["cli"]),
];

/// Tests may name anything: they bring a store and a clock.
pub fn problems(source: &Source) -> Vec<String> {
    let Some(from) = room_of_file(&source.path) else { return Vec::new() };
    let Some((_, may_name)) = ARROWS.iter().find(|(room, _)| *room == from) else {
        return vec![format!("{}:1: src has no room {from}", source.path)];
    };
    let mut problems = Vec::new();
    for (line, name) in names(&source.code) {
        let to = room_of_name(&name);
        let is_allowed = to == from || (to == "domain" && from != "main") || may_name.contains(&to);
        if !is_allowed && !source.is_test(line) {
            problems.push(format!("{}:{line}: {from} may not name {name}", source.path));
        }
    }
    problems.dedup();
    problems
}

/// `lib.rs` only declares, and files outside `src` are in no room.
fn room_of_file(path: &str) -> Option<&str> {
    let path = path.strip_prefix("src/")?;
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let (room, rest) = path.split_once('/').unwrap_or((path, ""));
    let within = rest.split('/').next().unwrap_or_default();
    match (room, within) {
        ("lib", _) => None,
        ("store", "memory") => Some("store::memory"),
        ("store", "sled") => Some("store::sled"),
        _ => Some(room),
    }
}

fn room_of_name(name: &str) -> &str {
    // An exported macro has its name at the crate's root, whatever its room.
    if name == "by_method" {
        return "http";
    }
    for inner in ["store::memory", "store::sled", "casework::ports"] {
        if name.strip_prefix(inner).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")) {
            return inner;
        }
    }
    name.split("::").next().unwrap_or(name)
}

/// Every path from the crate's root with its line, groups taken apart:
/// `crate::{feed::Log, store}` names `feed::Log` and `store`.
fn names(code: &str) -> Vec<(usize, String)> {
    static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?:crate|zhengming)::|\b(?:super::)+(?:domain|env|store|casework|feed|gateway|http|cli)\b|\bstore::",
        )
    });
    let mut names = Vec::new();
    for begin in BEGINS.find_iter(code) {
        let line = 1 + code[..begin.start()].matches('\n').count();
        let from_root = !begin.as_str().starts_with("store");
        let start = match begin.as_str().strip_prefix("super::") {
            Some(path) => begin.end() - path.rsplit("::").next().unwrap_or(path).len(),
            None if from_root => begin.end(),
            None => begin.start(),
        };
        let mut paths = Vec::new();
        take_paths(&code[start..], "", &mut paths);
        // `store::` may be anybody's, unless an adapter follows.
        paths.retain(|path| from_root || room_of_name(path) != "store");
        names.extend(paths.into_iter().map(|path| (line, path)));
    }
    names
}

/// Reads one path, or a group of them in braces; says how many bytes it took.
fn take_paths(text: &str, prefix: &str, paths: &mut Vec<String>) -> usize {
    if text.starts_with('{') {
        let mut at = 1;
        while let Some(next) = text[at..].chars().next() {
            match next {
                '}' => return at + 1,
                c if is_word(c) || c == '*' || c == '{' => {
                    at += take_paths(&text[at..], prefix, paths);
                    // Past `as another_name`.
                    at += text[at..].find([',', '}']).unwrap_or(text.len() - at);
                }
                c => at += c.len_utf8(),
            }
        }
        return at;
    }
    let word = text.len() - text.trim_start_matches(is_word).len();
    let path = match (&text[..word], prefix) {
        ("self" | "", _) => prefix.to_owned(),
        (name, "") => name.to_owned(),
        (name, _) => format!("{prefix}::{name}"),
    };
    let rest = &text[word..];
    match rest.strip_prefix("::") {
        Some(next) if next.starts_with(|c| is_word(c) || c == '{') => {
            word + 2 + take_paths(next, &path, paths)
        }
        _ => {
            paths.push(path);
            // At least one, for a `*`.
            word.max(1).min(text.len())
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(path: &str, text: &str) -> Vec<String> {
        problems(&Source::new(path, text))
    }

    #[test]
    fn groups_are_taken_apart() {
        let text =
            "use crate::{a::B, c::{self, d as e, f::*}, g};\nlet x = crate::h::i::<u8>();\ncrate::j!();";
        let found: Vec<String> =
            names(text).into_iter().map(|(line, name)| format!("{line} {name}")).collect();
        assert_eq!(found, ["1 a::B", "1 c", "1 c::d", "1 c::f", "1 g", "2 h::i", "3 j"]);
    }

    #[test]
    fn wrong_arrows_are_seen() {
        for (path, text) in [
            ("src/domain/x.rs", "use crate::env::clock::Clock;"),
            ("src/domain/mod.rs", "use super::store;"),
            ("src/env/x.rs", "use crate::{domain::id, store::Store};"),
            ("src/store/mod.rs", "use crate::store::sled::SledStore;"),
            ("src/store/sled/x.rs", "use crate::store::memory::Memory;"),
            ("src/store/sled.rs", "use crate::casework::ports::Sms;"),
            ("src/casework/x.rs", "use crate::store::{Store, memory::Memory};"),
            ("src/casework/x.rs", "fn a() { store::sled::open() }"),
            ("src/casework/x.rs", "use crate::http::problem;"),
            ("src/feed/x.rs", "use crate::casework::file;"),
            ("src/gateway/x.rs", "use crate::casework::file;"),
            ("src/gateway/x.rs", "use crate::casework::{ports::Sms, worker};"),
            ("src/gateway/x.rs", "use crate::store::Store;"),
            ("src/http/x.rs", "fn a(store: &dyn crate::store::Store) {}"),
            ("src/casework/x.rs", "use crate::by_method;"),
            ("src/http/x.rs", "use crate::{\n    casework::file,\n    cli,\n};"),
            ("src/http/console/x.rs", "use super::super::gateway;"),
            ("src/main.rs", "use zhengming::http;"),
            ("src/attic/x.rs", ""),
        ] {
            assert_eq!(problems_of(path, text).len(), 1, "{path}: {text}");
        }
        let said = problems_of("src/http/x.rs", "\nuse crate::store::sled::SledStore;");
        assert_eq!(said, ["src/http/x.rs:2: http may not name store::sled::SledStore"]);
    }

    #[test]
    fn right_arrows_pass() {
        for (path, text) in [
            ("src/domain/x.rs", "use crate::domain::{id, number::Number};"),
            ("src/store/sled/x.rs", "use crate::{domain::id, store::{Changeset, Store}, env::clock};"),
            ("src/store/sled/x.rs", "use crate::store::sled::keys;"),
            ("src/casework/x.rs", "use crate::{store::Store, env::clock::Clock, casework::ports::Sms};"),
            ("src/gateway/x.rs", "use crate::casework::ports::{Sms, Operator};"),
            ("src/http/x.rs", "use crate::{casework::file, feed::tiles, http::problem};"),
            ("src/cli/x.rs", "use crate::{http, store::{memory, sled}, gateway};"),
            ("src/main.rs", "use zhengming::cli;"),
            ("src/lib.rs", "pub mod http;"),
            ("src/http/x.rs", "use crate::by_method;"),
            ("src/http/x.rs", "// crate::gateway\nlet a = \"crate::gateway\";"),
            ("src/http/x.rs", "#[cfg(test)]\nmod tests {\n    use crate::store::memory::Memory;\n}"),
            ("tests/it/x.rs", "use zhengming::store::sled;"),
        ] {
            assert_eq!(problems_of(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}
