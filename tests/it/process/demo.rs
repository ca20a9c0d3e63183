//! `zhengming demo`: it tells the story, and leaves nothing behind.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use tempfile::TempDir;

use super::child::Process;
use super::house::{only_word, program};
use super::wire::get;

/// The demo with a folder of its own for temporary files.
fn demo(folder: &TempDir, line: &str) -> Command {
    let mut command = program(folder.path(), line);
    command.env("TMPDIR", folder.path());
    command
}

#[track_caller]
fn is_empty(folder: &TempDir) {
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn once_tells_every_step_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let said = Process::start(demo(&folder, "demo --once --listen 127.0.0.1:0"), b"").ended().done();
    let steps = said.lines().filter(|line| line.contains(" ms  ")).collect::<Vec<_>>();
    for (step, words) in [
        (0, "uploads what it shows"),
        (7, "nobody had to ask"),
        (8, "no name, no ID number"),
        (9, "she sees what is shown"),
        (10, "she files"),
        (11, "published: marks from before 2025-01-30 are void"),
        (12, "into corrections.sqlite: signature and root verified, acknowledged"),
        (17, "\"serving\" at all"),
        (18, "her receipt verifies"),
    ] {
        assert!(steps.get(step).is_some_and(|step| step.contains(words)), "{words}: {steps:#?}");
    }
    assert_eq!(steps.len(), 19, "{steps:#?}");
    is_empty(&folder);
}

#[test]
fn a_port_in_use_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let line = format!("demo --once --listen {address}");
    let said = Process::start(demo(&folder, &line), b"").ended().failed();
    assert!(said.contains(&format!("listening on {address}: Address already in use")), "{said}");
    is_empty(&folder);
}

#[test]
fn without_once_it_serves_until_it_is_told_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(demo(&folder, "demo --listen 127.0.0.1:0"), b"");
    let base = process.says("Zhengming demo: http://");
    let base = base.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let key = only_word(&process.says("provider     tencent"), "zmp_");
    process.says("otpauth://totp/");
    process.says("/readyz");
    let page = get("/feed/v1/corrections").bearer(&key).at(base.parse().unwrap()).ok(200);
    assert!(page.body.starts_with(b"{\"seq\":0,"));
    process.signal("INT");
    process.ended().done();
    is_empty(&folder);
}
