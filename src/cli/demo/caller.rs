//! How the demo calls the service: as anybody would, over HTTP.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::cli::Failed;
use crate::env::calls;

pub struct Caller {
    client: Client,
    base: String,
}

/// An answer that was what the step needs.
pub struct Answered {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn json(&self) -> Result<Value, Failed> {
        serde_json::from_slice(&self.body).map_err(|error| Failed::new("the service's answer", &error))
    }
}

/// A call in the making.
pub struct Request<'a> {
    caller: &'a Caller,
    builder: reqwest::RequestBuilder,
    what: String,
}

impl Caller {
    pub fn new(base: &str) -> Result<Self, Failed> {
        let client = calls::client().no_proxy().build();
        let client = client.map_err(|error| Failed::new("the HTTP client", &error))?;
        Ok(Self { client, base: base.to_owned() })
    }

    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    fn request(&self, method: Method, path: &str) -> Request<'_> {
        let what = format!("{method} {path}");
        Request { caller: self, builder: self.client.request(method, format!("{}{path}", self.base)), what }
    }
}

impl Request<'_> {
    pub fn bearer(mut self, token: &str) -> Self {
        self.builder = self.builder.header(AUTHORIZATION, format!("Bearer {token}"));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.builder = self.builder.json(body);
        self
    }

    pub fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.header(CONTENT_TYPE, media_type).body(body);
        self
    }

    /// Sends it. Anything but the wanted status is the step's failure, with
    /// the problem's own words.
    pub async fn wants(self, status: StatusCode) -> Result<Answered, Failed> {
        let Self { caller, builder, what } = self;
        let answer = builder
            .send()
            .await
            .map_err(|error| Failed::new(&format!("{what} at {}", caller.base), &error))?;
        let (found, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| Failed::new(&what, &error))?.to_vec();
        if found != status {
            let said = String::from_utf8_lossy(&body);
            return Err(Failed::because(&format!("{what}: {found} where {status} was due: {said}")));
        }
        Ok(Answered { headers, body })
    }
}
