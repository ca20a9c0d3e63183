//! Uploads over HTTP: operators' tenure lines and providers' labels, and the
//! corrections that follow from them.

mod contradictions;
mod labels;
mod order;
mod tenures;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zhengming::casework::Settings;
use zhengming::domain::label::{Label, LabelKind};
use zhengming::http::limits::LimitsConfig;
use zhengming::store::{Batch, Listing, Store};

use crate::support::service::{Answered, TestService, answered, settings};

const TENURES: &str = "/v1/tenures";
const LABELS: &str = "/v1/labels";
const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// An operator and a provider with their keys.
struct Town {
    service: TestService,
    cmcc: String,
    tencent: String,
}

impl Town {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: Settings) -> Self {
        let service = TestService::with(settings, &LimitsConfig::default()).await;
        let (cmcc, tencent) = (service.operator_key("cmcc").await, service.provider_key("tencent").await);
        Self { service, cmcc, tencent }
    }

    fn upload(&self, path: &str, key: &str, form: &'static str, body: &str) -> RequestBuilder {
        let request = self.service.request(Method::POST, path).bearer_auth(key);
        request.header(CONTENT_TYPE, form).body(body.to_owned())
    }

    async fn tenures(&self, body: &str) -> Value {
        accepted(&answered(self.upload(TENURES, &self.cmcc, NDJSON, body)).await)
    }

    async fn batch(&self, key: &str, body: &str) -> Answered {
        let request = self.upload(TENURES, &self.cmcc, NDJSON, body);
        answered(request.header("Idempotency-Key", key)).await
    }

    async fn labels(&self, body: &str) -> Value {
        accepted(&answered(self.upload(LABELS, &self.tencent, NDJSON, body)).await)
    }

    /// The feed's lines, without what chance decided.
    async fn feed(&self) -> Vec<Value> {
        self.service.app.feed.publish().await.unwrap();
        let page = answered(self.service.get("/feed/v1/corrections", &self.tencent)).await;
        let line = |line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("salt");
            line
        };
        page.body.lines().map(line).collect()
    }

    async fn label(&self, digits: u64, kind: LabelKind) -> Option<Label> {
        let number = zhengming::domain::number::Number::from_digits(digits).unwrap();
        let store: &dyn Store = self.service.store.as_ref();
        let key = (number, "tencent".parse().unwrap(), kind);
        store.load::<Label>(&key).await.unwrap().map(|label| label.value)
    }

    async fn open_batches(&self) -> Vec<Batch> {
        let store: &dyn Store = self.service.store.as_ref();
        let (batches, _) = store.page::<Batch>(&Listing::OpenBatches, None, 10).await.unwrap();
        batches.into_iter().map(|batch| batch.value).collect()
    }

    fn staged_files(&self) -> usize {
        std::fs::read_dir(self.service.data_dir.path().join("staging")).unwrap().count()
    }
}

fn accepted(answer: &Answered) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("ratelimit").is_empty());
    answer.json()
}

fn line(digits: u64, event: &str, on: &str) -> String {
    format!("{{\"number\":\"+{digits}\",\"event\":\"{event}\",\"on\":\"{on}\"}}\n")
}

/// A number that rested and has a new holder since March 2025.
fn release(digits: u64) -> String {
    line(digits, "disconnected", "2024-11-01") + &line(digits, "activated", "2025-03-01")
}

fn mark(digits: u64, first: &str) -> String {
    format!(
        "{{\"number\":\"+{digits}\",\"kind\":\"category\",\"category\":\"express\",\"source\":\"crowd\",\
         \"count\":20,\"first_marked_on\":\"{first}\",\"last_marked_on\":\"{first}\"}}\n"
    )
}

fn told(accepted: u64, unchanged: u64, rejected: u64, corrections: u64, held: u64) -> Value {
    json!({ "accepted": accepted, "unchanged": unchanged, "rejected": rejected,
            "corrections": corrections, "held": held, "errors": [] })
}

const A: u64 = 8_613_800_138_000;
const B: u64 = 8_613_900_139_000;

#[tokio::test]
async fn a_half_sent_body_changes_nothing() {
    let town = Town::new().await;
    for (path, key, line) in
        [(TENURES, &town.cmcc, release(A)), (LABELS, &town.tencent, mark(A, "2024-05-01"))]
    {
        let mut wire = TcpStream::connect(town.service.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: {NDJSON}\r\n\
             Idempotency-Key: half\r\nContent-Length: 10000\r\n\r\n{line}"
        );
        wire.write_all(head.as_bytes()).await.unwrap();
        wire.shutdown().await.unwrap();
        let mut answer = String::new();
        // A client that has gone away may be told nothing.
        wire.read_to_string(&mut answer).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(town.feed().await.is_empty());
    assert_eq!(town.label(A, LabelKind::Category).await, None);
    assert_eq!((town.open_batches().await.len(), town.staged_files()), (0, 0));
    // The name is free, and the lines are news.
    assert_eq!(town.batch("half", &release(A)).await.json(), told(2, 0, 0, 0, 0));
}

#[tokio::test]
async fn each_key_opens_its_own_door() {
    let town = Town::new().await;
    for (path, key) in [(TENURES, &town.tencent), (LABELS, &town.cmcc)] {
        let answer = answered(town.upload(path, key, NDJSON, "x\n")).await;
        assert_eq!(answer.code(), (403, "forbidden".into()));
        let answer = answered(town.upload(path, "zmo_made_up", NDJSON, "x\n")).await;
        assert_eq!(answer.code(), (401, "unauthenticated".into()));
    }
}

#[tokio::test]
async fn what_is_no_upload_is_refused_by_its_head() {
    let town = Town::new().await;
    for (path, key) in [(TENURES, &town.cmcc), (LABELS, &town.tencent)] {
        let json = answered(town.upload(path, key, "application/json", "{}")).await;
        assert_eq!(json.code(), (415, "media_type_unsupported".into()));
        let bare = town.service.request(Method::POST, path).bearer_auth(key).header(CONTENT_TYPE, NDJSON);
        assert_eq!(answered(bare).await.code(), (411, "length_required".into()));
        let zipped = town.upload(path, key, NDJSON, "x").header("content-encoding", "gzip");
        assert_eq!(answered(zipped).await.code(), (415, "encoding_unsupported".into()));
        for header in ["\n", "number,colour\n"] {
            let answer = answered(town.upload(path, key, CSV, header)).await;
            assert_eq!(answer.code(), (400, "body_malformed".into()), "{header:?}");
        }
        let method = answered(town.service.request(Method::PUT, path)).await;
        assert_eq!(method.status, 405);
    }
}
