//! Partners at their worst: an SMS gateway, an operator, a provider that is
//! asked what it shows and a receiver of webhooks that hang, trickle, babble,
//! send elsewhere or never stop. Everybody else is served meanwhile, whoever
//! waits for them goes on waiting, and memory has a bound.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use zhengming::env::clock::{Clock, SystemClock};

use super::stranger::{Mood, Stranger};
use crate::process::child::Server;
use crate::process::house::{GATEWAY_TOKEN, House, only_word};
use crate::process::people::releases;
use crate::process::wire::{get, post};
use crate::support::trial;

const MOODS: [Mood; 7] = [
    Mood::Hangs,
    Mood::Trickles,
    Mood::Babbles,
    Mood::SendsElsewhere,
    Mood::LongHead,
    Mood::Endless,
    Mood::Packed,
];
/// Whom the gateway keeps waiting, before anybody else comes.
const CODES: u64 = 24;
/// Beyond what the service has when it is idle: a bounded answer for each, and
/// what a debug build needs for the rest.
const MEMORY_KIB_MAX: u64 = 64 * 1024;
/// What the system takes of an answer that nobody reads, and more.
const SENT_BYTES_MAX: u64 = 32 * 1024 * 1024;
const OUR_NUMBER: &str = "10690000";

struct Office {
    house: House,
    stranger: Stranger,
    operator: String,
}

impl Office {
    fn new() -> Self {
        let (house, stranger) = (House::new(), Stranger::new());
        let there = stranger.address();
        house.keeps("partner.secret", "a secret of the partners");
        let own = fs::read_to_string(house.path("zhengming.toml")).unwrap();
        let own = own.replace(
            "outbox_file = \"outbox\"",
            &format!("gateway = \"http\"\nurl = \"http://{there}/sms\"\nhmac_key_file = \"partner.secret\"\naccess_number = \"{OUR_NUMBER}\""),
        );
        let partners = format!(
            "[[operators]]\nid = \"cmcc\"\ngateway = \"camara\"\nbase_url = \"http://{there}/operator\"\n\
             token_url = \"http://{there}/operator/token\"\nclient_id = \"zhengming\"\n\
             client_secret_file = \"partner.secret\"\ntimeout_ms = 1000\n\
             [[providers]]\nid = \"tencent\"\nlookup = \"http\"\nlookup_url = \"http://{there}/labels\"\n\
             lookup_key_file = \"partner.secret\"\n"
        );
        fs::write(house.path("zhengming.toml"), own + &partners).unwrap();
        let operator = only_word(&house.run("key issue operator cmcc --name 移动", "").done(), "zmo_");
        house.run("key issue provider tencent --name 腾讯", "").done();
        Self { house, stranger, operator }
    }

    fn serve(&self) -> Server {
        let mut command = self.house.command("serve");
        command.env("ZHENGMING_FEED__WEBHOOKS_TO_PRIVATE_ADDRESSES", "true");
        Server::start(command)
    }

    /// Everybody has to do with a partner in this mood.
    fn goes_through(&self, mood: Mood, nth: u64) {
        // Who is left alone after failures is known to a process, not to the next one.
        let server = self.serve();
        let idle_kib = server.process.peak_kib();
        // A new one: who failed before is left alone for longer and longer.
        let hook = format!("http://{}/hook/{nth}", self.stranger.address());
        let run = |line: String| self.house.run_beside(server.admin, &line, "").done();
        run(format!("webhook add tencent {hook}"));
        self.stranger.is(mood);
        let at = server.public;
        for code in 0..CODES {
            asks_for_code(at, &format!("+86137{nth:04}{code:04}"));
        }
        let number = format!("+86139{nth:08}");
        let token = proves_by_text(at, &number);
        let shown = get("/v1/labels").bearer(&token).at(at).ok(200).json();
        assert!(shown["missing"].to_string().contains("tencent"), "{mood:?}: {shown}");
        let body = json!({ "reason": "reassigned", "opened": "2025-03" });
        let filing = post("/v1/disputes", &body).bearer(&token).field("idempotency-key", "1");
        let filed = filing.at(at).ok(201);
        let released = (0..10).map(|one| format!("+86138{nth:04}{one:04}"));
        let push = releases(released, ["2025-01-01", "2025-06-01"]).bearer(&self.operator);
        assert_eq!(push.at(at).ok(200).json()["corrections"], 10);
        self.stranger.was_asked(&["/sms", "/operator", "/labels", "/hook"]);
        // They have all that time, and nobody else waits for them.
        get("/feed/v1/checkpoint").at(at).ok(200);
        assert_eq!(get("/readyz").at(server.admin).ok(200).json()["ready"], true);
        let view = get(&format!("/v1/disputes/{}", filed.text("id"))).bearer(&filed.text("token"));
        assert_eq!(view.at(at).ok(200).json()["status"], "checking", "{mood:?}");
        run(format!("webhook remove tencent {hook}"));
        let peak_kib = server.process.peak_kib();
        assert!(peak_kib < idle_kib + MEMORY_KIB_MAX, "{mood:?}: {idle_kib} KiB, then {peak_kib}");
        let ended = server.stopped();
        assert_eq!(ended.code, Some(0), "{mood:?}: {}", ended.err);
        assert!(!ended.err.contains("panicked"), "{mood:?}: {}", ended.err);
    }
}

fn asks_for_code(at: SocketAddr, number: &str) {
    post("/v1/verifications", &json!({ "number": number, "method": "sms_code" })).at(at).ok(201);
}

/// No message of ours is needed for that.
fn proves_by_text(at: SocketAddr, number: &str) -> String {
    let started =
        post("/v1/verifications", &json!({ "number": number, "method": "send_sms" })).at(at).ok(201);
    let now = SystemClock.now();
    let text = json!({ "from": number, "to": OUR_NUMBER, "text": started.text("text"), "at": now });
    post("/v1/sms/inbound", &text).bearer(GATEWAY_TOKEN).at(at).ok(204);
    get(&format!("/v1/verifications/{}", started.text("id"))).at(at).ok(200).text("token")
}

#[test]
fn partners_at_their_worst_hold_up_nobody_else() {
    let rounds = trial::rounds(1, 5);
    let office = Office::new();
    for round in 0..rounds {
        for (nth, mood) in (0..).zip(MOODS) {
            office.goes_through(mood, round * 100 + nth);
        }
    }
    assert!(office.stranger.sent_bytes_max() < SENT_BYTES_MAX, "{}", office.stranger.sent_bytes_max());
    // Well again: whoever waits for a code has it.
    let server = office.serve();
    office.stranger.is(Mood::Well);
    asks_for_code(server.public, "+8613799999999");
    office.stranger.takes("+8613799999999");
    server.stopped().done();
    let came = "everybody else is served, who waits for them goes on waiting, memory within 64 MiB more";
    trial::tell("partners that hang, trickle, babble, redirect, or send 10 GB", rounds * 7, came);
}
