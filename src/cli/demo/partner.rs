//! What a provider's programmer writes first: a plain pull of the feed that
//! computes the log's root from the entries themselves, and acknowledges.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::Failed;
use crate::cli::demo::caller::Caller;
use crate::feed::merkle::{Frontier, leaf_hash};

const PAGE_ENTRIES: usize = 1_000;

pub struct Puller<'a> {
    caller: &'a Caller,
    key: &'a str,
    tree: Frontier,
    /// The corrections in force, by number.
    corrections: BTreeMap<String, Value>,
}

impl<'a> Puller<'a> {
    pub fn new(caller: &'a Caller, key: &'a str) -> Self {
        Self { caller, key, tree: Frontier::default(), corrections: BTreeMap::new() }
    }

    /// Takes everything that is new. Returns how many entries that were.
    pub async fn pull(&mut self) -> Result<u64, Failed> {
        let before = self.tree.size();
        loop {
            let path = format!("/feed/v1/corrections?after={}&limit={PAGE_ENTRIES}", self.tree.size());
            let page = self.caller.get(&path).bearer(self.key).accept("application/x-ndjson");
            let page = page.wants(StatusCode::OK).await?;
            if page.body.is_empty() {
                return Ok(self.tree.size() - before);
            }
            for line in page.body.split_inclusive(|byte| *byte == b'\n') {
                self.take(line)?;
            }
        }
    }

    /// A line is the log's leaf with its place put in front: `{"seq":N,` for `{`.
    fn take(&mut self, line: &[u8]) -> Result<(), Failed> {
        let malformed = || Failed::because("a line of the feed is malformed");
        let line = line.strip_suffix(b"\n").ok_or_else(malformed)?;
        let seq = format!("{{\"seq\":{},", self.tree.size());
        let rest = line.strip_prefix(seq.as_bytes()).ok_or_else(malformed)?;
        self.tree.push(leaf_hash(&[b"{", rest].concat()));
        let entry: Value = serde_json::from_slice(line).map_err(|_| malformed())?;
        let number = entry["number"].as_str().ok_or_else(malformed)?.to_owned();
        if entry["withdrawn"] == json!(true) {
            self.corrections.remove(&number);
        } else {
            self.corrections.insert(number, entry);
        }
        Ok(())
    }

    pub fn correction(&self, number: &str) -> Option<&Value> {
        self.corrections.get(number)
    }

    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Tells the service that what was pulled is being served. The service
    /// refuses a root that is not its own.
    pub async fn acknowledge(&self, stage: &str) -> Result<(), Failed> {
        let size = self.tree.size();
        let root = self.tree.root();
        let body = json!({"size": size, "root": STANDARD.encode(root), "stage": stage, "software": "zhengming demo"});
        let ack = self.caller.put("/feed/v1/ack").bearer(self.key).json(&body);
        ack.wants(StatusCode::OK).await.map(|_| ())
    }
}
