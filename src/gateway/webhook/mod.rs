//! Webhooks: one POST to an address that a provider named. It is a stranger's
//! text, so by default nothing but the public internet is called: the address
//! is looked at that is really connected to, and redirects are not followed.
//!
//! Absent: what is said and how it is signed, trying again.

mod address;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};
use url::Host;

use crate::casework::ports::{Delivery, Unavailable, WebhookMessage, Webhooks};
use crate::gateway::exchange::{self, alarm, later};

pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct WebhookPost {
    to_private_addresses: bool,
    timeout: Duration,
    /// Made when it is needed: a machine without certificates serves all the
    /// same.
    client: OnceLock<Client>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not a public one")]
struct NotPublic;

impl WebhookPost {
    pub fn new(to_private_addresses: bool, timeout: Duration) -> Self {
        Self { to_private_addresses, timeout, client: OnceLock::new() }
    }

    async fn send(&self, message: &WebhookMessage) -> Result<Response, Unavailable> {
        let url = Url::parse(message.url.as_str()).map_err(|_| alarm("the URL is none"))?;
        self.check_literal(&url).map_err(|error| later(error.to_string()))?;
        let request = self
            .client()?
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", &message.signature)
            .body(message.body.clone());
        request.send().await.map_err(|error| exchange::broken(&error))
    }

    /// An address in the place of a name is never resolved.
    fn check_literal(&self, url: &Url) -> Result<(), NotPublic> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.to_private_addresses || address::is_public(address) { Ok(()) } else { Err(NotPublic) }
    }

    fn client(&self) -> Result<&Client, Unavailable> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let resolver = Resolver { to_private_addresses: self.to_private_addresses };
        let built = exchange::builder().dns_resolver(Arc::new(resolver)).build();
        let client = built.map_err(|error| alarm(format!("no HTTP client: {}", exchange::chain(&error))))?;
        Ok(self.client.get_or_init(|| client))
    }
}

#[async_trait]
impl Webhooks for WebhookPost {
    async fn post(&self, message: &WebhookMessage) -> Delivery {
        let answer = match tokio::time::timeout(self.timeout, self.send(message)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => return Delivery::Failed(why),
            Err(_) => {
                return Delivery::Failed(later(format!("no answer within {} ms", self.timeout.as_millis())));
            }
        };
        // Whatever it says beside its status is left unread.
        match answer.status() {
            status if status.is_success() => Delivery::Delivered,
            StatusCode::GONE => Delivery::Gone,
            status => Delivery::Failed(Unavailable {
                retry_after_s: exchange::retry_after_s(&answer),
                ..later(format!("answered {}", status.as_u16()))
            }),
        }
    }
}

/// What a name resolves to is what is connected to: no second look-up, which
/// could say something else, comes between.
struct Resolver {
    to_private_addresses: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let to_private_addresses = self.to_private_addresses;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found = if to_private_addresses { found.collect() } else { public(found)? };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The public ones of the addresses behind a name.
fn public(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let public: Vec<SocketAddr> = found.filter(|found| address::is_public(found.ip())).collect();
    if public.is_empty() { Err(NotPublic) } else { Ok(public) }
}
