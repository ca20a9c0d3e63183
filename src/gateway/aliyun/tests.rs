//! The number service against a server that says exactly what a row says.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use jiff::civil::date;
use serde_json::{Value, json};
use wiremock::matchers::{any, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::domain::evidence::Answer::{No, Unknown, Yes};

const NONCE: &str = "018f0000-0000-7000-8000-000000000000";

fn number() -> Number {
    Number::from_digits(8_613_800_138_000).unwrap()
}

fn held_since() -> Question {
    Question::HeldSince { day: date(2025, 11, 30) }
}

fn changed_after() -> Question {
    Question::ChangedAfter { day: date(2025, 2, 28) }
}

fn config(server: &MockServer) -> AliyunConfig {
    AliyunConfig {
        endpoint: server.uri(),
        access_key_id: "LTAItest".to_owned(),
        access_key_secret: "s3cret".to_owned(),
        auth_code: "Dd1r*4id".to_owned(),
        online_time_auth_code: "QASDW@#".to_owned(),
        timeout_ms: 30_000,
        response_bytes_max: 4096,
    }
}

/// 23 November 2026 in China, and the evening before in UTC.
fn aliyun(server: &MockServer) -> Aliyun {
    let now = "2026-11-22T16:30:00.5Z".parse().unwrap();
    Aliyun::new(config(server), Arc::new(move || now)).unwrap()
}

async fn ask(question: &Question, answer: ResponseTemplate) -> Result<Reply, Unavailable> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    aliyun(&server).ask(number(), question, NONCE).await
}

fn ok(data: &Value) -> ResponseTemplate {
    let body = json!({"RequestId": "CC3BB6D2", "Code": "OK", "Message": "OK", "Data": data});
    ResponseTemplate::new(200).set_body_json(body)
}

fn refused(status: u16, code: &str) -> ResponseTemplate {
    let body = json!({"RequestId": "CC3BB6D2", "Code": code, "Message": "13800138000", "HostId": "x"});
    ResponseTemplate::new(status).set_body_json(body)
}

#[tokio::test]
async fn asks_as_the_documentation_says_and_signs_what_it_sends() {
    let server = MockServer::start().await;
    let common = || {
        Mock::given(method("POST"))
            .and(path("/"))
            .and(query_param("InputNumber", "13800138000"))
            .and(query_param("Mask", "NORMAL"))
            .and(header("x-acs-version", "2020-02-17"))
            .and(header("x-acs-date", "2026-11-22T16:30:00Z"))
            .and(header("x-acs-signature-nonce", NONCE))
    };
    common()
        .and(header("x-acs-action", "DescribePhoneTwiceTelVerify"))
        .and(query_param("AuthCode", "Dd1r*4id"))
        .and(query_param("StartTime", "2025-03-01 00:00:00"))
        .respond_with(ok(&json!({"Carrier": "CMCC", "VerifyResult": "1"})))
        .expect(1)
        .mount(&server)
        .await;
    common()
        .and(header("x-acs-action", "DescribePhoneNumberOnlineTime"))
        .and(query_param("AuthCode", "QASDW@#"))
        .and(query_param_is_missing("StartTime"))
        .respond_with(ok(&json!({"CarrierCode": "CMCC", "VerifyResult": "4"})))
        .expect(1)
        .mount(&server)
        .await;
    let aliyun = aliyun(&server);
    for question in [changed_after(), held_since()] {
        let reply = aliyun.ask(number(), &question, NONCE).await;
        assert_eq!(reply, Ok(Reply { answer: Yes, detail: None }));
    }
    for request in server.received_requests().await.unwrap() {
        assert_eq!(field(&request, "authorization"), signature_of(&request));
        assert_eq!(field(&request, "accept"), "application/json");
    }
}

fn field<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

/// What the other side computes out of what has arrived.
fn signature_of(request: &Request) -> String {
    let to_sign = ToSign {
        host: field(request, "host"),
        action: field(request, "x-acs-action"),
        version: field(request, "x-acs-version"),
        date: field(request, "x-acs-date"),
        nonce: field(request, "x-acs-signature-nonce"),
        query: request.url.query().unwrap(),
    };
    let [(_, authorization), ..] = to_sign.headers("LTAItest", "s3cret");
    authorization
}

#[tokio::test]
async fn reads_what_was_answered_and_never_guesses() {
    let twice = |result: &str| (changed_after(), json!({"VerifyResult": result}));
    let online = |result: &str| (held_since(), json!({"VerifyResult": result}));
    for ((question, data), answer, detail) in [
        (twice("1"), Yes, None),
        (twice("2"), No, None),
        (twice("0"), Unknown, Some("cannot be determined")),
        (twice("3"), Unknown, Some("deactivated")),
        (twice("4"), Unknown, Some("transferred")),
        (twice("13800138000"), Unknown, Some("VerifyResult unheard of")),
        ((changed_after(), json!({"VerifyResult": 1})), Yes, None),
        ((changed_after(), json!({})), Unknown, Some("VerifyResult missing")),
        ((changed_after(), Value::Null), Unknown, Some("VerifyResult missing")),
        (online("4"), Yes, None),
        (online("5"), Yes, None),
        (online("3"), Unknown, Some("the range of months leaves it open")),
        (online("1"), No, None),
        (online("-1"), Unknown, Some("no time on the net")),
        (online("0"), Unknown, Some("no time on the net")),
        ((held_since(), json!({"VerifyResult": -1})), Unknown, Some("no time on the net")),
    ] {
        let reply = ask(&question, ok(&data)).await;
        assert_eq!(reply, Ok(Reply { answer, detail: detail.map(str::to_owned) }), "{question:?} {data}");
    }
}

#[tokio::test]
async fn codes_that_are_answers() {
    for code in [
        "PortabilityNumberNotSupported",
        "RequestNumberNotSupported",
        "isp.PORTABILITY_NUMBER_NOT_SUPPORTED",
        "isp.OPERATOR_LIMIT",
    ] {
        let reply = ask(&changed_after(), refused(200, code)).await.unwrap();
        assert_eq!(reply, Reply { answer: Unknown, detail: Some(format!("200 {code}")) });
    }
}

#[tokio::test]
async fn errors_that_are_none() {
    let plain = |status| ResponseTemplate::new(status).set_body_string("<html>");
    for (answer, why, retry_after_s, is_alarm) in [
        (refused(200, "RequestFrequencyLimit"), "200 RequestFrequencyLimit", None, false),
        (refused(200, "isp.SYSTEM_ERROR"), "200 isp.SYSTEM_ERROR", None, false),
        (refused(400, "Throttling.User"), "400 Throttling.User", Some(1), false),
        (refused(400, "Throttling"), "400 Throttling", Some(1), false),
        (
            refused(429, "Throttling.Api").insert_header("retry-after", "9"),
            "429 Throttling.Api",
            Some(9),
            false,
        ),
        (refused(500, "InternalError"), "500 InternalError", None, false),
        (refused(503, "ServiceUnavailable"), "503 ServiceUnavailable", None, false),
        (plain(502), "502", None, false),
        (refused(403, "SignatureDoesNotMatch"), "403 SignatureDoesNotMatch", None, true),
        (refused(404, "InvalidAccessKeyId.NotFound"), "404 InvalidAccessKeyId.NotFound", None, true),
        (refused(400, "InvalidTimeStamp.Expired"), "400 InvalidTimeStamp.Expired", None, true),
        (refused(403, "Forbidden.RAM"), "403 Forbidden.RAM", None, true),
        (refused(200, "13800138000"), "200", None, true),
        (plain(404), "404", None, true),
        (plain(302).insert_header("location", "/elsewhere"), "302", None, true),
        (plain(200), "200: the answer is not what the documentation says", None, false),
        (
            ResponseTemplate::new(200).set_body_string(" ".repeat(5_000)),
            "200: the answer is not what the documentation says",
            None,
            false,
        ),
    ] {
        let error = ask(&changed_after(), answer).await.unwrap_err();
        assert_eq!(error, Unavailable { why: why.to_owned(), retry_after_s, alarm: is_alarm });
    }
}

#[tokio::test]
async fn what_is_not_offered_is_not_asked() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).expect(0).mount(&server).await;
    let aliyun = aliyun(&server);
    let name_is = Question::NameIs { name: "三喜米线".to_owned() };
    let landline = Number::from_digits(861_012_345_678).unwrap();
    let toll_free = Number::from_digits(864_001_234_567).unwrap();
    for (number, question) in [(number(), name_is), (landline, held_since()), (toll_free, changed_after())] {
        assert!(!aliyun.offers(number, &question));
        let reply = aliyun.ask(number, &question, NONCE).await.unwrap();
        assert_eq!(reply, Reply { answer: Unknown, detail: Some("not offered".to_owned()) });
    }
    assert!(aliyun.offers(number(), &held_since()) && aliyun.offers(number(), &changed_after()));
}

#[tokio::test]
async fn nobody_answering_and_misconfiguration() {
    let held_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = MockServer::start().await;
    let endpoint = format!("http://{}", held_port.local_addr().unwrap());
    let silent = AliyunConfig { endpoint, timeout_ms: 50, ..config(&server) };
    let aliyun = Aliyun::new(silent, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).unwrap();
    let error = aliyun.ask(number(), &held_since(), NONCE).await.unwrap_err();
    assert_eq!(error, later("no answer within 50 ms"));

    for wrong in ["", "ftp://x", "https://x/path", "https://u@x"] {
        let config = AliyunConfig { endpoint: wrong.to_owned(), ..config(&server) };
        let now: Now = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(Aliyun::new(config, now).unwrap_err().key, "endpoint", "{wrong}");
    }
    let shown = format!("{:?} {aliyun:?}", config(&server));
    assert!(!shown.contains("s3cret") && !shown.contains("Dd1r"), "{shown}");
}
