//! Access tokens by OAuth2 client credentials (RFC 6749 §4.4): one for all
//! three APIs, fetched by one at a time, and anew before it expires: until the
//! next one is there, everybody else goes on with the old one.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;

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
    held: Mutex<Option<Held>>,
    /// Locked while a token is fetched and nobody has one, so that one is
    /// fetched for all who wait. Each waits no longer than its own question may
    /// take.
    fetching: tokio::sync::Mutex<()>,
}

/// A token that was given.
#[derive(Debug, Clone)]
pub struct Held {
    authorization: HeaderValue,
    /// From then on somebody fetches the next one.
    renew_from: Timestamp,
    usable_until: Timestamp,
}

impl Tokens {
    pub fn new(url: Url, client_id: &str, client_secret: &str, now: Now) -> Self {
        let basic = basic(client_id, client_secret);
        Self { url, basic, now, held: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// The `Authorization` of a request to the operator's APIs.
    pub async fn authorization(&self, client: &Client, bytes_max: usize) -> Result<HeaderValue, Unavailable> {
        if let Some((authorization, is_mine_to_renew)) = self.usable() {
            if !is_mine_to_renew {
                return Ok(authorization);
            }
            // The old one is good yet, should there be no new one.
            return Ok(self.fetch(client, bytes_max).await.unwrap_or(authorization));
        }
        let _fetching = self.fetching.lock().await;
        match self.usable() {
            Some((authorization, _)) => Ok(authorization),
            None => self.fetch(client, bytes_max).await,
        }
    }

    /// Drops the token that the operator refused, unless somebody else has
    /// replaced it already.
    pub fn forget(&self, refused: &HeaderValue) {
        self.held().take_if(|held| held.authorization == *refused);
    }

    /// The token that we have, and whether whoever asks is the one to renew it.
    fn usable(&self) -> Option<(HeaderValue, bool)> {
        let now = (self.now)();
        let mut held = self.held();
        let held = held.as_mut().filter(|held| now < held.usable_until)?;
        let is_due = held.renew_from <= now;
        if is_due {
            held.renew_from = held.usable_until;
        }
        Some((held.authorization.clone(), is_due))
    }

    async fn fetch(&self, client: &Client, bytes_max: usize) -> Result<HeaderValue, Unavailable> {
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
        Ok(self.held().insert(fresh).authorization.clone())
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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

/// What came back for our credentials.
pub fn read(received: &Received, asked_at: Timestamp) -> Result<Held, Unavailable> {
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
    // Given up a little early, so that it does not expire on its way, and
    // renewed as much earlier again.
    let early_s = (life_s / 10).clamp(1, 30);
    let after_s = |life_s: u64| {
        let life = SignedDuration::from_secs(life_s as i64);
        asked_at.saturating_add(life).unwrap_or(asked_at)
    };
    Ok(Held {
        authorization,
        renew_from: after_s(life_s.saturating_sub(2 * early_s)),
        usable_until: after_s(life_s.saturating_sub(early_s)),
    })
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
