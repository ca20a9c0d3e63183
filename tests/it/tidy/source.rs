//! Rust files as the rules see them: without comments and literals, and with
//! a mark on the lines that only tests compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

pub struct Source {
    /// From the top level, with `/`.
    pub path: String,
    /// The text with comments and the insides of literals turned into spaces.
    pub code: String,
    is_test: Vec<bool>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = without_comments_and_literals(text);
        let is_test = match path.starts_with("tests/") || code.contains("#![cfg(test)]") {
            true => vec![true; code.lines().count()],
            false => test_lines(&code),
        };
        Self { path: path.into(), code, is_test }
    }

    /// Every line with its number.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub fn is_test(&self, line: usize) -> bool {
        self.is_test.get(line - 1).copied().unwrap_or_default()
    }

    pub fn is_product(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// Files, without `.rs`, of modules that only tests compile.
    fn test_modules(&self) -> Vec<String> {
        static MODULE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:pub(?:\(.*\))? )?mod (\w+);"));
        let own = self.path.trim_end_matches(".rs");
        let folder = ["/mod", "/lib", "/main"].iter().find_map(|end| own.strip_suffix(end)).unwrap_or(own);
        self.lines()
            .filter(|(number, _)| self.is_test(*number))
            .filter_map(|(_, line)| MODULE.captures(line).map(|found| format!("{folder}/{}", &found[1])))
            .collect()
    }
}

/// All Rust files of `src` and `tests`.
pub fn in_repository() -> Vec<Source> {
    let root = super::root();
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        walk(&root.join(folder), &mut files);
    }
    let mut sources: Vec<Source> = files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| Source::new(&relative(root, file), &fs::read_to_string(file).expect("sources are UTF-8")))
        .collect();
    mark_test_modules(&mut sources);
    assert!(sources.len() > 20, "only {} sources found: the walk is broken", sources.len());
    sources
}

/// All files below, in the order of their names; build output left out.
pub fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder that opened can be read").path()).collect();
    entries.sort();
    for entry in entries {
        if !entry.is_dir() {
            files.push(entry);
        } else if !entry.ends_with("target") {
            walk(&entry, files);
        }
    }
}

pub fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).expect("it was found below the root").to_string_lossy().into_owned()
}

pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a literal")
}

fn mark_test_modules(sources: &mut [Source]) {
    let modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in sources {
        let is_below = |module: &String| {
            source
                .path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if modules.iter().any(is_below) {
            source.is_test.fill(true);
        }
    }
}

/// Marks what follows each `#[cfg(test)]`, to the brace or semicolon that
/// ends it in rustfmt's layout.
fn test_lines(code: &str) -> Vec<bool> {
    let lines: Vec<&str> = code.lines().collect();
    let mut is_test = vec![false; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() != "#[cfg(test)]" {
            at += 1;
            continue;
        }
        let end = end_of_item(&lines, at);
        is_test[at..=end].fill(true);
        at = end + 1;
    }
    is_test
}

/// The last line of the item that begins at this line.
pub fn end_of_item(lines: &[&str], start: usize) -> usize {
    let indent = indent(lines[start]);
    let last = lines.len() - 1;
    let Some(open) = (start..=last).find(|at| {
        let line = lines[*at].trim_end();
        line.ends_with('{') || line.ends_with(';') || line.ends_with('}')
    }) else {
        return last;
    };
    if !lines[open].trim_end().ends_with('{') {
        return open;
    }
    let closes =
        |line: &str| line[indent.len().min(line.len())..].starts_with('}') && line.starts_with(indent);
    (open + 1..=last).find(|at| closes(lines[*at])).unwrap_or(last)
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn without_comments_and_literals(text: &str) -> String {
    static SKIPPED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?sx)
            //[^\n]*
            | \b(?:b|c)?r(\#*)".*?"(?:\#*)      # raw; hashes compared below
            | "(?:\\.|[^"\\])*"
            | '(?:\\u\{[0-9a-fA-F_]+\}|\\x[0-9a-fA-F]{2}|\\.|[^'\\\n])'
            | /\*.*?\*/
            "#,
        )
    });
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = SKIPPED.captures(rest) {
        let start = found.get(0).expect("group 0 is the match").start();
        let mut end = found.get(0).expect("group 0 is the match").end();
        if let Some(hashes) = found.get(1) {
            // A raw literal ends at a quote with as many hashes as it began with.
            let close = format!("\"{}", hashes.as_str());
            let inside = hashes.end() + 1;
            end = rest[inside..].find(&close).map_or(rest.len(), |at| inside + at + close.len());
        }
        code.push_str(&rest[..start]);
        code.extend(rest[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    code + rest
}

#[test]
fn comments_and_literals_are_blank() {
    let text = r##"let a = "x // \" y"; // z
let b = r#"q " "# ; /* w
w */ let c = '"'; let d = '\''; fn e<'a>(f: &'a str) {} b"g" let h = 'i';"##;
    let code = without_comments_and_literals(text);
    assert_eq!(code.lines().count(), 3);
    let words: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = "let a = ; let b = ; let c = ; let d = ; fn e<'a>(f: &'a str) {} b let h = ;";
    assert_eq!(words, kept);
}

#[test]
fn lines_under_cfg_test_are_marked() {
    let text = "fn a() {}\n#[cfg(test)]\nmod b;\nfn c() {}\n\
        #[cfg(test)]\n#[allow(x)]\nmod d {\n    fn e() {\n    }\n}\nfn f() {}\n";
    let source = Source::new("src/env/mod.rs", text);
    let product: Vec<usize> = (1..=11).filter(|line| !source.is_test(*line)).collect();
    assert_eq!(product, [1, 4, 11]);
    assert_eq!(source.test_modules(), ["src/env/b"]);
    assert!(Source::new("tests/it/x.rs", "fn a() {}").is_test(1));
}

#[test]
fn files_of_test_modules_are_marked() {
    let mut sources = vec![
        Source::new("src/cli/config.rs", "#[cfg(test)]\nmod tests;\n"),
        Source::new("src/cli/config/tests.rs", "fn a() {}\n"),
        Source::new("src/cli/config/tests/more.rs", "fn a() {}\n"),
        Source::new("src/cli/config/testsuite.rs", "fn a() {}\n"),
    ];
    mark_test_modules(&mut sources);
    let marked: Vec<bool> = sources.iter().map(|source| source.is_test(1)).collect();
    assert_eq!(marked, [true, true, true, false]);
}
