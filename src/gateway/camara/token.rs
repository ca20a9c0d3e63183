//! Access tokens by OAuth2 client credentials (RFC 6749 §4.4): one for all
//! three APIs, kept until shortly before it expires, fetched by one at a time.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::casework::ports::Unavailable;
use crate::gateway::Now;
use crate::gateway::exchange::{self, Received, alarm, later};

const SCOPES: &str = "kyc-tenure:check-tenure number-recycling:check kyc-match:match";

/// For a server that does not say how long its tokens live.
const LIFE_S_DEFAULT: u64 = 60;
/// Nobody's token is believed for longer.
const LIFE_S_MAX: u64 = 86_400;

pub(super) struct Tokens {
    url: Url,
    basic: HeaderValue,
    now: Now,
    /// Locked while a token is fetched, so that one is fetched for all who
    /// wait. Each of them waits no longer than its own question may take.
    held: Mutex<Option<Held>>,
}

struct Held {
    authorization: HeaderValue,
    usable_until: Timestamp,
}

impl Tokens {
    pub fn new(url: Url, client_id: &str, client_secret: &str, now: Now) -> Self {
        Self { url, basic: basic(client_id, client_secret), now, held: Mutex::new(None) }
    }

    /// The `Authorization` of a request to the operator's APIs.
    pub async fn authorization(&self, client: &Client, bytes_max: usize) -> Result<HeaderValue, Unavailable> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| (self.now)() < held.usable_until) {
            return Ok(held.authorization.clone());
        }
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", SCOPES)
            .finish();
        let request = client
            .post(self.url.clone())
            .header(AUTHORIZATION, &self.basic)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        // Its life is counted from before it was asked for.
        let asked_at = (self.now)();
        let fresh = read(&exchange::exchange(request, bytes_max).await?, asked_at)?;
        Ok(held.insert(fresh).authorization.clone())
    }

    /// Drops the token that the operator refused, unless somebody else has
    /// replaced it already.
    pub async fn forget(&self, refused: &HeaderValue) {
        self.held.lock().await.take_if(|held| held.authorization == *refused);
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// RFC 6749 §2.3.1: both are form-encoded before they are joined.
fn basic(client_id: &str, client_secret: &str) -> HeaderValue {
    let [id, secret] = [client_id, client_secret]
        .map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>());
    let credentials = BASE64_STANDARD.encode(format!("{id}:{secret}"));
    let mut value = HeaderValue::from_str(&format!("Basic {credentials}")).expect("base64 is ASCII");
    value.set_sensitive(true);
    value
}

fn read(received: &Received, asked_at: Timestamp) -> Result<Held, Unavailable> {
    match received.status.as_u16() {
        200 => {}
        status @ (408 | 429 | 500..) => {
            let retry_after_s = received.retry_after_s;
            return Err(Unavailable { retry_after_s, ..later(format!("token: {status}")) });
        }
        status => return Err(alarm(format!("token: {status}{}", error_code(&received.body)))),
    }
    let token: Token = serde_json::from_slice(&received.body)
        .map_err(|_| later("token: the answer is not what RFC 6749 says"))?;
    let is_token68 = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if !token.token_type.eq_ignore_ascii_case("bearer")
        || token.access_token.is_empty()
        || !token.access_token.bytes().all(is_token68)
    {
        return Err(alarm("token: the answer holds no bearer token"));
    }
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.access_token))
        .expect("these characters are allowed in a header");
    authorization.set_sensitive(true);
    let life_s = token.expires_in.unwrap_or(LIFE_S_DEFAULT).min(LIFE_S_MAX);
    // Given up a little early, so that it does not expire on its way.
    let usable_s = life_s.saturating_sub((life_s / 10).clamp(1, 30));
    let usable = SignedDuration::from_secs(usable_s as i64);
    Ok(Held { authorization, usable_until: asked_at.saturating_add(usable).unwrap_or(asked_at) })
}

/// RFC 6749 §5.2's error, if it reads like one.
fn error_code(body: &[u8]) -> String {
    let error = serde_json::from_slice(body).map(|Error { error }| error).unwrap_or_default();
    let reads_like_one = error.len() <= 64 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if reads_like_one && !error.is_empty() { format!(" {error}") } else { String::new() }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Error {
    error: String,
}
