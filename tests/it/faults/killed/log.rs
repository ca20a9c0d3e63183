//! The log as a provider sees it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zhengming::domain::hex::hex;

use crate::process::wire::get;

pub struct Log<'a> {
    pub address: SocketAddr,
    pub provider: &'a str,
}

impl Log<'_> {
    /// Waits until the log is longer than this; how long it is.
    pub fn beyond(&self, size: u64) -> u64 {
        let mut after = 0;
        loop {
            let path = format!("/feed/v1/corrections?after={after}&limit=1&wait=30");
            let page = get(&path).bearer(self.provider).at(self.address).ok(200);
            let now = page.field("zhengming-size").unwrap().parse().unwrap();
            assert!(now > after, "nothing came within the wait: {now} entries, {size} wanted");
            if now > size {
                return now;
            }
            after = now;
        }
    }

    /// Of the whole log: no gap.
    pub fn numbers(&self) -> Vec<String> {
        let mut numbers = Vec::new();
        loop {
            let page = self.page(numbers.len());
            if page.is_empty() {
                return numbers;
            }
            for entry in &page {
                assert_eq!(entry["seq"], numbers.len() as u64);
                assert_eq!((&entry["reason"], &entry["supersedes"]), (&json!("released"), &Value::Null));
                numbers.push(entry["number"].as_str().unwrap().to_owned());
            }
        }
    }

    fn page(&self, after: usize) -> Vec<Value> {
        let path = format!("/feed/v1/corrections?after={after}&limit=10000");
        let page = get(&path).bearer(self.provider).field("accept", "application/json");
        page.at(self.address).ok(200).json().as_array().unwrap().clone()
    }

    /// The newest snapshot, if there is one, is the one that was signed.
    pub fn check_snapshot(&self) {
        let newest = get("/feed/v1/snapshot").bearer(self.provider).at(self.address);
        if newest.status == 404 {
            return;
        }
        let newest = newest.ok(307);
        let (size, _) = newest.field("location").unwrap().rsplit_once('.').unwrap();
        let said = get(&format!("{size}.sum")).bearer(self.provider).at(self.address).ok(200);
        let said = String::from_utf8(said.body).unwrap();
        for form in ["ndjson", "csv", "zms"] {
            let body = get(&format!("{size}.{form}")).bearer(self.provider).at(self.address).ok(200).body;
            let line = format!("{form} {}", hex(&Sha256::digest(&body)));
            assert!(said.lines().any(|said| said == line), "{line} in {said}");
        }
    }
}
