//! Every mapping, against a server that says exactly what a row says.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::{Value, json};
use wiremock::matchers::{any, body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::baidu::BaiduLookUp;
use super::http::HttpLookUp;
use crate::casework::ports::{LookUp, NoAnswer, Unavailable};
use crate::domain::number::Number;

const DIGITS: u64 = 8_613_800_138_000;
/// Of 13800138000.
const SHA1: &str = "ffe1cf3289b18e5aedf4f62e2c1ce2242bbdb0c2";

fn number(digits: u64) -> Number {
    Number::from_digits(digits).unwrap()
}

fn http(server: &MockServer) -> HttpLookUp {
    HttpLookUp::new("tencent".parse().unwrap(), &format!("{}/v2/numbers/", server.uri()), "k1").unwrap()
}

fn baidu(server: &MockServer) -> BaiduLookUp {
    let now = Arc::new(|| "2026-11-23T03:04:05.678Z".parse().unwrap());
    BaiduLookUp::new(&server.uri(), "access\nsecret\napp", now).unwrap()
}

async fn serving(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn says(body: impl serde::Serialize) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn lines(answer: Result<Vec<String>, NoAnswer>) -> Vec<Value> {
    answer.unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn unavailable(answer: Result<Vec<String>, NoAnswer>) -> Unavailable {
    match answer {
        Err(NoAnswer::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_provider_is_asked_by_digits_and_key() {
    let server = MockServer::start().await;
    let label = json!({
        "provider": "tencent", "provider_name": "腾讯", "source": "crowd", "kind": "category",
        "category": "express", "text": "快递送餐", "count": 20, "first_marked_on": "2023-06-01",
        "observed_at": "2026-11-23T03:04:05Z",
    });
    let own = json!({ "kind": "name", "name": "老王烧烤", "number": format!("+{DIGITS}") });
    Mock::given(method("GET"))
        .and(path(format!("/v2/numbers/{DIGITS}")))
        .and(header("authorization", "Bearer k1"))
        .respond_with(says([label, own]))
        .mount(&server)
        .await;
    let number = format!("+{DIGITS}");
    assert_eq!(
        lines(http(&server).ask(self::number(DIGITS)).await),
        [
            json!({ "source": "crowd", "kind": "category", "category": "express", "text": "快递送餐",
                    "count": 20, "first_marked_on": "2023-06-01", "number": number }),
            json!({ "kind": "name", "name": "老王烧烤", "number": number }),
        ]
    );
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
    for body in [
        "".to_owned(),
        "{}".into(),
        "null".into(),
        "<html>".into(),
        "[1]".into(),
        "[{\"kind\":\"name\"}".into(),
        json!([{ "number": "+8613800138001", "kind": "category", "category": "fraud" }]).to_string(),
        json!([{ "provider": "baidu", "kind": "category", "category": "fraud" }]).to_string(),
        json!(vec![json!({ "kind": "name", "name": "a" }); 9]).to_string(),
        format!("[{}]", " ".repeat(70_000)),
    ] {
        let server = serving(ResponseTemplate::new(200).set_body_string(&body)).await;
        let start: String = body.chars().take(40).collect();
        assert_eq!(http(&server).ask(number(DIGITS)).await, Err(NoAnswer::Malformed), "{start}");
    }
    assert_eq!(http(&serving(says([(); 0])).await).ask(number(DIGITS)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn statuses_tell_whose_fault_it_is() {
    for (status, alarm) in [
        (204, true),
        (301, true),
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (408, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let template = ResponseTemplate::new(status).insert_header("retry-after", "7");
        let server = serving(template).await;
        let expected = Unavailable { why: status.to_string(), retry_after_s: (!alarm).then_some(7), alarm };
        assert_eq!(unavailable(http(&server).ask(number(DIGITS)).await), expected);
        assert_eq!(unavailable(baidu(&server).ask(number(DIGITS)).await), expected);
    }
    let nobody = HttpLookUp::new("tencent".parse().unwrap(), "http://127.0.0.1:1/x", "k1").unwrap();
    assert!(!unavailable(nobody.ask(number(DIGITS)).await).alarm);
}

#[tokio::test]
async fn baidu_is_asked_for_the_hash_of_a_mobile() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/haoma-cloud/openapi/phone-tag/1.0"))
        .and(header("content-type", "application/json; charset=utf-8"))
        .and(header("x-bce-date", "2026-11-23T03:04:05Z"))
        .and(body_json(json!({ "appkey": "app", "phone": SHA1 })))
        .respond_with(says(json!({
            "code": "10000", "msg": "success",
            "result": { "phone": SHA1, "location": { "province": "陕西" },
                        "remark_types": { "code": 8, "code_type": "物流快递" } },
        })))
        .mount(&server)
        .await;
    let labels = lines(baidu(&server).ask(number(DIGITS)).await);
    assert_eq!(
        labels,
        [json!({ "number": format!("+{DIGITS}"), "kind": "category", "code": "8", "text": "物流快递" })]
    );
    let request = &server.received_requests().await.unwrap()[0];
    let authorization = request.headers["authorization"].to_str().unwrap();
    let (signed, signature) = authorization.rsplit_once('/').unwrap();
    assert_eq!(signed, "bce-auth-v1/access/2026-11-23T03:04:05Z/1800/host;x-bce-date");
    assert_eq!(signature.len(), 64);

    for landline in [861_062_345_678, 864_001_234_567, 8_695_588] {
        assert_eq!(baidu(&server).ask(number(landline)).await, Err(NoAnswer::Unsupported));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_baidu_says_is_read_with_care() {
    let told = |code: Value, result: Value| json!({ "code": code, "msg": "x", "result": result });
    let tagged = |remark: Value| told(json!("10000"), json!({ "phone": SHA1, "remark_types": remark }));
    let ask = async |body: Value| baidu(&serving(says(body)).await).ask(number(DIGITS)).await;
    for nothing in [Value::Null, json!({}), json!({ "code": "" }), json!({ "code": null, "code_type": null })]
    {
        assert_eq!(ask(tagged(nothing)).await, Ok(Vec::new()));
    }
    assert_eq!(ask(told(json!(10000), json!({ "phone": SHA1.to_uppercase() }))).await, Ok(Vec::new()));
    assert_eq!(lines(ask(tagged(json!({ "code": "10" }))).await)[0]["code"], "10");
    for garbage in [
        json!([]),
        told(json!("10000"), Value::Null),
        told(json!("10000"), json!({ "phone": "13800138000" })),
        told(json!("20003"), Value::Null),
        told(json!({}), Value::Null),
        tagged(json!({ "code": {} })),
        tagged(json!("8")),
    ] {
        assert_eq!(ask(garbage).await, Err(NoAnswer::Malformed));
    }
    for (code, alarm) in
        [("10001", true), ("10002", true), ("20001", false), ("20002", true), ("30001", true)]
    {
        let why = unavailable(ask(told(json!(code), Value::Null)).await);
        assert_eq!((why.why.as_str(), why.alarm), (code, alarm));
    }
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    for keys in ["", "access secret", "access secret app more"] {
        let now = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
        let error = BaiduLookUp::new("https://pnvs.baidubce.com", keys, now).unwrap_err();
        assert_eq!(error.key, "lookup_key_file");
    }
    assert!(HttpLookUp::new("tencent".parse().unwrap(), "ftp://a.example", "k").is_err());
    let shown = format!("{:?}", HttpLookUp::new("tencent".parse().unwrap(), "http://a.example", "k1"));
    assert!(!shown.contains("k1"), "{shown}");
}
