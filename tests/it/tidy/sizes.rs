//! Files and functions stay short.

use std::sync::LazyLock;

use regex::Regex;

use super::source::{Source, end_of_item, pattern};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

pub fn problems(source: &Source) -> Vec<String> {
    long_file(source).into_iter().chain(long_functions(source)).collect()
}

fn long_file(source: &Source) -> Option<String> {
    let lines = source.code.lines().count();
    (lines > FILE_LINES_MAX)
        .then(|| format!("{}:{lines}: a file has at most {FILE_LINES_MAX} lines: split it", source.path))
}

fn long_functions(source: &Source) -> Vec<String> {
    static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\s*(?:pub(?:\([^)]*\))? )?(?:default )?(?:const )?(?:async )?(?:unsafe )?(?:extern )?fn (\w+)",
        )
    });
    let lines: Vec<&str> = source.code.lines().collect();
    let mut problems = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(found) = FUNCTION.captures(line) else { continue };
        let length = end_of_item(&lines, at) - at + 1;
        if length > FUNCTION_LINES_MAX {
            let (path, name, number) = (&source.path, &found[1], at + 1);
            problems.push(format!(
                "{path}:{number}: {name} has {length} lines, a function at most {FUNCTION_LINES_MAX}"
            ));
        }
    }
    problems
}

#[test]
fn a_long_file_is_seen() {
    let source = |lines: usize| Source::new("src/env/x.rs", &"// a\n".repeat(lines));
    assert!(problems(&source(400)).is_empty());
    assert_eq!(problems(&source(401)), ["src/env/x.rs:401: a file has at most 400 lines: split it"]);
}

#[test]
fn a_long_function_is_seen_wherever_it_stands() {
    let source = |head: &str, indent: &str, lines: usize| {
        let body = format!("{indent}    a();\n").repeat(lines - 2);
        Source::new("src/env/x.rs", &format!("\n{indent}{head} {{\n{body}{indent}}}\n\nfn b() {{}}\n"))
    };
    for head in ["fn a()", "pub fn a()", "pub(super) async fn a()", "const fn a()"] {
        for indent in ["", "    ", "        "] {
            assert!(problems(&source(head, indent, 70)).is_empty(), "{head}");
            let said = problems(&source(head, indent, 71));
            assert_eq!(said, ["src/env/x.rs:2: a has 71 lines, a function at most 70"], "{head}");
        }
    }
}

#[test]
fn signatures_count_and_declarations_do_not() {
    let body = "    a();\n".repeat(67);
    let long = format!("fn a(\n    b: u8,\n) -> u8 {{\n{body}}}\n");
    assert_eq!(problems(&Source::new("src/env/x.rs", &long)).len(), 1);
    let declared =
        format!("trait A {{\n    fn a(\n        &self,\n    );\n{}}}\n", "    fn b();\n".repeat(80));
    assert!(problems(&Source::new("src/env/x.rs", &declared)).is_empty());
}
