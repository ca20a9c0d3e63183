//! A client that sends any bytes, and says what it got.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::child::AT_MOST;
use crate::openapi::{self, Seen};

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Everything up to the body.
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).into_iter().next()
    }

    /// All of that name.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}")).to_owned()
    }

    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let reply = self.ok(status);
        assert_eq!(reply.json()["code"], code);
        reply
    }
}

/// One request on a connection of its own.
#[derive(Debug, Clone)]
pub struct Request {
    line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

pub fn request(method: &str, path: &str) -> Request {
    Request { line: format!("{method} {path} HTTP/1.1"), fields: Vec::new(), body: Vec::new() }
}

pub fn get(path: &str) -> Request {
    request("GET", path)
}

pub fn post(path: &str, body: &Value) -> Request {
    request("POST", path).body("application/json", body.to_string())
}

impl Request {
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.field("authorization", &format!("Bearer {token}"))
    }

    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let sized = self.field("content-length", &body.len().to_string());
        let typed = if media_type.is_empty() { sized } else { sized.field("content-type", media_type) };
        Self { body, ..typed }
    }

    pub fn head(&self) -> String {
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n", self.line)
    }

    /// Method and path.
    pub fn target(&self) -> (&str, &str) {
        let mut words = self.line.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    pub fn sent(&self) -> &[u8] {
        &self.body
    }

    /// An error where the server is not there, or not to the end.
    pub fn try_at(&self, address: SocketAddr) -> io::Result<Reply> {
        self.try_within(address, AT_MOST)
    }

    /// The same where the server may stand still.
    pub fn try_within(&self, address: SocketAddr, at_most: Duration) -> io::Result<Reply> {
        exchange_within(address, &[self.head().as_bytes(), &self.body].concat(), at_most)
    }

    /// `None` where the server is not there, or not to the end.
    #[track_caller]
    pub fn try_as_described(&self, address: SocketAddr) -> Option<Reply> {
        let reply = self.try_at(address).ok()?;
        self.is_as_described(&reply);
        Some(reply)
    }

    #[track_caller]
    pub fn at(&self, address: SocketAddr) -> Reply {
        let reply = self.try_at(address).unwrap_or_else(|error| panic!("{}: {error}", self.line));
        self.is_as_described(&reply);
        reply
    }

    #[track_caller]
    pub fn is_as_described(&self, reply: &Reply) {
        let (method, target) = self.target();
        let mut headers = HeaderMap::new();
        for (name, value) in reply.head.lines().filter_map(|line| line.split_once(": ")) {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let typed = self.fields.iter().find(|(name, _)| name == "content-type");
        openapi::hold(&Seen {
            method,
            target,
            sent: &self.body,
            sent_type: typed.map(|(_, value)| value.as_str()),
            status: reply.status,
            headers: &headers,
            // Events go on without an end.
            body: headers
                .get("content-type")
                .is_none_or(|kind| kind != "text/event-stream")
                .then_some(reply.body.as_slice()),
        });
    }
}

/// Sends these very bytes on a connection that the server is to close; what
/// comes back.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<Reply> {
    exchange_within(address, bytes, AT_MOST)
}

fn exchange_within(address: SocketAddr, bytes: &[u8], at_most: Duration) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(at_most))?;
    // Who is refused early may find nobody reading the rest; the answer counts.
    let written = stream.write_all(bytes);
    let mut all = Vec::new();
    let read = read_answer(&mut stream, &mut all).and(written);
    parse(&all).ok_or_else(|| read.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
}

/// To its end; of events, which have none, the head.
fn read_answer(stream: &mut TcpStream, all: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16_384];
    loop {
        let count = read_some(stream, &mut buffer)?;
        all.extend_from_slice(&buffer[..count]);
        if count == 0 || is_events(all) {
            return Ok(());
        }
    }
}

/// Whatever comes next. A read that is to end in time is not begun anew by the
/// system after a signal, such as that of a child's end.
pub fn read_some(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn is_events(all: &[u8]) -> bool {
    let head = memchr::memmem::find(all, b"\r\n\r\n").map_or(&[][..], |end| &all[..end]);
    memchr::memmem::find(head, b"content-type: text/event-stream").is_some()
}

/// None where it is cut short.
pub fn parse(all: &[u8]) -> Option<Reply> {
    let end = memchr::memmem::find(all, b"\r\n\r\n")?;
    let head = String::from_utf8(all[..end].to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut reply = Reply { status, head, body: all[end + 4..].to_vec() };
    if is_events(all) {
        reply.body.clear();
        return Some(reply);
    }
    if reply.field("transfer-encoding").is_some() {
        reply.body = unchunked(&reply.body)?;
    }
    let length = reply.field("content-length").and_then(|length| length.parse::<usize>().ok());
    length.is_none_or(|length| reply.body.len() == length).then_some(reply)
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = memchr::memmem::find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        whole.extend(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
        if size == 0 {
            return Some(whole);
        }
    }
}
