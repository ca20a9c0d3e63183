//! What the log tells of one request, from its answer to what followed from it.

use serde_json::{Value, json};

use crate::process::child::Server;
use crate::process::house::House;
use crate::process::people::{People, releases};
use crate::process::wire::{Reply, get, post};

const NUMBER: &str = "+8613800138001";
const RELEASED: &str = "+8613800138002";

fn request_id(reply: &Reply) -> String {
    reply.field("x-request-id").unwrap().to_owned()
}

/// Lines about a request, by what they say.
fn lines_of<'a>(lines: &'a [Value], request_id: &str, message: &str) -> Vec<&'a Value> {
    let of_it = |line: &&Value| line["span"]["request_id"] == request_id && line["message"] == message;
    lines.iter().filter(of_it).collect()
}

#[test]
fn one_id_leads_from_the_answer_to_commit_publication_and_tasks() {
    let house = House::new();
    let mut server = Server::start(house.command("serve --log info --log-format json"));
    let people = People::gather(&house, &server, NUMBER);
    let at = server.public;
    let refused = get(&format!("/v1/disputes/{}", people.dispute)).at(at).ok(401);
    assert_eq!(refused.text("instance"), format!("urn:uuid:{}", request_id(&refused)));

    let upload = releases([RELEASED.to_owned()], ["2024-01-01", "2024-06-01"]);
    let uploaded = upload.bearer(&people.operator).at(at).ok(200);
    assert_eq!(uploaded.json()["corrections"], 1);
    let pulled = get("/feed/v1/corrections?wait=30").bearer(&people.provider).at(at).ok(200);
    assert_eq!(pulled.json()["number"], RELEASED);
    let started =
        post("/v1/verifications", &json!({ "number": RELEASED, "method": "sms_code" })).at(at).ok(201);
    house.phone.code(RELEASED).unwrap();
    // The task ends after its message has come: this one, and the one of before.
    for _ in 0..2 {
        server.process.says("\"task\":\"send_code\"");
    }

    let log = server.stopped().err;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for (reply, message, times) in [
        (&refused, "answered", 1),
        (&uploaded, "answered", 1),
        (&uploaded, "committed", 1),
        (&uploaded, "published", 1),
        (&started, "answered", 1),
        (&started, "task ended", 1),
    ] {
        let found = lines_of(&lines, &request_id(reply), message);
        assert_eq!(found.len(), times, "{message}: {log}");
    }
    let id = request_id(&uploaded);
    let committed = lines_of(&lines, &id, "committed")[0];
    let published = lines_of(&lines, &id, "published")[0];
    assert_eq!((&committed["first_seq"], &committed["entries"]), (&json!(0), &json!(1)));
    assert_eq!((&published["first_seq"], &published["entries"]), (&json!(0), &json!(1)));
    assert!(committed["duration_ms"].is_u64() && published["waited_ms"].is_u64(), "{log}");
    let task = lines_of(&lines, &request_id(&started), "task ended")[0];
    assert_eq!((&task["span"]["task"], &task["outcome"]), (&json!("send_code"), &json!("ok")));
}
