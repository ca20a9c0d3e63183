//! The service over a long log, on a socket of this machine.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use zhengming::casework::actors::Owner;
use zhengming::env::clock::{Elapsed, SystemClock};
use zhengming::env::entropy::{OsEntropy, uuid_v7};
use zhengming::env::metrics::Registry;
use zhengming::feed::Feed;
use zhengming::feed::note::{NoteSigner, NoteVerifier};
use zhengming::feed::snapshot::Snapshots;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::{Limits, LimitsConfig};
use zhengming::http::meters::RequestMeters;
use zhengming::http::pages::PageSettings;
use zhengming::http::service::{self, Service};
use zhengming::store::Grant;

use super::log::LongLog;
use crate::house::casework;
use crate::program::keep;

/// Entries that are published at once while the log grows.
const PUBLISH_ENTRIES: u64 = 100_000;

pub struct Served {
    pub base: String,
    /// A provider's.
    pub key: String,
    service: Arc<Service>,
    log: Arc<LongLog>,
    _stop: DropGuard,
}

impl Served {
    pub async fn start(dir: &Path) -> Self {
        let log = Arc::new(LongLog::new(dir));
        let casework = casework(log.clone(), dir);
        let grant = Grant::Provider("tencent".parse().expect("a slug"));
        let issued = casework.issue_key(Owner::at_the_command_line(), grant, "the bench's").await;
        let (_, key) = issued.expect("a key");
        let signer = NoteSigner::new("localhost/feed", &[9; 32]).expect("the name is fine");
        let feed = Feed::open(log.clone(), &dir.join("log"), signer).await.expect("a new log");
        let snapshots = Snapshots::of(&feed, &dir.join("snapshots"), 0).await.expect("a new folder");
        let off = LimitsConfig { requests_per_provider_per_second: 0, ..LimitsConfig::default() };
        let off = LimitsConfig { requests_per_address_per_second: 0, ..off };
        let limits = Limits::new(&off, &Elapsed::monotonic());
        let pages = PageSettings { secure: false };
        let (requests, metrics) = (RequestMeters::default(), Registry::default().into());
        let service = Arc::new(Service { casework, feed, snapshots, limits, pages, requests, metrics });
        let stop = CancellationToken::new();
        let ids = Arc::new(|| uuid_v7(&SystemClock, &OsEntropy));
        let routes = service::routes(&service);
        let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(server.serve(listener, stop.clone()));
        Self { base, key, service, log, _stop: stop.drop_guard() }
    }

    pub fn verifier(&self) -> NoteVerifier {
        self.service.feed.verifier().clone()
    }

    pub fn size(&self) -> u64 {
        self.service.feed.size()
    }

    /// The program itself, once.
    pub fn command(&self, out: &Path) -> Command {
        let key_file = out.with_file_name("provider.key");
        keep(&key_file, &self.key);
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhengming"));
        command.args(["mirror", "--url", &self.base, "--verifier", &self.verifier().to_string(), "--once"]);
        command.arg("--key-file").arg(key_file).arg("--out").arg(out);
        command
    }

    /// Publishes as many entries.
    pub async fn grow_to(&self, size: u64) {
        while self.size() < size {
            self.log.grow_to(size.min(self.size() + PUBLISH_ENTRIES));
            self.service.feed.publish().await.expect("the disk has room");
        }
    }
}
