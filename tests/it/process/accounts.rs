//! `zhengming moderator`, with a server running and without.

use std::net::SocketAddr;

use serde_json::json;
use totp_rs::Totp;
use zhengming::env::clock::{Clock, SystemClock};

use super::child::Ended;
use super::house::House;
use super::wire::{Reply, get, post};

const ADD: &str = "moderator add li-lei --role senior --password-stdin";
const RESET: &str = "moderator reset li-lei --password-stdin";
const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "电池 staple 马";

/// What an authenticator shows that was given what a command printed; at a
/// time some seconds from now.
pub fn totp(printed: &str, seconds: u64) -> String {
    let uri = printed.trim_end();
    assert_eq!(uri.lines().count(), 1, "{uri}");
    let now = u64::try_from(SystemClock.now().as_second()).unwrap();
    Totp::from_url(uri).unwrap().generate(now + seconds).to_string()
}

fn log_in(server: SocketAddr, password: &str, totp: &str) -> Reply {
    let body = json!({ "name": "li-lei", "password": password, "totp": totp });
    post("/v1/moderation/session", &body).at(server)
}

fn queue(server: SocketAddr, token: &str) -> Reply {
    get("/v1/moderation/queue").bearer(token).at(server)
}

#[test]
fn accounts_come_and_go_while_the_server_runs() {
    let house = House::new();
    let server = house.serve();
    let run = |line: &str, input: &str| -> Ended { house.run_beside(server.admin, line, input) };
    let public = server.public;

    let uri = run(ADD, &format!("{PASSWORD}\n")).done();
    assert!(uri.starts_with("otpauth://totp/Zhengming:li-lei?"), "{uri}");
    log_in(public, PASSWORD, "000000").refused(401, "login_wrong");
    log_in(public, NEW_PASSWORD, &totp(&uri, 0)).refused(401, "login_wrong");
    let code = totp(&uri, 0);
    let session = log_in(public, PASSWORD, &code).ok(200);
    assert_eq!(session.text("role"), "senior");
    queue(public, &session.text("token")).ok(200);
    log_in(public, PASSWORD, &code).refused(401, "login_wrong");

    assert_eq!(run("moderator disable li-lei", "").done(), "done\n");
    queue(public, &session.text("token")).refused(401, "unauthenticated");
    log_in(public, PASSWORD, &totp(&uri, 30)).refused(401, "login_wrong");

    let new_uri = run(RESET, NEW_PASSWORD).done();
    assert_ne!(uri, new_uri);
    queue(public, &session.text("token")).refused(401, "unauthenticated");
    log_in(public, NEW_PASSWORD, &totp(&uri, 30)).refused(401, "login_wrong");
    let again = log_in(public, NEW_PASSWORD, &totp(&new_uri, 0)).ok(200);
    queue(public, &again.text("token")).ok(200);
}

#[test]
fn a_reset_ends_the_sessions_of_whoever_had_the_password() {
    let house = House::new();
    let server = house.serve();
    let uri = house.run_beside(server.admin, ADD, PASSWORD).done();
    let session = log_in(server.public, PASSWORD, &totp(&uri, 0)).ok(200);
    house.run_beside(server.admin, RESET, NEW_PASSWORD).done();
    queue(server.public, &session.text("token")).refused(401, "unauthenticated");
}

#[test]
fn accounts_come_and_go_while_no_server_runs() {
    let house = House::new();
    let uri = house.run(ADD, PASSWORD).done();
    house.run("moderator disable li-lei", "").done();
    let server = house.serve();
    log_in(server.public, PASSWORD, &totp(&uri, 0)).refused(401, "login_wrong");
    server.stopped();
    let uri = house.run(RESET, PASSWORD).done();
    let server = house.serve();
    log_in(server.public, PASSWORD, &totp(&uri, 0)).ok(200);
}

#[test]
fn what_is_not_right_is_said() {
    let house = House::new();
    house.run(ADD, PASSWORD).done();
    for (line, input, said) in [
        (ADD, PASSWORD, "name is malformed: is taken"),
        (RESET, "short\n", "password is malformed: has at least 8 characters"),
        ("moderator disable han-meimei", "", "there is no such thing here"),
        ("moderator add han-meimei --role admin", PASSWORD, "use --password-stdin"),
    ] {
        let ended = house.run(line, input);
        assert_eq!(ended.out, "", "{line}");
        let err = ended.failed();
        assert!(err.contains(said) && !err.contains(PASSWORD), "{line}: {err}");
    }
}
