//! Snapshots over HTTP: where the newest one is, whole and partial downloads,
//! who may and how often, what is said of those that are gone, and what of the
//! log is no longer handed out once there are two.

mod damage;

use std::io;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{HeaderMap, Method};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};
use reqwest::redirect::Policy;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::domain::number::Number;
use zhengming::feed::snapshot::{Form, KEY_NAME_SUFFIX, Rhythm, Sum};
use zhengming::feed::zms::Decoder;
use zhengming::http::limits::LimitsConfig;
use zhengming::store::{Changeset, Store};

use crate::support::service::{TestService, answered, now, settings, signer};

const NEWEST: &str = "/feed/v1/snapshot";
const RHYTHM: Rhythm = Rhythm { snapshot_interval_s: 86_400, keep_entries_days: 180 };

struct Fetched {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Fetched {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Of a problem.
    fn code(&self) -> (u16, String) {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        (self.status, body["code"].as_str().unwrap().to_owned())
    }
}

async fn fetched(request: RequestBuilder) -> Fetched {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Fetched { status, headers, body: response.bytes().await.unwrap() }
}

fn place(size: u64, kind: &str) -> String {
    format!("/feed/v1/snapshots/{size}.{kind}")
}

fn entry(digits: u64, at: Timestamp) -> Entry {
    let correction = InForce {
        void_before: Some(date(2025, 3, 1)),
        name_action: NameAction::Set,
        name: Some("甲, \"乙\" 有限公司".into()),
        name_until: Some(date(2027, 2, 21)),
        assurance: Assurance::Operator,
    };
    let (number, salt) = (Number::from_digits(digits).unwrap(), "AAECAwQFBgcICQoLDA0ODw".into());
    Entry::new(number, Some(correction), EntryReason::Reassigned, None, at, salt)
}

/// As many entries, of numbers that go down.
async fn grow(service: &TestService, count: u64, at: Timestamp) {
    let size = service.app.feed.size();
    let entries: Vec<Entry> = (size..size + count).map(|seq| entry(8_613_800_138_000 - seq, at)).collect();
    for entries in entries.chunks(200) {
        let changes = Changeset { entries: entries.to_vec(), ..Changeset::default() };
        service.store.commit(changes).await.unwrap();
    }
    service.app.feed.publish().await.unwrap();
}

/// Makes a snapshot if one is due at the time.
async fn look(service: &TestService, at: Timestamp) -> bool {
    let (app, stop) = (&service.app, CancellationToken::new());
    app.snapshots.look(&app.feed, &RHYTHM, at, &stop).await.unwrap()
}

async fn with_limits(limits: &LimitsConfig) -> (TestService, String) {
    let service = TestService::with(settings(), limits).await;
    let key = service.provider_key("tencent").await;
    (service, key)
}

/// Three entries and a snapshot of them.
async fn three() -> (TestService, String) {
    let (service, key) = with_limits(&LimitsConfig::default()).await;
    grow(&service, 3, now()).await;
    assert!(look(&service, now()).await);
    (service, key)
}

/// What the redirect says, and not what it leads to.
async fn sent_on(service: &TestService, key: &str, accept: Option<&str>) -> Fetched {
    let client = zhengming::env::calls::client().no_proxy().redirect(Policy::none()).build().unwrap();
    let request = client.get(format!("http://{}{NEWEST}", service.address)).bearer_auth(key);
    fetched(accept.into_iter().fold(request, |request, accept| request.header(ACCEPT, accept))).await
}

// --- where the newest is ----------------------------------------------------

#[tokio::test]
async fn the_newest_is_where_the_redirect_leads() {
    let (service, key) = with_limits(&LimitsConfig::default()).await;
    assert!(!look(&service, now()).await);
    assert_eq!(sent_on(&service, &key, None).await.code(), (404, "no_snapshot".into()));

    grow(&service, 3, now()).await;
    assert!(look(&service, now()).await);
    for (accept, kind) in [
        (None, "ndjson"),
        (Some("*/*"), "ndjson"),
        (Some("text/csv"), "csv"),
        (Some("text/csv;q=0.5, application/x-ndjson"), "ndjson"),
        (Some("application/vnd.zhengming.zms"), "zms"),
        (Some("application/octet-stream"), "zms"),
        (Some("application/*"), "ndjson"),
    ] {
        let told = sent_on(&service, &key, accept).await;
        assert_eq!((told.status, told.header("location")), (307, &*place(3, kind)), "{accept:?}");
        assert_eq!(told.header("cache-control"), "private, no-cache");
        assert_eq!(told.header("vary"), "Authorization, Accept, Accept-Encoding");
    }
    assert_eq!(sent_on(&service, &key, Some("image/png")).await.code(), (406, "not_acceptable".into()));

    grow(&service, 1, now()).await;
    assert!(look(&service, now()).await);
    assert_eq!(sent_on(&service, &key, None).await.header("location"), place(4, "ndjson"));
}

// --- whole files ------------------------------------------------------------

#[tokio::test]
async fn each_form_in_each_coding() {
    let (service, key) = three().await;
    let page = answered(service.get("/feed/v1/corrections", &key)).await.body;
    let ndjson: String = page.lines().rev().map(|line| format!("{line}\n")).collect();
    let csv = answered(service.get("/feed/v1/corrections", &key).header(ACCEPT, "text/csv")).await.body;
    let (head, rows) = csv.split_once('\n').unwrap();
    let csv: String = [head].into_iter().chain(rows.lines().rev()).map(|line| format!("{line}\n")).collect();

    for (kind, expected, media_type) in
        [("ndjson", ndjson, "application/x-ndjson"), ("csv", csv, "text/csv; charset=utf-8")]
    {
        let mut tags = Vec::new();
        for (accepted, coding) in [("", ""), ("gzip, br", "gzip"), ("zstd, gzip", "zstd")] {
            let request = service.get(&place(3, kind), &key).header(ACCEPT_ENCODING, accepted);
            let file = fetched(request).await;
            assert_eq!((file.status, file.header("content-encoding")), (200, coding));
            let mut plain = Vec::new();
            match coding {
                "gzip" => _ = io::copy(&mut GzDecoder::new(&file.body[..]), &mut plain).unwrap(),
                "zstd" => plain = zstd::decode_all(&file.body[..]).unwrap(),
                _ => plain.extend(&file.body),
            }
            assert_eq!(String::from_utf8(plain).unwrap(), expected);
            assert_eq!(file.header("content-type"), media_type);
            assert_eq!(file.header("content-length"), file.body.len().to_string());
            assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"3.{kind}\""));
            assert_eq!(file.header("accept-ranges"), "bytes");
            assert_eq!(file.header("cache-control"), "private, max-age=31536000, immutable");
            assert_eq!(file.header("vary"), "Authorization, Accept, Accept-Encoding");
            tags.push(file.header("etag").to_owned());
        }
        tags.dedup();
        assert_eq!(tags.len(), 3, "one for each coding: {tags:?}");
    }
}

#[tokio::test]
async fn the_compact_form_has_no_coding() {
    let (service, key) = three().await;
    let file = fetched(service.get(&place(3, "zms"), &key).header(ACCEPT_ENCODING, "gzip, zstd")).await;
    assert_eq!((file.status, file.header("content-encoding")), (200, ""));
    assert_eq!(file.header("content-type"), "application/vnd.zhengming.zms");
    let mut compact = Decoder::open(io::Cursor::new(file.body)).unwrap();
    assert_eq!((compact.header().origin.as_str(), compact.count()), ("localhost/feed", 3));
    let numbers: Vec<u64> = compact.records().map(|record| record.unwrap().number.digits()).collect();
    assert_eq!(numbers, [8_613_800_137_998, 8_613_800_137_999, 8_613_800_138_000]);
}

#[tokio::test]
async fn the_sum_is_signed_and_says_what_the_forms_are() {
    let (service, key) = three().await;
    let note = answered(service.get(&place(3, "sum"), &key)).await;
    assert_eq!((note.status, note.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(note.header("cache-control").contains("immutable"));
    let sum = Sum::open(&note.body, signer().verifier().under(KEY_NAME_SUFFIX).as_ref().unwrap()).unwrap();
    let root = service.app.feed.root_at(3).unwrap().unwrap();
    assert_eq!((sum.size, sum.count, sum.root), (3, 3, root));
    for form in Form::ALL {
        let file = fetched(service.get(&place(3, form.name()), &key)).await;
        let digest: [u8; 32] = Sha256::digest(&file.body).into();
        assert_eq!(sum.digest(form), Some(&digest), "{form:?}");
    }
    let known = service.get(&place(3, "sum"), &key).header(IF_NONE_MATCH, note.header("etag"));
    assert_eq!(answered(known).await.status, 304);
}

#[tokio::test]
async fn who_holds_it_is_not_sent_it() {
    let (service, key) = three().await;
    let file = fetched(service.get(&place(3, "csv"), &key)).await;
    let tag = file.header("etag").to_owned();
    let again = fetched(service.get(&place(3, "csv"), &key).header(IF_NONE_MATCH, &tag)).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag));
    assert_eq!(again.header("cache-control"), "private, max-age=31536000, immutable");
    let coded = service.get(&place(3, "csv"), &key).header(IF_NONE_MATCH, &tag);
    assert_eq!(fetched(coded.header(ACCEPT_ENCODING, "gzip")).await.status, 200, "other bytes");
}

#[tokio::test]
async fn a_head_says_what_would_come() {
    let (service, key) = three().await;
    let file = fetched(service.get(&place(3, "ndjson"), &key)).await;
    let request = service.request(Method::HEAD, &place(3, "ndjson")).bearer_auth(&key);
    let head = fetched(request.header(RANGE, "bytes=0-4")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "etag", "accept-ranges", "cache-control"] {
        assert_eq!(head.header(name), file.header(name), "{name}");
    }
    let none = fetched(service.request(Method::HEAD, &place(4, "ndjson")).bearer_auth(&key)).await;
    assert_eq!(none.status, 404);
}

// --- parts ------------------------------------------------------------------

#[tokio::test]
async fn a_download_goes_on_where_it_ended() {
    let (service, key) = three().await;
    let get = || service.get(&place(3, "ndjson"), &key).header(ACCEPT_ENCODING, "zstd");
    let whole = fetched(get()).await;
    let (tag, bytes) = (whole.header("etag").to_owned(), whole.body.len());
    let begun = fetched(get().header(RANGE, "bytes=0-9")).await;
    assert_eq!((begun.status, begun.header("content-length")), (206, "10"));
    assert_eq!(begun.header("content-range"), format!("bytes 0-9/{bytes}"));
    assert_eq!((begun.header("etag"), begun.header("content-encoding")), (&*tag, "zstd"));
    let rest = fetched(get().header(RANGE, "bytes=10-").header(IF_RANGE, &tag)).await;
    assert_eq!(rest.header("content-range"), format!("bytes 10-{}/{bytes}", bytes - 1));
    assert_eq!([begun.body, rest.body].concat(), whole.body);
    let tail = fetched(get().header(RANGE, "bytes=-5")).await;
    assert_eq!((tail.status, &tail.body[..]), (206, &whole.body[bytes - 5..]));

    for (range, of) in [("bytes=0-1,4-5", &*tag), ("lines=1-2", &*tag), ("bytes=0-1", "\"other\"")] {
        let all = fetched(get().header(RANGE, range).header(IF_RANGE, of)).await;
        assert_eq!((all.status, &all.body), (200, &whole.body), "{range} {of}");
    }
    let beyond = fetched(get().header(RANGE, format!("bytes={bytes}-"))).await;
    assert_eq!(beyond.header("content-range"), format!("bytes */{bytes}"));
    assert_eq!(beyond.code(), (416, "range_not_satisfiable".into()));
}

/// The file is far larger than what the sockets hold.
// --- gone, unknown, not allowed ---------------------------------------------

#[tokio::test]
async fn those_that_were_removed_are_gone_and_others_never_were() {
    let (service, key) = three().await;
    for _ in 0..2 {
        grow(&service, 3, now()).await;
        assert!(look(&service, now()).await);
    }
    for kind in ["ndjson", "csv", "zms", "sum"] {
        let gone = answered(service.get(&place(3, kind), &key)).await;
        assert_eq!(gone.code(), (410, "snapshot_gone".into()));
        assert_eq!(gone.json()["snapshot"], json!(NEWEST));
    }
    for (size, kind) in [(6, "csv"), (9, "ndjson")] {
        assert_eq!(answered(service.get(&place(size, kind), &key)).await.status, 200);
    }
    for name in
        ["4.csv", "9.txt", "9", "09.csv", "+9.csv", "9.csv.gz", "9.csv.", ".csv", "9.gone", "draft-.tmp"]
    {
        let never = answered(service.get(&format!("/feed/v1/snapshots/{name}"), &key)).await;
        assert_eq!(never.code(), (404, "not_found".into()), "{name}");
    }
}

#[tokio::test]
async fn a_provider_key_opens_them_and_nothing_else_does() {
    let (service, _) = three().await;
    let operator = service.operator_key("cmcc").await;
    for path in [NEWEST, &place(3, "ndjson"), &place(3, "sum")] {
        assert_eq!(answered(service.get(path, &operator)).await.code(), (403, "forbidden".into()));
        let nobody = answered(service.request(Method::GET, path)).await;
        assert_eq!(nobody.code(), (401, "unauthenticated".into()));
    }
}

#[tokio::test]
async fn only_so_many_a_day_and_only_what_is_sent_counts() {
    let limits = LimitsConfig { snapshots_per_provider_per_day: 2, ..LimitsConfig::default() };
    let (service, key) = with_limits(&limits).await;
    grow(&service, 3, now()).await;
    assert!(look(&service, now()).await);
    let get = || service.get(&place(3, "csv"), &key);
    let first = fetched(get()).await;
    assert!(first.header("ratelimit-policy").contains("\"provider\""), "{:?}", first.headers);
    let standings: Vec<_> =
        first.headers.get_all("ratelimit").iter().map(|field| field.to_str().unwrap()).collect();
    assert!(standings.iter().any(|standing| standing.starts_with("\"snapshots\";r=1;")), "{standings:?}");
    for _ in 0..3 {
        assert_eq!(fetched(get().header(IF_NONE_MATCH, first.header("etag"))).await.status, 304);
        assert_eq!(fetched(get().header(RANGE, "bytes=99999999-")).await.status, 416);
        assert_eq!(fetched(service.get(&place(3, "sum"), &key)).await.status, 200);
        assert_eq!(sent_on(&service, &key, None).await.status, 307);
        let head = service.request(Method::HEAD, &place(3, "csv")).bearer_auth(&key);
        assert_eq!(fetched(head).await.status, 200);
    }
    assert_eq!(fetched(get().header(RANGE, "bytes=0-0")).await.status, 206);
    let refused = fetched(get()).await;
    assert_eq!(refused.code(), (429, "too_many_requests".into()));
    assert_eq!(refused.header("retry-after"), "43200");
    let other = service.provider_key("baidu").await;
    assert_eq!(fetched(service.get(&place(3, "csv"), &other)).await.status, 200);
}

// --- what is no longer handed out -------------------------------------------

#[tokio::test]
async fn old_entries_are_refused_once_two_snapshots_hold_them() {
    let (service, key) = with_limits(&LimitsConfig::default()).await;
    let long_ago = now() - SignedDuration::from_hours(24 * 181);
    grow(&service, 300, long_ago).await;
    assert!(look(&service, now()).await);
    let status = async |path: &str| answered(service.get(path, &key)).await.status;
    assert_eq!(status("/feed/v1/corrections?after=0").await, 200);
    grow(&service, 300, long_ago).await;
    assert!(look(&service, now()).await);

    for path in
        ["/feed/v1/corrections?after=0", "/feed/v1/corrections?after=255", "/feed/v1/tile/entries/000"]
    {
        let expired = answered(service.get(path, &key)).await;
        assert_eq!(expired.code(), (410, "cursor_expired".into()), "{path}");
        assert_eq!((&expired.json()["oldest"], &expired.json()["snapshot"]), (&json!(256), &json!(NEWEST)));
    }
    for path in [
        "/feed/v1/corrections?after=256",
        "/feed/v1/tile/entries/001",
        "/feed/v1/tile/0/000",
        &place(300, "ndjson"),
        "/feed/v1/corrections/8613800138000",
    ] {
        assert_eq!(status(path).await, 200, "{path}");
    }
}
