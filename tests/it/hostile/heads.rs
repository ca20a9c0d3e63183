//! Heads beyond all measure, and targets that mean to be more than a path.

use std::io::Write;

use super::{connect, grew_by_less_than, heard, said_to, statuses};
use crate::process::child::Server;
use crate::process::house::House;

const MIB: usize = 1024 * 1024;
/// What a head of a hundred times that may cost.
const GROWTH_MIB_MAX: u64 = 16;

/// Sends a beginning and then one piece again and again; what is answered, and
/// how much of it was taken.
fn pours(server: &Server, start: &str, piece: &[u8], bytes: usize) -> (String, usize) {
    let mut stream = connect(server.public);
    stream.write_all(start.as_bytes()).unwrap();
    let mut taken = 0;
    while taken < bytes && stream.write_all(piece).is_ok() {
        taken += piece.len();
    }
    (heard(&mut stream).unwrap(), taken)
}

#[test]
fn heads_without_end_cost_nothing() {
    let house = House::new();
    let server = house.serve();
    let before = server.process.peak_kib();
    let value = vec![b'x'; MIB];
    let many = b"a: b\r\n".repeat(10_000);
    let names: Vec<u8> = (0..10_000).flat_map(|nth| format!("x-{nth}: y\r\n").into_bytes()).collect();
    for (name, start, piece) in [
        ("one field of 100 MiB", "GET / HTTP/1.1\r\nHost: a\r\nX: ", &value),
        ("a name of 100 MiB", "GET / HTTP/1.1\r\nHost: a\r\n", &value),
        ("a path of 100 MiB", "GET /", &value),
        ("a query of 100 MiB", "GET /?", &value),
        ("a method of 100 MiB", "", &value),
        ("a version of 100 MiB", "GET / HTTP/1.", &value),
        ("one field after another", "GET / HTTP/1.1\r\nHost: a\r\n", &many),
        ("one name after another", "GET / HTTP/1.1\r\nHost: a\r\n", &names),
        ("empty lines", "", &b"\r\n".repeat(MIB / 2)),
    ] {
        let (said, _) = pours(&server, start, piece, 100 * MIB);
        let statuses = statuses(&said);
        assert!(statuses.iter().all(|status| [400, 414, 431].contains(status)), "{name}: {said}");
        assert!(statuses.len() <= 1, "{name}: {said}");
    }
    grew_by_less_than(&server, before, GROWTH_MIB_MAX);
    server.stands();
}

#[test]
fn a_hundred_thousand_fields_in_one_piece() {
    let house = House::new();
    let server = house.serve();
    let before = server.process.peak_kib();
    for field in [
        "a: b\r\n",
        "Cookie: zm_session=zms_AAAA\r\n",
        "X-Forwarded-For: 10.0.0.1\r\n",
        "Range: bytes=0-1\r\n",
    ] {
        let wire = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", field.repeat(100_000));
        assert_eq!(statuses(&said_to(server.public, wire.as_bytes())), [431], "{field}");
    }
    grew_by_less_than(&server, before, GROWTH_MIB_MAX);
    server.stands();
}

/// As many as a head may have, each as long as they may be together.
#[test]
fn a_head_that_is_just_taken() {
    let house = House::new();
    let server = house.serve();
    let fields = "X: y\r\n".repeat(60);
    let long = "z".repeat(15_000);
    for (target, status) in [("/v1/challenge", 200), ("/nowhere", 404)] {
        let wire =
            format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}Y: {long}\r\n\r\n");
        assert_eq!(statuses(&said_to(server.public, wire.as_bytes())), [status], "{target}");
    }
    server.stands();
}

#[test]
fn targets_that_are_more_than_a_path() {
    let house = House::new();
    let server = house.serve();
    let long = |of: &str, count: usize| of.repeat(count);
    let targets = [
        "/v1/challenge%00".to_owned(),
        "/v1/%2e%2e/v1/challenge".into(),
        "/v1/../v1/challenge".into(),
        "/v1/./challenge".into(),
        "/./v1/challenge".into(),
        "/v1/%63hallenge".into(),
        "/v1%2fchallenge".into(),
        "/v1%252fchallenge".into(),
        "/v1/%c0%afchallenge".into(),
        "/v1/%c0%ae%c0%ae/challenge".into(),
        "/v1/%e0%80%af/challenge".into(),
        "/v1/%u0063hallenge".into(),
        "/v1/%challenge".into(),
        "/v1/%".into(),
        "//v1/challenge".into(),
        "/v1//challenge".into(),
        "/v1/challenge//".into(),
        "/v1/challenge/".into(),
        "/v1/challenge;a=b".into(),
        "/v1;a=b/challenge".into(),
        "/v1/challenge;jsessionid=1".into(),
        "/V1/challenge".into(),
        "/v1/challenge.json".into(),
        "/v1/challenge%20".into(),
        "/v1/challenge%0d%0aX:%20y".into(),
        "/assets/../openapi.json".into(),
        "/assets/%2e%2e/%2e%2e/etc/passwd".into(),
        "/assets/..;/openapi.json".into(),
        "/feed/v1/tile/0/../../../../etc/passwd".into(),
        "/feed/v1/tile/entries/x001/../000".into(),
        "/feed/v1/tile/0/000.p/../1".into(),
        "/feed/v1/snapshots/..%2f..%2fsecret.key".into(),
        "/feed/v1/logs/../key".into(),
        "\\v1\\challenge".into(),
        "/v1\\challenge".into(),
        "v1/challenge".into(),
        "?".into(),
        "#".into(),
        "*".into(),
        "http:///v1/challenge".into(),
        "http://a:b:c/v1/challenge".into(),
        "http://[::1/v1/challenge".into(),
        "javascript:alert(1)".into(),
        "file:///etc/passwd".into(),
        format!("/{}", long("a/", 5_000)),
        format!("/v1/verifications/{}", long("a", 10_000)),
        format!("/v1/verifications/{}", long("%41", 3_000)),
        format!("/feed/v1/tile/0/{}000", long("x001/", 2_500)),
        format!("/feed/v1/corrections/{}", long("9", 10_000)),
        format!("/feed/v1/snapshots/{}.ndjson", long("9", 10_000)),
    ];
    for target in targets {
        let wire = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let said = said_to(server.public, wire.as_bytes());
        let shown: String = target.chars().take(80).collect();
        assert!(statuses(&said).iter().all(|status| [400, 401, 404].contains(status)), "{shown}: {said}");
        assert!(!said.contains("root:"), "{shown}: {said}");
        let (head, _) = said.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("\r\nx: y"), "{shown}: {head}");
    }
    server.stands();
}

/// A query is read by whoever has one to read: one pair too many is refused,
/// however it is written.
#[test]
fn queries_that_are_more_than_pairs() {
    let house = House::new();
    let server = house.serve();
    let many: String = (0..1_500).map(|nth| format!("a{nth}=1&")).collect();
    for query in [
        "after=%00",
        "after=%c0%80",
        "after=%ff",
        "after=%",
        "after=%2",
        "after=%zz",
        "after=0%00",
        "after=0&after=1",
        "after=%30;limit=1",
        "after[]=0",
        "after[$gt]=0",
        "after=0'--",
        "after=%EF%BC%90",
        "after=0x0",
        "after=1e0",
        "after=+0",
        "after=%2b1",
        "after=-0",
        "after=0.0",
        "__proto__=1",
        many.as_str(),
    ] {
        for path in
            ["/v1/moderation/audit/search", "/feed/v1/corrections", "/v1/sms/delivery", "/stats", "/?lang=en"]
        {
            let joint = if path.contains('?') { "&" } else { "?" };
            let wire = format!("GET {path}{joint}{query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let said = said_to(server.public, wire.as_bytes());
            assert!(statuses(&said).iter().all(|status| *status < 500), "{path} {query}: {said}");
            assert_eq!(statuses(&said).len(), 1, "{path} {query}: {said}");
        }
    }
    server.stands();
}
