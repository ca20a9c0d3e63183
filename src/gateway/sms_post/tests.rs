#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use wiremock::matchers::{any, body_string, header, headers, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

/// The key, the instant and the message give this signature; computed with
/// `openssl dgst -sha256 -hmac`.
const KEY: &[u8] = b"a key of more than sixteen bytes";
const AT: &str = "2026-11-24T01:53:59.123456789Z";
const BODY: &str = "{\"id\":\"code-7\",\"to\":\"+8613800138000\",\
    \"text\":\"【正名】验证码 123456\",\"at\":\"2026-11-24T01:53:59Z\"}";
const SIGNATURE: &str = "9pdGI7XCuF8Z1hoBmuzaTFeijU/oNdEGylm5ORAaEF8=";

fn post(url: &str) -> SmsPost {
    SmsPost::new(url, KEY.to_vec(), Arc::new(|| AT.parse().unwrap())).unwrap()
}

fn message() -> Message {
    let to = Number::from_digits(8_613_800_138_000).unwrap();
    Message {
        id: "code-7".to_owned(), to, text: "【正名】验证码 123456".to_owned(), seal: "seal".to_owned()
    }
}

async fn answered(answer: ResponseTemplate) -> Result<(), Unavailable> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    post(&server.uri()).send(&message()).await
}

#[tokio::test]
async fn the_documented_bytes_and_their_signature() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/send"))
        .and(header("content-type", "application/json"))
        .and(header("webhook-id", "code-7"))
        .and(header("webhook-timestamp", "1795485239"))
        // A comma divides a list there.
        .and(headers("webhook-signature", vec!["v1", SIGNATURE]))
        .and(body_string(BODY))
        .respond_with(ResponseTemplate::new(204))
        .expect(2)
        .mount(&server)
        .await;
    let post = post(&format!("{}/send", server.uri()));
    // The same id both times: the double is known by it.
    for _ in 0..2 {
        assert_eq!(post.send(&message()).await, Ok(()));
    }
}

#[tokio::test]
async fn a_gateway_may_name_a_pause_and_a_wrong_key_wants_a_look() {
    let slow_down = ResponseTemplate::new(429).insert_header("retry-after", "30");
    let told = answered(slow_down).await.unwrap_err();
    assert_eq!((told.why.as_str(), told.retry_after_s, told.alarm), ("answered 429", Some(30), false));
    for (status, alarm) in [(500, false), (503, false), (401, true), (404, true), (422, true), (307, true)] {
        let told = answered(ResponseTemplate::new(status)).await.unwrap_err();
        assert_eq!((told.why, told.alarm), (format!("answered {status}"), alarm));
    }
    for status in [200, 201, 202] {
        assert_eq!(answered(ResponseTemplate::new(status)).await, Ok(()));
    }
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_gives_nothing_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let post = post(&format!("http://{}/send", listener.local_addr().unwrap()));
    drop(listener);
    let told = post.send(&message()).await.unwrap_err();
    assert!(told.why.starts_with("no connection: ") && !told.why.contains("138"), "{told}");
    assert!(!format!("{post:?}").contains("key"), "{post:?}");
}
