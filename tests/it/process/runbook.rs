//! The README's chapter on backups, followed step by step: a copy is made, the
//! machine is lost, another one takes its place, and providers that know more
//! than the copy begin with a new log.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::child::{Ended, Process, Server};
use super::house::{House, Keys, keep, program};
use super::people::releases;
use super::wire::{get, request};
use crate::support::files::copy;

const README: &str = include_str!("../../../README.md");
const CHAPTER: &str = "## Backup and moving\n";
/// Where the README's service listens.
const THERE: &str = "127.0.0.1:8080";
const ORIGIN: &str = "corrections.example.org/1";

/// The commands of each block, as they are typed.
fn blocks() -> Vec<Vec<&'static str>> {
    let chapter = README.split_once(CHAPTER).expect("it has that chapter").1;
    let chapter = chapter.split("\n## ").next().unwrap_or_default();
    let blocks = chapter.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let is_typed = |line: &&str| !line.is_empty() && !line.starts_with('#');
    blocks.map(|block| block.lines().filter(is_typed).collect()).collect()
}

/// Who has come to a machine with the README.
struct Administrator<'a> {
    house: &'a House,
    server: Option<Server>,
}

impl Administrator<'_> {
    /// Types each of them; what serves goes on until the end.
    fn follows(&mut self, block: &[&str]) {
        for line in block {
            if let Some(arguments) = line.strip_prefix("zhengming serve") {
                let line = format!("serve{arguments}");
                self.server = Some(Server::start(program(&self.house.path(""), &line)));
            } else {
                self.types(line);
            }
        }
    }

    fn types(&self, line: &str) {
        let mut command = Command::new("bash");
        let programs = Path::new(env!("CARGO_BIN_EXE_zhengming")).parent().unwrap().display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
        let line = match &self.server {
            None => line.to_owned(),
            Some(server) => {
                command.env("ZHENGMING_ADMIN_LISTEN", server.admin.to_string());
                line.replace(THERE, &server.public.to_string())
            }
        };
        command.args(["-euo", "pipefail", "-c", &line]).env("PATH", path).current_dir(self.house.path(""));
        Process::start(command, b"").ended().done();
    }

    fn stops(&mut self) {
        self.server.take().expect("it serves").stopped().done();
    }

    fn at(&self) -> SocketAddr {
        self.server.as_ref().expect("it serves").public
    }
}

/// Somebody else's machine.
struct Provider {
    folder: tempfile::TempDir,
    key: String,
}

impl Provider {
    fn mirrors(&self, at: SocketAddr, verifier: &str, out: &str) -> Ended {
        let line = format!(
            "mirror --url http://{at} --key-file provider.key --verifier {verifier} --out {out} --format csv --once"
        );
        Process::start(program(self.folder.path(), &line), b"").ended()
    }

    fn file(&self, out: &str) -> String {
        fs::read_to_string(self.folder.path().join(out).join("corrections.csv")).unwrap()
    }
}

fn key_of(at: SocketAddr) -> String {
    String::from_utf8(get("/feed/v1/key").at(at).ok(200).body).unwrap().trim_end().to_owned()
}

/// A number, until it is in the feed of a log that has so many entries before.
fn release(operator: &str, provider: &Provider, at: SocketAddr, number: &str, before: u64) {
    let push = releases([number.to_owned()], ["2025-01-01", "2025-06-01"]).bearer(operator);
    assert_eq!(push.at(at).ok(200).json()["corrections"], 1);
    get(&format!("/feed/v1/corrections?after={before}&wait=30")).bearer(&provider.key).at(at).ok(200);
}

#[test]
fn what_the_readme_says_of_backups_works_as_it_stands() {
    let [keeping, restoring, beginning_anew] = &blocks()[..] else { panic!("three blocks: {:#?}", blocks()) };
    let old = House::new();
    let config = fs::read_to_string(old.path("zhengming.toml")).unwrap();
    let config = config.replace("[feed]\n", &format!("[feed]\norigin = \"{ORIGIN}\"\n"));
    fs::write(old.path("zhengming.toml"), &config).unwrap();
    let mut administrator = Administrator { house: &old, server: Some(old.serve()) };
    let at = administrator.at();
    let admin = administrator.server.as_ref().unwrap().admin;
    let Keys { operator, provider: key } = old.issues(admin);
    let provider = Provider { folder: tempfile::tempdir().unwrap(), key };
    keep(&provider.folder.path().join("provider.key"), &provider.key, 0o600);
    release(&operator, &provider, at, "+8613800138000", 0);
    release(&operator, &provider, at, "+8613800138001", 1);
    administrator.follows(keeping);
    // More is signed after the copy, and a provider has it.
    release(&operator, &provider, at, "+8613800138002", 2);
    let verifier = key_of(at);
    provider.mirrors(at, &verifier, "corrections").done();
    let held = provider.file("corrections");
    assert_eq!(held.lines().count(), 1 + 3);
    let pulled = get("/feed/v1/corrections?after=2").bearer(&provider.key).at(at).ok(200);
    assert_eq!(pulled.field("zhengming-next"), Some("3"));
    administrator.stops();

    let new = House::new();
    fs::write(new.path("zhengming.toml"), &config).unwrap();
    for folder in ["backup", "kept"] {
        copy(&old.path(folder), &new.path(folder));
    }
    drop(old);
    let mut administrator = Administrator { house: &new, server: None };
    administrator.follows(restoring);
    let at = administrator.at();
    assert_eq!(key_of(at), verifier, "the log that providers know, with less in it");
    get("/feed/v1/corrections?after=3").bearer(&provider.key).at(at).refused(409, "cursor_ahead");
    let acknowledged = json!({ "size": 3, "root": STANDARD.encode([0; 32]), "stage": "serving" }).to_string();
    let acknowledge = request("PUT", "/feed/v1/ack").body("application/json", acknowledged);
    acknowledge.bearer(&provider.key).at(at).refused(409, "cursor_ahead");
    let said = provider.mirrors(at, &verifier, "corrections").failed();
    assert!(said.contains("the log has shrunk"), "{said}");
    assert_eq!(provider.file("corrections"), held, "the last good data");
    administrator.stops();

    administrator.follows(beginning_anew);
    let at = administrator.at();
    let told = key_of(at);
    assert!(told.starts_with("corrections.example.org/2+"), "{told}");
    provider.mirrors(at, &verifier, "corrections").failed();
    assert_eq!(provider.file("corrections"), held);
    provider.mirrors(at, &told, "anew").done();
    assert_eq!(provider.file("anew").lines().count(), 1 + 2);
    // And it goes on.
    release(&operator, &provider, at, "+8613800138003", 2);
    provider.mirrors(at, &told, "anew").done();
    assert_eq!(provider.file("anew").lines().count(), 1 + 3);
    administrator.stops();
}
