//! Server-sent events: their bytes, silence, growth, the end, and how many
//! there may be.
//!
//! Time is paused: it moves on by itself, and only while nothing else can.

use std::time::Duration;

use reqwest::{Method, Response};
use tokio::time::timeout;
use zhengming::domain::correction::{Entry, EntryReason};
use zhengming::domain::number::Number;

use crate::support::service::{TestService, answered, now};

const EVENTS: &str = "/feed/v1/events";
const KEEP_ALIVE: &str = ": keep-alive\n\n";

fn entry(nth: u64) -> Entry {
    let number = Number::from_digits(8_613_800_000_000 + nth).unwrap();
    Entry::new(number, None, EntryReason::Released, None, now(), "salt".into())
}

async fn grow(service: &TestService, nth: u64) {
    service.publish(entry(nth)).await;
}

async fn listen(service: &TestService, key: &str, known: Option<&str>) -> Response {
    let request = service.get(EVENTS, key);
    let request = match known {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

async fn next(stream: &mut Response) -> Option<String> {
    stream.chunk().await.unwrap().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// Nothing comes for so many seconds.
async fn is_silent(stream: &mut Response, seconds: u64) {
    let early = timeout(Duration::from_secs(seconds), next(stream)).await;
    assert!(early.is_err(), "{early:?}");
}

fn event(size: u64) -> Option<String> {
    Some(format!("event: checkpoint\nid: {size}\ndata:\n\n"))
}

async fn start() -> (TestService, String) {
    let service = TestService::start().await;
    let key = service.provider_key("tencent").await;
    (service, key)
}

#[tokio::test(start_paused = true)]
async fn the_present_size_then_each_growth() {
    let (service, key) = start().await;
    let mut stream = listen(&service, &key, None).await;
    let fields = stream.headers();
    assert_eq!(fields["content-type"], "text/event-stream");
    assert_eq!(fields["cache-control"], "no-store");
    assert!(fields["ratelimit"].to_str().unwrap().starts_with("\"provider\";r="));
    assert_eq!(next(&mut stream).await, event(0));
    is_silent(&mut stream, 10).await;
    grow(&service, 0).await;
    assert_eq!(next(&mut stream).await, event(1));
    // A checkpoint is one event, however many entries it has.
    for nth in 1..4 {
        service.decide(entry(nth)).await;
    }
    grow(&service, 4).await;
    assert_eq!(next(&mut stream).await, event(5));
    is_silent(&mut stream, 10).await;
}

#[tokio::test(start_paused = true)]
async fn who_knows_the_size_hears_only_of_the_next() {
    let (service, key) = start().await;
    grow(&service, 0).await;
    let mut stream = listen(&service, &key, Some("1")).await;
    is_silent(&mut stream, 10).await;
    grow(&service, 1).await;
    assert_eq!(next(&mut stream).await, event(2));
    for known in ["0", "3", "", "x", "-1", "18446744073709551616"] {
        let mut stream = listen(&service, &key, Some(known)).await;
        assert_eq!(next(&mut stream).await, event(2), "{known:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_every_15_seconds() {
    let (service, key) = start().await;
    let mut stream = listen(&service, &key, None).await;
    assert_eq!(next(&mut stream).await, event(0));
    for _ in 0..3 {
        is_silent(&mut stream, 14).await;
        assert_eq!(timeout(Duration::from_secs(2), next(&mut stream)).await.unwrap().unwrap(), KEEP_ALIVE);
    }
    grow(&service, 0).await;
    assert_eq!(next(&mut stream).await, event(1));
    is_silent(&mut stream, 14).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_service_stops() {
    let (service, key) = start().await;
    let mut stream = listen(&service, &key, None).await;
    assert_eq!(next(&mut stream).await, event(0));
    is_silent(&mut stream, 10).await;
    service.stop.cancel();
    assert_eq!(timeout(Duration::from_secs(2), next(&mut stream)).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_lasts_an_hour_whether_it_is_read_or_not() {
    let (service, key) = start().await;
    let mut stream = listen(&service, &key, None).await;
    // Longer than any of the accept loop's waits, and nobody reads.
    let unread = timeout(Duration::from_secs(3_590), std::future::pending::<()>()).await;
    assert!(unread.is_err());
    let rest = async {
        let mut rest = String::new();
        while let Some(piece) = next(&mut stream).await {
            rest.push_str(&piece);
        }
        rest
    };
    let rest = timeout(Duration::from_secs(20), rest).await.expect("it ends in good order");
    let silence = rest.strip_prefix(&event(0).unwrap()).unwrap();
    let kept_alive = silence.matches(KEEP_ALIVE).count();
    assert!((238..=240).contains(&kept_alive) && silence.len() == kept_alive * KEEP_ALIVE.len(), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_has_so_many_at_a_time() {
    let (service, key) = start().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = listen(&service, &key, None).await;
        assert_eq!(next(&mut stream).await, event(0));
        streams.push(stream);
    }
    let refused = answered(service.get(EVENTS, &key)).await;
    assert_eq!(refused.code(), (429, "too_many_requests".into()));
    assert_eq!(refused.header("retry-after"), "15");
    assert_eq!(refused.header("ratelimit-policy"), "\"event-streams\";q=8;qu=\"concurrent-requests\"");
    let other = service.provider_key("baidu").await;
    assert_eq!(next(&mut listen(&service, &other, None).await).await, event(0));

    // A client that goes away is noticed, though nothing is to be sent.
    drop(streams.pop());
    let again = async {
        while service.get(EVENTS, &key).send().await.unwrap().status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), again).await.expect("its place is free");
}

#[tokio::test(start_paused = true)]
async fn only_a_provider_that_wants_events_gets_them() {
    let (service, key) = start().await;
    let operator = service.operator_key("cmcc").await;
    assert_eq!(answered(service.get(EVENTS, &operator)).await.code(), (403, "forbidden".into()));
    let nobody = answered(service.request(Method::GET, EVENTS)).await;
    assert_eq!(nobody.code(), (401, "unauthenticated".into()));
    let json = answered(service.get(EVENTS, &key).header("accept", "application/json")).await;
    assert_eq!(json.code(), (406, "not_acceptable".into()));
    let posted = answered(service.request(Method::POST, EVENTS).bearer_auth(&key)).await;
    assert_eq!(posted.code(), (405, "method_not_allowed".into()));
    for _ in 0..20 {
        let head = answered(service.request(Method::HEAD, EVENTS).bearer_auth(&key)).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "it takes no place");
    }
}
