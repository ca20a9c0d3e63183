//! `sms.gateway = "http"`: a gateway of one's own, that is slow at first and
//! reports in the end; and what is said of an `[sms]` that cannot work.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::child::{AT_MOST, Server};
use super::house::{House, keep};
use super::wire::{Request, get, post};

const NUMBER: &str = "+8613800138001";
const KEY: &[u8] = b"a key of more than sixteen bytes";
const TOKEN: &str = "tOkEn-0123456789abcdef";

/// A request as a gateway has it: head and body.
type Heard = (String, String);

/// Answers each request with the next of these.
fn gateway(answers: &'static [&'static str]) -> (String, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            while !all.ends_with(b"\"}") {
                let mut buffer = [0; 4096];
                let count = stream.read(&mut buffer).unwrap();
                all.extend_from_slice(&buffer[..count]);
            }
            let (head, body) = std::str::from_utf8(&all).unwrap().split_once("\r\n\r\n").unwrap();
            let close = "connection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(format!("HTTP/1.1 {answer}\r\n{close}").as_bytes()).unwrap();
            tell.send((head.to_owned(), body.to_owned())).unwrap();
        }
    });
    (url, heard)
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let found = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("no {name} in {head}"))
}

fn is_signed((head, body): &Heard) {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    let (id, timestamp) = (field(head, "webhook-id"), field(head, "webhook-timestamp"));
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = field(head, "webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
}

#[test]
fn a_gateway_that_asks_for_a_pause_gets_the_same_message_once_more() {
    let house = House::new();
    house.keeps("key", &format!("whsec_{}\n", STANDARD.encode(KEY)));
    house.keeps("token", TOKEN);
    let (url, heard) = gateway(&["429 Too Many Requests\r\nretry-after: 1", "202 Accepted"]);
    let mut command = house.command("serve --log trace");
    for (key, value) in
        [("GATEWAY", "http"), ("URL", &url), ("HMAC_KEY_FILE", "key"), ("INBOUND_TOKEN_FILE", "token")]
    {
        command.env(format!("ZHENGMING_SMS__{key}"), value);
    }
    let mut server = Server::start(command);
    let start = json!({ "number": NUMBER, "method": "sms_code" });
    let id = post("/v1/verifications", &start).at(server.public).ok(201).text("id");
    let (first, second) = (heard.recv_timeout(AT_MOST).unwrap(), heard.recv_timeout(AT_MOST).unwrap());
    for request in [&first, &second] {
        assert!(request.0.starts_with("POST /send HTTP/1.1\r\n"), "{request:?}");
        assert_eq!(field(&request.0, "webhook-id"), format!("code-{id}"));
        is_signed(request);
    }
    let body: Value = serde_json::from_str(&second.1).unwrap();
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((keys, &body["to"]), (vec!["at", "id", "text", "to"], &json!(NUMBER)));
    let text = body["text"].as_str().unwrap();
    let code: String = text.split_once("验证码 ").unwrap().1.chars().take(6).collect();

    let report = post("/v1/sms/delivery", &json!({ "id": body["id"], "status": "failed" }));
    report.clone().at(server.public).refused(401, "unauthenticated");
    report.bearer(TOKEN).at(server.public).ok(204);
    server.process.says("a message was not delivered");
    let stands = get(&format!("/v1/verifications/{id}")).at(server.public).ok(200).json();
    assert_eq!(stands, json!({ "status": "pending", "delivery": "failed" }));
    confirm(&id, &code).at(server.public).ok(200);

    let log = server.stopped().err;
    for secret in [&NUMBER[3..], &format!(" {code}"), TOKEN, &STANDARD.encode(KEY)] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

fn confirm(id: &str, code: &str) -> Request {
    post(&format!("/v1/verifications/{id}/confirm"), &json!({ "code": code }))
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let house = House::new();
    house.keeps("empty", "\n");
    house.keeps("words", "two words");
    house.keeps("fine", TOKEN);
    keep(&house.path("exposed"), TOKEN, 0o644);
    let kannel = |url: &'static str, file: &'static str| {
        vec![("GATEWAY", "kannel"), ("USERNAME", "zm"), ("SEND_URL", url), ("PASSWORD_FILE", file)]
    };
    let http =
        |file: &'static str| vec![("GATEWAY", "http"), ("URL", "http://a.example/"), ("HMAC_KEY_FILE", file)];
    for (keys, said) in [
        (
            kannel("http://a.example/send", "nowhere"),
            "ZHENGMING_SMS__PASSWORD_FILE: sms.password_file: nowhere",
        ),
        (kannel("http://a.example/send", "empty"), "sms.password_file: empty: it is empty"),
        (kannel("http://a.example/?a=b", "fine"), "send_url: it has more than"),
        (http("nowhere"), "sms.hmac_key_file: nowhere"),
        (http("exposed"), "others than its owner may use it (mode 644); run: chmod 640 exposed"),
        (vec![("INBOUND_TOKEN_FILE", "nowhere")], "sms.inbound_token_file: nowhere"),
        (vec![("INBOUND_TOKEN_FILE", "words")], "sms.inbound_token_file: a token is printable ASCII"),
    ] {
        let mut command = house.command("serve");
        for (key, value) in keys {
            command.env(format!("ZHENGMING_SMS__{key}"), value);
        }
        let failed = super::child::Process::start(command, b"").ended().failed();
        assert!(failed.contains(said), "{failed}");
    }
}
