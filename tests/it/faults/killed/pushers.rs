//! An operator that uploads releases, each of numbers of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::json;

use super::log::Log;
use crate::process::people::releases;
use crate::process::wire::{Reply, Request};

pub const NUMBERS_PER_BATCH: u64 = 300;

/// An upload that was sent, perhaps without an answer.
pub struct Batch {
    key: String,
    numbers: Vec<String>,
    answer: Option<Reply>,
}

pub fn push_on(address: SocketAddr, operator: &str, round: u64) -> Vec<Batch> {
    let mut batches = Vec::new();
    for nth in 0.. {
        let mut batch = Batch::new(round * 100 + nth);
        let is_over = batch.push(operator, address).is_none();
        batches.push(batch);
        if is_over {
            break;
        }
    }
    batches
}

impl Batch {
    pub fn new(nth: u64) -> Self {
        let first = nth * NUMBERS_PER_BATCH;
        let numbers = (first..first + NUMBERS_PER_BATCH).map(|at| format!("+86138{at:08}")).collect();
        Self { key: nth.to_string(), numbers, answer: None }
    }

    /// `None`: nobody is there any more.
    pub fn push(&mut self, operator: &str, address: SocketAddr) -> Option<Reply> {
        self.answer = self.request(operator).try_at(address).ok();
        self.answer.clone()
    }

    pub fn request(&self, operator: &str) -> Request {
        let push = releases(self.numbers.iter().cloned(), ["2024-01-01", "2024-06-01"]);
        push.bearer(operator).field("idempotency-key", &self.key)
    }

    /// `corrected`: all that have a correction by earlier batches.
    pub fn check(&self, operator: &str, log: &Log<'_>, corrected: &mut BTreeSet<String>) {
        let found = log.numbers();
        let has_begun = self.numbers.iter().any(|number| found.contains(number));
        let before = corrected.len() as u64;
        corrected.extend(self.numbers.iter().cloned());
        if has_begun {
            // The worker takes up what was left, without being asked.
            log.beyond(before + NUMBERS_PER_BATCH - 1);
        }
        let told = self.repeated(operator, log.address).json();
        assert_eq!((&told["accepted"], &told["corrections"]), (&json!(600), &json!(300)), "{told}");
        if let Some(answer) = &self.answer {
            assert_eq!((answer.status, answer.json()), (200, told));
        }
    }

    /// As an operator would: sent again until it is not under way any more.
    pub fn repeated(&self, operator: &str, address: SocketAddr) -> Reply {
        for _ in 0..500 {
            let reply = self.request(operator).at(address);
            if reply.status != 409 {
                return reply.ok(200);
            }
            reply.refused(409, "idempotency_key_in_use");
        }
        panic!("batch {} is not finished", self.key);
    }
}
