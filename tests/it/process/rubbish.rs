//! Rubbish into every public route: it is refused in good order, and the
//! service goes on.

use std::net::SocketAddr;

use super::child::Server;
use super::house::House;
use super::people::People;
use super::routes::{ROUTES, filled, is_page};
use super::wire::{Reply, Request, exchange, request};
use crate::support::dice::Dice;

/// The first ones are what some route takes.
const MEDIA_TYPES_TAKEN: usize = 3;
const MEDIA_TYPES: [&str; 7] = [
    "application/json",
    "application/x-ndjson",
    "text/csv",
    "multipart/form-data; boundary=",
    "application/json; charset=utf-16",
    "*/;;=",
    "",
];

const QUERIES: [&str; 14] = [
    "after=-1",
    "after=18446744073709551615",
    "after=18446744073709551616",
    "after=1e3",
    "limit=0",
    "limit=18446744073709551615",
    "wait=31",
    "wait=99999999999999999999",
    "colour=red",
    "after=0&after=0",
    "%ff=%00&after=%00",
    "after[]=1&=&&&",
    "after=0;drop",
    "?after=0",
];

/// What stands in a path where something real belongs.
const SEGMENTS: [&str; 12] = [
    "0",
    "-1",
    "18446744073709551616",
    "00000000000000000000000000000000000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "..",
    "%00",
    "%ff",
    "%2e%2e%2f",
    "a;b=c",
    "*",
    "~!@$&'()+,=:",
];

struct Ruin {
    house: House,
    server: Server,
    people: People,
}

impl Ruin {
    fn new() -> Self {
        let house = House::new();
        let server = house.serve();
        let people = People::gather(&house, &server, "+8613800138001");
        Self { house, server, people }
    }

    fn address(&self) -> SocketAddr {
        self.server.public
    }

    /// Each route as it is meant to be called, without a body.
    fn calls(&self) -> Vec<(&'static str, String, Option<&str>)> {
        let of_route = |(path, methods): (&str, &'static [(&'static str, super::routes::Who)])| {
            let path = filled(path, &self.people);
            methods.iter().map(move |(method, who)| (*method, path.clone(), who.credential(&self.people)))
        };
        ROUTES.iter().copied().flat_map(of_route).collect()
    }

    fn stands(self) {
        self.server.stands();
        drop(self.house);
    }
}

fn with(call: Request, credential: Option<&str>) -> Request {
    match credential {
        Some(credential) => call.bearer(credential),
        None => call,
    }
}

/// Well refused, or done; never broken.
#[track_caller]
fn is_in_order(reply: &Reply, what: &dyn std::fmt::Debug) {
    assert!((200..500).contains(&reply.status), "{what:?}: {reply:?}");
    assert!(reply.field("x-request-id").is_some(), "{what:?}: {reply:?}");
    if reply.status >= 400 && reply.field("x-correlator").is_some() {
        is_camaras_error(reply, what);
    } else if reply.field("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        let policy = reply.field("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        // Only a page without anything of anybody's own is kept.
        let is_kept = reply.field("cache-control") == Some("public, max-age=300");
        assert_ne!(is_kept, reply.field("cache-control") == Some("no-store"), "{what:?}");
        assert!(!is_kept || (reply.status == 200 && reply.field("set-cookie").is_none()), "{what:?}");
    } else if reply.status >= 400 {
        assert_eq!(reply.field("content-type"), Some("application/problem+json"), "{what:?}");
        let problem = reply.json();
        assert_eq!(problem["status"], reply.status, "{what:?}");
        let code = problem["code"].as_str().unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{code}");
        assert!(problem["detail"].as_str().unwrap().len() < 1_000, "{what:?}");
    }
}

/// The one route that speaks by another house's definition.
#[track_caller]
fn is_camaras_error(reply: &Reply, what: &dyn std::fmt::Debug) {
    assert!(format!("{what:?}").contains("/number-recycling/v0.2/check"), "{what:?}");
    assert_eq!(reply.field("content-type"), Some("application/json"), "{what:?}");
    let error = reply.json();
    assert_eq!(error.as_object().unwrap().len(), 3, "{what:?}");
    assert_eq!(error["status"], reply.status, "{what:?}");
    let code = error["code"].as_str().unwrap();
    assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{code}");
    assert!((1..1_000).contains(&error["message"].as_str().unwrap().len()), "{what:?}");
}

/// The console's no to whoever has no session.
fn is_sent_to_log_in(reply: &Reply) -> bool {
    reply.status == 303 && reply.field("location") == Some("/console/login")
}

/// Bodies that no client should send, or that nearly are what is wanted.
fn bodies() -> Vec<Vec<u8>> {
    let mut dice = Dice::new(5);
    let random: Vec<u8> = (0..600).flat_map(|_| dice.next().to_le_bytes()).collect();
    let deep = |open: &str, close: &str| open.repeat(1_000) + "0" + &close.repeat(1_000);
    let texts = [
        String::new(),
        "null".into(),
        "[]".into(),
        "\"\u{feff}\"".into(),
        "{\"number\":1e999999,\"method\":\"sms_code\"}".into(),
        format!("{{\"version\":{},\"decision\":\"approve\",\"reason_code\":\"x\"}}", "9".repeat(400)),
        format!("{{\"size\":{},\"root\":\"AAAA\",\"stage\":\"applied\"}}", u64::MAX),
        format!(
            "{{\"size\":0,\"root\":\"{}\",\"stage\":\"serving\",\"refused\":[{{\"seq\":-1}}]}}",
            "A".repeat(44)
        ),
        deep("[", "]"),
        deep("{\"number\":", "}"),
        deep("{\"labels\":[", "]}"),
        "{\"number\":\"\\u0000\",\"code\":\"\\u0000\",\"text\":\"\\u0000\",\"reason\":\"\\u0000\"}".into(),
        "{\"number\":\"\\ud800\",\"name\":\"\\ud800\"}".into(),
        "{\"text\":\"a\\u0000b\"}\n{\"reason\":\"\0\"}".into(),
        format!("{{\"number\":\"+{}\",\"method\":\"sms_code\"}}", "9".repeat(3_000)),
        "{\"number\":\"+8613800138001\",\"event\":\"activated\",\"on\":\"-999999-01-01\"}".into(),
        "{\"number\":\"+8613800138001\",\"kind\":\"name\",\"name\":\"\\u202e\\u0007\",\"count\":-5}".into(),
        "{\"reason\":\"reassigned\",\"opened\":\"9999-99\",\"labels\":[{\"provider\":\"../..\"}]}".into(),
        "{\"name\":\"li-lei\",\"password\":\"\\u0000\",\"totp\":\"𝟞𝟞𝟞𝟞𝟞𝟞\"}".into(),
        "number,event,on\n\0,\u{1},\"\n\"\"\"\",,,,,\n".into(),
        "number,number,number\n".into(),
        ",".repeat(5_000),
        "\n".repeat(5_000),
    ];
    let mut bodies: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    bodies.push(random);
    bodies.push(vec![0; 2_000]);
    bodies.push(b"{\"number\":\"\xff\xfe\",\"code\":\"\xc0\x80\"}".to_vec());
    bodies.push([b"{\"text\":\"".as_slice(), &[b'a'; 70_000], b"\"}"].concat());
    bodies
}

#[test]
fn bodies_of_all_kinds() {
    let ruin = Ruin::new();
    let bodies = bodies();
    for (method, path, credential) in ruin.calls() {
        for (nth, media_type) in MEDIA_TYPES.iter().enumerate() {
            // A few tell whether a type that nobody takes is refused.
            let sent = if nth < MEDIA_TYPES_TAKEN { bodies.len() } else { 3 };
            for body in &bodies[..sent] {
                let call =
                    request(method, &path).field("idempotency-key", "rubbish").body(media_type, body.clone());
                let reply = with(call, credential).at(ruin.address());
                let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
                is_in_order(&reply, &(method, &path, media_type, start));
            }
        }
    }
    ruin.stands();
}

#[test]
fn bodies_beyond_the_cap() {
    let ruin = Ruin::new();
    for (method, path, credential) in ruin.calls().into_iter().filter(|(method, ..)| *method != "GET") {
        for media_type in ["application/json", "application/x-ndjson"] {
            // Only announced: who is refused by the length need not send it.
            let call = request(method, &path).field("content-type", media_type).field("idempotency-key", "2");
            let reply = with(call.field("content-length", "9999999999"), credential).at(ruin.address());
            is_in_order(&reply, &(method, &path));
            let takes_lines = ["/v1/labels", "/v1/tenures"].contains(&&*path);
            let takes_parts = path.ends_with("/evidence");
            let is_other = is_page(&path) || takes_parts || takes_lines == (media_type == "application/json");
            let refused = if is_other { 415 } else { 413 };
            let has_no_body =
                path.ends_with("/next") || path.ends_with("/release") || path.ends_with("/discard");
            let is_told = reply.status == refused || is_sent_to_log_in(&reply);
            assert!(is_told || has_no_body, "{path} {media_type}: {reply:?}");
        }
    }
    let line = "x".repeat(100_000) + "\n" + &"y".repeat(100_000);
    for path in ["/v1/labels", "/v1/tenures"] {
        let key = if path == "/v1/labels" { &ruin.people.provider } else { &ruin.people.operator };
        let call = request("POST", path).bearer(key).body("application/x-ndjson", line.as_str());
        let errors = &call.at(ruin.address()).ok(200).json()["errors"];
        assert_eq!(
            (&errors[0]["code"], &errors[1]["code"]),
            (&"line_too_long".into(), &"line_too_long".into())
        );
    }
    ruin.stands();
}

#[test]
fn credentials_queries_and_paths_of_all_kinds() {
    let ruin = Ruin::new();
    for (method, path, credential) in ruin.calls() {
        for wrong in ["zmp_", "zmh_AAAA", "\u{1}", "%00", "Bearer Bearer", &"z".repeat(8_000)] {
            let reply =
                request(method, &path).bearer(wrong).body("application/json", "{}").try_at(ruin.address());
            reply
                .iter()
                .filter(|reply| reply.status != 400)
                .for_each(|reply| is_in_order(reply, &(&path, wrong)));
        }
        for query in QUERIES {
            let call = request(method, &format!("{path}?{query}")).field("idempotency-key", "3");
            let reply = with(call.body("application/json", "{}"), credential).at(ruin.address());
            is_in_order(&reply, &(method, &path, query));
        }
        for odd in [
            format!("/{path}"),
            format!("{path}/"),
            format!("{path}%00"),
            format!("{path}/../x"),
            path.replacen('/', "//", 1),
        ] {
            let reply = with(request(method, &odd), credential).at(ruin.address());
            is_in_order(&reply, &odd);
            assert_eq!(reply.status, 404, "{odd}");
        }
    }
    for (path, methods) in ROUTES.iter().filter(|(path, _)| path.contains("{}")) {
        for segment in SEGMENTS {
            for (method, who) in *methods {
                let call = request(method, &path.replace("{}", segment)).body("application/json", "{}");
                let reply = with(call, who.credential(&ruin.people)).at(ruin.address());
                is_in_order(&reply, &(path, segment));
                let is_told = reply.status >= 400 || is_sent_to_log_in(&reply);
                assert!(is_told, "{path} {segment}: {reply:?}");
            }
        }
    }
    ruin.stands();
}

#[test]
fn methods_of_all_kinds() {
    let ruin = Ruin::new();
    for (path, methods) in ROUTES {
        let path = filled(path, &ruin.people);
        for method in ["DELETE", "PATCH", "TRACE", "get", "ZHANGSAN", "M-SEARCH"] {
            let reply = request(method, &path).at(ruin.address());
            is_in_order(&reply, &(method, &path));
            assert_eq!(reply.status, 405, "{method} {path}");
            let allow = reply.field("allow").unwrap();
            assert!(methods.iter().all(|(method, _)| allow.contains(method)), "{path}: {allow}");
        }
    }
    ruin.stands();
}

#[test]
fn bytes_that_are_hardly_http() {
    let ruin = Ruin::new();
    let mut dice = Dice::new(6);
    let mut wires: Vec<Vec<u8>> = [
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n".into(),
        "GET http://[::1/ HTTP/1.1\r\nhost: a\r\n\r\n".into(),
        "GET * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into(),
        "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into(),
        "CONNECT localhost:443 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into(),
        "GET / HTTP/9.9\r\nhost: a\r\n\r\n".into(),
        "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n".into(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(100_000)),
        format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000)),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(200)),
        "POST /v1/verifications HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n".into(),
        "POST /v1/verifications HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}".into(),
        "POST /v1/verifications HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n{}".into(),
        "POST /v1/verifications HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n\
            transfer-encoding: chunked\r\n\r\nzz\r\n{}"
            .into(),
        "POST /v1/verifications HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n\
            transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}"
            .into(),
    ]
    .map(String::into_bytes)
    .to_vec();
    for _ in 0..50 {
        let length = 16 + dice.roll(300);
        let noise: Vec<u8> = (0..length).flat_map(|_| dice.next().to_le_bytes()).collect();
        wires.push([noise.as_slice(), b"\r\n\r\n\r\n\r\n"].concat());
    }
    for wire in wires {
        let start = String::from_utf8_lossy(&wire[..wire.len().min(80)]).into_owned();
        // Closed without a word is an answer to what is no HTTP.
        let Ok(reply) = exchange(ruin.address(), &wire) else { continue };
        let is_hypers_own = [400, 414, 431].contains(&reply.status) && reply.body.is_empty();
        if !is_hypers_own {
            is_in_order(&reply, &start);
        }
        assert!(reply.status >= 400, "{start}: {reply:?}");
    }
    ruin.stands();
}
