//! `store check`, `store export` and `store import`: from one machine to
//! another, with a server running and without.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zhengming::cli::copies::copy::Copy;
use zhengming::cli::copies::fill::fill;
use zhengming::store::sled::{SledOptions, SledStore};

use super::child::Server;
use super::house::House;
use super::restored::{ROOM, release, text};
use super::wire::get;
use crate::support::files::copy;

/// What is kept beside a copy.
fn bring_keys(from: &House, to: &House) {
    fs::create_dir_all(to.path(ROOM)).unwrap();
    for key in ["secret.key", "feed.key"] {
        fs::copy(from.path(ROOM).join(key), to.path(ROOM).join(key)).unwrap();
    }
}

fn import(house: &House, copy: &Path) -> super::child::Ended {
    house.run(&format!("store import --in {}", copy.display()), "")
}

#[test]
fn a_copy_of_a_running_service_is_served_elsewhere() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    release(&house, &server, 1);
    let (key, checkpoint) = (text(&server, "/feed/v1/key"), text(&server, "/feed/v1/checkpoint"));
    let checked = house.run_beside(server.admin, "store check", "").done();
    assert!(checked.contains("log      2 entries") && checked.contains("in order"), "{checked}");
    let told = house.run_beside(server.admin, "store export --out copy", "").done();
    assert!(told.contains("2 log entries") && told.contains("secret.key"), "{told}");
    // Also while nothing runs, and it amounts to the same.
    server.stopped();
    house.run("store export --out again --plain", "").done();
    let total = |folder: &str| Copy::open(&house.path(folder)).unwrap().manifest.total;
    assert_eq!(total("copy"), total("again"));
    let checked = house.run("store check", "").done();
    assert!(checked.contains("the high-water mark is not ahead"), "{checked}");
    let secrets = ["secret.key", "feed.key"].map(|key| fs::read(house.path(ROOM).join(key)).unwrap());
    for file in fs::read_dir(house.path("again")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "no key is in a copy");
        }
    }

    let other = House::new();
    let told = import(&other, &house.path("copy")).done();
    assert!(told.contains("2 log entries") && told.contains("put the secret.key"), "{told}");
    bring_keys(&house, &other);
    let server = other.serve();
    assert_eq!(text(&server, "/feed/v1/key"), key);
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint);
    let refused =
        other.run_beside(server.admin, &format!("store import --in {}", house.path("copy").display()), "");
    assert!(refused.failed().contains("the service runs"));
    release(&other, &server, 2);
    server.stopped();
    let refused = import(&other, &house.path("copy")).failed();
    assert!(refused.contains("holds something already"), "{refused}");
    let checked = other.run("store check", "").done();
    assert!(checked.contains("log      3 entries"), "{checked}");
    assert_eq!(fs::metadata(house.path("copy")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_half_filled_store_is_not_served() {
    let house = House::new();
    let server = house.serve();
    (0..3).for_each(|nth| release(&house, &server, nth));
    let checkpoint = text(&server, "/feed/v1/checkpoint");
    server.stopped();
    house.run("store export --out copy", "").done();

    let other = House::new();
    bring_keys(&house, &other);
    cut_short(&other, &house.path("copy"));
    for line in ["serve", "key list", "store check", "store export --out o", "feed confirm-head"] {
        let refused = other.run(line, "").failed();
        assert!(refused.contains("half filled") && refused.contains("store import"), "{line}: {refused}");
    }
    import(&other, &house.path("copy")).done();
    let server = other.serve();
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint);
    server.stopped();
}

/// As if it had been killed after its last line.
fn cut_short(house: &House, from: &Path) {
    let room = house.path(ROOM);
    let mut options = SledOptions::new(room.join("db"), room.join("high-water-mark"));
    (options.disk_free_bytes_min, options.refill) = (0, true);
    let store = SledStore::open(&options).unwrap();
    let copy = Copy::open(from).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dies = |what: &'static str, _: u64, _: u64| assert_ne!(what, "reading again", "dies here");
    let filled = std::panic::AssertUnwindSafe(|| runtime.block_on(fill(&copy, &store, &dies)));
    assert!(std::panic::catch_unwind(filled).is_err());
}

/// The database is lost, and the copy is older than what was signed.
#[test]
fn an_older_copy_is_refused_until_a_new_log_begins() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    house.run_beside(server.admin, "store export --out copy", "").done();
    release(&house, &server, 1);
    server.stopped();
    copy(&house.path(ROOM), &house.path("before"));
    fs::remove_dir_all(house.path(ROOM).join("db")).unwrap();
    assert!(house.run("serve", "").failed().contains("store import"));

    let told = import(&house, &house.path("copy")).done();
    assert!(told.contains("a checkpoint of 2 entries") && told.contains("new-log"), "{told}");
    let refused = house.run("serve", "").failed();
    assert!(refused.contains("only 1 of 2 log entries under a signed checkpoint"), "{refused}");
    let refused = house.run("feed confirm-head", "").failed();
    assert!(refused.contains("signed checkpoint of 2 entries"), "{refused}");
    house.run("feed new-log --origin localhost/feed-2", "").done();
    let mut command = house.command("serve");
    command.env("ZHENGMING_FEED__ORIGIN", "localhost/feed-2");
    let server = Server::start(command);
    assert!(text(&server, "/feed/v1/checkpoint").starts_with("localhost/feed-2\n1\n"));
    server.stopped();
}

/// The newest copy takes the place of a database that is lost, and nothing has
/// to be decided.
#[test]
fn a_copy_of_all_that_was_signed_is_served_at_once() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    let checkpoint = text(&server, "/feed/v1/checkpoint");
    server.stopped();
    house.run("store export --out copy", "").done();
    fs::remove_dir_all(house.path(ROOM).join("db")).unwrap();
    import(&house, &house.path("copy")).done();
    let server = house.serve();
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint);
    get("/owner/everything").at(server.admin).refused(405, "method_not_allowed");
    super::wire::request("POST", "/owner/everything").at(server.admin).refused(401, "unauthenticated");
    server.stopped();
}

#[test]
fn wrong_copies_are_refused_and_nothing_is_made() {
    let house = House::new();
    fs::create_dir(house.path("empty")).unwrap();
    assert!(import(&house, &house.path("empty")).failed().contains("manifest.json"));
    assert!(!house.path(ROOM).join("db").exists());
    fs::write(house.path("empty").join("mine"), "").unwrap();
    let refused = house.run("store export --out empty", "").failed();
    assert!(refused.contains("is not empty"), "{refused}");
    let mut command = house.command("store import --in empty");
    command.env("ZHENGMING_STORE", "memory:");
    assert!(super::child::Process::start(command, b"").ended().code == Some(1));
}
