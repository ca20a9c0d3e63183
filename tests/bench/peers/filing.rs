//! How many filings a second become durable: sent to us over HTTP, put straight
//! into the store, and sent to the same on FastAPI and PostgreSQL
//! (`filing/app.py`). All take turns on the same processors.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use zhengming::env::clock::{Elapsed, SystemClock};
use zhengming::env::entropy::{OsEntropy, uuid_v7};
use zhengming::env::metrics::Registry;
use zhengming::feed::Feed;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::snapshot::{Rhythm, Snapshots};
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::{Limits, LimitsConfig};
use zhengming::http::meters::RequestMeters;
use zhengming::http::pages::PageSettings;
use zhengming::http::service::{self, Service};
use zhengming::store::Store;

use crate::client::{self, Pace, Sent};
use crate::fill::folder;
use crate::holders::{commit_all, prepared_store};
use crate::program::free_address;
use crate::script::{Script, peers_request};
use crate::table::{Bar, Row, median};
use crate::{Size, cpu, house};

const CALLERS: usize = 64;
const FILINGS: usize = 10_000;
/// The other takes longer for each.
const PEERS_FILINGS: usize = 3_000;
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peers/filing/run.sh");
/// How the other commits.
const EACH: [(&str, &str); 2] = [("WRITERS", "8"), ("TOGETHER_MAX", "1")];
const TOGETHER: [(&str, &str); 2] = [("WRITERS", "1"), ("TOGETHER_MAX", "32")];

/// Of the rate over HTTP to that of the store alone, and to that of the other.
const STORE_RATIO_MIN: f64 = 0.5;
const PEER_RATIO_MIN: f64 = 6.0;

/// One turn of one of them.
#[derive(Debug, Default)]
pub struct Turn {
    rate: f64,
    /// Of store and service, for each filing; without the client's.
    pub cpu_us: f64,
    p50_ms: f64,
    pub p99_ms: f64,
}

pub fn measure(size: &Size) -> Vec<Row> {
    let folder = folder();
    let runtime = Runtime::new().expect("a runtime");
    let filings = if size.is_bench { FILINGS } else { 200 };
    let script = runtime.block_on(Script::record(filings, folder.path()));
    let (mut ours, mut alone, mut each, mut together) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        alone.push(store_alone(&runtime, &script));
        ours.push(over_http(&runtime, &script, self::folder().path(), false));
        each.push(peer(filings.min(PEERS_FILINGS), EACH));
        together.push(peer(filings.min(PEERS_FILINGS), TOGETHER));
    }
    let beside = |what: &str, others: &[Turn], other: &str, bar: Bar| {
        let rounds: Vec<_> = ours.iter().zip(others).map(|(ours, other)| (ours.rate, other.rate)).collect();
        Row::beside(what, "1/s", &rounds, other, bar)
    };
    let of_ours = |what: &str, unit, of: fn(&Turn) -> f64| {
        Row::alone(what, unit, median(ours.iter().map(of)), Bar::Shown)
    };
    let of_each = |what: &str, unit, of: fn(&Turn) -> f64| {
        Row::alone(what, unit, median(each.iter().map(of)), Bar::Shown)
    };
    vec![
        beside("filing, 64 connections", &each, "FastAPI, PostgreSQL", Bar::AtLeast(PEER_RATIO_MIN)),
        beside("  the other commits up to 32 together", &together, "FastAPI, PostgreSQL", Bar::Shown),
        beside("  and the store alone", &alone, "the same changesets", Bar::AtLeast(STORE_RATIO_MIN)),
        of_ours("  processor for one", "µs", |turn| turn.cpu_us),
        of_ours("  half of them are answered within", "ms", |turn| turn.p50_ms),
        of_ours("  99 % are answered within", "ms", |turn| turn.p99_ms),
        of_each("  99 % are answered by the other within", "ms", |turn| turn.p99_ms),
    ]
}

/// The peer in a folder; ended when it is dropped.
struct Peer {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Peer {
    fn start(commits: [(&str, &str); 2]) -> Self {
        let (folder, address) = (folder(), free_address());
        let mut run = Command::new(PEER);
        run.arg(folder.path()).arg(address.port().to_string()).envs(commits).stdout(Stdio::piped());
        let mut child = run.spawn().expect("bash is there");
        let mut said = String::new();
        let said_by = child.stdout.as_mut().expect("it is piped");
        BufReader::new(said_by).read_line(&mut said).expect("it speaks UTF-8");
        assert_eq!(said, "ready\n", "PostgreSQL and Python are installed: see tests/bench/install");
        Self { child, address, _folder: folder }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

fn peer(filings: usize, commits: [(&str, &str); 2]) -> Turn {
    let peer = Peer::start(commits);
    // Statements are prepared and caches filled by the first ones.
    let warm_up = (0..filings / 4).map(|nth| peers_request(filings + nth)).collect();
    send(peer.address, warm_up, Pace::AsAnswered);
    let requests = (0..filings).map(peers_request).collect();
    Turn::of(&send(peer.address, requests, Pace::AsAnswered), Duration::ZERO)
}

impl Turn {
    fn of(sent: &client::Sent, cpu: Duration) -> Self {
        Self {
            rate: sent.rate(),
            cpu_us: micros_each(cpu, sent.latencies.len()),
            p50_ms: sent.within_ms(500),
            p99_ms: sent.within_ms(990),
        }
    }
}

pub fn send(address: SocketAddr, requests: Vec<Vec<u8>>, pace: Pace) -> Sent {
    let sent = client::send_all(address, CALLERS, requests, 201, pace);
    sent.join().expect("every answer is 201").expect("the connections hold")
}

fn store_alone(runtime: &Runtime, script: &Script) -> Turn {
    let folder = folder();
    let store = prepared_store(runtime, &script.preparations, folder.path());
    let changesets = script.filings.clone();
    let count = changesets.len();
    let (began, cpu_before) = (Instant::now(), cpu::of_this_process());
    runtime.block_on(commit_all(&store, changesets));
    let (took, cpu) = (began.elapsed(), cpu::of_this_process() - cpu_before);
    assert_eq!(runtime.block_on(audit_size(&store)), count, "every filing is in the store, once");
    Turn { rate: rate(count, took), cpu_us: micros_each(cpu, count), ..Turn::default() }
}

/// Includes a log line for each request and quotas; rates by address are off, as
/// all come from one. The worker that checks what was filed does not run.
pub fn over_http(runtime: &Runtime, script: &Script, dir: &Path, makes_snapshot: bool) -> Turn {
    let store = prepared_store(runtime, &script.preparations, dir);
    let count = script.requests.len();
    let stop = CancellationToken::new();
    let (listener, server) = runtime.block_on(async {
        let signer = NoteSigner::new("localhost/feed", &[9; 32]).expect("the name is fine");
        let feed =
            Feed::open(store.clone(), &dir.join("log"), signer).await.expect("the feed of a new store");
        let snapshots = Snapshots::of(&feed, &dir.join("snapshots"), 0).await;
        let snapshots = snapshots.expect("a new folder");
        let limits = Limits::new(&no_limits(), &Elapsed::monotonic());
        let casework = house::casework(store.clone(), dir);
        let pages = PageSettings { secure: false };
        let (requests, metrics) = (RequestMeters::default(), Registry::default().into());
        let service = Arc::new(Service { casework, feed, snapshots, limits, pages, requests, metrics });
        let routes = service::routes(&service);
        if makes_snapshot {
            let (rhythm, stop) = (Rhythm { snapshot_interval_s: 1, keep_entries_days: 180 }, stop.clone());
            tokio::spawn(async move {
                service.snapshots.snapshot_until(&service.feed, &SystemClock, &rhythm, &stop).await;
            });
        }
        let ids = Arc::new(|| uuid_v7(&SystemClock, &OsEntropy));
        let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes);
        (TcpListener::bind("127.0.0.1:0").await.expect("a free port"), server)
    });
    let address = listener.local_addr().expect("it is bound");
    let serving = runtime.spawn(server.serve(listener, stop.clone()));
    let requests = script.requests.clone();
    let before = runtime.block_on(audit_size(&store));
    let cpu_before = cpu::of_this_process();
    let sent = send(address, requests, Pace::AsAnswered);
    let cpu = (cpu::of_this_process() - cpu_before).saturating_sub(sent.cpu);
    stop.cancel();
    runtime.block_on(async {
        serving.await.expect("the server ends well");
        assert_eq!(audit_size(&store).await, before + count, "every filing is in the store, once");
    });
    Turn::of(&sent, cpu)
}

/// The rates that are kept in memory are off: all clients share an address.
fn no_limits() -> LimitsConfig {
    LimitsConfig { requests_per_address_per_second: 0, ..LimitsConfig::default() }
}

/// A line for each filing, and none for anything else.
async fn audit_size(store: &Arc<dyn Store>) -> usize {
    store.everything().await.expect("nobody reads it").extent().audit_size as usize
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn micros_each(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / count as f64
}
