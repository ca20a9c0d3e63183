//! `kill -9` while clients call: whatever was acknowledged is there, whatever
//! was half done is finished or never began, and nothing is there twice.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

use serde_json::{Value, json};

use super::child::AT_MOST;
use super::house::{House, only_word};
use super::phone::Phone;
use super::wire::{Reply, Request, get, post, request};
use crate::support::dice::Dice;

const ROUNDS: u64 = 5;
const FILERS: u64 = 4;
const NUMBERS_PER_BATCH: u64 = 300;

/// A filing that was sent, perhaps without an answer.
struct Filing {
    number: String,
    holder_token: String,
    key: String,
    answer: Option<Reply>,
}

/// An operator's upload that was sent, perhaps without an answer.
struct Batch {
    key: String,
    numbers: Vec<String>,
    answer: Option<Reply>,
}

struct Town {
    house: House,
    provider: String,
    operator: String,
    /// All numbers that have a correction.
    corrected: BTreeSet<String>,
}

#[test]
fn whatever_was_acknowledged_is_there() {
    let house = House::new();
    let provider = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
    let operator = only_word(&house.run("key issue operator cmcc --name 移动", "").done(), "zmo_");
    let mut town = Town { house, provider, operator, corrected: BTreeSet::new() };
    let mut dice = Dice::new(20);
    for round in 0..ROUNDS {
        let (filings, batches) = town.killed_in_the_middle(round, &mut dice);
        let server = town.house.serve();
        town.check_batches(server.public, &batches);
        for filing in &filings {
            check_filing(server.public, filing);
        }
        server.process.kill();
    }
}

impl Town {
    /// Callers call until the server is gone; what they have sent.
    fn killed_in_the_middle(&self, round: u64, dice: &mut Dice) -> (Vec<Filing>, Vec<Batch>) {
        let server = self.house.serve();
        let (address, phone) = (server.public, &self.house.phone);
        let (acknowledged, acks) = channel();
        phone.is_dead(false);
        std::thread::scope(|scope| {
            let filers: Vec<_> = (0..FILERS)
                .map(|filer| {
                    let tell = acknowledged.clone();
                    scope.spawn(move || file_on(address, phone, round * FILERS + filer, &tell))
                })
                .collect();
            let pusher = scope.spawn(move || self.push_on(address, round));
            for _ in 0..=dice.roll(8) {
                acks.recv_timeout(AT_MOST).unwrap();
            }
            // In the midst of a batch, since each has more entries than that.
            let size = self.log_beyond(address, 0);
            self.log_beyond(address, size + dice.roll(NUMBERS_PER_BATCH - 100));
            server.process.kill();
            phone.is_dead(true);
            let filings = filers.into_iter().flat_map(|filer| filer.join().unwrap()).collect();
            (filings, pusher.join().unwrap())
        })
    }

    /// Uploads without end: each releases numbers of its own.
    fn push_on(&self, address: SocketAddr, round: u64) -> Vec<Batch> {
        let mut batches = Vec::new();
        for nth in 0.. {
            let first = (round * 100 + nth) * NUMBERS_PER_BATCH;
            let numbers = (first..first + NUMBERS_PER_BATCH).map(|at| format!("+86138{at:08}")).collect();
            let mut batch = Batch { key: format!("{round}-{nth}"), numbers, answer: None };
            batch.answer = self.push(&batch).try_at(address).ok();
            let is_over = batch.answer.is_none();
            batches.push(batch);
            if is_over {
                break;
            }
        }
        batches
    }

    fn push(&self, batch: &Batch) -> Request {
        let lines = batch.numbers.iter().flat_map(|number| {
            [("disconnected", "2024-01-01"), ("activated", "2024-06-01")]
                .map(|(event, on)| json!({ "number": number, "event": event, "on": on }).to_string() + "\n")
        });
        let body = lines.collect::<String>();
        let push = request("POST", "/v1/tenures").body("application/x-ndjson", body);
        push.bearer(&self.operator).field("idempotency-key", &batch.key)
    }

    /// Waits until the log is longer than this; how long it is.
    fn log_beyond(&self, address: SocketAddr, size: u64) -> u64 {
        let mut after = 0;
        loop {
            let path = format!("/feed/v1/corrections?after={after}&limit=1&wait=30");
            let page = get(&path).bearer(&self.provider).at(address).ok(200);
            let now = page.field("zhengming-size").unwrap().parse().unwrap();
            assert!(now > after, "nothing came within the wait: {now} entries, {size} wanted");
            if now > size {
                return now;
            }
            after = now;
        }
    }

    /// The whole log: no gap, no number twice.
    fn log(&self, address: SocketAddr) -> Vec<String> {
        let path = "/feed/v1/corrections?limit=10000";
        let page = get(path).bearer(&self.provider).field("accept", "application/json").at(address).ok(200);
        let entries = page.json().as_array().unwrap().clone();
        for (seq, entry) in entries.iter().enumerate() {
            assert_eq!(entry["seq"], seq as u64);
            assert_eq!((&entry["reason"], &entry["supersedes"]), (&json!("released"), &Value::Null));
        }
        entries.iter().map(|entry| entry["number"].as_str().unwrap().to_owned()).collect()
    }

    fn check_batches(&mut self, address: SocketAddr, batches: &[Batch]) {
        for batch in batches {
            let found = self.log(address);
            let begun = batch.numbers.iter().any(|number| found.contains(number));
            let before = self.corrected.len() as u64;
            self.corrected.extend(batch.numbers.iter().cloned());
            if begun {
                // The worker takes up what was left, without being asked.
                self.log_beyond(address, before + NUMBERS_PER_BATCH - 1);
            }
            let again = self.repeated(address, batch);
            let told = again.json();
            assert_eq!((&told["accepted"], &told["corrections"]), (&json!(600), &json!(300)), "{told}");
            if let Some(answer) = &batch.answer {
                assert_eq!((answer.status, answer.json()), (200, told));
            }
        }
        self.log_beyond(address, self.corrected.len() as u64 - 1);
        let log = self.log(address);
        assert_eq!(log.len(), self.corrected.len());
        assert_eq!(log.into_iter().collect::<BTreeSet<_>>(), self.corrected);
    }

    /// As an operator would: sent again until it is not under way any more.
    fn repeated(&self, address: SocketAddr, batch: &Batch) -> Reply {
        for _ in 0..500 {
            let reply = self.push(batch).at(address);
            if reply.status != 409 {
                return reply.ok(200);
            }
            reply.refused(409, "idempotency_key_in_use");
        }
        panic!("batch {} is not finished", batch.key);
    }
}

/// Proves control and files, with one number after the other.
fn file_on(address: SocketAddr, phone: &Phone, filer: u64, acknowledged: &Sender<()>) -> Vec<Filing> {
    let mut filings = Vec::new();
    for nth in 0.. {
        let number = format!("+86139{filer:04}{nth:04}");
        let Some(holder_token) = prove(address, phone, &number) else { break };
        let mut filing = Filing { number, holder_token, key: format!("{filer}-{nth}"), answer: None };
        filing.answer = file(&filing).try_at(address).ok();
        let is_over = filing.answer.is_none();
        filings.push(filing);
        if is_over {
            break;
        }
        // Nobody counts them any more after the first ones.
        let _ = acknowledged.send(());
    }
    filings
}

fn prove(address: SocketAddr, phone: &Phone, number: &str) -> Option<String> {
    let body = json!({ "number": number, "method": "sms_code" });
    let started = post("/v1/verifications", &body).try_at(address).ok()?.ok(201);
    let code = phone.code(number)?;
    let path = format!("/v1/verifications/{}/confirm", started.text("id"));
    let confirmed = post(&path, &json!({ "code": code })).try_at(address).ok()?.ok(200);
    Some(confirmed.text("token"))
}

fn file(filing: &Filing) -> Request {
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "note": filing.key });
    post("/v1/disputes", &body).bearer(&filing.holder_token).field("idempotency-key", &filing.key)
}

fn check_filing(address: SocketAddr, filing: &Filing) {
    let again = file(filing).at(address).ok(201).json();
    if let Some(answer) = &filing.answer {
        assert_eq!((answer.status, answer.json()), (201, again.clone()), "the first answer, again");
    }
    let (id, token) = (again["id"].as_str().unwrap(), again["token"].as_str().unwrap());
    let view = get(&format!("/v1/disputes/{id}")).bearer(token).at(address).ok(200).json();
    assert_eq!((view["id"].as_str(), view["number"].as_str()), (Some(id), Some(&*filing.number)));
    let mine = get("/v1/disputes").bearer(&filing.holder_token).at(address).ok(200).json();
    assert_eq!(mine["disputes"].as_array().unwrap().len(), 1, "filed once");
}
