//! A disk that fills up: refusals ahead of time, nothing acknowledged is lost,
//! and service again once there is room.
//!
//! The disk is a file system in memory of a few MiB: whoever runs this may
//! mount one.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::killed::pushers::Batch;
use crate::process::child::Server;
use crate::process::house::{House, only_word};
use crate::process::restored::ROOM;
use crate::process::wire::{Reply, get};
use crate::support::dice::Dice;
use crate::support::trial;

const MIB: u64 = 1024 * 1024;
/// An uploader that gets nothing but refusals has seen them.
const REFUSALS: usize = 3;
const BATCHES_MAX: u64 = 2_000;

/// Unmounted when it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, bytes: u64) -> Self {
        fs::create_dir_all(at).unwrap();
        let disk = Self(at.to_owned());
        disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={bytes},mode=700"), "zhengming-test"]);
        disk
    }

    fn grow(&self, bytes: u64) {
        self.run("mount", &["-o", &format!("remount,size={bytes}")]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let done = Command::new(program).args(arguments).arg(&self.0).status().unwrap();
        assert!(done.success(), "{program} {arguments:?}: is this root?");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

struct Office {
    /// Dropped before the folder that it is mounted in, which would stay.
    disk: Disk,
    house: House,
    provider: String,
    operator: String,
}

impl Office {
    fn new(bytes: u64, free_bytes_min: u64) -> (Self, Server) {
        let house = House::new();
        let disk = Disk::mount(&house.path(ROOM), bytes);
        let provider = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
        let operator = only_word(&house.run("key issue operator cmcc --name 移动", "").done(), "zmo_");
        let office = Self { disk, house, provider, operator };
        let server = office.serve(free_bytes_min).expect("there is room");
        (office, server)
    }

    fn serve(&self, free_bytes_min: u64) -> Result<Server, crate::process::child::Ended> {
        let mut command = self.house.command("serve");
        command.env("ZHENGMING_DISK_FREE_BYTES_MIN", free_bytes_min.to_string());
        Server::try_start(command)
    }

    /// Uploads until nothing is taken any more, to the last refusal. `None`:
    /// the process ended over it.
    fn push_until_full(&self, address: SocketAddr, from: u64, batches: &mut Vec<Batch>) -> Option<Reply> {
        let mut refusals = 0;
        for nth in from..from + BATCHES_MAX {
            let mut batch = Batch::new(nth);
            // Nobody answers where the process has ended.
            let reply = batch.push(&self.operator, address)?;
            if reply.status == 500 {
                return None;
            }
            let is_refused = reply.status == 503;
            if is_refused {
                assert!(reply.field("retry-after").is_some(), "{reply:?}");
                refusals += 1;
            } else {
                assert_eq!((reply.status, &reply.json()["corrections"]), (200, &json!(300)), "{reply:?}");
                batches.push(batch);
            }
            if refusals == REFUSALS {
                return Some(reply);
            }
        }
        panic!("{BATCHES_MAX} uploads do not fill it");
    }

    fn has_all(&self, address: SocketAddr, batches: &[Batch]) {
        for batch in batches {
            let told = batch.repeated(&self.operator, address).json();
            assert_eq!(told["corrections"], 300, "acknowledged before: {told}");
        }
    }
}

/// With some room kept free nothing ends: writes are refused, reads are not.
#[test]
fn a_disk_that_is_nearly_full_refuses_writes_and_goes_on_reading() {
    let rounds = trial::rounds(1, 10);
    let mut dice = Dice::new(trial::seed(3));
    let mut taken = 0;
    for _ in 0..rounds {
        let size = 16 * MIB + dice.roll(8 * MIB);
        let (office, server) = Office::new(size, 6 * MIB);
        let mut batches = Vec::new();
        let refused = office.push_until_full(server.public, 0, &mut batches).expect("it goes on");
        assert_eq!(refused.json()["code"], "busy", "{refused:?}");
        get("/feed/v1/corrections?limit=10").bearer(&office.provider).at(server.public).ok(200);
        get("/feed/v1/checkpoint").at(server.public).ok(200);
        office.disk.grow(64 * MIB);
        office.has_all(server.public, &batches);
        let mut after = Batch::new(BATCHES_MAX);
        let told = after.push(&office.operator, server.public).unwrap().ok(200);
        assert_eq!(told.json()["corrections"], 300, "service again, by itself");
        taken += batches.len();
        server.stopped().done();
    }
    let came = format!("503 ahead of time, reads go on, {taken} uploads acknowledged, 0 lost");
    trial::tell("a disk that is nearly full", rounds, &came);
}

/// Somebody else takes the last byte: the process may end, and serves all that
/// was acknowledged as soon as there is room.
#[test]
fn a_disk_without_a_byte_loses_nothing_that_was_acknowledged() {
    let rounds = trial::rounds(1, 10);
    let mut dice = Dice::new(trial::seed(4));
    let (mut taken, mut ended) = (0, 0);
    for _ in 0..rounds {
        let (office, server) = Office::new(8 * MIB + dice.roll(8 * MIB), 0);
        let mut batches = Vec::new();
        if office.push_until_full(server.public, 0, &mut batches).is_none() {
            // Word of what went wrong, and no service that goes on without its store.
            assert!(server.process.ended().failed().contains("store"));
            ended += 1;
        } else {
            server.process.kill();
        }
        office.disk.grow(64 * MIB);
        let server = office.serve(0).unwrap_or_else(|ended| panic!("{ended:#?}"));
        office.has_all(server.public, &batches);
        taken += batches.len();
        server.stopped().done();
        assert!(office.house.run("store check", "").done().contains("Everything is in order"));
    }
    let came =
        format!("{ended} processes ended, {taken} uploads acknowledged, 0 lost after a restart with room");
    trial::tell("a disk without a byte", rounds, &came);
}
