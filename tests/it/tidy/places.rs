//! What lies where, and that no file speaks of the machine it was written on.

use std::fs;
use std::path::Path;

use super::source::{pattern, relative, walk};

const TOP_LEVEL: [&str; 16] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "data",
    "tests",
    "fixtures",
    "README.md",
    "README.zh.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "rustfmt.toml",
    "deny.toml",
    "clippy.toml",
    "askama.toml",
    // Written by the build and by a run; not committed.
    "target",
];

/// Also not committed: what a run without configuration leaves.
const DATA_DIR: &str = "zhengming-data";

pub fn top_level(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).expect("the repository can be read");
    entries
        .map(|entry| {
            entry.expect("a folder that opened can be read").file_name().to_string_lossy().into_owned()
        })
        .collect()
}

pub fn top_level_problems(names: &[String]) -> Vec<String> {
    let belongs = |name: &str| name.starts_with('.') || name == DATA_DIR || TOP_LEVEL.contains(&name);
    names
        .iter()
        .filter(|name| !belongs(name))
        .map(|name| format!("{name}:1: has no place at the top level"))
        .collect()
}

/// Everything that is text, by its path; build output and git's own left out.
pub fn texts(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for name in top_level(root).iter().filter(|name| ![".git", "target", DATA_DIR].contains(&name.as_str())) {
        let path = root.join(name);
        if path.is_dir() { walk(&path, &mut files) } else { files.push(path) }
    }
    let texts: Vec<(String, String)> = files
        .iter()
        .filter_map(|file| Some((relative(root, file), fs::read_to_string(file).ok()?)))
        .collect();
    assert!(texts.len() > 20, "only {} texts found: the walk is broken", texts.len());
    texts
}

/// Folders of a machine, and notes that are not part of the product.
pub fn machine_problems(path: &str, text: &str) -> Vec<String> {
    // Taken apart, so that this file passes its own rule.
    let folders = ["wo", "rk/|/ho", "me/|/ro", "ot/"].concat();
    let notes = ["sha", "red/|DESI", "GN\\.md|CONTR", "ACT\\.md"].concat();
    let pattern = pattern(&format!(r"(?:^|[^\w.-])(?:/{folders})|\b(?:{notes})"));
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| {
            let found = pattern.find(line)?.as_str();
            Some(format!("{path}:{}: {found} is not part of the product", at + 1))
        })
        .collect()
}

/// Paths that a text names and that are not there: between backquotes, from the
/// top level or below `tests/it`.
pub fn missing_places(root: &Path, path: &str, text: &str) -> Vec<String> {
    let named = pattern(r"`([a-z_]+(?:/[a-z_{}.,-]+)+|[a-z_]+\.rs)`");
    let is_there = |name: &str| root.join(name).exists() || root.join("tests/it").join(name).exists();
    let is_ours = |name: &str| {
        ["src/", "tests/", "data/", "fixtures/"].iter().any(|top| name.starts_with(top))
            || name.ends_with(".rs")
    };
    text.lines()
        .enumerate()
        .flat_map(|(at, line)| named.captures_iter(line).map(move |found| (at, found[1].to_owned())))
        .filter(|(_, name)| is_ours(name) && !name.contains(['{', ',']) && !is_there(name))
        .map(|(at, name)| format!("{path}:{}: {name} is not there", at + 1))
        .collect()
}

#[test]
fn a_missing_place_is_seen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "see `tests/it/nothing.rs` and `tidy/places.rs`,\n`src/nowhere`, `feed_http.rs`, `never.rs`";
    assert_eq!(
        missing_places(root, "a.md", text),
        [
            "a.md:1: tests/it/nothing.rs is not there",
            "a.md:2: src/nowhere is not there",
            "a.md:2: never.rs is not there"
        ]
    );
}

#[test]
fn a_stray_file_is_seen() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(top_level_problems(&names(&["src", ".ci", "Cargo.toml", "target"])).is_empty());
    let said = top_level_problems(&names(&["src", "notes.txt"]));
    assert_eq!(said, ["notes.txt:1: has no place at the top level"]);
}

#[test]
fn a_machines_folder_is_seen() {
    for (left, right) in
        [("/wo", "rk/main"), ("/ho", "me/me"), ("/ro", "ot/.cargo"), ("sha", "red/x"), ("see DESI", "GN.md")]
    {
        let line = format!("a\nb = \"{left}{right}\"");
        let said = machine_problems("src/x.rs", &line);
        assert_eq!(said.len(), 1, "{line}");
        assert!(said[0].starts_with("src/x.rs:2: "), "{said:?}");
    }
    for fine in ["a frame/work/bench", "https://example.org/home/x", "an unshared/x", "~/x"] {
        assert_eq!(machine_problems("src/x.rs", fine), Vec::<String>::new());
    }
}
