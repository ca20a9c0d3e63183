//! Instances that are away, and the service that has to say no.

use serde_json::json;

use super::gate::SOMEBODY;
use super::town::Town;
use crate::process::wire::{Reply, get, post, request};

#[track_caller]
fn is_away(reply: Reply) {
    let reply = reply.refused(503, "busy");
    assert_eq!(reply.field("retry-after"), Some("5"));
    assert_eq!(reply.field("content-type"), Some("application/problem+json"));
    assert!(reply.field("strict-transport-security").is_some());
}

#[test]
fn the_others_stand_in_for_an_instance_that_is_down() {
    let mut town = Town::new();
    let (key, operator) = (town.provider_key(), town.operator_key());
    town.release(&operator, 1);
    // The second one has it too.
    let poll = "/feed/v1/corrections?wait=30";
    get(poll).bearer(&key).at(town.second.as_ref().unwrap().public).ok(200);
    assert_eq!(town.first.take().unwrap().stopped().code, Some(0));

    // More than once: whose turn it is may be either's.
    for nth in 0..4 {
        town.gate.ask(&get("/v1/challenge")).ok(200);
        let verify = json!({ "number": format!("+86138001380{nth:02}"), "method": "sms_code" });
        town.gate.ask(&post("/v1/verifications", &verify)).ok(201);
        let push = request("POST", "/v1/tenures").bearer(&operator).body("text/csv", "number,event,on\n");
        town.gate.ask(&push).ok(200);
    }
    let pulled = town.gate.ask(&get(poll).bearer(&key)).ok(200);
    assert!(String::from_utf8_lossy(&pulled.body).contains("+8613800000001"));

    town.second = None;
    is_away(town.gate.told_from(SOMEBODY, &get("/")));
    is_away(town.gate.told_from(SOMEBODY, &get(poll).bearer(&key)));
}

#[test]
fn when_to_come_back_is_passed_on() {
    let mut town = Town::of_one(&[]);
    // As if the disk were full.
    town.restart_first(&[("DISK_FREE_BYTES_MIN", "9000000000000000000")]);
    let verify = post("/v1/verifications", &json!({ "number": "+8613800138001", "method": "sms_code" }));
    let refused = town.gate.ask(&verify).refused(503, "busy");
    let direct = verify.at(town.first().public).refused(503, "busy");
    assert_eq!(refused.fields("retry-after"), direct.fields("retry-after"));
    assert!(refused.field("x-request-id").is_some(), "it is the service's own");
}
