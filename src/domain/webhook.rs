//! Where a provider wants to be told that there is something new, and how
//! what it is told is signed.
//!
//! Absent: which addresses may be called. A name says nothing about where it
//! leads; who connects looks at that.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use url::Url;

pub const WEBHOOK_URL_BYTES_MAX: usize = 2_048;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WebhookUrlMalformed(&'static str);

/// An http or https URL without credentials and fragment, in the one spelling
/// that the URL standard gives it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Box<str>);

impl WebhookUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlMalformed;

    fn from_str(text: &str) -> Result<Self, WebhookUrlMalformed> {
        let url =
            Url::parse(text).map_err(|_| WebhookUrlMalformed("a URL begins with https:// and a host"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WebhookUrlMalformed("a webhook is called over http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlMalformed("credentials do not belong in a URL"));
        }
        if url.fragment().is_some() {
            return Err(WebhookUrlMalformed("a fragment is never sent, so it does not belong in the URL"));
        }
        if text.len().max(url.as_str().len()) > WEBHOOK_URL_BYTES_MAX {
            return Err(WebhookUrlMalformed("a URL has at most 2,048 bytes"));
        }
        Ok(Self(String::from(url).into()))
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = WebhookUrlMalformed;

    fn try_from(text: String) -> Result<Self, WebhookUrlMalformed> {
        text.parse()
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

/// Path and query may hold the receiver's secrets.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        write!(f, "WebhookUrl({origin}/…)")
    }
}

/// By https://www.standardwebhooks.com: HMAC-SHA-256 over id, second and body,
/// with points between them.
pub fn signature(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, WebhookUrlMalformed> {
        text.parse::<WebhookUrl>().map(String::from)
    }

    #[test]
    fn one_address_has_one_spelling() {
        for (text, url) in [
            ("https://hooks.example.org/z?token=a", "https://hooks.example.org/z?token=a"),
            ("HTTPS://Hooks.Example.org:443", "https://hooks.example.org/"),
            ("http://127.1:8080/a/../b", "http://127.0.0.1:8080/b"),
            ("http://[::FFFF:10.0.0.1]/", "http://[::ffff:a00:1]/"),
            ("https://例子.中国/更正", "https://xn--fsqu00a.xn--fiqs8s/%E6%9B%B4%E6%AD%A3"),
        ] {
            assert_eq!(parsed(text).unwrap(), url);
            assert_eq!(parsed(url).unwrap(), url, "a spelling is its own");
        }
    }

    #[test]
    fn what_is_no_address_of_a_webhook_is_refused() {
        let long = format!("https://example.org/{}", "a".repeat(WEBHOOK_URL_BYTES_MAX));
        let long_once_escaped = format!("https://example.org/{}", "字".repeat(300));
        for text in [
            "",
            "hooks.example.org",
            "/hooks",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://",
            "https://user@example.org/",
            "https://:secret@example.org/",
            "https://example.org/#",
            "https://example.org/#top",
            "https://example.org:99999/",
            &long,
            &long_once_escaped,
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
        let longest = format!("https://example.org/{}", "a".repeat(WEBHOOK_URL_BYTES_MAX - 20));
        assert_eq!(parsed(&longest).unwrap().len(), WEBHOOK_URL_BYTES_MAX);
    }

    #[test]
    fn what_a_receiver_keeps_secret_is_not_shown_by_accident() {
        let url: WebhookUrl = "https://example.org:8443/T0/secret?key=secret".parse().unwrap();
        assert_eq!(format!("{url:?}"), "WebhookUrl(https://example.org:8443/…)");
    }
}
