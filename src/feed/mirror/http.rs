//! The log over HTTP.
//!
//! Redirects are never followed, so that the key goes nowhere else, and what
//! an answer may weigh is bounded after decompression.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
    RANGE, RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};

use crate::env::calls;
use crate::feed::mirror::SOFTWARE;
use crate::feed::mirror::source::{ByteStream, Source, SourceError};

const CONNECT_TIMEOUT_S: u64 = 10;
/// Between two pieces of an answer; the service holds a long poll for 30 s.
const READ_TIMEOUT_S: u64 = 60;
/// Of an answer that says why not.
const PROBLEM_BYTES_MAX: usize = 16 * 1024;

#[derive(Debug)]
pub struct HttpSource {
    client: Client,
    base: String,
    has_key: bool,
    is_private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceMalformed {
    #[error("the service's address: {0}")]
    Url(String),
    #[error("the key has characters that no key has")]
    Key,
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl HttpSource {
    /// `base` is the service's address without `/feed/v1`. Without a key only
    /// what is public can be read.
    pub fn new(base: &str, key: Option<&str>) -> Result<Self, SourceMalformed> {
        let url = checked(base)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let bearer = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut bearer = bearer.map_err(|_| SourceMalformed::Key)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let mut client = calls::client()
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
            .read_timeout(Duration::from_secs(READ_TIMEOUT_S))
            .user_agent(SOFTWARE);
        if is_loopback {
            client = client.no_proxy();
        }
        if url.scheme() == "http" {
            // The machine's certificates are not needed, so it may have none.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| SourceMalformed::Client(innermost(&error)))?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        let is_private = url.scheme() == "https" || is_loopback;
        Ok(Self { client, base, has_key: key.is_some(), is_private })
    }

    /// Whether others on the way can read the key.
    pub fn exposes_key(&self) -> bool {
        self.has_key && !self.is_private
    }

    fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }
}

#[async_trait]
impl Source for HttpSource {
    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError> {
        let answer = send(self.request(path), path).await?;
        body(answer, path, bytes_max).await
    }

    async fn stream(&self, path: &str, from: u64) -> Result<ByteStream, SourceError> {
        let mut request = self.request(path);
        if from > 0 {
            // Bytes are counted as decompressed: only uncompressed they can be resumed.
            request = request.header(RANGE, format!("bytes={from}-")).header(ACCEPT_ENCODING, "identity");
        }
        let answer = send(request, path).await?;
        let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        if from > 0 && !range.is_some_and(|range| range.starts_with(&format!("bytes {from}-"))) {
            return Err(strange(path, "a download could not be resumed"));
        }
        let path = path.to_owned();
        let pieces = answer.bytes_stream().map(move |piece| piece.map_err(|error| broken(&path, &error)));
        Ok(pieces.boxed())
    }

    async fn location(&self, path: &str, accept: &str) -> Result<String, SourceError> {
        let answer = self.request(path).header(ACCEPT, accept).send().await;
        let answer = answer.map_err(|error| broken(path, &error))?;
        if !answer.status().is_redirection() {
            return match refused(answer, path).await {
                Err(error) => Err(error),
                Ok(_) => Err(strange(path, "it should redirect")),
            };
        }
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        location.map(str::to_owned).ok_or_else(|| strange(path, "it redirects to nowhere"))
    }

    async fn put(&self, path: &str, json: Vec<u8>) -> Result<(), SourceError> {
        let request = self.client.put(format!("{}{path}", self.base));
        send(request.header(CONTENT_TYPE, "application/json").body(json), path).await.map(|_| ())
    }
}

fn checked(base: &str) -> Result<Url, SourceMalformed> {
    let wrong = |why: &str| SourceMalformed::Url(why.to_owned());
    let url = Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it is not an http or https address"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("it has more than a host, a port and a path"));
    }
    if url.path().trim_end_matches('/').ends_with("/feed/v1") {
        return Err(wrong("leave /feed/v1 out, it is added"));
    }
    Ok(url)
}

async fn send(request: RequestBuilder, path: &str) -> Result<Response, SourceError> {
    let answer = request.send().await.map_err(|error| broken(path, &error))?;
    refused(answer, path).await
}

/// An answer that is none becomes an error.
async fn refused(answer: Response, path: &str) -> Result<Response, SourceError> {
    let (status, path) = (answer.status(), path.to_owned());
    match status {
        _ if status.is_success() => Ok(answer),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let retry_after = answer.headers().get(RETRY_AFTER);
            let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Err(SourceError::Busy { path, status: status.as_u16(), retry_after_s })
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(SourceError::KeyRefused { path, status: status.as_u16() })
        }
        _ => {
            let problem = body(answer, &path, PROBLEM_BYTES_MAX).await.unwrap_or_default();
            let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap_or_default();
            let code = problem["code"].as_str().unwrap_or("without a code");
            let code = code.chars().filter(|c| !c.is_control()).take(64).collect();
            Err(SourceError::Refused { path, status: status.as_u16(), code })
        }
    }
}

async fn body(mut answer: Response, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| broken(path, &error))? {
        if body.len() + piece.len() > bytes_max {
            return Err(strange(path, &format!("it has more than {bytes_max} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn strange(path: &str, why: &str) -> SourceError {
    SourceError::Strange { path: path.to_owned(), why: why.to_owned() }
}

fn broken(path: &str, error: &reqwest::Error) -> SourceError {
    SourceError::Unreachable { path: path.to_owned(), why: innermost(error) }
}

/// The outer causes of a reqwest error only repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wiremock::matchers::{body_json, header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    const KEY: &str = "zmp_0123456789";

    async fn answering(answer: ResponseTemplate) -> (MockServer, HttpSource) {
        let server = MockServer::start().await;
        let bearer = format!("Bearer {KEY}");
        let mock = Mock::given(path("/base/feed/v1/x")).and(header("authorization", bearer.as_str()));
        mock.respond_with(answer).mount(&server).await;
        let source = HttpSource::new(&format!("{}/base/", server.uri()), Some(KEY)).unwrap();
        (server, source)
    }

    fn status(status: u16) -> ResponseTemplate {
        ResponseTemplate::new(status)
    }

    /// A frame of `blocks` times 100,000 zeroes, which takes 4 bytes for each.
    fn zeroes_in_zstd(blocks: u32) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
        frame.extend((blocks * 100_000).to_le_bytes());
        for block in 1..=blocks {
            let header = 100_000 << 3 | 1 << 1 | u32::from(block == blocks);
            frame.extend(&header.to_le_bytes()[..3]);
            frame.push(0);
        }
        frame
    }

    #[tokio::test]
    async fn bodies_are_decompressed_within_their_bound() {
        let zeroes = status(200).insert_header("content-encoding", "zstd").set_body_bytes(zeroes_in_zstd(3));
        let (server, source) = answering(zeroes).await;
        assert_eq!(source.get("/feed/v1/x", 300_000).await.unwrap(), vec![0; 300_000]);
        let error = source.get("/feed/v1/x", 299_999).await.unwrap_err();
        assert!(matches!(error, SourceError::Strange { .. }), "{error}");
        let asked = server.received_requests().await.unwrap();
        let accepted = asked[0].headers["accept-encoding"].to_str().unwrap();
        assert!(accepted.contains("zstd") && accepted.contains("gzip"), "{accepted}");
        assert_eq!(asked[0].headers["user-agent"], SOFTWARE);
    }

    #[tokio::test]
    async fn a_no_has_its_kind() {
        let get = async |answer| {
            let (_server, source) = answering(answer).await;
            source.get("/feed/v1/x", 1_000).await.unwrap_err()
        };
        let code = serde_json::json!({"code": "cursor_expired", "oldest": 512});
        let gone = get(status(410).set_body_json(code)).await;
        assert!(gone.is_gone() && gone.to_string().ends_with("410 cursor_expired"), "{gone}");
        assert!(get(status(404)).await.is_missing());
        for number in [401, 403] {
            assert!(matches!(get(status(number)).await, SourceError::KeyRefused { .. }));
        }
        for number in [429, 503] {
            let busy = get(status(number).insert_header("retry-after", "7")).await;
            assert!(matches!(busy, SourceError::Busy { retry_after_s: Some(7), .. }), "{busy}");
        }
        let elsewhere = status(302).insert_header("location", "https://example.org/");
        assert!(matches!(get(elsewhere).await, SourceError::Refused { status: 302, .. }));
        let endless = get(status(500).set_body_bytes(vec![b'x'; 1_000_000])).await;
        assert!(matches!(endless, SourceError::Refused { status: 500, .. }));
        let nobody = HttpSource::new("http://127.0.0.1:1", Some(KEY)).unwrap();
        let error = nobody.get("/feed/v1/x", 1).await.unwrap_err();
        assert!(matches!(error, SourceError::Unreachable { .. }) && !error.to_string().contains(KEY));
    }

    #[tokio::test]
    async fn a_stream_is_resumed_only_where_it_broke_off() {
        let collected = async |source: &HttpSource, from| -> Result<Vec<u8>, SourceError> {
            let mut pieces = source.stream("/feed/v1/x", from).await?;
            let mut all = Vec::new();
            while let Some(piece) = pieces.next().await {
                all.extend_from_slice(&piece?);
            }
            Ok(all)
        };
        let range = status(206).insert_header("content-range", "bytes 5-9/10").set_body_bytes("56789");
        let (server, source) = answering(range).await;
        assert_eq!(collected(&source, 5).await.unwrap(), b"56789");
        let asked = &server.received_requests().await.unwrap()[0];
        assert_eq!(asked.headers["range"], "bytes=5-");
        assert_eq!(asked.headers["accept-encoding"], "identity");
        assert!(matches!(collected(&source, 4).await, Err(SourceError::Strange { .. })));
        let (_server, source) = answering(status(200).set_body_bytes("0123456789")).await;
        assert_eq!(collected(&source, 0).await.unwrap(), b"0123456789");
        assert!(matches!(collected(&source, 5).await, Err(SourceError::Strange { .. })));
    }

    #[tokio::test]
    async fn a_redirect_is_read_and_not_followed() {
        let to = status(307).insert_header("location", "/feed/v1/snapshots/9.ndjson");
        let (_server, source) = answering(to).await;
        let location = source.location("/feed/v1/x", "application/x-ndjson").await;
        assert_eq!(location.unwrap(), "/feed/v1/snapshots/9.ndjson");
        let (_server, source) = answering(status(200)).await;
        let location = source.location("/feed/v1/x", "application/x-ndjson").await;
        assert!(matches!(location, Err(SourceError::Strange { .. })));
    }

    #[tokio::test]
    async fn what_is_put_is_json() {
        let server = MockServer::start().await;
        let mock = Mock::given(method("PUT")).and(path("/feed/v1/ack"));
        let mock = mock.and(header("content-type", "application/json")).and(body_json([1]));
        mock.respond_with(status(200)).expect(1).mount(&server).await;
        let source = HttpSource::new(&server.uri(), Some(KEY)).unwrap();
        source.put("/feed/v1/ack", b"[1]".to_vec()).await.unwrap();
    }

    #[test]
    fn an_address_is_checked() {
        for wrong in
            ["", "x", "ftp://x", "http://x/feed/v1", "http://x/feed/v1/", "http://x?y", "http://a:b@x"]
        {
            assert!(matches!(HttpSource::new(wrong, None), Err(SourceMalformed::Url(_))), "{wrong}");
        }
        assert_eq!(HttpSource::new("http://x", Some("a\nb")).unwrap_err(), SourceMalformed::Key);
        let exposes = |base, key| HttpSource::new(base, key).unwrap().exposes_key();
        assert!(exposes("http://example.org", Some(KEY)));
        for base in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(!exposes(base, Some(KEY)), "{base}");
        }
        assert!(!exposes("http://example.org", None));
        let shown = format!("{:?}", HttpSource::new("http://localhost", Some(KEY)).unwrap());
        assert!(!shown.contains(KEY), "{shown}");
    }
}
