//! The way into a running service: its admin listener, with a credential made
//! of the secret file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Body, Client, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::casework::owner::{Order, Outcome, owner_credential};
use crate::casework::secret::Secret;
use crate::cli::Failed;
use crate::cli::config::Config;
use crate::cli::house::{World, open_secret};
use crate::env::calls;

/// A listener on this machine answers at once, or is not there.
const KNOCK_MS: u64 = 500;

pub struct Remote {
    client: Client,
    base: String,
    secret: Secret,
    world: World,
}

impl Remote {
    /// The running service, if one listens where the configuration says.
    pub async fn find(config: &Config, world: &World) -> Result<Option<Self>, Failed> {
        let address = reachable(config.admin_listen);
        let knock = timeout(Duration::from_millis(KNOCK_MS), TcpStream::connect(address)).await;
        if !matches!(knock, Ok(Ok(_))) {
            return Ok(None);
        }
        let client = calls::client().no_proxy().build();
        let client = client.map_err(|error| Failed::new("the HTTP client", &error))?;
        let (secret, world) = (open_secret(config, world)?, world.clone());
        Ok(Some(Self { client, base: format!("http://{address}"), secret, world }))
    }

    pub async fn order(&self, order: &Order) -> Result<Outcome, Failed> {
        let body = serde_json::to_vec(order).map_err(|error| Failed::new("the order", &error))?;
        let answer = self.post("/owner/orders", "application/json", body.into()).await?;
        answer.json().await.map_err(|error| Failed::new("the service's answer", &error))
    }

    /// Posts a body and takes a 2xx; a problem document becomes the failure.
    pub async fn post(&self, path: &str, media_type: &str, body: Body) -> Result<Response, Failed> {
        let credential = owner_credential(&self.secret, self.world.clock.now(), path);
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", media_type);
        let answer = request.bearer_auth(credential).body(body).send().await;
        let answer = answer.map_err(|error| Failed::new("the running service", &error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no detail");
        Err(Failed::because(&format!("the running service said {status}: {detail}")))
    }
}

/// An address to listen on every interface is reached on this machine's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
