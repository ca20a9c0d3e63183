//! The description of the compact snapshot is enough to write a reader from:
//! one was, in another language, and reads what the encoder makes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What `tests/zms_reader.py` prints of a file of `fixtures/zms/`.
fn read(name: &str, more: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("fixtures/zms").join(name);
    let mut reader = Command::new("python3");
    reader.arg(root.join("tests/zms_reader.py")).arg(file).args(more);
    let output = reader.output().expect("python3 is installed: tests/all sees to it");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn plain(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zms").join(name);
    fs::read_to_string(path).unwrap()
}

#[test]
fn an_independent_reader_reads_every_vector() {
    for name in ["empty", "one", "names", "blocks"] {
        let same = read(&format!("{name}.zms"), &[]) == plain(&format!("{name}.ndjson"));
        assert!(same, "{name}: it reads something else");
    }
}

#[test]
fn it_finds_one_number_without_the_rest() {
    let all = plain("blocks.ndjson");
    let (head, lines) = all.split_once('\n').unwrap();
    let line = lines.lines().nth(1_500).unwrap();
    let digits = line.split(['+', '"']).find(|word| word.starts_with("861")).unwrap();
    assert_eq!(read("blocks.zms", &[digits]), format!("{head}\n{line}\n"));
    assert_eq!(read("blocks.zms", &["8612000000000"]), format!("{head}\n"));
}
