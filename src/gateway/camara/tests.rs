//! Every mapping, against a server that says exactly what a row says.
#![allow(clippy::unwrap_used)]

mod tokens;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};
use wiremock::matchers::{any, body_json, body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::uscc::Uscc;

const CORRELATOR: &str = "018f-0a/q:1;<x>{y}._";
const TENURE: &str = "/op/kyc-tenure/v0.2/check-tenure";
const RECYCLING: &str = "/op/number-recycling/v0.2/check";
const MATCH: &str = "/op/kyc-match/v0.4/match";
const NAME: &str = "三喜米线";
const USCC: &str = "91350211M000100Y46";
const DIGITS: u64 = 8_613_800_138_000;

fn number() -> Number {
    Number::from_digits(DIGITS).unwrap()
}

fn held_since() -> Question {
    Question::HeldSince { day: date(2025, 4, 29) }
}

fn changed_after() -> Question {
    Question::ChangedAfter { day: date(2025, 1, 29) }
}

fn name_is() -> Question {
    Question::NameIs { name: NAME.to_owned() }
}

fn enterprise_is() -> Question {
    Question::EnterpriseIs { name: NAME.to_owned(), uscc: Uscc::parse(USCC).unwrap() }
}

fn frozen() -> Now {
    Arc::new(|| Timestamp::UNIX_EPOCH)
}

fn config(server: &MockServer) -> CamaraConfig {
    CamaraConfig {
        base_url: format!("{}/op/", server.uri()),
        token_url: format!("{}/token", server.uri()),
        client_id: "zheng ming".to_owned(),
        client_secret: "s:cret".to_owned(),
        timeout_ms: 30_000,
        response_bytes_max: 4096,
    }
}

fn camara(server: &MockServer) -> Camara {
    Camara::new(&config(server), frozen()).unwrap()
}

fn token(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"access_token": text, "token_type": "Bearer", "expires_in": 300}))
}

async fn server_with_token() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).mount(&server).await;
    server
}

/// Asks once, of a server whose APIs all answer like this.
async fn ask(question: &Question, answer: ResponseTemplate) -> Result<Reply, Unavailable> {
    let server = server_with_token().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    camara(&server).ask(number(), question, CORRELATOR).await
}

fn problem(status: u16, code: &str) -> ResponseTemplate {
    let message = format!("+{DIGITS} {NAME}");
    ResponseTemplate::new(status).set_body_json(json!({"status": status, "code": code, "message": message}))
}

#[tokio::test]
async fn asks_in_the_words_of_the_definitions() {
    for (question, at, body, answer) in [
        (
            held_since(),
            TENURE,
            json!({"phoneNumber": "+8613800138000", "tenureDate": "2025-04-29"}),
            json!({"tenureDateCheck": true, "contractType": "PAYM"}),
        ),
        (
            changed_after(),
            RECYCLING,
            json!({"phoneNumber": "+8613800138000", "specifiedDate": "2025-01-29"}),
            json!({"phoneNumberRecycled": true}),
        ),
        (
            name_is(),
            MATCH,
            json!({"phoneNumber": "+8613800138000", "name": NAME}),
            json!({"nameMatch": "true"}),
        ),
        (
            enterprise_is(),
            MATCH,
            json!({"phoneNumber": "+8613800138000", "name": NAME, "idDocument": USCC}),
            json!({"nameMatch": "true", "idDocumentMatch": "true"}),
        ),
    ] {
        let server = MockServer::start().await;
        // "zheng+ming:s%3Acret"
        Mock::given(method("POST"))
            .and(path("/token"))
            .and(header("authorization", "Basic emhlbmcrbWluZzpzJTNBY3JldA=="))
            .and(header("content-type", "application/x-www-form-urlencoded"))
            .and(body_string(
                "grant_type=client_credentials&\
                 scope=kyc-tenure%3Acheck-tenure+number-recycling%3Acheck+kyc-match%3Amatch",
            ))
            .respond_with(token("t1"))
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("POST"))
            .and(path(at))
            .and(header("authorization", "Bearer t1"))
            .and(header("content-type", "application/json"))
            .and(header("x-correlator", CORRELATOR))
            .and(body_json(&body))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .expect(1)
            .mount(&server)
            .await;
        let reply = camara(&server).ask(number(), &question, CORRELATOR).await;
        assert_eq!(reply, Ok(Reply { answer: Yes, detail: None }), "{at}");
    }
}

#[tokio::test]
async fn reads_what_was_answered_and_never_guesses() {
    let rows: [(Question, Value, Answered); 16] = [
        (held_since(), json!({"tenureDateCheck": false}), (No, None)),
        (held_since(), json!({"contractType": "PAYG"}), (Unknown, Some("tenureDateCheck missing"))),
        (held_since(), json!({"tenureDateCheck": null}), (Unknown, Some("tenureDateCheck missing"))),
        (held_since(), json!({"phoneNumberRecycled": true}), (Unknown, Some("tenureDateCheck missing"))),
        (changed_after(), json!({"phoneNumberRecycled": false}), (No, None)),
        (changed_after(), json!({}), (Unknown, Some("phoneNumberRecycled missing"))),
        (name_is(), json!({"nameMatch": "false"}), (No, None)),
        (name_is(), json!({"nameMatch": "false", "nameMatchScore": 99}), (No, None)),
        (name_is(), json!({"nameMatch": "not_available"}), (Unknown, Some("nameMatch not_available"))),
        (name_is(), json!({"nameMatchScore": 99}), (Unknown, Some("nameMatch missing"))),
        (enterprise_is(), json!({"nameMatch": "true", "idDocumentMatch": "false"}), (No, None)),
        (enterprise_is(), json!({"nameMatch": "false", "idDocumentMatch": "true"}), (No, None)),
        (enterprise_is(), json!({"nameMatch": "not_available", "idDocumentMatch": "false"}), (No, None)),
        (
            enterprise_is(),
            json!({"nameMatch": "not_available", "idDocumentMatch": "true"}),
            (Unknown, Some("nameMatch not_available")),
        ),
        (enterprise_is(), json!({"nameMatch": "true"}), (Unknown, Some("idDocumentMatch missing"))),
        (enterprise_is(), json!({"idDocumentMatch": "true"}), (Unknown, Some("nameMatch missing"))),
    ];
    for (question, body, (answer, detail)) in rows {
        let reply = ask(&question, ResponseTemplate::new(200).set_body_json(&body)).await;
        assert_eq!(reply, Ok(Reply { answer, detail: detail.map(str::to_owned) }), "{body}");
    }
}

type Answered = (crate::domain::evidence::Answer, Option<&'static str>);

#[tokio::test]
async fn errors_that_are_answers() {
    for (question, status, code, answer) in [
        (held_since(), 404, "IDENTIFIER_NOT_FOUND", Unknown),
        (name_is(), 404, "NOT_FOUND", Unknown),
        (held_since(), 400, "OUT_OF_RANGE", Unknown),
        (changed_after(), 422, "SERVICE_NOT_APPLICABLE", Unknown),
        (changed_after(), 422, "MISSING_IDENTIFIER", Unknown),
        (changed_after(), 422, "UNNECESSARY_IDENTIFIER", Unknown),
        (enterprise_is(), 403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH", No),
    ] {
        let reply = ask(&question, problem(status, code)).await.unwrap();
        let detail = (answer == Unknown).then(|| format!("{status} {code}"));
        assert_eq!(reply, Reply { answer, detail });
    }
    let bare = ask(&held_since(), ResponseTemplate::new(422)).await.unwrap();
    assert_eq!(bare, Reply { answer: Unknown, detail: Some("422".to_owned()) });
}

#[tokio::test]
async fn errors_that_are_none() {
    let plain = |status| ResponseTemplate::new(status).set_body_string("<html>");
    for (answer, why, retry_after_s, is_alarm) in [
        (plain(500), "500", None, false),
        (problem(501, "NOT_IMPLEMENTED"), "501 NOT_IMPLEMENTED", None, false),
        (plain(503).insert_header("retry-after", "120"), "503", Some(120), false),
        (
            problem(429, "TOO_MANY_REQUESTS").insert_header("retry-after", "7"),
            "429 TOO_MANY_REQUESTS",
            Some(7),
            false,
        ),
        (plain(429).insert_header("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), "429", None, false),
        (problem(400, "INVALID_ARGUMENT"), "400 INVALID_ARGUMENT", None, true),
        (plain(400), "400", None, true),
        (problem(403, "PERMISSION_DENIED"), "403 PERMISSION_DENIED", None, true),
        (problem(403, "INVALID_TOKEN_CONTEXT"), "403 INVALID_TOKEN_CONTEXT", None, true),
        // We sent no document, so it cannot differ.
        (
            problem(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH"),
            "403 KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH",
            None,
            true,
        ),
        (plain(404), "404", None, true),
        (plain(302).insert_header("location", "/op/elsewhere"), "302", None, true),
        (plain(204), "204", None, true),
    ] {
        let error = ask(&name_is(), answer).await.unwrap_err();
        assert_eq!(error, Unavailable { why: why.to_owned(), retry_after_s, alarm: is_alarm });
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let long = format!("{{\"tenureDateCheck\":true}}{}", " ".repeat(5000));
    for body in [
        "",
        "true",
        "[true,true,null,null]",
        "{\"tenureDateCheck\":true",
        "{\"tenureDateCheck\":\"true\"}",
        "{\"tenureDateCheck\":1}",
        "{\"tenureDateCheck\":false,\"tenureDateCheck\":true}",
        "{\"tenureDateCheck\":true}{}",
        "{\"nameMatch\":\"maybe +8613800138000\",\"tenureDateCheck\":true}",
        &long,
    ] {
        let error = ask(&held_since(), ResponseTemplate::new(200).set_body_string(body)).await.unwrap_err();
        assert_eq!(error, later("200: the answer is not what the definition says"), "{body}");
    }
}

#[tokio::test]
async fn nothing_of_a_body_is_repeated() {
    for code in [format!("+{DIGITS}"), NAME.to_owned(), "X".repeat(65), "a\nb".to_owned()] {
        for status in [400, 404, 422, 500] {
            let said = match ask(&name_is(), problem(status, &code)).await {
                Ok(reply) => reply.detail.unwrap(),
                Err(error) => error.why,
            };
            assert_eq!(said, status.to_string());
        }
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_answering() {
    let server = server_with_token().await;
    let held_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // Connections are queued and never answered.
    let silent = format!("http://{}", held_port.local_addr().unwrap());
    let config = CamaraConfig { base_url: silent, timeout_ms: 50, ..config(&server) };
    let camara = Camara::new(&config, frozen()).unwrap();
    let error = camara.ask(number(), &held_since(), CORRELATOR).await.unwrap_err();
    assert_eq!(error, later("no answer within 50 ms"));

    drop(held_port);
    let error = camara.ask(number(), &held_since(), CORRELATOR).await.unwrap_err();
    assert!(!error.alarm && error.why.starts_with("no connection: "), "{error}");
}

#[tokio::test]
async fn a_correlator_outside_the_pattern_is_not_sent() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).expect(0).mount(&server).await;
    for bad in ["a b", "号", "a\r\nb", "a+b", &"x".repeat(257)] {
        assert!(camara(&server).ask(number(), &held_since(), bad).await.unwrap_err().alarm, "{bad}");
    }
}

#[tokio::test]
async fn misconfiguration_is_said_by_key_and_secrets_never() {
    let server = MockServer::start().await;
    for (text, key) in
        [("", "base_url"), ("ftp://x", "base_url"), ("http://x/?q", "base_url"), ("x", "base_url")]
    {
        let config = CamaraConfig { base_url: text.to_owned(), ..config(&server) };
        assert_eq!(Camara::new(&config, frozen()).unwrap_err().key, key);
    }
    let wrong = CamaraConfig { token_url: "http://u@x/".to_owned(), ..config(&server) };
    assert_eq!(Camara::new(&wrong, frozen()).unwrap_err().key, "token_url");
    let shown = format!("{:?} {:?}", config(&server), camara(&server));
    assert!(!shown.contains("s:cret") && !shown.contains("emhlb"), "{shown}");
}
