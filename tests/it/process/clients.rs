//! The examples of a provider's integration, each run as it stands against the
//! program: from nothing, again with nothing new, and after a correction was
//! superseded and another one taken back.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use super::accounts::totp;
use super::child::{Ended, Process, Server};
use super::house::{House, Keys, keep};
use super::people::{PASSWORD, releases};
use super::wire::{get, post};
use crate::support::postgres::new_database;

/// Corrected once; twice; taken back.
const ONCE: &str = "+8613800138000";
const TWICE: &str = "+8613800138001";
const TAKEN_BACK: &str = "+8613800138002";

/// A service, and a provider with a folder of its own.
struct Stage {
    house: House,
    server: Server,
    operator: String,
    key: String,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let house = House::new();
        let server = house.serve();
        let Keys { operator, provider: key } = house.issues(server.admin);
        let folder = tempfile::tempdir().unwrap();
        keep(&folder.path().join("provider.key"), &format!("{key}\n"), 0o600);
        Self { house, server, operator, key, folder }
    }

    /// The number changes hands; there are so many entries then.
    fn released(&self, number: &str, on: [&str; 2], entries: u64) {
        let push = releases([number.to_owned()], on).bearer(&self.operator);
        assert_eq!(push.at(self.server.public).ok(200).json()["corrections"], 1, "{number}");
        self.published(entries);
    }

    fn published(&self, entries: u64) {
        let wait = format!("/feed/v1/corrections?after={}&wait=30", entries - 1);
        get(&wait).bearer(&self.key).at(self.server.public).ok(200);
    }

    /// Two people take it back.
    fn reverted(&self, seq: u64, entries: u64) {
        for (name, status) in [("li-lei", 202), ("han-meimei", 200)] {
            let add = format!("moderator add {name} --role admin --password-stdin");
            let uri = self.house.run_beside(self.server.admin, &add, PASSWORD).done();
            let log_in = json!({ "name": name, "password": PASSWORD, "totp": totp(&uri, 0) });
            let token = post("/v1/moderation/session", &log_in).at(self.server.public).ok(200).text("token");
            let path = format!("/v1/moderation/corrections/{seq}/revert");
            post(&path, &json!({ "reason": "wrong number" }))
                .bearer(&token)
                .at(self.server.public)
                .ok(status);
        }
        self.published(entries);
    }

    fn tells_three(&self) {
        self.released(ONCE, ["2024-01-01", "2024-06-01"], 1);
        self.released(TWICE, ["2023-01-01", "2023-06-01"], 2);
        self.released(TAKEN_BACK, ["2024-01-01", "2024-06-01"], 3);
    }

    /// So that who begins with one finds all of these in it.
    fn has_a_snapshot_of(&self, entries: u64) {
        let newest = get("/feed/v1/snapshot").bearer(&self.key).field("accept", "text/csv");
        let of_these = Some(format!("/feed/v1/snapshots/{entries}.csv"));
        let is_there = |_| newest.at(self.server.public).field("location").map(str::to_owned) == of_these;
        assert!((0..20_000).any(is_there), "it is never made");
    }

    fn tells_two_more(&self) {
        self.released(TWICE, ["2025-01-01", "2025-06-01"], 4);
        self.reverted(2, 5);
    }

    /// The example, with the service's address, the key's file and where to.
    fn runs(&self, example: &str, to: &str) -> Ended {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients");
        let mut command = Command::new(examples.join(example));
        command.arg(format!("http://{}/", self.server.public)).args(["provider.key", to]);
        Process::start(command_in(command, self.folder.path()), b"").ended()
    }

    /// How many entries the provider has said that it serves: what its lag is
    /// counted from.
    fn serves(&self) -> u64 {
        let metrics = get("/metrics").at(self.server.admin).ok(200).body;
        let metrics = String::from_utf8(metrics).unwrap();
        let value = |name: &str| -> u64 {
            let line =
                metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{metrics}"));
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        value("zhengming_feed_entries") - value("zhengming_provider_lag_entries{provider=\"tencent\"}")
    }

    /// All of the story; `held` reads numbers and dates out of what it keeps.
    fn integrates(&self, example: &str, to: &str, held: impl Fn() -> Vec<(String, String)>) {
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(number, day)| ((*number).to_owned(), (*day).to_owned())).collect()
        };
        self.tells_three();
        self.has_a_snapshot_of(3);
        assert_eq!(self.runs(example, to).done(), "3 new, 3 in all\n");
        let first = [(ONCE, "2024-06-01"), (TWICE, "2023-06-01"), (TAKEN_BACK, "2024-06-01")];
        assert_eq!(held(), of(&first));
        assert_eq!(self.serves(), 3);
        assert_eq!(self.runs(example, to).done(), "0 new, 3 in all\n");
        assert_eq!(held(), of(&first));

        self.tells_two_more();
        assert_eq!(self.serves(), 3, "nothing is said before it is there");
        assert_eq!(self.runs(example, to).done(), "2 new, 5 in all\n");
        assert_eq!(held(), of(&[(ONCE, "2024-06-01"), (TWICE, "2025-06-01")]));
        assert_eq!(self.serves(), 5);

        // With a key that is none, nothing changes.
        keep(&self.folder.path().join("provider.key"), "zmp_none", 0o600);
        self.released("+8613800138003", ["2024-01-01", "2024-06-01"], 6);
        let refused = self.runs(example, to);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert_eq!(held().len(), 2);
    }
}

fn command_in(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder);
    command
}

#[test]
fn in_python() {
    let stage = Stage::new();
    let file = stage.folder.path().join("labels.sqlite");
    stage.integrates("provider.py", "labels.sqlite", || {
        let database = rusqlite::Connection::open(&file).unwrap();
        let mut rows =
            database.prepare("SELECT number, void_before FROM corrections ORDER BY number").unwrap();
        let rows = rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    });
}

#[test]
fn in_python_entries_that_do_not_give_the_root_are_not_taken() {
    let stage = Stage::new();
    stage.tells_three();
    stage.runs("provider.py", "labels.sqlite").done();
    let database = rusqlite::Connection::open(stage.folder.path().join("labels.sqlite")).unwrap();
    // As if another entry had come at some time.
    database.execute("UPDATE cursor SET roots = zeroblob(64)", ()).unwrap();
    stage.tells_two_more();
    let said = stage.runs("provider.py", "labels.sqlite").failed();
    assert!(said.contains("the entries do not give the root of the checkpoint of size 5"), "{said}");
    let size: i64 = database.query_row("SELECT size FROM cursor", (), |row| row.get(0)).unwrap();
    assert_eq!((size, stage.serves()), (3, 3));
}

#[test]
fn in_a_shell() {
    let stage = Stage::new();
    let file = stage.folder.path().join("labels/current/corrections.json");
    stage.integrates("provider.sh", "labels", || {
        let held: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let held = held.as_object().unwrap().iter();
        let mut held: Vec<_> = held
            .map(|(number, entry)| (number.clone(), entry["void_before"].as_str().unwrap().to_owned()))
            .collect();
        held.sort();
        held
    });
}

#[test]
fn by_copy_into_postgresql() {
    let stage = Stage::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(new_database());
    let held = async || {
        let (client, connection) = tokio_postgres::connect(&database, NoTls).await.unwrap();
        tokio::spawn(connection);
        let rows = "SELECT number, void_before::text FROM provider.corrections ORDER BY number";
        let rows = client.query(rows, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    // Beside our own tables, which the tests' databases are made with.
    let own = format!("{database}?options=-csearch_path%3Dprovider");
    let make = async || {
        let (client, connection) = tokio_postgres::connect(&database, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("CREATE SCHEMA provider").await.unwrap();
    };
    runtime.block_on(make());
    stage.integrates("import.sh", &own, || runtime.block_on(held()));
}

#[test]
fn a_log_that_has_shrunk_is_not_gone_on_with() {
    let stage = Stage::new();
    stage.tells_three();
    for (example, to) in [("provider.py", "labels.sqlite"), ("provider.sh", "labels")] {
        stage.runs(example, to).done();
    }
    let other = Stage::new();
    other.released(ONCE, ["2024-01-01", "2024-06-01"], 1);
    fs::copy(other.folder.path().join("provider.key"), stage.folder.path().join("provider.key")).unwrap();
    let stage = Stage { server: other.server, ..stage };
    for (example, to) in [("provider.py", "labels.sqlite"), ("provider.sh", "labels")] {
        let said = stage.runs(example, to).failed();
        assert!(said.contains("the log has shrunk from 3 to 1"), "{said}");
    }
}
