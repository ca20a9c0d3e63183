//! Holders who prove control and file, with one number after the other.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use serde_json::json;

use crate::process::people::try_proof;
use crate::process::phone::Phone;
use crate::process::wire::{Reply, Request, get, post};

/// A filing that was sent, perhaps without an answer.
pub struct Filing {
    number: String,
    holder_token: String,
    key: String,
    answer: Option<Reply>,
}

pub fn file_on(address: SocketAddr, phone: &Phone, filer: u64, acknowledged: &Sender<()>) -> Vec<Filing> {
    let mut filings = Vec::new();
    for nth in 0.. {
        let number = format!("+86139{filer:04}{nth:04}");
        let Some(holder_token) = prove(address, phone, &number) else { break };
        let mut filing = Filing::new(number, holder_token, format!("{filer}-{nth}"));
        let is_over = filing.send(address).is_none();
        filings.push(filing);
        if is_over {
            break;
        }
        // Nobody counts them any more after the first ones.
        let _ = acknowledged.send(());
    }
    filings
}

pub fn prove(address: SocketAddr, phone: &Phone, number: &str) -> Option<String> {
    try_proof(phone, address, number).map(|proof| proof.token)
}

impl Filing {
    pub fn new(number: String, holder_token: String, key: String) -> Self {
        Self { number, holder_token, key, answer: None }
    }

    /// `None`: nobody is there any more.
    pub fn send(&mut self, address: SocketAddr) -> Option<Reply> {
        self.answer = self.request().try_at(address).ok();
        self.answer.clone()
    }

    fn request(&self) -> Request {
        let body = json!({ "reason": "reassigned", "opened": "2025-03", "note": self.key });
        post("/v1/disputes", &body).bearer(&self.holder_token).field("idempotency-key", &self.key)
    }

    pub fn check(&self, address: SocketAddr) {
        let again = self.request().at(address).ok(201).json();
        if let Some(answer) = &self.answer {
            assert_eq!((answer.status, answer.json()), (201, again.clone()), "the first answer, again");
        }
        let (id, token) = (again["id"].as_str().unwrap(), again["token"].as_str().unwrap());
        let view = get(&format!("/v1/disputes/{id}")).bearer(token).at(address).ok(200).json();
        assert_eq!((view["id"].as_str(), view["number"].as_str()), (Some(id), Some(&*self.number)));
        let mine = get("/v1/disputes").bearer(&self.holder_token).at(address).ok(200).json();
        assert_eq!(mine["disputes"].as_array().unwrap().len(), 1, "filed once");
    }
}
