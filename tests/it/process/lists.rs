//! `kill -9` while a list is made into disputes, and between filings that are
//! counted: nothing is lost, nothing is there twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::child::Server;
use super::house::House;
use super::people::{People, proof};
use super::wire::{Reply, get, post};
use crate::support::dice::Dice;

const NUMBERS: usize = 500;
const CONTACT: &str = "+8613900139000";

fn list(round: u64) -> Value {
    let numbers: Vec<String> = (0..NUMBERS).map(|nth| format!("+861062{round:03}{nth:03}")).collect();
    let enterprise = json!({ "name": "厦门某某科技有限公司", "uscc": "91350211M000100Y46" });
    json!({ "reason": "reassigned", "opened": "2025-03", "enterprise": enterprise, "numbers": numbers })
}

fn look(server: &Server, filed: &Value) -> Value {
    let path = format!("/v1/filings/{}", filed["id"].as_str().unwrap());
    get(&path).bearer(filed["token"].as_str().unwrap()).at(server.public).ok(200).json()
}

/// Looks until so many are made.
fn made(server: &Server, filed: &Value, count: u64) -> Value {
    for _ in 0..20_000 {
        let view = look(server, filed);
        let pending = view["by_status"]["pending"].as_u64().unwrap_or_default();
        if NUMBERS as u64 - pending >= count {
            return view;
        }
    }
    panic!("{count} disputes are never made");
}

fn ids(view: &Value) -> BTreeSet<(String, String)> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let disputes = view["disputes"].as_array().unwrap();
    disputes.iter().map(|one| (text(one, "number"), text(one, "id"))).collect()
}

#[test]
fn a_list_is_made_whole_however_often_the_service_dies() {
    let house = House::new();
    let mut dice = Dice::new(7);
    for round in 0..3 {
        let server = house.serve();
        let token = proof(&house, server.public, CONTACT).token;
        let file = |server: &Server| -> Reply {
            let key = format!("list-{round}");
            let file = post("/v1/filings", &list(round)).bearer(&token).field("idempotency-key", &key);
            file.at(server.public).ok(201)
        };
        let filed = file(&server).json();
        assert_eq!(filed["accepted"], NUMBERS as u64);
        made(&server, &filed, dice.roll(300));
        server.process.kill();

        let server = house.serve();
        made(&server, &filed, 300 + dice.roll(200));
        server.process.kill();

        let server = house.serve();
        let view = made(&server, &filed, NUMBERS as u64);
        assert_eq!(ids(&view), ids(&filed), "those that were named, each once");
        assert_eq!(view["rejected"], json!([]), "none met itself");
        assert_eq!(file(&server).json(), filed, "the first answer, again");
        server.process.kill();
    }
}

#[test]
fn clusters_are_counted_across_restarts() {
    let house = House::new();
    let serve = || {
        let mut command = house.command("serve");
        command.env("ZHENGMING_LIMITS__CLUSTER_FILINGS_PER_30_DAYS", "3");
        Server::start(command)
    };
    let number = |nth: u64| format!("+86138001380{nth:02}");
    let file = |server: &Server, nth: u64| {
        let token = proof(&house, server.public, &number(nth)).token;
        let body = json!({ "reason": "reassigned", "opened": "2025-03" });
        let file = post("/v1/disputes", &body).bearer(&token).field("idempotency-key", "1");
        file.at(server.public).ok(201).text("id")
    };
    let mut server = serve();
    // It is the first one that files.
    let people = People::gather(&house, &server, &number(1));
    for nth in 2..8 {
        let id = file(&server, nth);
        let path = format!("/v1/moderation/disputes/{id}");
        let case = get(&path).bearer(&people.moderator).at(server.public).ok(200).json();
        let counted = case["why"].as_array().unwrap().iter().find(|one| one["flag"] == "neighbours_cluster");
        let filings = counted.map(|one| one["filings"].as_u64().unwrap());
        assert_eq!(filings, (nth > 3).then_some(nth), "{case}");
        if filings.is_some() {
            assert_eq!(case["status"], "checking", "it waits a while");
        }
        server.process.kill();
        server = serve();
    }
    server.process.kill();
}
