//! A small service behind the real accept loop, and a client that sees bytes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Reply};
use zhengming::by_method;
use zhengming::http::accept::{AcceptLimits, Drained, Server};
use zhengming::http::call::{Call, call};
use zhengming::http::client::TrustedProxies;
use zhengming::http::problem::{Answer, Problem};

use super::AT_MOST;

pub(super) struct Edge {
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
    /// Opens `/gate` for one request.
    pub(super) gate: Arc<Notify>,
    tales: mpsc::UnboundedReceiver<String>,
    serving: JoinHandle<Drained>,
}

impl Edge {
    pub(super) async fn start(limits: AcceptLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, gate) = (CancellationToken::new(), Arc::new(Notify::new()));
        let (tell, tales) = mpsc::unbounded_channel();
        let routes = routes(House { gate: gate.clone(), tell });
        let server = Server::new(limits, TrustedProxies::default(), Arc::new(|| Uuid::from_u128(7)), routes);
        let serving = tokio::spawn(server.serve(listener, stop.clone()));
        Self { address, stop, gate, tales, serving }
    }

    pub(super) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await.unwrap()
    }

    /// Sends one request on a connection of its own; everything that comes back.
    pub(super) async fn exchange(&self, request: &str) -> String {
        let mut wire = self.connect().await;
        wire.send(&request.replacen("Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1)).await;
        wire.rest().await
    }

    /// The next thing that a handler says of itself.
    pub(super) async fn told(&mut self) -> String {
        timeout(AT_MOST, self.tales.recv()).await.unwrap().unwrap()
    }

    pub(super) async fn drained(self) -> Drained {
        timeout(AT_MOST, self.serving).await.unwrap().unwrap()
    }
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

pub(super) fn post(path: &str, framing: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n\r\n{body}")
}

pub(super) struct Wire {
    stream: TcpStream,
    /// Came behind the answer that was read last.
    ahead: Vec<u8>,
}

pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, ahead: Vec::new() })
    }

    pub(super) async fn send(&mut self, text: &str) {
        timeout(AT_MOST, self.stream.write_all(text.as_bytes())).await.unwrap().unwrap();
    }

    pub(super) async fn stop_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Everything up to the end of the connection.
    pub(super) async fn rest(&mut self) -> String {
        let mut all = std::mem::take(&mut self.ahead);
        timeout(AT_MOST, self.stream.read_to_end(&mut all)).await.expect("the connection ends").unwrap();
        String::from_utf8(all).unwrap()
    }

    pub(super) async fn answer(&mut self) -> Seen {
        let mut seen = self.head_only().await;
        let length = seen.head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.ahead.len() < length {
            self.read_more().await;
        }
        seen.body = String::from_utf8(self.ahead.drain(..length).collect()).unwrap();
        seen
    }

    pub(super) async fn head_only(&mut self) -> Seen {
        let end = loop {
            if let Some(end) = self.ahead.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await;
        };
        let head = String::from_utf8(self.ahead.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Seen { status, head, body: String::new() }
    }

    /// Whether anything has come that was not read yet.
    pub(super) fn has_bytes(&self) -> bool {
        !self.ahead.is_empty() || self.stream.try_read(&mut [0; 1]).is_ok()
    }

    async fn read_more(&mut self) {
        let mut buffer = [0; 4096];
        let count = timeout(AT_MOST, self.stream.read(&mut buffer)).await.expect("bytes come").unwrap();
        assert!(count > 0, "the connection ended early, after {:?}", String::from_utf8_lossy(&self.ahead));
        self.ahead.extend_from_slice(&buffer[..count]);
    }
}

#[derive(Clone)]
struct House {
    gate: Arc<Notify>,
    tell: mpsc::UnboundedSender<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Echo {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    add: u32,
}

fn routes(house: House) -> BoxedFilter<(Response,)> {
    let at_gate = house.clone();
    let at_upload = house.clone();
    let at_wait = house.clone();
    let endless = house;
    warp::path!("hello")
        .and(call())
        .then(|call: Call| async move { by_method!(call => { GET: async { text("hello") } }) })
        .or(warp::path!("echo")
            .and(call())
            .then(|call: Call| async move { by_method!(call => { POST: echo(call) }) }))
        .unify()
        .or(warp::path!("number" / u32)
            .and(call())
            .then(|number, call: Call| async move { by_method!(call => { GET: add(number, call) }) }))
        .unify()
        .or(warp::path!("panic").and(call()).then(|_: Call| async { panic!("on purpose") }))
        .unify()
        .or(warp::path!("forever").and(call()).then(|_: Call| std::future::pending()))
        .unify()
        .or(warp::path!("gate").and(call()).then(move |call: Call| {
            let house = at_gate.clone();
            async move {
                if call.raw_query() == "extended" {
                    call.deadline().extend(AT_MOST);
                }
                house.tell.send("at the gate".into()).unwrap();
                house.gate.notified().await;
                "through".into_response()
            }
        }))
        .unify()
        .or(warp::path!("until-draining").and(call()).then(move |call: Call| {
            let house = at_wait.clone();
            async move {
                house.tell.send("waiting".into()).unwrap();
                call.draining().cancelled().await;
                "stopping".into_response()
            }
        }))
        .unify()
        .or(warp::path!("upload").and(call()).then(move |call: Call| {
            let house = at_upload.clone();
            async move { by_method!(call => { POST: upload(house, call) }) }
        }))
        .unify()
        .or(warp::path!("endless").and(call()).then(move |_: Call| {
            let told = ToldOnDrop(endless.tell.clone());
            async move { forever(told) }
        }))
        .unify()
        .boxed()
}

fn text(text: &str) -> Answer {
    Ok(text.to_owned().into_response())
}

async fn echo(mut call: Call) -> Answer {
    let echo: Echo = call.json(64).await?;
    text(&echo.text)
}

async fn add(number: u32, call: Call) -> Answer {
    let sum: Sum = call.query()?;
    text(&(number + sum.add).to_string())
}

async fn upload(house: House, mut call: Call) -> Answer {
    let mut lines = call.lines(100, 1000)?;
    let mut count = 0u64;
    let outcome = loop {
        match lines.next().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => break Ok(count),
            Err(error) => break Err(error),
        }
    };
    house.tell.send(format!("{outcome:?}")).unwrap();
    text(&outcome.map_err(Problem::from)?.to_string())
}

struct ToldOnDrop(mpsc::UnboundedSender<String>);

impl Drop for ToldOnDrop {
    fn drop(&mut self) {
        let _ = self.0.send("the endless body was dropped".into());
    }
}

fn forever(told: ToldOnDrop) -> Response {
    let chunks = futures_util::stream::repeat(Bytes::from_static(&[b'x'; 16_384]));
    warp::reply::stream(chunks.map(move |chunk| {
        let _ = &told;
        io::Result::Ok(chunk)
    }))
    .into_response()
}
