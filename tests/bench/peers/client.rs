//! A lean HTTP client on one thread of its own: it writes prepared bytes, and
//! every answer has to be of one status.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::cpu;
use crate::wire::Connection;

/// What sending all requests took.
#[derive(Debug)]
pub struct Sent {
    pub took: Duration,
    /// Of the client's thread.
    pub cpu: Duration,
    /// Of each request, ascending.
    pub latencies: Vec<Duration>,
}

impl Sent {
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// Of a thousand; in milliseconds.
    pub fn within_ms(&self, of_thousand: usize) -> f64 {
        self.latencies[(self.latencies.len() - 1) * of_thousand / 1_000].as_secs_f64() * 1e3
    }
}

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Each as soon as a connection is free.
    AsAnswered,
    /// So many a second, whether the ones before are answered or not. How long
    /// one takes is reckoned from when it was due.
    PerSecond(f64),
}

/// Sends every request once, over as many keep-alive connections.
///
/// # Panics
/// Where an answer's status is not `status`.
pub fn send_all(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    status: u16,
    pace: Pace,
) -> thread::JoinHandle<io::Result<Sent>> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        LocalSet::new().block_on(&runtime, send(address, connections, requests, status, pace))
    })
}

/// A GET by a provider on a connection of its own: all that was answered.
pub fn get(address: SocketAddr, path: &str, provider: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).expect("it serves");
    let close = request(path, provider).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    stream.write_all(close.as_bytes()).expect("it serves");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it serves");
    answer
}

pub fn request(path: &str, provider: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {provider}\r\n\r\n")
}

async fn send(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    status: u16,
    pace: Pace,
) -> io::Result<Sent> {
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(requests.len())));
    let requests = Rc::new(RefCell::new(requests.into_iter().enumerate()));
    let (began, cpu_before) = (Instant::now(), cpu::of_this_thread());
    let mut senders = Vec::new();
    for mut connection in opened {
        let (requests, latencies) = (requests.clone(), latencies.clone());
        senders.push(tokio::task::spawn_local(async move {
            loop {
                let Some((nth, request)) = requests.borrow_mut().next() else { return io::Result::Ok(()) };
                let due = due(pace, began, nth).await;
                let answer = connection.ask(&request).await?;
                assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(answer.body));
                latencies.borrow_mut().push(due.elapsed());
            }
        }));
    }
    for sender in senders {
        sender.await.expect("no sender panics")?;
    }
    let (took, cpu) = (began.elapsed(), cpu::of_this_thread() - cpu_before);
    let mut latencies = latencies.take();
    latencies.sort_unstable();
    Ok(Sent { took, cpu, latencies })
}

/// Returns when it is time. A timer is not exact enough: the client's thread
/// never rests.
async fn due(pace: Pace, began: Instant, nth: usize) -> Instant {
    let Pace::PerSecond(rate) = pace else { return Instant::now() };
    let due = began + Duration::from_secs_f64(nth as f64 / rate);
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
    due
}
