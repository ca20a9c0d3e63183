//! Where one request ends and the next begins: shapes in which two readers
//! might see it at different places, so that a proxy before us would let pass
//! what it should not (RFC 9112, 11.2). Behind each stands another request,
//! which is answered only where nobody can doubt that it is one.

use super::{said_to_each, statuses};
use crate::process::house::House;

/// What a smuggler wants answered.
const HIDDEN: &str = "GET /v1/challenge HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const POST: &str = "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

/// A request with these fields and this body, and the hidden one.
fn with(fields: &str, body: &str) -> String {
    format!("{POST}{fields}\r\n{body}{HIDDEN}")
}

fn is_refused(wires: &[(&str, String)]) {
    let house = House::new();
    let server = house.serve();
    let sent: Vec<String> = wires.iter().map(|(_, wire)| wire.clone()).collect();
    for ((name, _), said) in wires.iter().zip(said_to_each(server.public, &sent)) {
        let statuses = statuses(&said);
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{name}: {said}");
        assert!(statuses.len() <= 1, "{name}: the hidden request was seen: {said}");
    }
    server.stands();
}

#[test]
fn lengths_that_disagree() {
    let chunked = "2\r\n{}\r\n0\r\n\r\n";
    let length = |value: &str| with(&format!("Content-Length: {value}\r\n"), "{}");
    is_refused(&[
        ("CL.CL", with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
        ("CL.TE", with("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", chunked)),
        ("TE.CL", with("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", chunked)),
        (
            "CL.CL.TE",
            with("Content-Length: 2\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunked),
        ),
        ("a list", length("2, 3")),
        ("a sign", length("+2")),
        ("below nothing", length("-2")),
        ("hexadecimal", length("0x2")),
        ("a fraction", length("2.0")),
        ("empty", length("")),
        ("words", length("two")),
        ("digits apart", length("1 0")),
        ("beyond 64 bits", length("18446744073709551618")),
        ("digits of another script", length("٢")),
    ]);
}

#[test]
fn codings_that_are_not_quite_chunked() {
    let coded = |value: &str| with(&format!("Transfer-Encoding: {value}\r\n"), "2\r\n{}\r\n0\r\n\r\n");
    is_refused(&[
        ("identity", coded("identity")),
        ("gzip", coded("gzip")),
        ("gzip first", coded("gzip, chunked")),
        ("identity first", coded("identity, chunked")),
        ("chunked first", coded("chunked, identity")),
        ("twice", coded("chunked, chunked")),
        ("twice on two lines", coded("chunked\r\nTransfer-Encoding: chunked")),
        ("another on another line", coded("chunked\r\nTransfer-Encoding: x")),
        ("quoted", coded("\"chunked\"")),
        ("a letter before", coded("xchunked")),
        ("a letter behind", coded("chunkedx")),
        ("a parameter", coded("chunked;q=1")),
        ("a comma behind", coded("chunked,")),
        ("a vertical tab", coded("\x0bchunked")),
        ("a form feed", coded("\x0cchunked")),
        ("a NUL", coded("chunked\0")),
        ("empty", coded("")),
        ("in HTTP/1.0", coded("chunked").replace("HTTP/1.1\r\nHost: a\r\nC", "HTTP/1.0\r\nHost: a\r\nC")),
    ]);
}

#[test]
fn chunks_that_are_none() {
    let chunks = |body: &str| with("Transfer-Encoding: chunked\r\n", body);
    is_refused(&[
        ("a sign", chunks("+2\r\n{}\r\n0\r\n\r\n")),
        ("below nothing", chunks("-2\r\n{}\r\n0\r\n\r\n")),
        ("a prefix", chunks("0x2\r\n{}\r\n0\r\n\r\n")),
        ("an underscore", chunks("0_2\r\n{}\r\n0\r\n\r\n")),
        ("a space before", chunks(" 2\r\n{}\r\n0\r\n\r\n")),
        ("nothing", chunks("\r\n{}\r\n0\r\n\r\n")),
        ("beyond 64 bits", chunks("10000000000000002\r\n{}\r\n0\r\n\r\n")),
        ("just 64 bits", chunks("ffffffffffffffff\r\n{}\r\n0\r\n\r\n")),
        ("LF behind the size", chunks("2\n{}\r\n0\r\n\r\n")),
        ("CR behind the size", chunks("2\r{}\r\n0\r\n\r\n")),
        ("LF behind the chunk", chunks("2\r\n{}\n0\r\n\r\n")),
        ("nothing behind the chunk", chunks("2\r\n{}0\r\n\r\n")),
        ("too little", chunks("3\r\n{}\r\n0\r\n\r\n")),
        ("too much", chunks("1\r\n{}\r\n0\r\n\r\n")),
        ("an extension with LF", chunks("2;a=\"\n\"\r\n{}\r\n0\r\n\r\n")),
        ("an endless extension", chunks(&format!("2;a={}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(100_000)))),
        ("endless trailers", chunks(&format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(100_000)))),
        ("an endless trailer", chunks(&format!("2\r\n{{}}\r\n0\r\na: {}\r\n\r\n", "b".repeat(1_000_000)))),
    ]);
}

#[test]
fn lines_that_may_be_read_in_two_ways() {
    let hidden_length = |field: &str| with(&format!("{field}\r\nContent-Length: 2\r\n"), "{}");
    is_refused(&[
        ("a space before the colon", with("Content-Length : 2\r\n", "{}")),
        ("a tab before the colon", with("Transfer-Encoding\t: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
        ("a folded value", hidden_length("X: a\r\n b")),
        ("a folded coding", with("Transfer-Encoding:\r\n chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
        ("a first line that is folded", HIDDEN.replacen("Host", " Host", 1)),
        ("a NUL in a value", hidden_length("X: a\0b")),
        ("a CR in a value", hidden_length("X: a\rb")),
        ("a CR that hides a field", hidden_length("X: a\rTransfer-Encoding: chunked")),
        ("a NUL in a name", hidden_length("X\0: a")),
        ("a space in a name", hidden_length("X Y: a")),
        ("no name", hidden_length(": a")),
        ("no colon", hidden_length("X")),
        ("a byte beyond ASCII in a name", hidden_length("Xé: a")),
        ("no version", format!("GET /v1/challenge\r\n\r\n{HIDDEN}")),
        ("HTTP/0.9", format!("GET /v1/challenge\r\n{HIDDEN}")),
        ("two spaces before the version", format!("GET /  HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("a tab in the first line", format!("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("a small version", format!("GET / http/1.1\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("a version from nowhere", format!("GET / HTTP/1.10\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("HTTP/2's preface", format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{HIDDEN}")),
    ]);
}

/// Odd, but nobody can mistake them: each request is answered for itself.
#[test]
fn what_is_odd_and_clear_is_answered() {
    let house = House::new();
    let server = house.serve();
    let get = |fields: &str| format!("GET /v1/challenge HTTP/1.1\r\nHost: a\r\n{fields}\r\n{HIDDEN}");
    let chunked = |body: &str| with("Transfer-Encoding: chunked\r\n", body);
    let wires = [
        ("the same length twice", with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), [400, 200]),
        ("capitals", with("TRANSFER-ENCODING: CHUNKED\r\n", "2\r\n{}\r\n0\r\n\r\n"), [400, 200]),
        ("an extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), [400, 200]),
        ("zeros before a size", chunked("0002\r\n{}\r\n0\r\n\r\n"), [400, 200]),
        ("a trailer", chunked("2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"), [400, 200]),
        (
            "h2c",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            ),
            [200, 200],
        ),
        (
            "a web socket",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"),
            [200, 200],
        ),
        (
            "a name with an underscore",
            get("Content_Length: 50\r\nTransfer_Encoding: chunked\r\n"),
            [200, 200],
        ),
        (
            "a body where none is read",
            get("Content-Length: 2\r\n").replace("\r\n\r\nGET", "\r\n\r\n{}GET"),
            [200, 200],
        ),
        ("an absolute target", get("").replacen("/v1", "http://b/v1", 1), [200, 200]),
        ("LF alone", get("").replace('\r', ""), [200, 200]),
        ("lines before the first", format!("\r\n\r\n{}", get("")), [200, 200]),
    ];
    let sent: Vec<String> = wires.iter().map(|(_, wire, _)| wire.clone()).collect();
    for ((name, _, expected), said) in wires.iter().zip(said_to_each(server.public, &sent)) {
        assert_eq!(statuses(&said), expected, "{name}: {said}");
    }
    server.stands();
}
