//! `zhengming mirror` against the service itself: killed at every moment that
//! can be told from outside, it has what it had or the next, and goes on.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::child::{Process, Server};
use super::house::{House, Keys, program};
use super::people::releases;
use super::wire::get;

const NUMBERS_PER_BATCH: u64 = 300;

/// When to kill: something has become visible in the mirror's folder.
type Moment = fn(&Path, u64) -> bool;

fn exists(name: &str) -> impl Fn(&Path) -> bool + '_ {
    move |dir| dir.join(name).exists()
}

/// At once; while rows are written; as soon as they are there, before or
/// while it is acknowledged; as soon as it is, before or while they are
/// brought into their places; while that is so.
const IN_SQLITE: &[Moment] = &[
    |_, _| true,
    |dir, _| exists("corrections.sqlite")(dir),
    |dir, _| exists("corrections.sqlite-journal")(dir),
    |dir, had| sqlite_size(dir).is_some_and(|size| size > had),
    |dir, had| sqlite_acked(dir).is_some_and(|size| size > had),
    |dir, had| sqlite_acked(dir).is_some_and(|size| size > had) && exists("corrections.sqlite-journal")(dir),
];

const IN_LINES: &[Moment] = &[
    |_, _| true,
    |dir, _| fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some()),
    |dir, _| next_exists(dir, "corrections."),
    |dir, _| next_exists(dir, "mirror-state."),
    |dir, had| line_count(dir).is_some_and(|count| count > had),
];

fn next_exists(dir: &Path, prefix: &str) -> bool {
    let Ok(files) = fs::read_dir(dir) else { return false };
    files.flatten().any(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.starts_with(prefix) && name.ends_with(".next")
    })
}

struct Town {
    house: House,
    server: Server,
    operator: String,
    provider: String,
    verifier: String,
    size: u64,
}

impl Town {
    fn new() -> Self {
        let house = House::new();
        let server = house.serve();
        let Keys { operator, provider } = house.issues(server.admin);
        house.keeps("provider.key", &provider);
        let verifier = get("/feed/v1/key").at(server.public).ok(200).body;
        let verifier = String::from_utf8(verifier).unwrap().trim_end().to_owned();
        Self { house, server, operator, provider, verifier, size: 0 }
    }

    /// Releases numbers of their own, so that as many are in force as there
    /// are entries.
    fn grow(&mut self) {
        let numbers = self.size..self.size + NUMBERS_PER_BATCH;
        // In no order.
        let numbers = numbers.map(|nth| format!("+86138{:08}", nth * 61_803_399 % 100_000_000));
        let push = releases(numbers, ["2025-01-01", "2025-06-01"]);
        let key = format!("batch-{}", self.size);
        let push = push.bearer(&self.operator).field("idempotency-key", &key).at(self.server.public);
        assert_eq!(push.ok(200).json()["corrections"], NUMBERS_PER_BATCH);
        self.size += NUMBERS_PER_BATCH;
        loop {
            let page = format!("/feed/v1/corrections?after={}&limit=1&wait=30", self.size - 1);
            let page = get(&page).bearer(&self.provider).at(self.server.public);
            // Not all of a batch is under one checkpoint.
            if page.status == 200 && page.field("zhengming-next").unwrap() == self.size.to_string() {
                return;
            }
        }
    }

    fn mirror(&self, format: &str) -> Process {
        let line = format!(
            "mirror --url http://{} --key-file provider.key --verifier {} --out {format} --format {format} --once",
            self.server.public, self.verifier
        );
        Process::start(program(self.house.path("").as_path(), &line), b"")
    }

    fn killed_at_every_moment(format: &str, moments: &[Moment], size_of: fn(&Path) -> Option<u64>) {
        let mut town = Self::new();
        let dir = town.house.path(format);
        for round in 0..2 {
            for moment in moments {
                town.grow();
                let had = size_of(&dir).unwrap_or(0);
                let mut mirror = Some(town.mirror(format));
                while !moment(&dir, had) && mirror.as_mut().is_some_and(Process::is_running) {
                    std::thread::yield_now();
                }
                mirror.take().unwrap().kill();
                let has = size_of(&dir).unwrap_or(0);
                assert!(
                    has == had || has == town.size,
                    "round {round}: {has} out of {had} and {}",
                    town.size
                );
            }
            town.mirror(format).ended().done();
            assert_eq!(size_of(&dir), Some(town.size));
        }
        let behind = town.mirror(format).ended().done();
        assert!(behind.contains(&format!("{} entries, 0 of them new, acknowledged", town.size)), "{behind}");
    }
}

/// How many entries the table comes from, and that it has them all.
fn sqlite_size(dir: &Path) -> Option<u64> {
    let path = dir.join("corrections.sqlite");
    let connection = path.exists().then(|| Connection::open(path).ok()).flatten()?;
    // All of it of one moment: the mirror may be writing.
    let connection = connection.unchecked_transaction().ok()?;
    let whole = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    let size =
        connection.query_row("SELECT value FROM meta WHERE key = 'size'", [], |row| row.get::<_, i64>(0));
    let size = size.ok()?;
    let rows = connection.query_row("SELECT count(*), max(seq) FROM corrections", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    assert_eq!((whole.ok()?.as_str(), rows.ok()?), ("ok", (size, size - 1)));
    u64::try_from(size).ok()
}

/// Without a look at anything else, to be quick.
fn sqlite_acked(dir: &Path) -> Option<u64> {
    let path = dir.join("corrections.sqlite");
    let connection = path.exists().then(|| Connection::open(path).ok()).flatten()?;
    let acked = "SELECT value FROM meta WHERE key = 'acked_size'";
    let acked = connection.query_row(acked, [], |row| row.get::<_, i64>(0)).ok()?;
    u64::try_from(acked).ok()
}

/// How many corrections the file has; ascending, and each of them whole.
fn line_count(dir: &Path) -> Option<u64> {
    if let Ok(table) = fs::read_to_string(dir.join("corrections.csv")) {
        assert!(table.ends_with('\n'));
        let numbers: Vec<&str> = table.lines().skip(1).map(|row| row.split(',').nth(1).unwrap()).collect();
        assert!(numbers.is_sorted() && table.lines().all(|row| row.split(',').count() == 10));
        return Some(numbers.len() as u64);
    }
    let lines = fs::read_to_string(dir.join("corrections.ndjson")).ok()?;
    assert!(lines.is_empty() || lines.ends_with('\n'));
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.is_sorted_by_key(|entry| entry["number"].as_str().unwrap().to_owned()));
    Some(entries.len() as u64)
}

#[test]
fn a_database_is_what_it_was_or_the_next() {
    Town::killed_at_every_moment("sqlite", IN_SQLITE, sqlite_size);
}

#[test]
fn a_table_is_what_it_was_or_the_next() {
    Town::killed_at_every_moment("csv", IN_LINES, line_count);
}

#[test]
fn lines_are_what_they_were_or_the_next() {
    Town::killed_at_every_moment("ndjson", IN_LINES, line_count);
}

#[test]
fn a_log_is_audited_from_outside() {
    let mut town = Town::new();
    town.grow();
    let verify = |more: &str| {
        let line =
            format!("feed verify --url http://{} --verifier {}{more}", town.server.public, town.verifier);
        Process::start(program(town.house.path("").as_path(), &line), b"").ended()
    };
    assert!(verify("").done().contains("300"));
    assert!(verify(" --key-file provider.key").done().contains("300"));
    let other = town.verifier.replacen("localhost", "localhast", 1);
    let line = format!("feed verify --url http://{} --verifier {other}", town.server.public);
    let wrong = Process::start(program(town.house.path("").as_path(), &line), b"").ended();
    assert_eq!(wrong.code, Some(2), "a key that was mixed up: {}", wrong.err);
}
