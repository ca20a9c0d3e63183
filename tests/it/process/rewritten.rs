//! `store rewrite`: what the program has purged is in none of its files any
//! more, and nothing else has changed.

use std::process::Command;

use serde_json::json;
use zhengming::cli::copies::copy::Copy;

use super::child::{Process, Server};
use super::clock::Clock;
use super::house::House;
use super::people::proof;
use super::restored::{ROOM, release, text};
use super::wire::{get, post};
use crate::support::files::holds;

/// Of somebody who asks for a code, and never files.
const PASSER_BY: u64 = 8_613_912_345_678;
const DAY_S: i64 = 24 * 3_600;

/// The number as it lies in the files: in records, and in their keys.
fn traces() -> [Vec<u8>; 2] {
    [PASSER_BY.to_string().into_bytes(), PASSER_BY.to_be_bytes().to_vec()]
}

fn found(house: &House) -> [bool; 2] {
    traces().map(|trace| holds(&house.path(ROOM), &trace))
}

/// Asks until it is forgotten; whoever purged it is at it meanwhile.
fn forgets(server: &Server, verification: &str) {
    let asked = get(&format!("/v1/verifications/{verification}"));
    while asked.at(server.public).status != 404 {
        std::thread::yield_now();
    }
}

fn ended(command: Command) -> super::child::Ended {
    Process::start(command, b"").ended()
}

#[test]
fn what_was_purged_is_nowhere_and_all_else_is_as_it_was() {
    let house = House::new();
    let clock = Clock::of(&house);
    let server = Server::start(clock.command("serve"));
    release(&house, &server, 0);
    let start = json!({ "number": format!("+{PASSER_BY}"), "method": "sms_code" });
    let verification = post("/v1/verifications", &start).at(server.public).ok(201).text("id");
    let holder = proof(&house, server.public, "+8613800138099").token;
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "note": "kept with its case" });
    let filed = post("/v1/disputes", &body).bearer(&holder).field("idempotency-key", "1");
    let filed = filed.at(server.public).ok(201);
    server.stopped().done();
    assert_eq!(found(&house), [true; 2]);

    // Off for a hundred days, and back.
    clock.is_off_by(100 * DAY_S);
    let server = Server::start(clock.command("serve"));
    forgets(&server, &verification);
    let checkpoint = text(&server, "/feed/v1/checkpoint");
    let refused = house.run_beside(server.admin, "store rewrite", "").failed();
    assert!(refused.contains("the service runs"), "{refused}");
    server.stopped().done();
    let total = |folder: &str| Copy::open(&house.path(folder)).unwrap().manifest.total;
    ended(clock.command("store export --plain --out before")).done();
    for trace in traces() {
        assert!(!holds(&house.path("before"), &trace), "no copy holds what was purged");
    }
    assert_eq!(found(&house), [true; 2], "and the files of sled hold it still");

    let told = ended(clock.command("store rewrite")).done();
    assert!(told.contains(" MiB before, "), "{told}");
    assert_eq!(found(&house), [false; 2]);
    assert!(!house.path(ROOM).join("db.rewriting").exists());
    ended(clock.command("store export --out after")).done();
    assert_eq!(total("after"), total("before"));
    assert!(ended(clock.command("store check")).done().contains("Everything is in order"));
    let server = Server::start(clock.command("serve"));
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint);
    let case = get(&format!("/v1/disputes/{}", filed.text("id"))).bearer(&filed.text("token"));
    assert_eq!(case.at(server.public).ok(200).text("status"), "in_review");
    server.stopped().done();
}

#[test]
fn before_each_start_it_costs_nothing_until_it_was_long_ago() {
    let house = House::new();
    let clock = Clock::of(&house);
    let regular = || ended(clock.command("store rewrite --if-older-than-days 30")).done();
    assert!(regular().contains("there is no database"));
    assert!(ended(clock.command("store rewrite")).failed().contains("there is no database"));
    assert!(!house.path(ROOM).exists(), "nothing was made");
    let server = Server::start(clock.command("serve"));
    server.stopped().done();
    assert!(regular().contains("was rewritten: "));
    clock.is_off_by(29 * DAY_S);
    // Also while it is served: nobody asks for it.
    let server = Server::start(clock.command("serve"));
    assert!(regular().contains("late enough"));
    server.stopped().done();
    clock.is_off_by(31 * DAY_S);
    assert!(regular().contains("was rewritten: "));
}

#[test]
fn where_there_is_nothing_to_rewrite_it_says_so() {
    let house = House::new();
    for (store, said) in [
        ("postgres://nobody@localhost/none", "what is deleted in them is its own affair"),
        ("memory:", "no files"),
    ] {
        let ended = |line: &str| {
            let mut command = house.command(line);
            command.env("ZHENGMING_STORE", store);
            ended(command)
        };
        assert!(ended("store rewrite").failed().contains(said), "{store}");
        // Before each start that is no trouble.
        assert!(ended("store rewrite --if-older-than-days 30").done().contains(said), "{store}");
    }
    house.run("key issue provider tencent --name 腾讯", "").done();
    let mut command = house.command("store rewrite");
    command.env("ZHENGMING_DISK_FREE_BYTES_MIN", "9000000000000000000");
    let refused = ended(command).failed();
    assert!(refused.contains("MiB free") && refused.contains("a second database"), "{refused}");
}
