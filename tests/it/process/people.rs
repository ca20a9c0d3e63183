//! One of everybody who has a credential.

use std::net::SocketAddr;

use serde_json::json;

use super::accounts::totp;
use super::child::Server;
use super::house::{House, Keys};
use super::phone::Phone;
use super::wire::{Request, post, request};

pub const PASSWORD: &str = "correct horse battery";

pub struct People {
    pub provider: String,
    pub operator: String,
    pub holder: String,
    /// The id of a verification, and the code that was sent.
    pub verification: (String, String),
    pub dispute: String,
    pub claimant: String,
    pub otpauth_uri: String,
    pub moderator: String,
}

/// How control of a number was proved, and the token for it.
pub struct Proof {
    id: String,
    code: String,
    pub token: String,
}

/// Asks for a code, reads it on the telephone, and sends it in.
pub fn proof(house: &House, address: SocketAddr, number: &str) -> Proof {
    try_proof(&house.phone, address, number).expect("somebody answers")
}

/// `None`: nobody is there any more.
pub fn try_proof(phone: &Phone, address: SocketAddr, number: &str) -> Option<Proof> {
    let start = json!({ "number": number, "method": "sms_code" });
    let id = post("/v1/verifications", &start).try_as_described(address)?.ok(201).text("id");
    let code = phone.code(number)?;
    let confirm = post(&format!("/v1/verifications/{id}/confirm"), &json!({ "code": code }));
    let token = confirm.try_as_described(address)?.ok(200).text("token");
    Some(Proof { id, code, token })
}

/// An operator's upload by which each number was given back on one day, and to
/// its next holder on another.
pub fn releases(numbers: impl IntoIterator<Item = String>, on: [&str; 2]) -> Request {
    let lines = numbers.into_iter().flat_map(|number| {
        [("disconnected", on[0]), ("activated", on[1])]
            .map(|(event, on)| format!("{}\n", json!({ "number": number, "event": event, "on": on })))
    });
    request("POST", "/v1/tenures").body("application/x-ndjson", lines.collect::<String>())
}

impl People {
    pub fn gather(house: &House, server: &Server, number: &str) -> Self {
        let run = |line: &str, input: &str| house.run_beside(server.admin, line, input).done();
        let Keys { operator, provider } = house.issues(server.admin);
        let otpauth_uri = run("moderator add li-lei --role admin --password-stdin", PASSWORD);
        let log_in = json!({ "name": "li-lei", "password": PASSWORD, "totp": totp(&otpauth_uri, 0) });
        let session = post("/v1/moderation/session", &log_in).at(server.public).ok(200);

        let Proof { id, code, token: holder } = proof(house, server.public, number);
        let body = json!({ "reason": "reassigned", "opened": "2025-03" });
        let file = post("/v1/disputes", &body).bearer(&holder).field("idempotency-key", "1");
        let filed = file.at(server.public).ok(201);
        Self {
            provider,
            operator,
            holder,
            verification: (id, code),
            dispute: filed.text("id"),
            claimant: filed.text("token"),
            otpauth_uri,
            moderator: session.text("token"),
        }
    }
}
