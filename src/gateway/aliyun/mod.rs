//! An operator behind Alibaba Cloud's number service (号码百科): dytnsapi,
//! version 2020-02-17, requests signed by ACS3-HMAC-SHA256.
//!
//! It tells whether a number was put out anew after a day, and in which range
//! of months its subscriber has held it. For a ported number it counts from the
//! port, so that its answers do not follow ports.
//!
//! Built from the public documentation; it has not met the real service.
//! Absent: names, numbers that are not mobile ones, what an answer means.

mod online_time;
mod sign;
mod wire;

pub use wire::{Call, read};

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::offset;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Client, Url};

use crate::casework::ports::{Operator, Reply, Unavailable};
use crate::domain::evidence::{Answer, Question};
use crate::domain::number::Number;
use crate::gateway::exchange::{self, alarm, later};
use crate::gateway::{Misconfigured, Now};
use sign::ToSign;

const VERSION: &str = "2020-02-17";
/// The service is in China, and so are its days.
const UTC_OFFSET_HOURS: i8 = 8;

#[derive(Clone)]
pub struct AliyunConfig {
    /// `https://dytnsapi.aliyuncs.com`
    pub endpoint: String,
    pub access_key_id: String,
    pub access_key_secret: String,
    /// 授权码: what the console gives for an approved application.
    pub auth_code: String,
    /// The one for the time on the net, where that was applied for by itself.
    pub online_time_auth_code: String,
    pub timeout_ms: u64,
    pub response_bytes_max: usize,
}

impl fmt::Debug for AliyunConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunConfig").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

pub struct Aliyun {
    client: Client,
    endpoint: Url,
    host: String,
    config: AliyunConfig,
    now: Now,
}

impl fmt::Debug for Aliyun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aliyun").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Aliyun {
    pub fn new(config: AliyunConfig, now: Now) -> Result<Self, Misconfigured> {
        let endpoint = exchange::url("endpoint", &config.endpoint)?;
        if endpoint.path() != "/" {
            let why = "it has more than a host and a port".to_owned();
            return Err(Misconfigured { key: "endpoint", why });
        }
        let client = exchange::client("endpoint", &[&endpoint])?;
        let host = endpoint.host_str().expect("an http address has a host");
        let host = endpoint.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { client, endpoint, host, config, now })
    }

    async fn ask_in_time(&self, digits: &str, call: Call, nonce: &str) -> Result<Reply, Unavailable> {
        let auth_code = match call {
            Call::TwiceTelVerify { .. } => &self.config.auth_code,
            Call::OnlineTime { .. } => &self.config.online_time_auth_code,
        };
        let start_time = call.start_time();
        let mut parameters =
            vec![("AuthCode", auth_code.as_str()), ("InputNumber", digits), ("Mask", "NORMAL")];
        parameters.extend(start_time.as_deref().map(|start_time| ("StartTime", start_time)));
        let query = sign::query(&parameters);
        let now = (self.now)();
        let to_sign = ToSign {
            host: &self.host,
            action: call.action(),
            version: VERSION,
            date: &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            nonce,
            query: &query,
        };
        let mut url = self.endpoint.clone();
        url.set_query(Some(&query));
        let mut request = self.client.post(url).header(ACCEPT, "application/json");
        for (name, value) in to_sign.headers(&self.config.access_key_id, &self.config.access_key_secret) {
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| alarm("a header cannot hold our access key id"))?;
            value.set_sensitive(name == "authorization");
            request = request.header(name, value);
        }
        let received = exchange::exchange(request, self.config.response_bytes_max).await?;
        let today = offset(UTC_OFFSET_HOURS).to_datetime(now).date();
        wire::read(call, &received, today)
    }
}

#[async_trait]
impl Operator for Aliyun {
    fn offers(&self, number: Number, question: &Question) -> bool {
        wire::mobile_digits(number).is_some() && Call::of(question).is_some()
    }

    /// The correlator is the request's nonce, which both sides see.
    async fn ask(&self, number: Number, question: &Question, correlator: &str) -> Result<Reply, Unavailable> {
        let (Some(digits), Some(call)) = (wire::mobile_digits(number), Call::of(question)) else {
            return Ok(Reply { answer: Answer::Unknown, detail: Some("not offered".to_owned()) });
        };
        let timeout = Duration::from_millis(self.config.timeout_ms);
        match tokio::time::timeout(timeout, self.ask_in_time(&digits, call, correlator)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(later(format!("no answer within {} ms", timeout.as_millis()))),
        }
    }
}
