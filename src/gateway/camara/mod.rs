//! An operator that speaks CAMARA: KYC Tenure v0.2, Number Recycling v0.2 and
//! KYC Match v0.4, behind OAuth2 client credentials.
//!
//! Absent: what an answer means for a dispute, asking again later, and
//! whether the operator sees through porting.

mod token;
mod wire;

pub use token::read as read_token;
pub use wire::read;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, Url};

use crate::casework::ports::{Operator, Reply, Unavailable};
use crate::domain::evidence::Question;
use crate::domain::number::Number;
use crate::gateway::exchange::{self, Received, alarm, later};
use crate::gateway::{Misconfigured, Now};
use token::Tokens;
use wire::Api;

/// By the definitions' pattern for `x-correlator`.
const CORRELATOR_CHARS_MAX: usize = 256;

#[derive(Clone)]
pub struct CamaraConfig {
    /// The definitions' `apiRoot`.
    pub base_url: String,
    pub token_url: String,
    pub client_id: String,
    pub client_secret: String,
    /// For a whole question, a token included.
    pub timeout_ms: u64,
    pub response_bytes_max: usize,
}

impl fmt::Debug for CamaraConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CamaraConfig")
            .field("base_url", &self.base_url)
            .field("token_url", &self.token_url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub struct Camara {
    client: Client,
    base: Url,
    tokens: Tokens,
    timeout: Duration,
    response_bytes_max: usize,
}

impl Camara {
    pub fn new(config: &CamaraConfig, now: Now) -> Result<Self, Misconfigured> {
        let base = exchange::url("base_url", &config.base_url)?;
        let token_url = exchange::url("token_url", &config.token_url)?;
        Ok(Self {
            client: exchange::client("base_url", &[&base, &token_url])?,
            base,
            tokens: Tokens::new(token_url, &config.client_id, &config.client_secret, now),
            timeout: Duration::from_millis(config.timeout_ms),
            response_bytes_max: config.response_bytes_max,
        })
    }

    /// A token that the operator does not take is replaced once: it may have
    /// been revoked, or our clock may be slow.
    async fn ask_in_time(
        &self,
        number: Number,
        question: &Question,
        correlator: HeaderValue,
    ) -> Result<Reply, Unavailable> {
        let request = self
            .client
            .post(self.address(Api::of(question)))
            .header("x-correlator", correlator)
            .json(&wire::Request::new(number, question));
        let again = request.try_clone();
        let token = self.tokens.authorization(&self.client, self.response_bytes_max).await?;
        let mut received = self.exchange(request, &token).await?;
        if let (StatusCode::UNAUTHORIZED, Some(again)) = (received.status, again) {
            self.tokens.forget(&token);
            let token = self.tokens.authorization(&self.client, self.response_bytes_max).await?;
            received = self.exchange(again, &token).await?;
        }
        wire::read(question, &received)
    }

    async fn exchange(&self, request: RequestBuilder, token: &HeaderValue) -> Result<Received, Unavailable> {
        exchange::exchange(request.header(AUTHORIZATION, token), self.response_bytes_max).await
    }

    fn address(&self, api: Api) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), api.path()));
        url
    }
}

#[async_trait]
impl Operator for Camara {
    async fn ask(&self, number: Number, question: &Question, correlator: &str) -> Result<Reply, Unavailable> {
        let correlator = correlator_header(correlator)
            .ok_or_else(|| alarm("our correlator is not of the pattern that CAMARA allows"))?;
        match tokio::time::timeout(self.timeout, self.ask_in_time(number, question, correlator)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(later(format!("no answer within {} ms", self.timeout.as_millis()))),
        }
    }
}

/// `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`
fn correlator_header(text: &str) -> Option<HeaderValue> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(&b);
    let is_fine = text.len() <= CORRELATOR_CHARS_MAX && text.bytes().all(is_allowed);
    is_fine.then(|| HeaderValue::from_str(text).ok()).flatten()
}
