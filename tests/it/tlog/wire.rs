//! The log's files as HTTP sees them: which there are and which are not, for
//! whom, how long they may be kept, and in which codings.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_NONE_MATCH};
use reqwest::{Method, RequestBuilder};
use zhengming::feed::merkle::leaf_hash;

use super::{entry, grow, unlimited};
use crate::support::service::TestService;

const SIZE: u64 = 600;
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const KEYED_FOR_EVER: &str = "private, max-age=31536000, immutable";

/// Those of a log of 600 entries that anybody may read.
const OPEN_TO_ALL: [(&str, &str, &str); 7] = [
    ("checkpoint", "text/plain; charset=utf-8", "max-age=1"),
    ("key", "text/plain; charset=utf-8", "public, max-age=3600"),
    ("tile/0/000", "application/octet-stream", FOR_EVER),
    ("tile/0/000.p/1", "application/octet-stream", FOR_EVER),
    ("tile/0/001", "application/octet-stream", FOR_EVER),
    ("tile/0/002.p/88", "application/octet-stream", FOR_EVER),
    ("tile/1/000.p/2", "application/octet-stream", FOR_EVER),
];
const BUNDLES: [&str; 4] =
    ["tile/entries/000", "tile/entries/001", "tile/entries/001.p/255", "tile/entries/002.p/88"];

struct Bytes {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bytes {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn bytes(request: RequestBuilder) -> Bytes {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Bytes { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

/// A service with a log of 600 entries, and a provider's key.
async fn published() -> (TestService, String) {
    let service = unlimited().await;
    grow(&service, SIZE).await;
    let key = service.provider_key("tencent").await;
    (service, key)
}

fn at(service: &TestService, file: &str) -> RequestBuilder {
    service.request(Method::GET, &format!("/feed/v1/{file}"))
}

/// A bundle, written down anew.
fn bundle(seqs: std::ops::Range<u64>) -> Vec<u8> {
    let with_length = |leaf: Vec<u8>| [&(leaf.len() as u16).to_be_bytes(), leaf.as_slice()].concat();
    seqs.flat_map(|seq| with_length(entry(seq).leaf())).collect()
}

#[tokio::test]
async fn anybody_may_read_and_keep_checkpoint_key_and_hashes() {
    let (service, _) = published().await;
    for (file, media_type, cache) in OPEN_TO_ALL {
        let got = bytes(at(&service, file)).await;
        let tag = got.header("etag").to_owned();
        assert_eq!((got.status, got.header("content-type")), (200, media_type), "{file}");
        assert_eq!((got.header("cache-control"), got.header("vary")), (cache, ""), "{file}");
        assert!(tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"'), "{file}: {tag}");

        let head = bytes(service.request(Method::HEAD, &format!("/feed/v1/{file}"))).await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, &*tag), "{file}");
        assert_eq!(head.header("content-length"), got.body.len().to_string(), "{file}");

        for held in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let known = bytes(at(&service, file).header(IF_NONE_MATCH, held)).await;
            assert_eq!((known.status, known.body.len()), (304, 0), "{file}");
            assert_eq!((known.header("etag"), known.header("cache-control")), (&*tag, cache), "{file}");
        }
        let other = at(&service, file).header(IF_NONE_MATCH, "\"x\"");
        assert_eq!(bytes(other).await.body, got.body, "{file}");
        let posted = bytes(service.request(Method::POST, &format!("/feed/v1/{file}"))).await;
        assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD, OPTIONS"), "{file}");
    }
    let hashes: Vec<u8> = (0..256).flat_map(|seq| leaf_hash(&entry(seq).leaf())).collect();
    assert_eq!(bytes(at(&service, "tile/0/000")).await.body, hashes);
    assert_eq!(bytes(at(&service, "tile/0/000.p/9")).await.body, hashes[..9 * 32]);
}

#[tokio::test]
async fn a_new_checkpoint_has_a_new_tag_and_old_tiles_stay() {
    let (service, _) = published().await;
    let (before, tile) =
        (bytes(at(&service, "checkpoint")).await, bytes(at(&service, "tile/0/002.p/88")).await);
    grow(&service, SIZE + 200).await;
    let now = bytes(at(&service, "checkpoint").header(IF_NONE_MATCH, before.header("etag"))).await;
    assert_eq!((now.status, now.body.starts_with(b"localhost/feed\n800\n")), (200, true));
    assert_ne!(now.header("etag"), before.header("etag"));
    for file in ["tile/0/002.p/88", "tile/0/002", "tile/0/003.p/32", "tile/1/000.p/2", "tile/1/000.p/3"] {
        assert_eq!(bytes(at(&service, file)).await.status, 200, "{file}");
    }
    assert_eq!(bytes(at(&service, "tile/0/002.p/88")).await.body, tile.body);
}

#[tokio::test]
async fn a_bundle_is_the_same_entries_in_every_coding() {
    let (service, key) = published().await;
    for (file, seqs) in BUNDLES.into_iter().zip([0..256, 256..512, 256..511, 512..600]) {
        let plain = bundle(seqs);
        let mut tags = BTreeMap::new();
        for (accepted, coding) in
            [("", ""), ("br", ""), ("gzip, br", "gzip"), ("gzip, zstd", "zstd"), ("zstd;q=0, *", "gzip")]
        {
            let asked = || {
                let asked = at(&service, file).bearer_auth(&key);
                if accepted.is_empty() { asked } else { asked.header(ACCEPT_ENCODING, accepted) }
            };
            let got = bytes(asked()).await;
            assert_eq!((got.status, got.header("content-encoding")), (200, coding), "{file} {accepted}");
            assert_eq!(decoded(coding, &got.body), plain, "{file} {accepted}");
            assert_eq!(got.header("content-type"), "application/octet-stream");
            assert_keyed(&got);
            let tag = got.header("etag").to_owned();
            let known = bytes(asked().header(IF_NONE_MATCH, &tag)).await;
            assert_eq!((known.status, known.header("etag"), known.body.len()), (304, &*tag, 0));
            assert_eq!(known.header("content-encoding"), "");
            assert_keyed(&known);
            assert_eq!(
                *tags.entry(coding).or_insert_with(|| tag.clone()),
                tag,
                "{file}: one for each coding"
            );
        }
        assert_eq!(tags.values().collect::<BTreeSet<_>>().len(), 3, "{file}: each its own: {tags:?}");

        let head = service.request(Method::HEAD, &format!("/feed/v1/{file}")).bearer_auth(&key);
        let head = bytes(head).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), plain.len().to_string());
    }
}

fn assert_keyed(answer: &Bytes) {
    assert_eq!(answer.header("cache-control"), KEYED_FOR_EVER);
    assert_eq!(answer.header("vary"), "Authorization, Accept, Accept-Encoding");
}

fn decoded(coding: &str, body: &[u8]) -> Vec<u8> {
    match coding {
        "zstd" => zstd::decode_all(body).unwrap(),
        "gzip" => {
            let mut plain = Vec::new();
            GzDecoder::new(body).read_to_end(&mut plain).unwrap();
            plain
        }
        _ => body.to_vec(),
    }
}

#[tokio::test]
async fn entries_are_for_providers_only() {
    let (service, provider) = published().await;
    let operator = service.operator_key("cmcc").await;
    for file in BUNDLES {
        let nobody = bytes(at(&service, file)).await;
        assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, "Bearer"), "{file}");
        assert_eq!(bytes(at(&service, file).bearer_auth("zmp_x")).await.status, 401, "{file}");
        assert_eq!(bytes(at(&service, file).bearer_auth(&operator)).await.status, 403, "{file}");
        let known = bytes(at(&service, file).bearer_auth(&provider)).await;
        let held = at(&service, file).header(IF_NONE_MATCH, known.header("etag"));
        assert_eq!(bytes(held).await.status, 401, "{file}: who holds it needs a key all the same");
    }
    let beyond = bytes(at(&service, "tile/entries/009")).await;
    assert_eq!(beyond.status, 401, "nor is anybody told how many there are");
}

/// Of a level and of the bundles.
const NO_PLACES: &str = "002 002.p/89 003 003.p/1 999 x001/000 x999/x999/x999/x999/x999/999 \
    x999/x999/x999/x999/x999/x999/x999/999 000.p/0 000.p/256 000.p/300 000.p/01 000.p/+1 000.p/-1 000.p/ 000.p \
    000/ /000 0 00 0000 x000/000 000/000 x000 +00 -00 00a 000.q/1 000.p/1/2 000.P/1 000.p/18446744073709551617 \
    %30%30%30 000.p%2F1 000%2Ep/1 x001//000";
const NO_FILES: &str = "tile/1/000 tile/1/000.p/3 tile/1/001.p/1 tile/2/000.p/1 tile/7/000 tile/8/000 tile/63/000 \
    tile/64/000 tile/00/000 tile/01/000.p/2 tile/-1/000 tile/+1/000.p/2 tile/data/000 tile/Entries/000 tile/0 \
    tile/0/ tile/entries tile/entries/ tile/ tile tile/8/0/000 tile/0/0/000 tile/18446744073709551617/000 \
    tile/4294967296/000.p/1 checkpoint/ checkpoint.new key/x";

#[tokio::test]
async fn what_is_not_published_or_has_another_name_is_not_there() {
    let (service, key) = published().await;
    // Committed, and under no checkpoint.
    service.decide(entry(SIZE)).await;
    let places = NO_PLACES.split_whitespace();
    let files = places.flat_map(|place| [format!("tile/0/{place}"), format!("tile/entries/{place}")]);
    for file in files.chain(NO_FILES.split_whitespace().map(str::to_owned)) {
        let got = bytes(at(&service, &file).bearer_auth(&key)).await;
        assert_eq!(got.status, 404, "{file}");
        assert!(!got.header("cache-control").contains("max-age"), "{file}: it may come to be");
    }
    service.app.feed.publish().await.unwrap();
    assert_eq!(bytes(at(&service, "tile/0/002.p/89")).await.status, 200);
    assert_eq!(bytes(at(&service, "tile/entries/002.p/89").bearer_auth(&key)).await.status, 200);
}
