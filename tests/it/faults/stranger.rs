//! A partner's server that is well, or in any other mood.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process::child::AT_MOST;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes whatever comes.
    Well,
    Hangs,
    /// A byte at a time, for ever.
    Trickles,
    /// No HTTP.
    Babbles,
    SendsElsewhere,
    /// Fields without an end.
    LongHead,
    /// 10 GiB.
    Endless,
    /// Packed, and a thousand times as long when it is not.
    Packed,
}

/// Nobody may ever ask for it.
const ELSEWHERE: &str = "/elsewhere";
const PACE: Duration = Duration::from_millis(20);
static PIECE: [u8; 64 * 1024] = [b' '; 64 * 1024];
const PACKED_BYTES: usize = 32 * 1024 * 1024;

pub struct Stranger {
    address: SocketAddr,
    shared: Arc<Shared>,
    asked: Receiver<(String, String)>,
}

struct Shared {
    mood: Mutex<Mood>,
    /// On one connection.
    sent_bytes_max: AtomicU64,
    packed: Vec<u8>,
}

impl Stranger {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..PACKED_BYTES / PIECE.len() {
            packed.write_all(&PIECE).unwrap();
        }
        let packed = packed.finish().unwrap();
        let shared =
            Arc::new(Shared { mood: Mutex::new(Mood::Well), sent_bytes_max: AtomicU64::new(0), packed });
        let (tell, asked) = channel();
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, tell) = (Arc::clone(&theirs), tell.clone());
                // Until its caller goes away.
                std::thread::spawn(move || shared.serve(stream, &tell));
            }
        });
        Self { address, shared, asked }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn is(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
        // What was asked before was asked of another mood.
        self.asked.try_iter().for_each(drop);
    }

    /// Waits for requests of paths that begin like each of these.
    pub fn was_asked(&self, beginnings: &[&str]) {
        let mut left: BTreeSet<_> = beginnings.iter().collect();
        while !left.is_empty() {
            let asked = self.asked.recv_timeout(AT_MOST);
            let (path, _) = asked.unwrap_or_else(|_| panic!("nobody asks for {left:?}"));
            assert_ne!(path, ELSEWHERE, "nobody goes where a partner sends them");
            left.retain(|beginning| !path.starts_with(**beginning));
        }
    }

    /// Waits for a request that has this in its body.
    pub fn takes(&self, text: &str) {
        while !self.asked.recv_timeout(AT_MOST).expect("nobody sends it").1.contains(text) {}
    }

    pub fn sent_bytes_max(&self) -> u64 {
        self.shared.sent_bytes_max.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, tell: &Sender<(String, String)>) {
        while let Some((path, body)) = read_request(&mut stream) {
            let mood = *self.mood.lock().unwrap();
            // Nobody listens once the test is over.
            let _ = tell.send((path, body));
            let mut writer = Counted { stream: &stream, bytes: 0 };
            let is_done = self.answer(mood, &mut writer).is_err();
            self.sent_bytes_max.fetch_max(writer.bytes, Ordering::Relaxed);
            if is_done {
                return;
            }
        }
    }

    /// An error once the caller is gone.
    fn answer(&self, mood: Mood, to: &mut Counted<'_>) -> std::io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        match mood {
            Mood::Well => to.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"),
            Mood::Hangs => to.paced(b""),
            Mood::Trickles => {
                to.write_all(format!("{head}content-length: 1000000\r\n\r\n").as_bytes())?;
                to.paced(b" ")
            }
            Mood::Babbles => to.write_all(b"\x16\x03\x01 who are you?\r\n\r\n\r\n"),
            Mood::SendsElsewhere => to.write_all(
                format!("HTTP/1.1 307 Over there\r\nlocation: {ELSEWHERE}\r\ncontent-length: 0\r\n\r\n")
                    .as_bytes(),
            ),
            Mood::LongHead => {
                to.write_all(head.as_bytes())?;
                loop {
                    to.write_all(b"x-field: ")?;
                    to.write_all(&PIECE[..1_000])?;
                    to.write_all(b"\r\n")?;
                }
            }
            Mood::Endless => {
                let bytes = 10_u64 << 30;
                to.write_all(format!("{head}content-length: {bytes}\r\n\r\n").as_bytes())?;
                (0..bytes / PIECE.len() as u64).try_for_each(|_| to.write_all(&PIECE))
            }
            Mood::Packed => {
                let sized =
                    format!("content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", self.packed.len());
                to.write_all([head, &sized].concat().as_bytes())?;
                to.write_all(&self.packed)
            }
        }
    }
}

struct Counted<'a> {
    stream: &'a TcpStream,
    bytes: u64,
}

impl Counted<'_> {
    /// Says this every little while, until the caller goes away.
    fn paced(&mut self, what: &[u8]) -> std::io::Result<()> {
        self.stream.set_read_timeout(Some(PACE))?;
        loop {
            match self.stream.read(&mut [0; 1_024]) {
                Ok(0) => return Err(ErrorKind::ConnectionAborted.into()),
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    return Err(error);
                }
                _ => self.write_all(what)?,
            }
        }
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// Its path and its body; `None` once nobody asks any more.
fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let sized = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= sized.map_or(0, |bytes| bytes.parse().unwrap()) {
                return Some((head.split(' ').nth(1)?.to_owned(), body.to_owned()));
            }
        }
        let mut buffer = [0; 4_096];
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        all.extend_from_slice(&buffer[..count]);
    }
}
