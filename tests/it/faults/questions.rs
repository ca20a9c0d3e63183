//! A service with something of every kind in it, and everything that it can
//! be asked about that.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use image::ImageFormat;
use serde_json::{Value, json};

use crate::process::child::Server;
use crate::process::house::House;
use crate::process::people::{People, releases};
use crate::process::wire::{Reply, Request, get, post, request};
use crate::support::pictures::picture;

/// More than a full tile.
const RELEASED: u64 = 300;
const NUMBER: &str = "+8613800138001";
/// Of a service that answers at all.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What was answered, where it was: `None` for no or for half an answer.
pub type Answers = BTreeMap<String, Option<Reply>>;

/// Fills the folder of a service that runs; what can be asked of it then.
pub fn furnish(house: &House, server: &Server) -> Vec<Request> {
    let people = People::gather(house, server, NUMBER);
    release(&people.operator, server);
    let labels = "number,kind,code,name,source\n+8613800138001,name,,迅达快递,partner\n";
    let upload = request("POST", "/v1/labels").bearer(&people.provider).body("text/csv", labels);
    upload.at(server.public).ok(200);
    let document = hand_in(&people, server);
    wait_for_snapshot(&people.provider, server);
    questions(&people, &document)
}

/// Of all that is released. The long poll ends with its second: nothing comes.
fn wait_for_snapshot(provider: &str, server: &Server) {
    let wait = get(&format!("/feed/v1/corrections?after={RELEASED}&wait=1")).bearer(provider);
    let sum = get(&format!("/feed/v1/snapshots/{RELEASED}.sum")).bearer(provider);
    for _ in 0..30 {
        wait.at(server.public).ok(200);
        if sum.at(server.public).status == 200 {
            return;
        }
    }
    panic!("no snapshot of {RELEASED} entries");
}

fn numbers() -> impl Iterator<Item = String> {
    (0..RELEASED).map(|nth| format!("86138{:08}", 10_000_000 + nth * 7))
}

fn release(operator: &str, server: &Server) {
    let push = releases(numbers().map(|number| format!("+{number}")), ["2024-01-01", "2024-06-01"]);
    let told = push.bearer(operator).field("idempotency-key", "1").at(server.public).ok(200).json();
    assert_eq!(told["corrections"], RELEASED, "{told}");
}

/// A case with a document: a name that nobody has told the service of is for
/// people, and they ask for one. Its path.
fn hand_in(people: &People, server: &Server) -> String {
    let moderation = |path: &str, body| {
        post(&format!("/v1/moderation/{path}"), &body).bearer(&people.moderator).at(server.public)
    };
    let claim =
        json!({ "reason": "name_mismatch", "labels": [{ "provider": "tencent", "name": "老王汽修" }] });
    let filed = post("/v1/disputes", &claim).bearer(&people.holder).field("idempotency-key", "2");
    let filed = filed.at(server.public).ok(201);
    let (dispute, token) = (filed.text("id"), filed.text("token"));
    let decide = |case: &Value, decision: &str| {
        let said = json!({ "decision": decision, "reason_code": "documents", "note": "",
            "public_note": "请看", "version": case["version"] });
        let id = case["id"].as_str().expect("a case has an id");
        moderation(&format!("disputes/{id}/decision"), said).ok(200);
    };
    loop {
        let case = moderation("next", json!({}));
        if case.status != 200 {
            continue;
        }
        let is_it = case.text("id") == dispute;
        decide(&case.json(), if is_it { "ask" } else { "refuse" });
        if is_it {
            break;
        }
    }
    let body = crate::support::parts("file", &[&picture(ImageFormat::Png, 7)]);
    let form = "multipart/form-data; boundary=limit";
    let upload = request("POST", &format!("/v1/disputes/{dispute}/evidence")).body(form, body);
    let handed = upload.bearer(&token).at(server.public).ok(201).json();
    let id = handed["documents"][0]["id"].as_str().expect("a document").to_owned();
    moderation("next", json!({}));
    format!("/v1/moderation/disputes/{dispute}/documents/{id}")
}

fn questions(people: &People, document: &str) -> Vec<Request> {
    let public = [
        "/feed/v1/checkpoint",
        "/feed/v1/key",
        "/feed/v1/logs",
        "/feed/v1/tile/0/000",
        "/feed/v1/tile/0/001.p/44",
        "/feed/v1/tile/1/000.p/1",
    ];
    let of_providers = [
        "/feed/v1/corrections?limit=10000",
        "/feed/v1/corrections?after=250&limit=20",
        "/feed/v1/tile/entries/000",
        "/feed/v1/tile/entries/001.p/44",
        "/feed/v1/snapshots/300.sum",
        "/feed/v1/snapshots/300.ndjson",
        "/feed/v1/snapshots/300.csv",
        "/feed/v1/snapshots/300.zms",
    ];
    let looked_up = numbers().step_by(10).map(|number| format!("/feed/v1/corrections/{number}"));
    let dispute = format!("/v1/disputes/{}", people.dispute);
    let of_moderators = ["/v1/moderation/queue", "/v1/moderation/batches", document];
    let mut questions: Vec<_> = public.into_iter().map(get).collect();
    questions.extend(of_providers.into_iter().map(|path| get(path).bearer(&people.provider)));
    questions.extend(looked_up.map(|path| get(&path).bearer(&people.provider)));
    questions.push(get(&dispute).bearer(&people.claimant));
    questions.push(get("/v1/labels").bearer(&people.holder));
    questions.push(get("/v1/disputes").bearer(&people.holder));
    questions.extend(of_moderators.into_iter().map(|path| get(path).bearer(&people.moderator)));
    questions
}

/// Each on a connection of its own.
pub fn ask(questions: &[Request], server: SocketAddr) -> Answers {
    let answer = |question: &Request| -> io::Result<Reply> { question.try_within(server, ANSWER_MAX) };
    questions.iter().map(|question| (question.target().1.to_owned(), answer(question).ok())).collect()
}
