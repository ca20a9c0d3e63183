//! Fields of a request's head, one a line: `Range: bytes=0-9`.

use std::net::{IpAddr, SocketAddr};

use ::http::HeaderMap;
use ::http::header::{AUTHORIZATION, HeaderName, HeaderValue, IF_NONE_MATCH};
use ipnet::IpNet;
use zhengming::http::body::{expect_body, expect_media_type};
use zhengming::http::client::TrustedProxies;
use zhengming::http::multipart::boundary;
use zhengming::http::negotiate::{bearer, coding, holds, media_type};
use zhengming::http::range::{Wanted, content_range, wanted};
use zhengming::http::service::language;
use zhengming::http::uploads::Form;

const TAG: &str = "\"5-ndjson\"";
const OFFERED: [&str; 3] = ["application/x-ndjson", "application/json", "text/csv"];
const HELD: [&str; 2] = ["zstd", "gzip"];

pub fn run(data: &[u8]) {
    let headers = parsed(data);
    addresses(&headers);
    ranges(&headers);
    if let Ok(chosen) = media_type(&headers, &OFFERED) {
        assert!(OFFERED.contains(&chosen));
    }
    assert!(coding(&headers, &HELD).is_none_or(|chosen| HELD.contains(&chosen)));
    language(&headers);
    if headers.get(IF_NONE_MATCH).is_some_and(|held| held == TAG) {
        assert!(holds(&headers, TAG));
    }
    if let Some(token) = bearer(&headers) {
        let sent = headers.get(AUTHORIZATION).and_then(|sent| sent.to_str().ok());
        assert!(sent.is_some_and(|sent| sent.contains(token)));
        assert!(!token.is_empty() && !token.contains(' '));
    }
    if let Ok(read) = expect_media_type(&headers, &OFFERED) {
        assert!(OFFERED.contains(&read));
        assert_eq!(Form::of(&headers).is_ok(), read != "application/json");
    }
    if let Ok(boundary) = boundary(&headers, 1_000) {
        assert!((1..=70).contains(&boundary.len()));
        assert!(expect_body(&headers, 1_000).is_ok());
    }
}

/// What is no field is left out, as the protocol's own parser leaves nothing
/// else through.
fn parsed(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(64) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Nobody is believed but by who is trusted, and nothing that is not an address.
fn addresses(headers: &HeaderMap) {
    let nets = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse::<IpNet>().unwrap());
    let proxies = TrustedProxies::new(nets.to_vec());
    let is_trusted = |address: IpAddr| nets.iter().any(|net| net.contains(&address));
    for peer in ["10.0.0.1:1", "203.0.113.7:1", "[2001:db8::1]:1", "[::ffff:10.0.0.1]:1"] {
        let peer: SocketAddr = peer.parse().unwrap();
        let client = proxies.client(peer, headers);
        assert_eq!(client.peer, peer);
        assert_eq!(client.address, client.address.to_canonical());
        if !is_trusted(peer.ip().to_canonical()) {
            assert_eq!(client.address, peer.ip().to_canonical());
        }
        let prefix: IpNet = client.prefix().to_string().parse().unwrap();
        assert!(prefix.contains(&client.address), "{prefix} {}", client.address);
    }
}

fn ranges(headers: &HeaderMap) {
    for bytes in [0, 1, 100, u64::MAX] {
        let Wanted::Part(part) = wanted(headers, TAG, bytes) else { continue };
        assert!(part.start < part.end && part.end <= bytes, "{part:?} of {bytes}");
        assert_eq!(content_range(&part, bytes), format!("bytes {}-{}/{bytes}", part.start, part.end - 1));
    }
}
