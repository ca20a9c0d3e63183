//! Holders, an operator and a provider, who call whichever instance answers,
//! and say the same again until they are told that it is done.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fleet::{Fleet, INSTANCES};
use super::gateway::Gateway;
use crate::process::wire::{Reply, Request, get, post, request};
use crate::support::dice::Dice;

pub const FILERS: u64 = 3;
/// Of each filer; more than one comes to.
pub const NUMBERS_PER_FILER: u64 = 2_000;
pub const NUMBERS_PER_BATCH: u64 = 40;

/// Who does not answer in so long stands still, or is gone.
const PATIENCE: Duration = Duration::from_secs(3);
const CODE_WITHIN: Duration = Duration::from_secs(5);

/// What was acknowledged.
#[derive(Debug, Clone)]
pub struct Filed {
    pub number: String,
    pub id: String,
    pub token: String,
}

pub struct Callers<'a> {
    pub fleet: &'a Fleet,
    pub gateway: &'a Gateway,
    pub provider: String,
    pub operator: String,
    pub is_over: AtomicBool,
    pub counts: Counts,
    /// Every checkpoint that was seen anywhere, by its size.
    pub notes: Mutex<BTreeMap<u64, String>>,
    pub filed: Mutex<Vec<Filed>>,
    pub released: Mutex<Vec<String>>,
}

#[derive(Default)]
pub struct Counts {
    pub requests: AtomicU64,
    pub refused: AtomicU64,
    pub broken: AtomicU64,
}

impl Callers<'_> {
    /// Proves control and files, with one number after the other.
    pub fn file_on(&self, filer: u64, acknowledged: &Sender<Instant>) {
        let mut dice = Dice::new(filer);
        for nth in 0..NUMBERS_PER_FILER {
            let number = holder(filer, nth);
            let key = format!("{filer}-{nth}");
            let Some(token) = self.prove(&number, &mut dice) else { return };
            let body = json!({ "reason": "reassigned", "opened": "2024-06" });
            let file = post("/v1/disputes", &body).bearer(&token).field("idempotency-key", &key);
            let Some(filed) = self.until(&file, 201, &mut dice) else { return };
            let (id, token) = (filed.text("id"), filed.text("token"));
            self.filed.lock().unwrap().push(Filed { number, id, token });
            // Nobody counts them any more in the end.
            let _ = acknowledged.send(Instant::now());
            self.look_at_checkpoint(&mut dice);
        }
        panic!("more than {NUMBERS_PER_FILER} disputes were filed");
    }

    /// Shows labels and releases their numbers, one batch after the other.
    pub fn push_on(&self, acknowledged: &Sender<Instant>) {
        let mut dice = Dice::new(99);
        for nth in 0.. {
            let numbers: Vec<String> = (0..NUMBERS_PER_BATCH)
                .map(|at| format!("+86138{:08}", nth * NUMBERS_PER_BATCH + at))
                .collect();
            let label = |number: &String| {
                let express = json!({ "number": number, "kind": "category", "category": "express",
                    "first_marked_on": "2023-06-01" });
                format!("{express}\n")
            };
            let labels = request("POST", "/v1/labels").bearer(&self.provider);
            let labels = labels.body("application/x-ndjson", numbers.iter().map(label).collect::<String>());
            if self.until(&labels, 200, &mut dice).is_none() {
                return;
            }
            let batch = self.released(&numbers).field("idempotency-key", &nth.to_string());
            let Some(told) = self.until(&batch, 200, &mut dice) else { return };
            assert_eq!(told.json()["accepted"], 2 * NUMBERS_PER_BATCH, "{:?}", told.json());
            self.released.lock().unwrap().extend(numbers);
            // Nobody counts them any more in the end.
            let _ = acknowledged.send(Instant::now());
        }
    }

    /// The operator's lines of numbers that came to somebody else.
    pub fn released(&self, numbers: &[String]) -> Request {
        let lines = numbers.iter().flat_map(|number| {
            [("disconnected", "2024-01-01"), ("activated", "2024-06-01")]
                .map(|(event, on)| json!({ "number": number, "event": event, "on": on }).to_string() + "\n")
        });
        let body = lines.collect::<String>();
        request("POST", "/v1/tenures").bearer(&self.operator).body("application/x-ndjson", body)
    }

    fn prove(&self, number: &str, dice: &mut Dice) -> Option<String> {
        loop {
            let body = json!({ "number": number, "method": "sms_code" });
            let started = self.until(&post("/v1/verifications", &body), 201, dice)?.text("id");
            // Whoever was to send it may be gone: then one asks for another.
            let Some(code) = self.gateway.code(&started, CODE_WITHIN) else { continue };
            let confirm = post(&format!("/v1/verifications/{started}/confirm"), &json!({ "code": code }));
            match self.until_said(&confirm, &[200, 410], dice)? {
                confirmed if confirmed.status == 200 => return Some(confirmed.text("token")),
                // It was confirmed, and the answer lost.
                _ => {}
            }
        }
    }

    fn until(&self, request: &Request, status: u16, dice: &mut Dice) -> Option<Reply> {
        self.until_said(request, &[status], dice)
    }

    /// Says it to one instance after the other until one of these comes back;
    /// `None` once all is over.
    fn until_said(&self, request: &Request, wanted: &[u16], dice: &mut Dice) -> Option<Reply> {
        while !self.is_over.load(Ordering::SeqCst) {
            let at = self.fleet.public(usize::try_from(dice.roll(INSTANCES as u64)).unwrap());
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            match request.try_within(at, PATIENCE) {
                Ok(reply) if wanted.contains(&reply.status) => return Some(reply),
                // Busy, or the same one under way at another instance.
                Ok(reply) if [503, 409, 500].contains(&reply.status) => {
                    assert_ne!(reply.json()["code"], "internal", "{reply:?}");
                    self.counts.refused.fetch_add(1, Ordering::Relaxed);
                    self.rest(dice);
                }
                Ok(reply) => panic!("{request:?}: {reply:?}"),
                Err(_) => {
                    self.counts.broken.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        None
    }

    /// As long as an answer takes that waits for news.
    fn rest(&self, dice: &mut Dice) {
        let at = self.fleet.public(usize::try_from(dice.roll(INSTANCES as u64)).unwrap());
        let size = self.notes.lock().unwrap().keys().next_back().copied().unwrap_or(0);
        let path = format!("/feed/v1/corrections?after={size}&limit=1&wait=1");
        let _ = get(&path).bearer(&self.provider).try_within(at, PATIENCE);
    }

    /// One size, one checkpoint, whoever shows it.
    fn look_at_checkpoint(&self, dice: &mut Dice) {
        let at = self.fleet.public(usize::try_from(dice.roll(INSTANCES as u64)).unwrap());
        if let Ok(reply) = get("/feed/v1/checkpoint").try_within(at, PATIENCE) {
            self.note(&reply);
        }
    }

    pub fn note(&self, reply: &Reply) -> u64 {
        let note = String::from_utf8(reply.body.clone()).unwrap();
        let size = note.lines().nth(1).unwrap().parse().unwrap();
        let before = self.notes.lock().unwrap().entry(size).or_insert_with(|| note.clone()).clone();
        assert_eq!(before, note, "two checkpoints of {size} entries");
        size
    }

    pub fn view(&self, filed: &Filed, at: usize) -> Value {
        let view = get(&format!("/v1/disputes/{}", filed.id)).bearer(&filed.token);
        view.at(self.fleet.public(at)).ok(200).json()
    }
}

pub fn holder(filer: u64, nth: u64) -> String {
    format!("+86139{filer:04}{nth:04}")
}
