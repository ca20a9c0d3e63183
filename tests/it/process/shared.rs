//! Instances on one database: who may join, who signs, and what an owner does
//! about a new machine and about a database that was set back.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::child::{Ended, Process, Server};
use super::house::House;
use super::restored::{ROOM, release, text};
use super::wire::get;
use crate::support::postgres::new_database;

/// A machine whose service uses this database.
struct Machine {
    house: House,
    database: String,
    shared_dir: String,
}

impl Machine {
    async fn first() -> Self {
        let house = House::new();
        let shared_dir = house.path("shared").display().to_string();
        Self { house, database: new_database().await, shared_dir }
    }

    /// One more, with copies of the first one's keys.
    fn next_to(first: &Self) -> Self {
        let house = House::new();
        fs::create_dir(house.path(ROOM)).unwrap();
        for key in ["secret.key", "feed.key"] {
            fs::copy(first.house.path(ROOM).join(key), house.path(ROOM).join(key)).unwrap();
        }
        Self { house, database: first.database.clone(), shared_dir: first.shared_dir.clone() }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.house.command(line);
        command.env("ZHENGMING_STORE", &self.database).env("ZHENGMING_SHARED_DIR", &self.shared_dir);
        command
    }

    fn serve(&self) -> Server {
        Server::start(self.command("serve"))
    }

    fn run(&self, line: &str) -> Ended {
        Process::start(self.command(line), b"").ended()
    }
}

fn is_leading(server: &Server) -> bool {
    get("/readyz").at(server.admin).ok(200).json()["leading"] == true
}

/// Each look is an answer of the server's.
fn leads(server: &Server) {
    assert!((0..20_000).any(|_| is_leading(server)), "it does not come to publish");
}

#[tokio::test]
async fn an_instance_with_other_keys_or_another_folder_does_not_start() {
    let first = Machine::first().await;
    let server = first.serve();
    leads(&server);
    let beside = first.run("serve").failed();
    assert!(beside.contains("another process has the data folder"), "{beside}");

    let other = Machine::next_to(&first);
    for key in ["secret.key", "feed.key"] {
        fs::write(other.house.path(ROOM).join(key), [7; 32]).unwrap();
        let refused = other.run("serve").failed();
        assert!(refused.contains(key), "{refused}");
        fs::copy(first.house.path(ROOM).join(key), other.house.path(ROOM).join(key)).unwrap();
    }
    let lost = Machine { shared_dir: other.house.path("elsewhere").display().to_string(), ..other };
    let refused = lost.run("serve").failed();
    assert!(refused.contains("not the folder that the other instances share"), "{refused}");
    assert_eq!(server.stopped().code, Some(0));
}

#[tokio::test]
async fn a_new_machine_serves_and_signs_once_it_is_confirmed() {
    let first = Machine::first().await;
    let server = first.serve();
    release(&first.house, &server, 0);
    let checkpoint = text(&server, "/feed/v1/checkpoint");
    server.stopped();

    let new = Machine::next_to(&first);
    let server = new.serve();
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint, "the same bytes");
    let ready = get("/readyz").at(server.admin).ok(200).json();
    assert_eq!((&ready["leading"], &ready["feed"]), (&json!(false), &json!("unconfirmed")));
    let said = server.stopped().err;
    assert!(said.contains("serving without signing"), "{said}");
    let told = new.run("feed confirm-head").done();
    assert!(told.contains("1 entries"), "{told}");
    let server = new.serve();
    leads(&server);
    release(&new.house, &server, 1);
    server.stopped();
}

#[tokio::test]
async fn a_database_that_was_set_back_is_not_gone_on_with() {
    let first = Machine::first().await;
    let server = first.serve();
    release(&first.house, &server, 0);
    server.stopped();
    // Another database, in the place of the one that is lost.
    let back = Machine { database: new_database().await, ..first };
    let refused = back.run("serve").failed();
    assert!(refused.contains("set back") && refused.contains("new-log"), "{refused}");
    let told = back.run("feed new-log --origin localhost/feed-2").done();
    assert!(told.contains("localhost/feed-2+"), "{told}");
    let mut command = back.command("serve");
    command.env("ZHENGMING_FEED__ORIGIN", "localhost/feed-2");
    let server = Server::start(command);
    leads(&server);
    server.stopped();
}
