//! Against receivers that answer well, badly, elsewhere or not at all.
#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{any, body_string, header, headers, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const BODY: &str = r#"{"type":"checkpoint.published"}"#;

fn message(url: &str) -> WebhookMessage {
    WebhookMessage {
        url: url.parse().unwrap(),
        id: "msg_1".to_owned(),
        timestamp: 1_674_087_231,
        signature: "v1,AAAA".to_owned(),
        body: BODY.to_owned(),
    }
}

fn anywhere() -> WebhookPost {
    WebhookPost::new(true, WEBHOOK_TIMEOUT)
}

fn why(delivery: Delivery) -> String {
    match delivery {
        Delivery::Failed(unavailable) => unavailable.why,
        other => panic!("{other:?}"),
    }
}

/// What is made of an answer.
async fn answered(answer: ResponseTemplate) -> Delivery {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    anywhere().post(&message(&server.uri())).await
}

#[tokio::test]
async fn speaks_as_the_standard_does() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/hook"))
        .and(header("content-type", "application/json"))
        .and(header("webhook-id", "msg_1"))
        .and(header("webhook-timestamp", "1674087231"))
        // A comma divides a list there.
        .and(headers("webhook-signature", vec!["v1", "AAAA"]))
        .and(body_string(BODY))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(anywhere().post(&message(&format!("{}/hook?a=b", server.uri()))).await, Delivery::Delivered);
}

#[tokio::test]
async fn only_a_status_counts() {
    for status in [200, 202, 299] {
        assert_eq!(answered(ResponseTemplate::new(status)).await, Delivery::Delivered, "{status}");
    }
    assert_eq!(answered(ResponseTemplate::new(410)).await, Delivery::Gone);
    for status in [300, 304, 400, 404, 500] {
        assert_eq!(why(answered(ResponseTemplate::new(status)).await), format!("answered {status}"));
    }
    let pause = answered(ResponseTemplate::new(503).insert_header("retry-after", "120")).await;
    let Delivery::Failed(Unavailable { retry_after_s, .. }) = pause else { panic!("{pause:?}") };
    assert_eq!(retry_after_s, Some(120));
}

#[tokio::test]
async fn goes_nowhere_else() {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&elsewhere).await;
    for status in [301, 302, 303, 307, 308] {
        let moved = ResponseTemplate::new(status).insert_header("location", elsewhere.uri().as_str());
        assert_eq!(why(answered(moved).await), format!("answered {status}"));
    }
}

/// A receiver that does this with whoever comes.
async fn receiver<F, A>(receive: F) -> String
where
    F: Fn(TcpStream) -> A + Send + 'static,
    A: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            receive(stream).await;
        }
    });
    url
}

async fn read_request(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.ends_with(BODY.as_bytes()) {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_left() {
    let url = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "nothing more comes");
    });
    let hurried = WebhookPost::new(true, Duration::from_millis(50));
    assert_eq!(why(hurried.post(&message(&url.await)).await), "no answer within 50 ms");
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let url = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // Until nobody listens any more.
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    });
    assert_eq!(anywhere().post(&message(&url.await)).await, Delivery::Delivered);
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_gives_nothing_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?secret", listener.local_addr().unwrap());
    drop(listener);
    let why = why(anywhere().post(&message(&url)).await);
    assert!(why.starts_with("no connection: ") && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn our_own_house_is_not_called() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let port = server.address().port();
    let outside = WebhookPost::new(false, WEBHOOK_TIMEOUT);
    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let told = outside.post(&message(&format!("http://{host}:{port}/"))).await;
        assert_eq!(why(told), "the address is not a public one", "{host}");
    }
    // A name is judged by where it leads.
    let told = outside.post(&message(&format!("http://localhost:{port}/"))).await;
    assert_eq!(why(told), "no connection: the address is not a public one");
    assert!(server.received_requests().await.unwrap().is_empty());
    let inside = anywhere().post(&message(&format!("http://localhost:{port}/"))).await;
    assert_eq!(inside, Delivery::Delivered);
}

#[test]
fn of_the_addresses_behind_a_name_only_public_ones_are_called() {
    let behind = |addresses: &[&str]| {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        public(addresses.into_iter()).map(|public| public.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let mixed = ["10.0.0.1:0", "223.5.5.5:0", "[fe80::1]:0", "[2400:3200::1]:0"];
    assert_eq!(behind(&mixed), Ok(vec!["223.5.5.5:0".to_owned(), "[2400:3200::1]:0".to_owned()]));
    assert_eq!(behind(&["10.0.0.1:0", "[::1]:0"]), Err(NotPublic));
    assert_eq!(behind(&[]), Err(NotPublic));
}
