//! The feed over HTTP: pages and their bytes, waiting, look-ups, what a
//! provider says back, and who may ask.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::date;
use reqwest::Method;
use reqwest::header::{ACCEPT, IF_NONE_MATCH};
use serde_json::{Value, json};
use tokio::time::timeout;
use zhengming::casework::actors::Owner;
use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::domain::number::Number;
use zhengming::http::limits::LimitsConfig;
use zhengming::store::Grant;

use crate::support::service::{Answered, TestService, answered, now, settings};

const A: u64 = 8_613_800_138_000;
const B: u64 = 8_613_900_139_000;
const C: u64 = 8_613_700_137_000;
const PAGE: &str = "/feed/v1/corrections";

const A_LINE: &str = r#"{"seq":0,"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"keep","name":null,"name_until":null,"reason":"reassigned","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;
const B_LINE: &str = r#"{"seq":1,"v":1,"number":"+8613900139000","void_before":"2025-03-01","name_action":"set","name":"甲, \"乙\" 有限公司","name_until":"2027-02-21","reason":"name_mismatch","assurance":"document","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;
const C_LINE: &str = r#"{"seq":2,"v":1,"number":"+8613800138000","void_before":null,"name_action":"keep","name":null,"name_until":null,"reason":"reverted","assurance":"operator","withdrawn":true,"supersedes":0,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;

fn entry(digits: u64, correction: Option<InForce>, reason: EntryReason, supersedes: Option<u64>) -> Entry {
    let number = Number::from_digits(digits).unwrap();
    Entry::new(number, correction, reason, supersedes, now(), "AAECAwQFBgcICQoLDA0ODw".into())
}

fn void() -> InForce {
    InForce {
        void_before: Some(date(2025, 3, 1)),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        assurance: Assurance::Operator,
    }
}

fn reassigned(digits: u64) -> Entry {
    entry(digits, Some(void()), EntryReason::Reassigned, None)
}

/// A correction, a shown name, and the first one withdrawn.
async fn publish_three(service: &TestService) {
    service.publish(reassigned(A)).await;
    let shown = InForce {
        name_action: NameAction::Set,
        name: Some("甲, \"乙\" 有限公司".into()),
        name_until: Some(date(2027, 2, 21)),
        assurance: Assurance::Document,
        ..void()
    };
    service.publish(entry(B, Some(shown), EntryReason::NameMismatch, None)).await;
    service.publish(entry(A, None, EntryReason::Reverted, Some(0))).await;
}

async fn three() -> (TestService, String) {
    let service = TestService::start().await;
    publish_three(&service).await;
    let key = service.provider_key("tencent").await;
    (service, key)
}

fn cursor(answer: &Answered) -> (&str, &str) {
    (answer.header("zhengming-next"), answer.header("zhengming-size"))
}

// --- pages ------------------------------------------------------------------

#[tokio::test]
async fn a_page_in_each_of_its_forms() {
    let (service, key) = three().await;
    let page = answered(service.get(PAGE, &key)).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "application/x-ndjson");
    assert_eq!(page.body, format!("{A_LINE}\n{B_LINE}\n{C_LINE}\n"));
    assert_eq!(cursor(&page), ("3", "3"));
    assert_eq!(page.header("cache-control"), "private, no-cache");
    assert_eq!(page.header("vary"), "Authorization, Accept, Accept-Encoding");
    assert!(page.header("ratelimit").starts_with("\"provider\";r="), "{page:?}");

    let page = answered(service.get(PAGE, &key).header(ACCEPT, "application/json")).await;
    assert_eq!(page.header("content-type"), "application/json");
    assert_eq!(page.body, format!("[{A_LINE},{B_LINE},{C_LINE}]"));

    let page = answered(service.get(PAGE, &key).header(ACCEPT, "text/csv")).await;
    assert_eq!(page.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        page.body,
        "seq,number,void_before,name_action,name,name_until,reason,assurance,withdrawn,at\n\
         0,+8613800138000,2025-03-01,keep,,,reassigned,operator,false,2026-11-23T03:04:05Z\n\
         1,+8613900139000,2025-03-01,set,\"甲, \"\"乙\"\" 有限公司\",2027-02-21,name_mismatch,document,false,2026-11-23T03:04:05Z\n\
         2,+8613800138000,,keep,,,reverted,operator,true,2026-11-23T03:04:05Z\n"
    );
    let page = answered(service.get(PAGE, &key).header(ACCEPT, "image/png")).await;
    assert_eq!(page.code(), (406, "not_acceptable".into()));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (service, key) = three().await;
    let page = answered(service.get(&format!("{PAGE}?limit=2"), &key)).await;
    assert_eq!(page.body, format!("{A_LINE}\n{B_LINE}\n"));
    assert_eq!(cursor(&page), ("2", "3"));
    let page = answered(service.get(&format!("{PAGE}?after=2&limit=2"), &key)).await;
    assert_eq!(page.body, format!("{C_LINE}\n"));
    assert_eq!(cursor(&page), ("3", "3"));
    let page = answered(service.get(&format!("{PAGE}?after=3"), &key)).await;
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    assert_eq!(cursor(&page), ("3", "3"));
    let head = service.request(Method::HEAD, PAGE).bearer_auth(&key);
    let head = answered(head).await;
    assert_eq!((head.status, head.body.as_str(), cursor(&head)), (200, "", ("3", "3")));
}

#[tokio::test]
async fn who_holds_the_page_is_not_sent_it_again() {
    let (service, key) = three().await;
    let path = format!("{PAGE}?limit=2");
    let page = answered(service.get(&path, &key)).await;
    let tag = page.header("etag").to_owned();
    assert!(tag.starts_with("\"0-2-") && tag.ends_with("-ndjson\""), "{tag}");

    service.publish(reassigned(C)).await;
    let again = answered(service.get(&path, &key).header(IF_NONE_MATCH, &tag)).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!((again.header("etag"), cursor(&again)), (tag.as_str(), ("2", "4")));
    assert_eq!(again.header("cache-control"), "private, no-cache");
    assert_eq!(again.header("vary"), "Authorization, Accept, Accept-Encoding");

    let other_form = service.get(&path, &key).header(IF_NONE_MATCH, &tag).header(ACCEPT, "text/csv");
    assert_eq!(answered(other_form).await.status, 200);
    let longer = service.get(PAGE, &key).header(IF_NONE_MATCH, &tag);
    assert_eq!(answered(longer).await.status, 200);
}

#[tokio::test]
async fn a_cursor_beyond_the_log_is_refused() {
    let (service, key) = three().await;
    let ahead = answered(service.get(&format!("{PAGE}?after=4&wait=30"), &key)).await;
    assert_eq!(ahead.code(), (409, "cursor_ahead".into()));
    assert_eq!(ahead.json()["size"], 3);
}

#[tokio::test]
async fn a_query_is_what_it_should_be_or_refused() {
    let (service, key) = three().await;
    for query in [
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=",
        "wait=31",
        "wait=1.5",
        "after=x",
        "after=1&after=1",
        "since=1",
    ] {
        let answer = answered(service.get(&format!("{PAGE}?{query}"), &key)).await;
        assert_eq!(answer.code(), (400, "query_malformed".into()), "{query}");
    }
    let most = answered(service.get(&format!("{PAGE}?after=0&limit=10000&wait=0"), &key)).await;
    assert_eq!((most.status, cursor(&most)), (200, ("3", "3")));
    let method = answered(service.request(Method::POST, PAGE)).await;
    assert_eq!((method.status, method.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

// --- waiting ----------------------------------------------------------------
//
// Time is paused: it moves on by itself, and only while nothing else can.

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_something_comes() {
    let (service, key) = three().await;
    let request = service.get(&format!("{PAGE}?after=3&wait=30"), &key);
    let mut waiting = tokio::spawn(answered(request));
    let early = timeout(Duration::from_secs(10), &mut waiting).await;
    assert!(early.is_err(), "nothing has come: {early:?}");
    service.publish(reassigned(C)).await;
    let page = timeout(Duration::from_secs(10), waiting).await.expect("it comes at once").unwrap();
    assert!(page.body.starts_with(r#"{"seq":3,"v":1,"number":"+8613700137000""#), "{page:?}");
    assert_eq!(cursor(&page), ("4", "4"));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_an_empty_page() {
    let (service, key) = three().await;
    let mut waiting = tokio::spawn(answered(service.get(&format!("{PAGE}?after=3&wait=30"), &key)));
    assert!(timeout(Duration::from_secs(29), &mut waiting).await.is_err(), "it waits");
    let page = timeout(Duration::from_secs(2), waiting).await.expect("no longer than asked").unwrap();
    assert_eq!((page.status, page.body.as_str(), cursor(&page)), (200, "", ("3", "3")));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_service_stops() {
    let (service, key) = three().await;
    let mut waiting = tokio::spawn(answered(service.get(&format!("{PAGE}?after=3&wait=30"), &key)));
    assert!(timeout(Duration::from_secs(10), &mut waiting).await.is_err(), "it waits");
    service.stop.cancel();
    let page = timeout(Duration::from_secs(5), waiting).await.expect("it ends at once").unwrap();
    assert_eq!((page.status, page.body.as_str()), (200, ""));
}

#[tokio::test(start_paused = true)]
async fn there_is_no_wait_where_something_is() {
    let (service, key) = three().await;
    let page = answered(service.get(&format!("{PAGE}?after=2&wait=30"), &key));
    let page = timeout(Duration::from_secs(5), page).await.expect("at once");
    assert_eq!(page.body, format!("{C_LINE}\n"));
}

// --- one number -------------------------------------------------------------

#[tokio::test]
async fn the_correction_in_force_for_a_number() {
    let (service, key) = three().await;
    let found = answered(service.get(&format!("{PAGE}/{B}"), &key)).await;
    assert_eq!((found.status, found.header("content-type")), (200, "application/json"));
    assert_eq!(found.body, B_LINE);
    assert_eq!(found.header("cache-control"), "private, no-cache");

    for (digits, code) in [
        (A.to_string(), (404, "not_found")),
        (C.to_string(), (404, "not_found")),
        ("+8613800138000".into(), (400, "number_malformed")),
        ("13800138000".into(), (422, "number_unsupported")),
        ("861380013800".into(), (400, "number_malformed")),
        ("x".into(), (400, "number_malformed")),
    ] {
        let answer = answered(service.get(&format!("{PAGE}/{digits}"), &key)).await;
        assert_eq!(answer.code(), (code.0, code.1.to_owned()), "{digits}");
    }
}

// --- acknowledgements -------------------------------------------------------

async fn ack(service: &TestService, key: &str, body: &Value) -> Answered {
    answered(service.request(Method::PUT, "/feed/v1/ack").bearer_auth(key).json(body)).await
}

async fn root_at(service: &TestService, size: u64) -> String {
    STANDARD.encode(service.app.feed.root_at(size).unwrap().unwrap())
}

#[tokio::test]
async fn an_acknowledgement_moves_forward_only() {
    let (service, key) = three().await;
    let (two, all) = (root_at(&service, 2).await, root_at(&service, 3).await);
    let refused = json!([{ "seq": 1, "code": "no_dated_reports", "text": "没有日期" }]);
    let first =
        json!({ "size": 3, "root": all, "stage": "applied", "refused": refused, "software": "x 1.0" });
    let answer = ack(&service, &key, &first).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "advanced": true })));
    assert_eq!(answer.header("cache-control"), "no-store");
    let unmoved = json!({ "advanced": false });
    assert_eq!(ack(&service, &key, &first).await.json(), unmoved);
    let back = json!({ "size": 2, "root": two, "stage": "received" });
    assert_eq!(ack(&service, &key, &back).await.json(), unmoved);
    let further = json!({ "size": 2, "root": two, "stage": "serving" });
    assert_eq!(ack(&service, &key, &further).await.json(), json!({ "advanced": true }));
}

#[tokio::test]
async fn an_acknowledgement_of_another_log_is_refused() {
    let (service, key) = three().await;
    let (two, all) = (root_at(&service, 2).await, root_at(&service, 3).await);
    let diverged = ack(&service, &key, &json!({ "size": 3, "root": two, "stage": "received" })).await;
    assert_eq!(diverged.code(), (409, "diverged".into()));
    let ahead = ack(&service, &key, &json!({ "size": 4, "root": all, "stage": "received" })).await;
    assert_eq!(ahead.code(), (409, "cursor_ahead".into()));
    assert_eq!(ahead.json()["size"], 3);

    let good = json!({ "size": 3, "root": all, "stage": "received" });
    for (field, value, code) in [
        ("root", json!("AAAA"), "field_malformed"),
        ("root", json!("_".repeat(44)), "field_malformed"),
        ("stage", json!("done"), "field_malformed"),
        ("size", json!(-1), "field_malformed"),
        ("refused", json!([{ "seq": 3, "code": "late" }]), "field_malformed"),
        ("refused", json!([{ "seq": 1, "code": "No" }]), "field_malformed"),
        ("refused", json!([{ "seq": 1, "code": "no", "why": "" }]), "field_unknown"),
        ("sofware", json!("x"), "field_unknown"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = ack(&service, &key, &body).await;
        assert_eq!(answer.code(), (400, code.to_owned()), "{body}");
    }
    assert_eq!(ack(&service, &key, &good).await.json(), json!({ "advanced": true }), "none of them counted");
}

// --- who may ask ------------------------------------------------------------

#[tokio::test]
async fn a_provider_key_opens_the_feed_and_nothing_else_does() {
    let (service, _) = three().await;
    let operator = service.operator_key("cmcc").await;
    let (id, revoked) = service.issue(Grant::Provider("baidu".parse().unwrap())).await;
    assert_eq!(answered(service.get(PAGE, &revoked)).await.status, 200);
    service.app.casework.revoke_key(Owner::at_the_command_line(), id).await.unwrap();
    for path in [PAGE, "/feed/v1/corrections/8613900139000"] {
        assert_eq!(answered(service.get(path, &operator)).await.code(), (403, "forbidden".into()));
        let gone = answered(service.get(path, &revoked)).await;
        assert_eq!(gone.code(), (401, "unauthenticated".into()));
        assert_eq!(gone.header("www-authenticate"), "Bearer");
        let nobody = answered(service.request(Method::GET, path)).await;
        assert_eq!(nobody.code(), (401, "unauthenticated".into()));
    }
    let ack = ack(&service, &operator, &json!({})).await;
    assert_eq!(ack.code(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_provider_that_asks_too_often_is_told_when_to_come_back() {
    let limits = LimitsConfig { requests_per_provider_per_second: 1, ..LimitsConfig::default() };
    let service = TestService::with(settings(), &limits).await;
    let (eager, other) = (service.provider_key("tencent").await, service.provider_key("baidu").await);
    for left in (0..5).rev() {
        let page = answered(service.get(PAGE, &eager)).await;
        assert_eq!(page.status, 200);
        assert!(page.header("ratelimit").starts_with(&format!("\"provider\";r={left};")), "{page:?}");
    }
    let refused = answered(service.get(PAGE, &eager)).await;
    assert_eq!(refused.code(), (429, "too_many_requests".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"provider\";r=0;t=1");
    assert_eq!(refused.header("ratelimit-policy"), "\"provider\";q=5;w=5");
    assert_eq!(answered(service.get(PAGE, &other)).await.status, 200);
}

// --- the admin listener -----------------------------------------------------

#[tokio::test]
async fn probes_see_a_service_that_lives_and_is_ready() {
    let (service, _) = three().await;
    let alive = service.ask_admin("/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok"));
    let ready = service.ask_admin("/readyz").await;
    let sms = json!({ "name": "sms", "state": "ok", "since": "2026-11-23T03:04:05Z", "failures": 0 });
    // A store in memory has no high-water mark, and this feed has no clock.
    let expected = json!({
        "ready": true, "store": "ok", "feed": "ok", "leading": true,
        "checkpoint_size": 3, "checkpoint_age_s": null, "unpublished_entries": 0, "unpublished_s": 0,
        "high_water_mark": { "commit": null, "checkpoint_size": null },
        "gateways": [sms],
    });
    assert_eq!((ready.status, ready.json()), (200, expected));
    assert_eq!(service.ask_admin(PAGE).await.status, 404, "nothing else is there");
    assert_eq!(answered(service.request(Method::GET, "/readyz")).await.status, 404, "nor here");
}
