//! A provider that uploads labels and acknowledges what it pulls.

use std::net::SocketAddr;

use serde_json::json;

use crate::process::wire::{Request, get, request};

const LABELS_PER_UPLOAD: u64 = 40;

/// What was acknowledged to it.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// Uploads, by their first number.
    uploads: Vec<u64>,
    /// Size and root.
    newest: Option<(u64, String)>,
}

pub fn provide_on(address: SocketAddr, provider: &str, round: u64) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for nth in 0.. {
        let first = (round * 100 + nth) * LABELS_PER_UPLOAD;
        let Ok(told) = upload(provider, first).try_at(address) else { break };
        told.ok(200);
        acknowledged.uploads.push(first);
        let Ok(checkpoint) = get("/feed/v1/checkpoint").try_at(address) else { break };
        let checkpoint = String::from_utf8(checkpoint.ok(200).body).unwrap();
        let mut lines = checkpoint.lines().skip(1);
        let (size, root) = (lines.next().unwrap().parse().unwrap(), lines.next().unwrap().to_owned());
        let Ok(told) = acknowledgement(provider, size, &root).try_at(address) else { break };
        told.ok(200);
        acknowledged.newest = Some((size, root));
    }
    acknowledged
}

fn upload(provider: &str, first: u64) -> Request {
    let line = |nth| format!("+86136{nth:08},category,55\n");
    let lines: String = (first..first + LABELS_PER_UPLOAD).map(line).collect();
    request("POST", "/v1/labels").bearer(provider).body("text/csv", format!("number,kind,code\n{lines}"))
}

fn acknowledgement(provider: &str, size: u64, root: &str) -> Request {
    let body = json!({ "size": size, "root": root, "stage": "serving" }).to_string();
    request("PUT", "/feed/v1/ack").bearer(provider).body("application/json", body)
}

impl Acknowledged {
    pub fn check(&self, address: SocketAddr, provider: &str) {
        for first in &self.uploads {
            let told = upload(provider, *first).at(address).ok(200).json();
            let counts = (&told["accepted"], &told["unchanged"]);
            assert_eq!(counts, (&json!(0), &json!(LABELS_PER_UPLOAD)), "{told}");
        }
        if let Some((size, root)) = &self.newest {
            let told = acknowledgement(provider, *size, root).at(address).ok(200).json();
            assert_eq!(told["advanced"], false, "it was acknowledged already");
        }
    }
}
