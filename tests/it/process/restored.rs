//! What an owner does after a restore: a backup is not served as if nothing
//! had happened, and a new log begins on purpose.

use std::fs;

use super::child::Server;
use super::house::{House, Keys};
use super::people::releases;
use super::wire::get;
use crate::support::files::copy;

pub const ROOM: &str = "zhengming-data";

/// Releases a number, so that the log has one entry more.
pub fn release(house: &House, server: &Server, nth: u64) {
    let Keys { operator, provider } = house.issues(server.admin);
    let number = format!("+8613800138{nth:03}");
    let push = releases([number.clone()], ["2025-01-01", "2025-06-01"]);
    let told = push.bearer(&operator).field("idempotency-key", &number).at(server.public).ok(200).json();
    assert_eq!(told["corrections"], 1, "{told}");
    let page = format!("/feed/v1/corrections?after={nth}&wait=30");
    assert_eq!(
        get(&page).bearer(&provider).at(server.public).ok(200).field("zhengming-next").unwrap(),
        (nth + 1).to_string()
    );
}

pub fn text(server: &Server, path: &str) -> String {
    String::from_utf8(get(path).at(server.public).ok(200).body).unwrap()
}

#[test]
fn a_backup_is_refused_until_a_new_log_begins() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    server.stopped();
    copy(&house.path(ROOM).join("db"), &house.path("backup"));

    let server = house.serve();
    release(&house, &server, 1);
    let (key, checkpoint) = (text(&server, "/feed/v1/key"), text(&server, "/feed/v1/checkpoint"));
    let tile = get("/feed/v1/tile/0/000.p/2").at(server.public).ok(200).body;
    server.stopped();

    fs::remove_dir_all(house.path(ROOM).join("db")).unwrap();
    copy(&house.path("backup"), &house.path(ROOM).join("db"));
    let refused = house.run("serve", "").failed();
    assert!(refused.contains("new-log"), "{refused}");
    let refused = house.run("feed confirm-head", "").failed();
    assert!(refused.contains("signed checkpoint of 2 entries"), "{refused}");
    let refused = house.run("feed new-log --origin localhost/feed", "").failed();
    assert!(refused.contains("needs a new origin"), "{refused}");
    assert!(house.run("serve", "").failed().contains("new-log"), "nothing has changed");

    let told = house.run("feed new-log --origin localhost/feed-2", "").done();
    assert!(told.contains("localhost/feed-2+"), "{told}");
    let refused = house.run("serve", "").failed();
    assert!(refused.contains("localhost/feed-2+"), "under the old name no more: {refused}");

    let mut command = house.command("serve");
    command.env("ZHENGMING_FEED__ORIGIN", "localhost/feed-2");
    let server = Server::start(command);
    assert!(told.contains(text(&server, "/feed/v1/key").trim_end()));
    assert!(text(&server, "/feed/v1/checkpoint").starts_with("localhost/feed-2\n1\n"));
    // The old one, as far as it had come.
    assert_eq!(text(&server, "/feed/v1/logs"), key);
    let id = key.split('+').nth(1).unwrap();
    assert_eq!(text(&server, &format!("/feed/v1/logs/{id}/key")), key);
    assert_eq!(text(&server, &format!("/feed/v1/logs/{id}/checkpoint")), checkpoint);
    let again = get(&format!("/feed/v1/logs/{id}/tile/0/000.p/2")).at(server.public).ok(200).body;
    assert_eq!(again, tile);
    get(&format!("/feed/v1/logs/{id}/tile/0/000.p/3")).at(server.public).refused(404, "not_found");
    get("/feed/v1/logs/00000000/checkpoint").at(server.public).refused(404, "not_found");
    server.stopped();
}

#[test]
fn a_database_whose_mark_is_gone_is_confirmed() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    let checkpoint = text(&server, "/feed/v1/checkpoint");
    server.stopped();
    fs::remove_file(house.path(ROOM).join("high-water-mark")).unwrap();
    let refused = house.run("serve", "").failed();
    assert!(refused.contains("confirm-head"), "{refused}");
    assert!(house.run("feed confirm-head", "").done().contains("1 entries"));
    let server = house.serve();
    assert_eq!(text(&server, "/feed/v1/checkpoint"), checkpoint);
    server.stopped();
}

#[test]
fn another_key_or_name_is_another_log() {
    let house = House::new();
    let server = house.serve();
    release(&house, &server, 0);
    server.stopped();
    let mut command = house.command("serve");
    command.env("ZHENGMING_FEED__ORIGIN", "localhost/other");
    let refused = super::child::Process::start(command, b"").ended().failed();
    assert!(refused.contains("localhost/feed+") && refused.contains("new-log"), "{refused}");
    fs::remove_file(house.path(ROOM).join("feed.key")).unwrap();
    let refused = house.run("serve", "").failed();
    assert!(refused.contains("localhost/feed+"), "{refused}");
}

#[test]
fn another_secret_key_is_refused() {
    let house = House::new();
    house.run("key issue provider tencent --name 腾讯", "").done();
    let secret = house.path(ROOM).join("secret.key");
    let theirs = fs::read(&secret).unwrap();
    fs::remove_file(&secret).unwrap();
    for line in ["serve", "key list"] {
        let refused = house.run(line, "").failed();
        assert!(refused.contains("secret.key is not the one"), "{refused}");
    }
    fs::write(&secret, theirs).unwrap();
    let listed = house.run("key list", "").done();
    assert!(listed.contains("腾讯"), "{listed}");
}
