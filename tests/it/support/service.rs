//! The whole service over the memory store, behind the real accept loop, with
//! a clock that stands still and seeded chance; and a client for it.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zhengming::casework::Settings;
use zhengming::casework::actors::Owner;
use zhengming::domain::correction::Entry;
use zhengming::domain::id::KeyId;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::LimitsConfig;
use zhengming::http::service::{self, App};
use zhengming::http::{admin, service::Routes};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{Changeset, Grant, Store};

pub use super::app::{now, settings, signer};

use super::app::over;
use crate::openapi;

pub struct TestService {
    pub app: App,
    pub store: Arc<MemoryStore>,
    pub address: SocketAddr,
    pub admin_address: SocketAddr,
    pub stop: CancellationToken,
    pub data_dir: TempDir,
    client: Client,
}

/// An answer that has come to its end.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Of a problem.
    pub fn code(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }
}

impl TestService {
    pub async fn start() -> Self {
        Self::with(settings(), &LimitsConfig::default()).await
    }

    pub async fn with(settings: Settings, limits: &LimitsConfig) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        let app = over(store.clone(), data_dir.path(), settings, limits, None).await;
        let stop = CancellationToken::new();
        let address = serve(service::routes(&app), &stop).await;
        let admin_address = serve(admin::routes(&app), &stop).await;
        // One connection for a request: none is left to time out.
        let client = zhengming::env::calls::client()
            .no_proxy()
            .no_gzip()
            .no_zstd()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self { app, store, address, admin_address, stop, data_dir, client }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub fn get(&self, path: &str, key: &str) -> RequestBuilder {
        self.request(Method::GET, path).bearer_auth(key)
    }

    pub async fn ask_admin(&self, path: &str) -> Answered {
        // What is told there is not described in public.
        let response = self.client.get(format!("http://{}{path}", self.admin_address)).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answered { status, headers, body: response.text().await.unwrap() }
    }

    pub async fn provider_key(&self, id: &str) -> String {
        self.issue(Grant::Provider(id.parse().unwrap())).await.1
    }

    pub async fn operator_key(&self, id: &str) -> String {
        self.issue(Grant::Operator(id.parse().unwrap())).await.1
    }

    pub async fn issue(&self, grant: Grant) -> (KeyId, String) {
        self.app.casework.issue_key(Owner::at_the_command_line(), grant, "a test's").await.unwrap()
    }

    /// As if decided and committed.
    pub async fn decide(&self, entry: Entry) {
        let changes = Changeset { entries: vec![entry], ..Changeset::default() };
        self.store.commit(changes).await.unwrap();
    }

    /// The same, and it can be seen.
    pub async fn publish(&self, entry: Entry) {
        self.decide(entry).await;
        self.app.feed.publish().await.unwrap();
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub async fn answered(request: RequestBuilder) -> Answered {
    let (status, headers, bytes) = openapi::exchange(request).await;
    Answered { status, headers, body: String::from_utf8_lossy(&bytes).into_owned() }
}

async fn serve(routes: Routes, stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ids = Arc::new(|| Uuid::from_u128(7));
    let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes);
    tokio::spawn(server.serve(listener, stop.clone()));
    address
}
