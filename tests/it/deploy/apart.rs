//! What lies with one instance alone, and another instance that comes upon it.

use serde_json::json;

use super::town::Town;
use crate::process::accounts::totp;
use crate::process::people::PASSWORD;
use crate::process::wire::{get, post, request};

/// A moderator, logged in.
fn moderator(town: &Town, name: &str) -> String {
    let add = format!("moderator add {name} --role senior --password-stdin");
    let uri = town.house.run_beside(town.first().admin, &add, PASSWORD).done();
    let log_in = json!({ "name": name, "password": PASSWORD, "totp": totp(&uri, 0) });
    post("/v1/moderation/session", &log_in).at(town.first().public).ok(200).text("token")
}

#[test]
fn an_upload_is_applied_where_it_lies_and_no_other_instance_dies_of_it() {
    let mut town = Town::with(&[("LIMITS__RELEASES_PER_OPERATOR_PER_DAY", "1")]);
    let (key, operator) = (town.provider_key(), town.operator_key());
    let lines = (0..3).map(|nth| {
        let number = format!("+86138001380{nth:02}");
        format!("{number},disconnected,2024-01-01\n{number},activated,2024-06-01\n")
    });
    let body = format!("number,event,on\n{}", lines.collect::<String>());
    let push = request("POST", "/v1/tenures").bearer(&operator).body("text/csv", body);
    let told = town.gate.ask(&push).ok(200).json();
    assert_eq!(told["corrections"], 1, "{told}");
    assert_ne!(told["held"], 0, "{told}");

    // Two people release the rest at the instance that does not have it.
    let second = town.second.as_ref().unwrap().public;
    let people = ["han-mei", "li-lei"].map(|name| moderator(&town, name));
    let held = get("/v1/moderation/batches").bearer(&people[0]).at(second).ok(200).json();
    let release = format!("/v1/moderation/batches/{}/release", held["batches"][0]["id"].as_str().unwrap());
    post(&release, &json!({})).bearer(&people[0]).at(second).ok(202);
    post(&release, &json!({})).bearer(&people[1]).at(second).refused(503, "busy");

    // A start takes up what is open, so that both instances come upon it now.
    town.restart_second();
    let first = town.first().public;
    let is_applied = |_| {
        let rest = get("/feed/v1/corrections?after=1&wait=30").bearer(&key).at(first).ok(200);
        String::from_utf8_lossy(&rest.body).lines().count() == 2
    };
    assert!((0..1_000).any(is_applied), "the instance that has it applies it");
    let second = town.second.take().unwrap();
    get("/readyz").at(second.admin).ok(200);
    assert_eq!(second.stopped().code, Some(0));
}
