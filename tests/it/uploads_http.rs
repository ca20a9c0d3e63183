//! Uploads over HTTP: operators' tenure lines and providers' labels, and the
//! corrections that follow from them.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zhengming::casework::Settings;
use zhengming::domain::label::{Label, LabelKind};
use zhengming::http::limits::LimitsConfig;
use zhengming::store::{Batch, BatchState, Listing, Store};

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
        std::fs::read_dir(self.service.data_dir.path()).unwrap().count()
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
/// Out of another operator's range.
const CTCC: u64 = 8_613_300_133_000;

// --- tenures ----------------------------------------------------------------

#[tokio::test]
async fn lines_are_taken_once() {
    let town = Town::new().await;
    let body = release(A) + &release(B);
    assert_eq!(town.tenures(&body).await, told(4, 0, 0, 0, 0));
    assert_eq!(town.tenures(&body).await, told(0, 4, 0, 0, 0));
    let csv = "on,number,event\n2024-11-01,+8613800138000,disconnected\r\n2026-01-01,+8613800138000,transferred\r\n";
    let answer = answered(town.upload(TENURES, &town.cmcc, CSV, csv)).await;
    assert_eq!(accepted(&answer), told(1, 1, 0, 0, 0));
    assert_eq!(town.tenures("\n").await, told(0, 0, 0, 0, 0));
    assert_eq!(town.staged_files(), 0);
}

#[tokio::test]
async fn a_bad_line_costs_only_itself() {
    let town = Town::new().await;
    let body = [
        "\u{feff}".to_owned() + &line(A, "disconnected", "2024-11-01"),
        line(A, "activated", "2024-11-01"),
        "\r\n".to_owned(),
        line(86_138, "activated", "2025-03-01"),
        line(B, "activated", "2025-3-1"),
        line(B, "activated", "2026-11-24"),
        line(CTCC, "activated", "2025-03-01"),
        line(B, "moved", "2025-03-01"),
        "not json\n".to_owned(),
        line(B, "activated", "2025-03-01").replace('}', ",\"x\":1}"),
        format!("{{\"number\":\"{}\"}}\n", "1".repeat(5_000)),
        line(B, "activated", "2026-11-23").trim_end().to_owned(),
    ];
    let answer = town.tenures(&body.concat()).await;
    let errors: Vec<(u64, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["line"].as_u64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            (2, "contradicts"),
            (4, "number_malformed"),
            (5, "date_malformed"),
            (6, "in_future"),
            (7, "not_your_number"),
            (8, "line_malformed"),
            (9, "line_malformed"),
            (10, "line_malformed"),
            (11, "line_too_long"),
        ]
    );
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(9)));

    let csv = "\u{feff}number,event,on\n\n+8613800138000,disconnected\n+8613800138000,activated,2025-03-01\n";
    let answer = accepted(&answered(town.upload(TENURES, &town.cmcc, CSV, csv)).await);
    assert_eq!(answer["errors"], json!([{ "line": 3, "code": "line_malformed" }]));
    assert_eq!(answer["accepted"], 1);
}

#[tokio::test]
async fn only_the_first_hundred_errors_are_told() {
    let town = Town::new().await;
    let answer = town.tenures(&"x\n".repeat(250)).await;
    assert_eq!(answer["rejected"], 250);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 100);
    assert_eq!(answer["errors"][99], json!({ "line": 100, "code": "line_malformed" }));
}

#[tokio::test]
async fn a_batch_of_one_name_counts_once() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    let body = release(A) + "x\n";
    let first = town.batch("2026-11-23", &body).await;
    let expected = json!({ "accepted": 2, "unchanged": 0, "rejected": 1, "corrections": 1, "held": 0,
                           "errors": [{ "line": 3, "code": "line_malformed" }] });
    assert_eq!((first.status, first.json()), (200, expected.clone()));
    let again = town.batch("2026-11-23", &body).await;
    assert_eq!((again.status, again.json()), (200, expected), "the same words, not `unchanged`");
    let other = town.batch("2026-11-23", &release(B)).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".into()));
    assert_eq!(town.batch("2026-11-24", &body).await.json()["unchanged"], 2);
    for key in ["", &"k".repeat(256)] {
        assert_eq!(town.batch(key, &body).await.code(), (400, "field_malformed".into()));
    }
    assert_eq!((town.feed().await.len(), town.staged_files()), (1, 0));

    // Another operator's key of the same name is another name.
    let cucc = town.service.operator_key("cucc").await;
    let request = town.upload(TENURES, &cucc, NDJSON, &line(8_613_000_130_000, "activated", "2025-03-01"));
    let answer = answered(request.header("Idempotency-Key", "2026-11-23")).await;
    assert_eq!(answer.json(), told(1, 0, 0, 0, 0));
}

#[tokio::test]
async fn a_release_corrects_old_labels_before_the_answer() {
    let town = Town::new().await;
    town.labels(&(mark(A, "2024-05-01") + &mark(B, "2025-04-01"))).await;
    assert_eq!(town.tenures(&(release(A) + &release(B))).await, told(4, 0, 0, 1, 0));
    let expected = json!({
        "seq": 0, "v": 1, "number": "+8613800138000", "void_before": "2025-03-01", "name_action": "keep",
        "name": null, "name_until": null, "reason": "released", "assurance": "operator",
        "withdrawn": false, "supersedes": null, "at": "2026-11-23T03:04:05Z"
    });
    assert_eq!(town.feed().await, [expected]);

    // The next holder's beginning supersedes it.
    let next = line(A, "disconnected", "2026-01-01") + &line(A, "activated", "2026-06-01");
    assert_eq!(town.tenures(&next).await, told(2, 0, 0, 1, 0));
    let newest = &town.feed().await[1];
    assert_eq!((&newest["void_before"], &newest["supersedes"]), (&json!("2026-06-01"), &json!(0)));
}

#[tokio::test]
async fn without_rest_nothing_is_published() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    let early = line(A, "disconnected", "2025-01-01") + &line(A, "activated", "2025-03-31");
    assert_eq!(town.tenures(&early).await, told(2, 0, 0, 0, 0));
    assert!(town.feed().await.is_empty());
}

#[tokio::test]
async fn beyond_the_daily_limit_releases_are_held() {
    let town = Town::with(Settings { releases_per_operator_per_day: 1, ..settings() }).await;
    town.labels(&(mark(A, "2024-05-01") + &mark(B, "2024-05-01"))).await;
    let body = release(A) + &release(B) + "x\n";
    let answer = town.batch("batch", &body).await.json();
    let counted =
        |answer: &Value| ["accepted", "held", "corrections", "rejected"].map(|name| answer[name].clone());
    assert_eq!(counted(&answer), [3, 1, 1, 1].map(Value::from));
    assert_eq!(town.feed().await.len(), 1);
    let held = town.open_batches().await;
    assert_eq!((held.len(), held[0].state, held[0].tally.held), (1, BatchState::Held, 1));
    assert_eq!(held[0].tally.lines, 4, "a line that was held counts when it is released");
    assert_eq!(town.batch("batch", &body).await.json(), answer);
}

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

// --- labels -----------------------------------------------------------------

#[tokio::test]
async fn labels_are_upserted_by_number_and_kind() {
    let town = Town::new().await;
    let unchanged = json!({ "accepted": 0, "unchanged": 1, "rejected": 0, "errors": [] });
    let one = json!({ "accepted": 1, "unchanged": 0, "rejected": 0, "errors": [] });
    assert_eq!(town.labels(&mark(A, "2025-05-01")).await, one);
    assert_eq!(town.labels(&mark(A, "2025-05-01")).await, unchanged);
    assert_eq!(town.labels(&mark(A, "2025-05-02")).await, one);
    let name =
        format!("{{\"number\":\"+{A}\",\"kind\":\"name\",\"name\":\"某某外卖\",\"source\":\"partner\"}}\n");
    assert_eq!(town.labels(&name).await, one);
    assert_eq!(town.label(A, LabelKind::Name).await.unwrap().name.as_deref(), Some("某某外卖"));
    let mark = town.label(A, LabelKind::Category).await.unwrap();
    assert_eq!((mark.category.unwrap().as_str(), mark.count), ("express", Some(20)));

    let none = format!("{{\"number\":\"+{A}\",\"kind\":\"category\",\"category\":\"none\"}}\n");
    let no_name = format!("{{\"number\":\"+{A}\",\"kind\":\"name\",\"name\":null}}\n");
    let gone = town.labels(&(none.clone() + &no_name + &none)).await;
    assert_eq!((&gone["accepted"], &gone["unchanged"]), (&json!(2), &json!(1)));
    assert_eq!(town.label(A, LabelKind::Category).await, None);
    assert_eq!(town.label(A, LabelKind::Name).await, None);
    assert_eq!(town.staged_files(), 0);
}

#[tokio::test]
async fn a_providers_own_codes_are_mapped() {
    let town = Town::new().await;
    let csv = format!(
        "number,kind,code,text,count,first_marked_on\n\
         +{A},category,54,被30人标记为诈骗电话,30,2025-05-01\n\
         +{B},category,999,,,\n\
         +8613900139001,category,0,,,\n\
         +8613900139002,category,房产中介,\"中介, 很烦\",3,\n"
    );
    let answer = accepted(&answered(town.upload(LABELS, &town.tencent, CSV, &csv)).await);
    let expected = json!({ "accepted": 2, "unchanged": 1, "rejected": 1,
                           "errors": [{ "line": 3, "code": "code_unknown" }] });
    assert_eq!(answer, expected);
    let fraud = town.label(A, LabelKind::Category).await.unwrap();
    assert_eq!(fraud.category.unwrap().as_str(), "fraud");
    assert_eq!((fraud.code.as_deref(), fraud.count), (Some("54"), Some(30)));
    assert_eq!(fraud.text.as_deref(), Some("被30人标记为诈骗电话"));
    let agent = town.label(8_613_900_139_002, LabelKind::Category).await.unwrap();
    assert_eq!(
        (agent.category.unwrap().as_str(), agent.text.as_deref()),
        ("house_agent", Some("中介, 很烦"))
    );
    assert_eq!(town.label(B, LabelKind::Category).await, None);
}

#[tokio::test]
async fn bad_labels_are_rejected_one_by_one() {
    let town = Town::new().await;
    let label = |rest: &str| format!("{{\"number\":\"+{A}\",{rest}}}\n");
    let body = [
        label("\"kind\":\"category\""),
        label("\"kind\":\"category\",\"category\":\"rude\""),
        label("\"kind\":\"category\",\"category\":\"fraud\",\"first_marked_on\":\"2026-11-24\""),
        label("\"kind\":\"category\",\"category\":\"fraud\",\"last_marked_on\":\"yesterday\""),
        label("\"kind\":\"name\",\"name\":\"a\\u0000b\""),
        label("\"kind\":\"range\""),
    ];
    let answer = town.labels(&body.concat()).await;
    let codes: Vec<&str> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    let expected = [
        "category_unknown",
        "category_unknown",
        "in_future",
        "date_malformed",
        "name_malformed",
        "line_malformed",
    ];
    assert_eq!(codes, expected);
    assert_eq!(town.label(A, LabelKind::Category).await, None);
}

#[tokio::test]
async fn a_label_from_before_a_proven_tenure_is_corrected_as_it_arrives() {
    let town = Town::new().await;
    town.tenures(&(release(A) + &release(B))).await;
    assert!(town.feed().await.is_empty(), "no label, no correction");
    let told = town.labels(&(mark(A, "2024-05-01") + &mark(B, "2025-03-01"))).await;
    let plain = json!({ "accepted": 2, "unchanged": 0, "rejected": 0, "errors": [] });
    assert_eq!(told, plain, "the answer does not tell of it");
    let feed = town.feed().await;
    assert_eq!(feed.len(), 1, "marks of the present tenure stay");
    assert_eq!(feed[0]["number"], "+8613800138000");
    assert_eq!((&feed[0]["void_before"], &feed[0]["reason"]), (&json!("2025-03-01"), &json!("released")));
    town.labels(&mark(A, "2023-05-01")).await;
    assert_eq!(town.feed().await.len(), 1, "it is said already");
}

// --- who may send what ------------------------------------------------------

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
