//! The README in two languages: whoever reads one of them has read the other.

use std::path::Path;

/// What a text consists of, whatever its language.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// Of each heading its depth.
    chapters: Vec<usize>,
    /// Of each table its columns and rows.
    tables: Vec<(usize, usize)>,
    /// Blocks of code without their comments: those are translated.
    blocks: Vec<String>,
    pub pictures: Vec<String>,
}

pub fn shape(text: &str) -> Shape {
    let mut shape =
        Shape { chapters: Vec::new(), tables: Vec::new(), blocks: Vec::new(), pictures: Vec::new() };
    let (mut is_code, mut is_table) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            if is_code {
                shape.blocks.push(format!("{line}\n"));
            }
        } else if is_code {
            let code = line.split("  #").next().unwrap_or_default().trim_end();
            let block = shape.blocks.last_mut().expect("it began with its first line");
            if !code.is_empty() && !code.trim_start().starts_with('#') {
                *block += &format!("{code}\n");
            }
        } else if let Some(depth) =
            line.find(' ').filter(|depth| line[..*depth].bytes().all(|byte| byte == b'#'))
        {
            shape.chapters.extend((depth > 0).then_some(depth));
        }
        let is_row = !is_code && line.starts_with('|');
        if is_row && !is_table {
            shape.tables.push((cells(line), 0));
        }
        if is_row && let Some((_, rows)) = shape.tables.last_mut() {
            *rows += 1;
        }
        is_table = is_row;
        shape.pictures.extend(
            line.split("<img src=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
        );
    }
    shape
}

/// A bar within code is written `\|` in a table.
fn cells(row: &str) -> usize {
    row.replace("\\|", "").matches('|').count() - 1
}

/// What one has and the other has not, in words.
pub fn differences(ours: &Shape, theirs: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    if ours.chapters != theirs.chapters {
        found.push(format!("chapters: {:?}, {:?}", ours.chapters, theirs.chapters));
    }
    for (nth, (one, other)) in ours.tables.iter().zip(&theirs.tables).enumerate() {
        if one != other {
            found.push(format!("table {nth}: {one:?}, {other:?} (columns, lines)"));
        }
    }
    for (one, other) in ours.blocks.iter().zip(&theirs.blocks) {
        if one != other {
            found.push(format!("code:\n{one}---\n{other}"));
        }
    }
    if (ours.tables.len(), ours.blocks.len()) != (theirs.tables.len(), theirs.blocks.len()) {
        let of = |shape: &Shape| format!("{} tables, {} blocks", shape.tables.len(), shape.blocks.len());
        found.push(format!("{}; {}", of(ours), of(theirs)));
    }
    if ours.pictures != theirs.pictures {
        found.push(format!("pictures: {:?}, {:?}", ours.pictures, theirs.pictures));
    }
    found
}

/// A picture that is missing, or larger than anybody wants to load for a look.
pub fn bad_pictures(root: &Path, shape: &Shape) -> Vec<String> {
    const PICTURE_BYTES_MAX: usize = 250 * 1024;
    let bad = |path: &String| match std::fs::read(root.join(path)) {
        Ok(picture) if picture.starts_with(b"\x89PNG") && picture.len() <= PICTURE_BYTES_MAX => None,
        Ok(picture) => Some(format!("{path}: {} bytes, or no PNG", picture.len())),
        Err(error) => Some(format!("{path}: {error}")),
    };
    shape.pictures.iter().filter_map(bad).collect()
}

#[test]
fn what_differs_is_seen() {
    let text = "# A\n\n| a | `b\\|c` |\n|---|---|\n| d | e |\n\n## B\n\n```sh\nrun it   # a remark\n# another\n```\n\
        <img src=\"a.png\" width=\"1\">\n";
    let ours = shape(text);
    assert_eq!((&ours.chapters[..], &ours.tables[..]), (&[1, 2][..], &[(2, 3)][..]));
    assert_eq!(
        (&ours.blocks[..], &ours.pictures[..]),
        (&["```sh\nrun it\n".to_owned()][..], &["a.png".to_owned()][..])
    );
    assert!(differences(&ours, &shape(&text.replace("# a remark", "# 注释"))).is_empty());
    for (was, is) in [
        ("## B", "### B"),
        ("| d | e |\n", ""),
        ("run it", "run"),
        ("a.png", "b.png"),
        ("```sh\n", "```text\n"),
    ] {
        assert_eq!(differences(&ours, &shape(&text.replace(was, is))).len(), 1, "{was}");
    }
    assert_eq!(bad_pictures(Path::new("nowhere"), &ours).len(), 1);
}
