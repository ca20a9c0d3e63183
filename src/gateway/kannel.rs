//! SMS through Kannel (kannel.org): its smsbox's `sendsms`, by GET. Kannel
//! calls back to say what became of a message.
//!
//! Absent: what comes in from holders and the reports; those are requests to
//! us. The password is in the request's query, as Kannel has it, and nowhere
//! else: keep the way to Kannel within the house.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Url};

use crate::casework::ports::{Message, Sms, Unavailable};
use crate::gateway::{Misconfigured, exchange};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Delivered to the phone or not, taken by the SMS centre or not.
const REPORTS: &str = "27";
/// Message data as UCS-2: what GSM's alphabet does not have.
const UCS_2: &str = "2";
const GSM: &str = "0";

#[derive(Debug, Clone)]
pub struct KannelConfig {
    pub send_url: String,
    pub username: String,
    pub password: String,
    /// Whom the message is from.
    pub access_number: String,
    /// What Kannel calls with a report.
    pub report_url: String,
}

pub struct Kannel {
    client: Client,
    /// With all that is the same for every message.
    url: Url,
    report_url: Url,
}

impl Kannel {
    pub fn new(config: &KannelConfig) -> Result<Self, Misconfigured> {
        let mut url = exchange::url("send_url", &config.send_url)?;
        let client = exchange::client("send_url", &[&url])?;
        let fixed = [
            ("username", config.username.as_str()),
            ("password", &config.password),
            ("from", &config.access_number),
            ("charset", "UTF-8"),
            ("dlr-mask", REPORTS),
        ];
        url.query_pairs_mut().extend_pairs(fixed);
        Ok(Self { client, url, report_url: exchange::url("public_url", &config.report_url)? })
    }

    /// Kannel puts the status in the place of %d.
    fn report_url(&self, message: &Message) -> String {
        let Message { id, seal, .. } = message;
        let mut url = self.report_url.clone();
        url.query_pairs_mut().append_pair("id", id).append_pair("seal", seal);
        format!("{url}&status=%d")
    }

    fn url(&self, message: &Message) -> Url {
        let coding = if message.text.is_ascii() { GSM } else { UCS_2 };
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs([
            ("to", message.to.to_string().as_str()),
            ("text", &message.text),
            ("coding", coding),
            ("dlr-url", &self.report_url(message)),
        ]);
        url
    }
}

impl fmt::Debug for Kannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds the password.
        f.debug_struct("Kannel").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sms for Kannel {
    async fn send(&self, message: &Message) -> Result<(), Unavailable> {
        let request = self.client.get(self.url(message));
        let sent = async { request.send().await.map_err(|error| exchange::broken(&error)) };
        let answer = exchange::within(TIMEOUT, sent).await?;
        exchange::taken(answer.status(), exchange::retry_after_s(&answer))
    }
}

#[cfg(test)]
mod tests;
