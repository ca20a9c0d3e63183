//! Bodies that are nearly JSON, or packed, or forms of forms: one word of
//! refusal for each, by every call that reads one.

use std::io::Write;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::grew_by_less_than;
use crate::process::cast::Cast;
use crate::process::house::House;
use crate::process::people::People;
use crate::process::routes::{ROUTES, filled, is_page};
use crate::process::wire::{Reply, Request, request};

const MIB: usize = 1024 * 1024;
/// These read no body, or one of another kind.
const OTHERS: [&str; 5] = ["/v1/labels", "/v1/tenures", "/v1/moderation/next", "/release", "/discard"];

struct Caller<'a> {
    people: &'a People,
    address: SocketAddr,
}

impl Caller<'_> {
    /// Every call that reads JSON, with its credential.
    fn calls(&self) -> Vec<Request> {
        let of_route = |(route, methods): &(&'static str, &'static [(&'static str, _)])| {
            let path = filled(route, self.people);
            let writes = methods.iter().filter(|(method, _)| *method != "GET");
            let calls = writes.map(move |(method, who): &(_, crate::process::routes::Who)| {
                let call = request(method, &path).field("idempotency-key", "hostile");
                who.credential(self.people).map_or(call.clone(), |token| call.bearer(token))
            });
            calls.collect::<Vec<_>>()
        };
        let reads_json = |route: &str| {
            !is_page(route) && !route.ends_with("/evidence") && !OTHERS.iter().any(|one| route.ends_with(one))
        };
        ROUTES.iter().filter(|(route, _)| reads_json(route)).flat_map(of_route).collect()
    }

    fn send(&self, call: &Request, media_type: &str, body: &[u8]) -> Reply {
        call.clone().body(media_type, body).at(self.address)
    }
}

/// What no reader of JSON takes, or what two readers would read differently.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| (open.repeat(100_000) + "0" + &close.repeat(100_000)).into_bytes();
    let numbers = |number: &str| format!("{{\"version\":{number},\"size\":{number},\"number\":{number}}}");
    let twice = ["number", "code", "reason", "text", "name", "decision", "size", "from", "id", "phoneNumber"]
        .map(|field| format!("\"{field}\":\"a\",\"{field}\":\"b\""))
        .join(",");
    let utf16: Vec<u8> =
        "{\"number\":\"+8613800138001\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("deep lists", deep("{\"labels\":[", "]}")),
        ("deep objects", deep("{\"a\":", "}")),
        ("deep lists that do not end", format!("{{\"labels\":{}", "[".repeat(100_000)).into_bytes()),
        ("a number of 100,000 digits", numbers(&"9".repeat(100_000)).into_bytes()),
        ("a fraction of 100,000 digits", numbers(&format!("0.{}", "1".repeat(100_000))).into_bytes()),
        ("an exponent beyond everything", numbers("1e99999999999999999999").into_bytes()),
        ("less than nothing", numbers("-0.0").into_bytes()),
        ("just beyond 64 bits", numbers("18446744073709551616").into_bytes()),
        ("zeros before a number", numbers("007").into_bytes()),
        ("not a number", numbers("NaN").into_bytes()),
        ("without end", numbers("-Infinity").into_bytes()),
        ("everything twice", format!("{{{twice}}}").into_bytes()),
        ("twice, once in disguise", b"{\"number\":\"1\",\"\\u006eumber\":\"2\"}".to_vec()),
        ("half a pair", b"{\"number\":\"\\ud800\",\"text\":\"\\ud800\",\"name\":\"\\ud800\"}".to_vec()),
        ("a pair the wrong way round", b"{\"number\":\"\\udc00\\ud800\"}".to_vec()),
        ("half a pair in bytes", b"{\"number\":\"\xed\xa0\x80\"}".to_vec()),
        ("more bytes than it takes", b"{\"number\":\"\xc1\xa1\"}".to_vec()),
        ("beyond the last character", b"{\"number\":\"\xf4\x90\x80\x80\"}".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("UTF-16", utf16),
        ("a control character", b"{\"number\":\"\x01\"}".to_vec()),
        ("a comment", b"{/* */}".to_vec()),
        ("a comma too many", b"{\"number\":\"1\",}".to_vec()),
        ("single quotes", b"{'number':'1'}".to_vec()),
        ("two of them", b"{}{}".to_vec()),
        ("something behind", b"{}\0".to_vec()),
        ("a class of somebody's", b"{\"@type\":\"java.lang.Runtime\",\"__proto__\":{}}".to_vec()),
        ("spaces alone", vec![b' '; 3_000]),
    ]
}

#[test]
fn what_is_nearly_json_is_refused() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, "+8613800138001");
    let caller = Caller { people: &people, address: server.public };
    let before = server.process.peak_kib();
    let calls = caller.calls();
    assert!(calls.len() >= 12, "{}", calls.len());
    for call in &calls {
        for (name, body) in bodies() {
            let reply = caller.send(call, "application/json", &body);
            assert!([400, 413].contains(&reply.status), "{:?}: {name}: {reply:?}", call.target());
        }
    }
    grew_by_less_than(&server, before, 32);
    server.stands();
}

/// Nobody unpacks what comes in, so that nothing can burst.
#[test]
fn what_is_packed_is_not_unpacked() {
    let house = House::new();
    let cast = Cast::gather(&house);
    let people = cast.people();
    let caller = Caller { people, address: cast.server.public };
    let zeros = vec![b' '; 64 * MIB];
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&zeros).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&zeros).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    let bodies = [
        ("gzip", &gzip),
        ("GZip", &gzip),
        ("x-gzip", &gzip),
        ("gzip, gzip", &gzip),
        ("identity, gzip", &gzip),
        ("deflate", &deflate),
        ("zstd", &zstd),
        ("br", &gzip),
        ("", &gzip),
        ("?", &gzip),
    ];
    let before = cast.server.process.peak_kib();
    let lines = [("/v1/labels", &people.provider), ("/v1/tenures", &people.operator)]
        .map(|(path, key)| (request("POST", path).bearer(key), "application/x-ndjson"));
    let (id, token) = cast.own("handInEvidence");
    let evidence = request("POST", &format!("/v1/disputes/{id}/evidence")).bearer(token);
    let json = caller.calls().into_iter().map(|call| (call, "application/json"));
    let forms =
        ["/", "/code", "/receipt"].map(|path| (request("POST", path), "application/x-www-form-urlencoded"));
    let others = lines.into_iter().chain(forms).chain([(evidence, "multipart/form-data; boundary=limit")]);
    for (call, media_type) in json.chain(others) {
        for (coding, body) in bodies {
            let coded = call.clone().field("content-encoding", coding);
            // Some are longer than the call takes, and some pages want a cookie first.
            let reply = caller.send(&coded, media_type, body);
            assert!([400, 403, 413, 415].contains(&reply.status), "{:?} {coding}: {reply:?}", call.target());
        }
    }
    grew_by_less_than(&cast.server, before, 32);
    cast.server.stands();
}

fn part(head: &str, body: &[u8]) -> Vec<u8> {
    [b"--limit\r\n", head.as_bytes(), b"\r\n\r\n", body, b"\r\n"].concat()
}

const FILE: &str = "Content-Disposition: form-data; name=\"file\"";

#[test]
fn forms_of_forms() {
    let house = House::new();
    let cast = Cast::gather(&house);
    let (id, token) = cast.own("handInEvidence");
    let before = cast.server.process.peak_kib();
    let end = b"--limit--\r\n".as_slice();
    let many = part(FILE, b"").repeat(10_000);
    let long = format!("{FILE}; filename=\"{}\"", "x".repeat(200_000));
    let crowded = format!("{FILE}\r\n{}", "X: y\r\n".repeat(20_000).trim_end());
    let nested = part(
        &format!("{FILE}\r\nContent-Type: multipart/mixed; boundary=inner"),
        b"--inner\r\nContent-Disposition: file; filename=\"a\"\r\n\r\na\r\n--inner--",
    );
    let same = part(
        &format!("{FILE}\r\nContent-Type: multipart/form-data; boundary=limit"),
        b"--limit\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--limit--",
    );
    let coded = part(&format!("{FILE}\r\nContent-Transfer-Encoding: base64"), b"iVBORw0KGgo=");
    for (name, body) in [
        ("10,000 parts", [many.as_slice(), end].concat()),
        ("a name of 200,000 bytes", [part(&long, b"a").as_slice(), end].concat()),
        ("20,000 fields in a part", [part(&crowded, b"a").as_slice(), end].concat()),
        ("a form in a part", [nested.as_slice(), end].concat()),
        ("the same form in a part", [same.as_slice(), end].concat()),
        ("a part in base64", [coded.as_slice(), end].concat()),
        ("two names", [part(&format!("{FILE}; name=\"other\""), b"a").as_slice(), end].concat()),
        (
            "an encoded name",
            [part("Content-Disposition: form-data; name*=UTF-8''file", b"a").as_slice(), end].concat(),
        ),
        (
            "a path for a name",
            [part(&format!("{FILE}; filename=\"../../etc/passwd\\0.png\""), b"a").as_slice(), end].concat(),
        ),
        ("boundaries alone", b"--limit\r\n".repeat(100_000)),
        ("nearly boundaries", [part(FILE, &b"\r\n--limi".repeat(500_000)).as_slice(), end].concat()),
        ("no end", part(FILE, b"a")),
        (
            "LF alone",
            String::from_utf8([part(FILE, b"a").as_slice(), end].concat())
                .unwrap()
                .replace("\r\n", "\n")
                .into_bytes(),
        ),
    ] {
        let call = request("POST", &format!("/v1/disputes/{id}/evidence")).bearer(token);
        let reply = call.body("multipart/form-data; boundary=limit", body).at(cast.server.public);
        assert!([400, 413, 415, 422].contains(&reply.status), "{name}: {reply:?}");
    }
    grew_by_less_than(&cast.server, before, 64);
    cast.server.stands();
}
