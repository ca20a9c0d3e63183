//! What somebody reads who has all files of the service but for its two keys:
//! nothing that opens a door.

use super::house::{House, only_word};
use super::people::{PASSWORD, People};
use super::restored::ROOM;
use crate::support::files::holds;

const NUMBER: &str = "+8613800138001";

#[test]
fn no_file_opens_a_door() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, NUMBER);
    let run = |line: &str| house.run_beside(server.admin, line, "").done();
    let whsec = only_word(&run("webhook add tencent https://hooks.example.org/"), "whsec_");
    run("store export --out copy --plain");
    server.stopped().done();
    let is_kept =
        |text: &str| [ROOM, "copy"].iter().any(|folder| holds(&house.path(folder), text.as_bytes()));
    assert!(is_kept(&NUMBER[1..]), "what is kept is looked at");
    let totp = people.otpauth_uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    for (what, secret) in [
        ("a provider's key", &*people.provider),
        ("an operator's key", &people.operator),
        ("a holder's token", &people.holder),
        ("a dispute's token", &people.claimant),
        ("a moderator's session", &people.moderator),
        ("a password", PASSWORD),
        ("a secret for one-time passwords", totp),
        ("a webhook's secret", &whsec["whsec_".len()..]),
    ] {
        // Nor behind its prefix, nor most of it.
        let bare = secret.split_once('_').map_or(secret, |(_, bare)| bare);
        for text in [bare, &bare[..bare.len() * 3 / 4]] {
            assert!(!is_kept(text), "{what} is in a file");
        }
    }
    let code = &people.verification.1;
    for shape in [format!("\"{code}\""), format!(":{code},"), format!(" {code} ")] {
        assert!(!is_kept(&shape), "a code is in a file");
    }
}
