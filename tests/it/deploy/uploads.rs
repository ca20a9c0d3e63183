//! Bodies: small ones, long ones, and those that are too long.

use image::ImageFormat;
use serde_json::{Value, json};

use super::gate::SOMEBODY;
use super::town::Town;
use crate::process::people::People;
use crate::process::wire::{Reply, Request, post, request};
use crate::support::parts;
use crate::support::pictures::picture;

const MIB: usize = 1024 * 1024;

#[test]
fn an_upload_of_many_lines_goes_through() {
    let town = Town::new();
    let key = town.provider_key();
    let lines: String = (0..6_000)
        .map(|nth| {
            let number = format!("+86138{nth:08}");
            let label = json!({ "number": number, "kind": "category", "code": "55", "count": 3 }).to_string();
            format!("{label:1000}\n")
        })
        .collect();
    assert!(lines.len() > 5 * MIB, "more than any other body may have");
    let push = request("POST", "/v1/labels").bearer(&key).body("application/x-ndjson", lines);
    assert_eq!(town.gate.ask(&push).ok(200).json()["accepted"], 6_000);
}

/// The answer to a head whose body never comes to its end.
#[test]
fn who_is_refused_is_told_before_the_upload_is_sent() {
    let town = Town::of_one(&[]);
    for path in ["/v1/labels", "/v1/tenures", "/v1/disputes/0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f/evidence"] {
        let push = request("POST", path).bearer("zmp_x").field("content-type", "text/csv");
        let head = push.field("transfer-encoding", "chunked").head();
        let mut call = town.gate.sends(&format!("{head}11\r\nnumber,kind,code\n\r\n"));
        call.says("HTTP/1.1 401 ");
    }
}

/// A dispute for which a moderator has asked for documents.
fn asked(town: &Town, people: &People) -> String {
    let next = post("/v1/moderation/next", &json!({})).bearer(&people.moderator);
    // It is with a moderator once the worker has found that nobody knows.
    let mut cases = std::iter::repeat_with(|| town.gate.ask(&next)).take(20_000);
    let case: Value = cases.find(|case| case.status == 200).unwrap().json();
    let ruling = json!({ "decision": "ask", "reason_code": "looked_at_it", "note": "", "public_note": "请提供",
        "version": case["version"] });
    let path = format!("/v1/moderation/disputes/{}/decision", case["id"].as_str().unwrap());
    town.gate.ask(&post(&path, &ruling).bearer(&people.moderator)).ok(200);
    format!("/v1/disputes/{}/evidence", people.dispute)
}

#[test]
fn a_document_of_8_mib_goes_through_and_a_larger_one_is_refused_by_us() {
    let town = Town::of_one(&[]);
    let people = People::gather(&town.house, town.first(), "+8613800138001");
    let path = asked(&town, &people);
    let hand_in = |bytes: usize| -> Request {
        let mut document = picture(ImageFormat::Jpeg, 7);
        // What is behind a picture's end is not looked at.
        document.resize(bytes, 0);
        let form = parts("file", &[&document]);
        request("POST", &path).bearer(&people.claimant).body("multipart/form-data; boundary=limit", form)
    };
    town.gate.ask(&hand_in(8 * MIB + 1)).refused(413, "document_too_large");
    town.gate.ask(&hand_in(49 * MIB)).refused(413, "body_too_large");
    let handed = town.gate.ask(&hand_in(8 * MIB)).ok(201);
    let document = handed.json()["documents"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/moderation/disputes/{}/documents/{document}", people.dispute);
    let look = town.gate.ask(&request("GET", &path).bearer(&people.moderator));
    assert_ne!(look.status, 404, "it is there");
}

#[test]
fn other_bodies_are_refused_by_us_too_and_by_nginx_in_our_words() {
    let town = Town::of_one(&[]);
    let key = town.provider_key();
    let ack = |bytes: usize| {
        let body = [vec![b'{'], vec![b' '; bytes]].concat();
        request("PUT", "/feed/v1/ack").bearer(&key).body("application/json", body)
    };
    let ours: Reply = town.gate.ask(&ack(4 * MIB)).refused(413, "body_too_large");
    assert_eq!(ours.json()["bytes_max"], 4 * MIB);
    let nginxs = town.gate.told_from(SOMEBODY, &ack(6 * MIB)).refused(413, "body_too_large");
    assert_eq!(nginxs.field("content-type"), Some("application/problem+json"));
    assert_eq!(nginxs.json()["status"], 413);
}
