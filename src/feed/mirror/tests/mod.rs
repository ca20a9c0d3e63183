//! The mirror against a log in memory: whatever the log does, the file is that
//! of a moment of it.

pub mod fake;
mod follows;
mod grows;
mod killed;
mod wrong;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::domain::progress::Stage;
use crate::feed::render;
use fake::{Fake, verifier};

pub struct Quiet;

impl Progress for Quiet {
    fn at(&self, _: Phase, done: u64, total: u64) {
        assert!(done <= total, "{done} of {total}");
    }
}

const STEP: u64 = 600;

fn options(dir: &Path, format: Format) -> Options {
    Options {
        verifier: verifier(),
        dir: dir.to_owned(),
        format,
        stage: Stage::Serving,
        step_entries_max: STEP,
    }
}

fn mirror(fake: &Arc<Fake>, dir: &Path, format: Format) -> Mirror {
    Mirror::new(fake.clone(), options(dir, format), Arc::new(Quiet)).unwrap()
}

/// One round of a mirror that was started for it.
async fn once(fake: &Arc<Fake>, dir: &Path, format: Format) -> Result<Round, MirrorError> {
    mirror(fake, dir, format).catch_up().await
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// What apps read, in words that two files can be compared by.
fn read(dir: &Path, format: Format) -> String {
    let path = dir.join(format.file_name());
    if format != Format::Sqlite {
        return fs::read_to_string(path).unwrap();
    }
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT seq, '+' || number, void_before, name_action, name, name_until, reason, assurance, at \
               FROM corrections ORDER BY number";
    let mut statement = connection.prepare(sql).unwrap();
    let text = |row: &rusqlite::Row<'_>, column| match row.get_ref(column).unwrap() {
        rusqlite::types::ValueRef::Null => "-".to_owned(),
        rusqlite::types::ValueRef::Integer(integer) => integer.to_string(),
        value => value.as_str().unwrap().to_owned(),
    };
    let rows = statement
        .query_map([], |row| Ok((0..9).map(|column| text(row, column)).collect::<Vec<_>>().join("|") + "\n"));
    rows.unwrap().map(Result::unwrap).collect()
}

/// What they should read when the log has `size` entries.
fn expected(fake: &Fake, size: u64, format: Format) -> String {
    let fold = fake.fold(size);
    let entries: Vec<(u64, &[u8])> = fold.iter().map(|(seq, leaf)| (*seq, leaf.as_slice())).collect();
    match format {
        Format::Csv => String::from_utf8(render::csv(&entries).unwrap()).unwrap(),
        Format::Ndjson => String::from_utf8(render::ndjson(&entries).unwrap()).unwrap(),
        Format::Sqlite => entries.iter().map(|(seq, leaf)| row(*seq, leaf)).collect(),
    }
}

fn row(seq: u64, leaf: &[u8]) -> String {
    let entry: serde_json::Value = serde_json::from_slice(leaf).unwrap();
    let columns = ["number", "void_before", "name_action", "name", "name_until", "reason", "assurance", "at"];
    let columns = columns.map(|column| entry[column].as_str().unwrap_or("-").to_owned());
    format!("{seq}|{}\n", columns.join("|"))
}
