//! A client that says what it got.

use std::net::SocketAddr;
use std::ops::Index;
use std::sync::Arc;

use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zhengming::http::service::Service;

use crate::openapi;

/// Whatever was committed is published before the next call, as if a
/// checkpoint's interval had gone by.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    inner: reqwest::Client,
    service: Arc<Service>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn new(address: SocketAddr, service: Arc<Service>) -> Self {
        let inner = zhengming::env::calls::client()
            .no_proxy()
            .no_gzip()
            .no_zstd()
            .tls_certs_only([])
            .build()
            .unwrap();
        Self { address, inner, service }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {token}"))], None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.post_with(path, token, &[], body).await
    }

    pub async fn post_with(&self, path: &str, token: &str, fields: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend(fields);
        self.send(Method::POST, path, &all, Some(body.to_string().into_bytes())).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        self.service.feed.publish().await.unwrap();
        let mut request = self.inner.request(method, format!("http://{}{path}", self.address));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let (status, headers, bytes) = openapi::exchange(request).await;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status, headers, body }
    }

    /// An answer that need not be JSON.
    pub async fn download(&self, path: &str, token: &str) -> (u16, HeaderMap, Vec<u8>) {
        let request = self.inner.get(format!("http://{}{path}", self.address)).bearer_auth(token);
        let (status, headers, bytes) = openapi::exchange(request).await;
        (status, headers, bytes.to_vec())
    }

    /// Sends these very bytes, and no more; what comes back.
    pub async fn bytes(&self, bytes: &[u8]) -> String {
        let mut stream = self.sent(bytes).await;
        stream.shutdown().await.unwrap();
        heard(stream).await
    }

    /// The same where they ask for the connection's end: who ends it first may
    /// be taken for somebody who has gone away.
    pub async fn closing(&self, bytes: &[u8]) -> String {
        heard(self.sent(bytes).await).await
    }

    async fn sent(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

async fn heard(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

impl Answer {
    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// A problem document with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        self
    }

    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }
}

impl Index<&str> for Answer {
    type Output = Value;
    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}
