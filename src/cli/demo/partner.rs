//! What a provider runs: the mirror, each into a file of its own kind.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::cli::Failed;
use crate::cli::mirror::failed;
use crate::domain::progress::Stage;
use crate::feed::mirror::{Format, HttpSource, Mirror, Options, Phase, Progress, Round};
use crate::feed::note::NoteVerifier;

/// How each provider likes its corrections.
pub const FORMATS: [(&str, Format); 5] = [
    ("tencent", Format::Sqlite),
    ("baidu", Format::Csv),
    ("dianhuabang", Format::Ndjson),
    ("harmonyos", Format::Sqlite),
    ("qihoo360", Format::Csv),
];

pub struct Partner {
    dir: PathBuf,
    format: Format,
}

/// The demo is over before a bar would be drawn.
struct Quiet;

impl Progress for Quiet {
    fn at(&self, _: Phase, _: u64, _: u64) {}
}

impl Partner {
    pub fn new(dir: PathBuf, format: Format) -> Self {
        Self { dir, format }
    }

    /// Verifies all that is new, takes it into the file, and says so.
    pub async fn catch_up(&self, base: &str, key: &str, verifier: NoteVerifier) -> Result<Round, Failed> {
        let source = HttpSource::new(base, Some(key)).map_err(|error| Failed::new("the mirror", &error))?;
        let options = Options {
            verifier,
            dir: self.dir.clone(),
            format: self.format,
            stage: Stage::Serving,
            step_entries_max: Options::STEP_ENTRIES_MAX,
        };
        let mirror = Mirror::new(Arc::new(source), options, Arc::new(Quiet)).map_err(failed)?;
        mirror.catch_up().await.map_err(failed)
    }

    pub fn file_name(&self) -> &'static str {
        self.format.file_name()
    }

    /// What the provider's apps find for a number, such as `+8613800138000`.
    pub fn void_before(&self, number: &str) -> Result<Option<String>, Failed> {
        let path = self.dir.join(self.format.file_name());
        let read = |path: &PathBuf| {
            fs::read_to_string(path).map_err(|error| Failed::new(&path.display().to_string(), &error))
        };
        match self.format {
            Format::Sqlite => {
                let digits: Option<i64> = number.trim_start_matches('+').parse().ok();
                let found = Connection::open(&path).and_then(|connection| {
                    let query = "SELECT void_before FROM corrections WHERE number = ?1";
                    connection.query_row(query, [digits], |row| row.get(0)).optional()
                });
                found.map(Option::flatten).map_err(|error| Failed::new("the mirror's database", &error))
            }
            Format::Csv => {
                let table = read(&path)?;
                let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
                let row = rows.find(|row| row.get(1) == Some(&number));
                Ok(row.and_then(|row| row.get(2).map(|day| (*day).to_owned())))
            }
            Format::Ndjson => {
                let lines = read(&path)?;
                let mut lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                let line = lines.find(|line| line["number"] == number);
                Ok(line.and_then(|line| line["void_before"].as_str().map(str::to_owned)))
            }
        }
    }
}
