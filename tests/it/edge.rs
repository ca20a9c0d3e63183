//! The accept loop on real sockets: slow, broken, hostile and numerous
//! clients, and the way out.
//!
//! Nothing here sleeps: limits are set to tens of milliseconds, and a test
//! waits for what the socket shows.

use std::time::Duration;

use zhengming::http::accept::AcceptLimits;
use zhengming::http::body::BodyError;

mod harness;
use harness::{Edge, Wire, get, post};

/// Long enough for a busy machine to answer what it should answer at once.
fn patient() -> AcceptLimits {
    AcceptLimits::default()
}

/// Changes nothing, but might.
fn echo() -> String {
    let body = "{\"text\":\"echo\"}";
    post("/echo", &format!("Content-Length: {}", body.len()), body)
}

// --- clients that keep us waiting -------------------------------------------

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let edge = Edge::start(AcceptLimits { header_timeout_ms: 30, ..patient() }).await;
    assert_eq!(edge.connect().await.rest().await, "");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_closed() {
    let edge = Edge::start(AcceptLimits { header_timeout_ms: 30, ..patient() }).await;
    let mut wire = edge.connect().await;
    wire.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_connection_idle_after_its_answer_is_closed() {
    let edge = Edge::start(AcceptLimits { header_timeout_ms: 300, ..patient() }).await;
    let mut wire = edge.connect().await;
    wire.send(&get("/hello")).await;
    assert!(wire.rest().await.ends_with("hello"));
}

#[tokio::test]
async fn a_body_that_stalls_is_408() {
    let edge = Edge::start(AcceptLimits { body_idle_timeout_ms: 30, ..patient() }).await;
    let mut wire = edge.connect().await;
    wire.send(&post("/echo", "Content-Length: 20", "{\"te")).await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"body_stalled\""), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_beyond_the_deadline_is_408() {
    let edge = Edge::start(AcceptLimits { request_timeout_ms: 30, ..patient() }).await;
    let mut wire = edge.connect().await;
    wire.send(&post("/echo", "Content-Length: 20", "{\"te")).await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_503() {
    let edge = Edge::start(AcceptLimits { request_timeout_ms: 30, ..patient() }).await;
    let answer = edge.exchange(&get("/forever")).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");
}

#[tokio::test]
async fn changes_that_find_no_turn_are_sent_away_and_reads_need_none() {
    let mut edge = Edge::start(AcceptLimits { changes_at_once_max: 1, turn_wait_ms: 30, ..patient() }).await;
    let mut first = edge.connect().await;
    first.send(&post("/gate", "Content-Length: 0", "")).await;
    assert_eq!(edge.told().await, "at the gate");
    let answer = edge.exchange(&echo()).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: "), "{answer}");
    assert!(edge.exchange(&get("/hello")).await.ends_with("hello"));
    edge.gate.notify_one();
    assert_eq!(first.answer().await.body, "through");
    assert!(edge.exchange(&echo()).await.ends_with("echo"));
}

#[tokio::test]
async fn who_waits_for_others_keeps_nobody_from_a_turn() {
    let mut edge = Edge::start(AcceptLimits { changes_at_once_max: 1, ..patient() }).await;
    let (mut stalled, mut long, mut uploads) =
        (edge.connect().await, edge.connect().await, edge.connect().await);
    stalled.send(&post("/echo", "Content-Length: 20", "{\"te")).await;
    assert!(edge.exchange(&echo()).await.ends_with("echo"));
    long.send(&post("/gate?extended", "Content-Length: 0", "")).await;
    assert_eq!(edge.told().await, "at the gate");
    assert!(edge.exchange(&echo()).await.ends_with("echo"));
    uploads.send(&post("/upload", "Content-Length: 20", "a line\n")).await;
    assert!(edge.exchange(&echo()).await.ends_with("echo"));
    edge.gate.notify_one();
    assert_eq!(long.answer().await.body, "through");
}

#[tokio::test]
async fn a_route_may_extend_its_deadline() {
    let mut edge = Edge::start(AcceptLimits { request_timeout_ms: 30, ..patient() }).await;
    let mut extended = edge.connect().await;
    extended.send(&get("/gate?extended")).await;
    assert_eq!(edge.told().await, "at the gate");
    // When a later request has run out of time, the earlier one would have.
    assert!(edge.exchange(&get("/forever")).await.starts_with("HTTP/1.1 503 "));
    edge.gate.notify_one();
    assert_eq!(extended.answer().await.body, "through");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut() {
    let mut edge = Edge::start(AcceptLimits { write_idle_timeout_ms: 50, ..patient() }).await;
    let mut wire = edge.connect().await;
    wire.send(&get("/endless")).await;
    assert_eq!(edge.told().await, "the endless body was dropped");
    drop(wire);
}

// --- bodies that are not what they should be --------------------------------

#[tokio::test]
async fn a_body_too_large_is_413_although_it_is_being_sent() {
    let edge = Edge::start(patient()).await;
    let large = "x".repeat(3_000_000);
    let announced = post("/echo", &format!("Content-Length: {}", large.len()), &large);
    assert!(edge.exchange(&announced).await.starts_with("HTTP/1.1 413 "));

    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = post("/echo", "Transfer-Encoding: chunked", &chunk);
    assert!(edge.exchange(&chunked).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn chunked_json_is_read() {
    let edge = Edge::start(patient()).await;
    let chunked = post("/echo", "Transfer-Encoding: chunked", "e\r\n{\"text\":\"正\"}\r\n0\r\n\r\n");
    let answer = edge.exchange(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("正"), "{answer}");
}

#[tokio::test]
async fn unknown_fields_are_400() {
    let edge = Edge::start(patient()).await;
    let answer = edge.exchange(&post("/echo", "Content-Length: 11", "{\"tekst\":1}")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("\"code\":\"field_unknown\""), "{answer}");
}

#[tokio::test]
async fn an_upload_cut_off_is_seen_as_incomplete() {
    let mut edge = Edge::start(patient()).await;
    for (framing, begin) in
        [("Content-Length: 100", "a\nb\n"), ("Transfer-Encoding: chunked", "4\r\na\nb\n\r\n")]
    {
        let mut wire = edge.connect().await;
        wire.send(&post("/upload", framing, begin)).await;
        wire.stop_sending().await;
        assert_eq!(edge.told().await, format!("{:?}", Err::<u64, _>(BodyError::Incomplete)));
    }
    let mut wire = edge.connect().await;
    wire.send(&post("/upload", "Content-Length: 4", "a\nb\n")).await;
    assert_eq!(edge.told().await, format!("{:?}", Ok::<_, BodyError>(2)));
}

// --- requests that are none --------------------------------------------------

#[tokio::test]
async fn a_bad_request_line_is_400() {
    let edge = Edge::start(patient()).await;
    for garbage in
        ["EHLO mail\r\n\r\n", "GET /hello\r\n\r\n", "\0\x01\x02\r\n\r\n", "GET  /hello HTTP/9.9\r\n\r\n"]
    {
        let answer = edge.exchange(garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{garbage:?}: {answer}");
    }
}

#[tokio::test]
async fn garbage_behind_a_request_ends_the_connection_after_its_answer() {
    let edge = Edge::start(patient()).await;
    let mut wire = edge.connect().await;
    wire.send(&format!("{}\0\0\0 garbage\r\n\r\n", get("/hello"))).await;
    let answers = wire.rest().await;
    assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400 ").count(), 1, "{answers}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let edge = Edge::start(patient()).await;
    let mut wire = edge.connect().await;
    wire.send(&[get("/hello"), get("/nowhere"), get("/hello")].concat()).await;
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(wire.answer().await.status, 404);
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn heads_too_large_are_431() {
    let edge = Edge::start(AcceptLimits { headers_bytes_max: 1024, headers_max: 10, ..patient() }).await;
    let long = format!("GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(2000));
    assert!(edge.exchange(&long).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /hello HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(20));
    assert!(edge.exchange(&many).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn one_host_is_required() {
    let edge = Edge::start(patient()).await;
    for hosts in ["", "Host: a\r\nHost: b\r\n"] {
        let answer = edge.exchange(&format!("GET /hello HTTP/1.1\r\nConnection: close\r\n{hosts}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

// --- paths and methods -------------------------------------------------------

#[tokio::test]
async fn unknown_and_odd_paths_are_404_problems() {
    let edge = Edge::start(patient()).await;
    for path in [
        "/nowhere",
        "/hello/",
        "//hello",
        "/%68ello",
        "/hello%2f",
        "/%00",
        "/../hello",
        "/number/x",
        "*",
        "/hello/x?a",
    ] {
        let mut wire = edge.connect().await;
        wire.send(&get(path)).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.head.contains("content-type: application/problem+json"), "{path}");
        assert!(answer.head.contains("x-request-id: "), "{path}");
        assert!(answer.body.contains("\"code\":\"not_found\""), "{path}");
    }
    let answer =
        edge.exchange("CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405_and_says_which() {
    let edge = Edge::start(patient()).await;
    let mut wire = edge.connect().await;
    wire.send("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: POST, OPTIONS"), "{}", answer.head);

    wire.send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(wire.head_only().await.status, 405);
    let options = wire.answer().await;
    assert_eq!(options.status, 204);
    assert!(options.head.contains("allow: GET, HEAD, OPTIONS"), "{}", options.head);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let edge = Edge::start(patient()).await;
    let mut wire = edge.connect().await;
    wire.send(&format!("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n{}", get("/hello"))).await;
    let head = wire.head_only().await;
    assert_eq!(head.status, 200);
    assert!(head.head.contains("content-length: 5"), "{}", head.head);
    assert_eq!(wire.answer().await.body, "hello");
}

#[tokio::test]
async fn path_parameters_and_queries_reach_the_handler() {
    let edge = Edge::start(patient()).await;
    let answer = edge.exchange(&get("/number/7?add=3")).await;
    assert!(answer.ends_with("10"), "{answer}");
    assert!(edge.exchange(&get("/number/7?add=x")).await.starts_with("HTTP/1.1 400 "));
    assert!(edge.exchange(&get("/number/7?sub=1")).await.contains("\"code\":\"query_malformed\""));
}

// --- trouble at home ---------------------------------------------------------

#[tokio::test]
async fn a_panic_is_500_and_the_service_lives_on() {
    let edge = Edge::start(patient()).await;
    let mut wire = edge.connect().await;
    wire.send(&get("/panic")).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("\"code\":\"internal\""));
    assert!(!answer.body.contains("on purpose"), "the cause stays here: {}", answer.body);

    wire.send(&get("/hello")).await;
    assert_eq!(wire.answer().await.status, 200);
    assert!(edge.exchange(&get("/hello")).await.ends_with("hello"));
}

#[tokio::test]
async fn beyond_the_cap_connections_wait_for_a_place() {
    let edge = Edge::start(AcceptLimits { connections_max: 1, ..patient() }).await;
    let mut first = edge.connect().await;
    first.send(&get("/hello")).await;
    assert_eq!(first.answer().await.status, 200);

    let mut second = edge.connect().await;
    second.send(&get("/hello")).await;
    first.send(&get("/hello")).await;
    assert_eq!(first.answer().await.status, 200);
    assert!(!second.has_bytes(), "there is one place only");

    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

// --- the way out -------------------------------------------------------------

#[tokio::test]
async fn draining_finishes_what_is_under_way_and_closes_what_is_idle() {
    let mut edge = Edge::start(patient()).await;
    let (mut silent, mut idle, mut busy) = (edge.connect().await, edge.connect().await, edge.connect().await);
    idle.send(&get("/hello")).await;
    assert_eq!(idle.answer().await.status, 200);
    busy.send(&get("/gate")).await;
    assert_eq!(edge.told().await, "at the gate");

    edge.stop.cancel();
    assert_eq!(silent.rest().await, "");
    assert_eq!(idle.rest().await, "");
    edge.gate.notify_one();
    assert_eq!(busy.answer().await.body, "through");
    assert_eq!(busy.rest().await, "");
    let address = edge.address;
    assert_eq!(edge.drained().await.cut, 0);
    assert!(Wire::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_waits_is_told_that_the_service_stops() {
    let mut edge = Edge::start(patient()).await;
    let mut waiting = edge.connect().await;
    waiting.send(&get("/until-draining")).await;
    assert_eq!(edge.told().await, "waiting");
    edge.stop.cancel();
    assert_eq!(waiting.answer().await.body, "stopping");
    assert_eq!(edge.drained().await.cut, 0);
}

#[tokio::test]
async fn the_drain_deadline_cuts_what_does_not_end() {
    let mut edge = Edge::start(AcceptLimits { drain_deadline_ms: 30, ..patient() }).await;
    let mut busy = edge.connect().await;
    busy.send(&get("/gate")).await;
    assert_eq!(edge.told().await, "at the gate");
    edge.stop.cancel();
    assert_eq!(busy.rest().await, "");
    assert_eq!(edge.drained().await.cut, 1);
}

/// No test waits longer than this for what should come at once.
const AT_MOST: Duration = Duration::from_secs(20);
