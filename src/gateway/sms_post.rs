//! SMS through a gateway of one's own: each message is one POST of JSON,
//! signed by https://www.standardwebhooks.com, so that its libraries check it.
//!
//! ```text
//! POST … HTTP/1.1
//! content-type: application/json
//! webhook-id: code-0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f
//! webhook-timestamp: 1795485239
//! webhook-signature: v1,<base64>
//!
//! {"id":"code-0197…","to":"+8613800138000","text":"【正名】验证码 …","at":"2026-11-24T01:53:59Z"}
//! ```
//!
//! The signature is HMAC-SHA-256, by the key, over the bytes `<webhook-id>`,
//! a point, `<webhook-timestamp>`, a point, and the body as sent. The
//! timestamp is this attempt's, in seconds since 1970. The id is the same in
//! every attempt to send a message: whoever has seen it drops the double. Any
//! 2xx says that the message was taken.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Serialize;

use crate::casework::ports::{Message, Sms, Unavailable};
use crate::domain::number::Number;
use crate::domain::webhook::signature;
use crate::gateway::{Misconfigured, Now, exchange};

const TIMEOUT: Duration = Duration::from_secs(10);

pub struct SmsPost {
    client: Client,
    url: Url,
    key: Vec<u8>,
    now: Now,
}

/// The fields in their order on the wire.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    to: Number,
    text: &'a str,
    at: Timestamp,
}

impl SmsPost {
    pub fn new(url: &str, key: Vec<u8>, now: Now) -> Result<Self, Misconfigured> {
        let url = exchange::url("url", url)?;
        let client = exchange::client("url", &[&url])?;
        Ok(Self { client, url, key, now })
    }
}

impl fmt::Debug for SmsPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsPost").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sms for SmsPost {
    async fn send(&self, message: &Message) -> Result<(), Unavailable> {
        let Message { id, to, text, .. } = message;
        let at = Timestamp::from_second((self.now)().as_second()).expect("an instant has its second");
        let body = serde_json::to_string(&Body { id, to: *to, text, at });
        let body = body.expect("texts and an instant always serialize");
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.as_second())
            .header("webhook-signature", signature(&self.key, id, at.as_second(), &body))
            .body(body);
        let sent = async { request.send().await.map_err(|error| exchange::broken(&error)) };
        let answer = exchange::within(TIMEOUT, sent).await?;
        exchange::taken(answer.status(), exchange::retry_after_s(&answer))
    }
}

#[cfg(test)]
mod tests;
