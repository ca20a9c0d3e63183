//! Whoever means harm, with bytes alone, against the program itself: each is
//! refused with a word or cut off, nobody else notices, and memory stays
//! within bounds.

mod bodies;
mod bombs;
mod forms;
mod framing;
mod heads;
mod slow;
mod words;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::process::child::{AT_MOST, Server};

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(AT_MOST)).unwrap();
    stream.set_write_timeout(Some(AT_MOST)).unwrap();
    stream
}

/// Sends these bytes; everything that comes back until the other side ends it.
/// Who ends it first may be taken for somebody who has gone away.
pub fn said_to(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    // Who is refused early may find nobody reading the rest.
    let _ = stream.write_all(bytes);
    heard(&mut stream).unwrap()
}

/// Each on a connection of its own, all at once: some wait for more, until
/// they are cut off.
pub fn said_to_each(address: SocketAddr, wires: &[String]) -> Vec<String> {
    std::thread::scope(|scope| {
        let said = wires.iter().map(|wire| scope.spawn(move || said_to(address, wire.as_bytes())));
        let said: Vec<_> = said.collect();
        said.into_iter().map(|said| said.join().unwrap()).collect()
    })
}

/// Everything up to the end of the connection, or to its being cut.
pub fn heard(stream: &mut TcpStream) -> io::Result<String> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(String::from_utf8_lossy(&all).into_owned()),
    }
}

/// The statuses of all answers in there.
pub fn statuses(said: &str) -> Vec<u16> {
    let starts = said.match_indices("HTTP/1.1 ").map(|(at, start)| &said[at + start.len()..]);
    starts.map(|rest| rest[..3].parse().unwrap()).collect()
}

/// What it has taken from the system since then, at most; in MiB.
#[track_caller]
pub fn grew_by_less_than(server: &Server, before_kib: u64, mib: u64) {
    let grown = server.process.peak_kib().saturating_sub(before_kib) / 1024;
    assert!(grown < mib, "it grew by {grown} MiB");
}
