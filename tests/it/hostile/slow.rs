//! Many clients at once who are in no hurry at all: in their heads, in their
//! bodies, in reading what they are answered. Everybody else is served as if
//! they were not there, and each of them is cut off in the end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{connect, grew_by_less_than, heard, statuses};
use crate::process::child::Server;
use crate::process::house::House;
use crate::process::wire::get;

/// Of each kind.
const MANY: usize = 300;
/// Of those who read nothing, each of whom has the system's buffers filled.
const UNREAD: usize = 40;
/// For all of them: a connection has its buffers.
const GROWTH_MIB_MAX: u64 = 64;
/// What is asked for again and again until the system's buffers are full.
const LARGE: &str = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";

fn each(server: &Server, count: usize, start: &str) -> Vec<TcpStream> {
    (0..count)
        .map(|_| {
            let mut stream = connect(server.public);
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect()
}

/// One more byte from each, who then waits again.
fn trickles(streams: &mut [TcpStream]) {
    for stream in streams {
        stream.write_all(b"x").unwrap();
    }
}

fn others_are_served(server: &Server) {
    for _ in 0..20 {
        let reply = get("/v1/challenge").try_within(server.public, Duration::from_secs(8));
        assert_eq!(reply.unwrap().status, 200);
    }
}

#[test]
fn nobody_waits_for_whoever_takes_their_time() {
    let house = House::new();
    let server = house.serve();
    others_are_served(&server);
    let before = server.process.peak_kib();
    let silent = each(&server, MANY, "");
    let mut heads = each(&server, MANY, "GET /v1/challenge HTTP/1.1\r\nHost: a\r\nX: ");
    let mut bodies = each(
        &server,
        MANY,
        "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{",
    );
    let mut chunks = each(
        &server,
        MANY,
        "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n1;",
    );
    let unread = each(&server, UNREAD, &LARGE.repeat(50));
    others_are_served(&server);
    for slow in [&mut heads, &mut bodies, &mut chunks] {
        trickles(slow);
    }
    others_are_served(&server);
    grew_by_less_than(&server, before, GROWTH_MIB_MAX);

    for mut stream in heads {
        assert_eq!(heard(&mut stream).unwrap(), "", "half a head is not worth a word");
    }
    for mut stream in bodies.into_iter().chain(chunks) {
        let said = heard(&mut stream).unwrap();
        assert_eq!(statuses(&said), [408], "{said}");
        assert!(said.contains("body_stalled"), "{said}");
    }
    for mut stream in silent {
        assert_eq!(heard(&mut stream).unwrap(), "", "nothing is answered by nothing");
    }
    // Whoever comes to reading after all gets whole answers.
    for mut stream in unread.into_iter().take(3) {
        let mut first = vec![0; 100_000];
        stream.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200 "));
    }
    others_are_served(&server);
    server.stands();
}
