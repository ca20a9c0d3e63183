//! How many filings a second become durable: put straight into the store, and
//! sent over HTTP. The service is to keep at least half of what its store can.
//!
//! ```text
//! cargo bench --bench filing [-- --rounds N --filings N]
//! ```
//!
//! Prints a table, kept as `target/bench/filing.txt`. Both kinds take turns on
//! the same processors, so that a busy machine slows both.
#![allow(clippy::print_stdout)]

mod client;
mod cpu;
mod house;
mod script;

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use script::Script;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zhengming::env::clock::SystemClock;
use zhengming::env::entropy::{OsEntropy, uuid_v7};
use zhengming::feed::Feed;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::snapshot::Snapshots;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::{Elapsed, Limits, LimitsConfig};
use zhengming::http::pages::PageSettings;
use zhengming::http::service::{self, Service};
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{Changeset, Store};

const CALLERS: usize = 64;
/// Of the service's rate, to the store's.
const RATIO_MIN: f64 = 0.5;

#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = 10_000)]
    filings: usize,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One round of one kind.
#[derive(Debug)]
struct Round {
    rate: f64,
    /// Of store and service, for each filing; without the client's.
    cpu_us: f64,
    over_http: Option<OverHttp>,
}

#[derive(Debug)]
struct OverHttp {
    client_cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn main() {
    let mut args = Args::parse();
    if !args.bench {
        (args.rounds, args.filings) = (1, 200);
    }
    let folder = folder();
    log_to(&folder.path().join("log"));
    let runtime = Runtime::new().expect("a runtime");
    let script = runtime.block_on(Script::record(args.filings, folder.path()));
    let mut rounds = Vec::new();
    for _ in 0..args.rounds.max(1) {
        rounds.push((store_alone(&runtime, &script), over_http(&runtime, &script)));
    }
    let report = report(&args, &rounds);
    print!("{report}");
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("filing.txt"), report).expect("the build's folder is ours");
    }
}

/// Next to the build, for folders of the system may lie in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours")
}

/// Requests are logged as they are in service: a line each, to a file.
fn log_to(path: &Path) {
    let file = Mutex::new(File::create(path).expect("the folder is ours"));
    let lines = tracing_subscriber::fmt().with_env_filter("info").with_ansi(false).with_writer(file);
    tracing::subscriber::set_global_default(lines.finish()).expect("it is the first");
}

/// A new store in which every holder has proved control.
fn prepared_store(runtime: &Runtime, script: &Script, dir: &Path) -> Arc<dyn Store> {
    let options = SledOptions::new(dir.join("db"), dir.join("high-water-mark"));
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options).expect("a new store"));
    runtime.block_on(commit_all(&store, script.preparations.clone()));
    store
}

async fn commit_all(store: &Arc<dyn Store>, changesets: Vec<Changeset>) {
    let changesets = Arc::new(Mutex::new(changesets.into_iter()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, changesets) = (store.clone(), changesets.clone());
        callers.spawn(async move {
            let next = || changesets.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(changeset) = next() {
                store.commit(changeset).await.expect("each changeset is committed once");
            }
        });
    }
    callers.join_all().await;
}

fn store_alone(runtime: &Runtime, script: &Script) -> Round {
    let folder = folder();
    let store = prepared_store(runtime, script, folder.path());
    let changesets = script.filings.clone();
    let count = changesets.len();
    let (began, cpu_before) = (Instant::now(), cpu::of_this_process());
    runtime.block_on(commit_all(&store, changesets));
    let (took, cpu) = (began.elapsed(), cpu::of_this_process() - cpu_before);
    runtime.block_on(assert_filed(&store, count));
    Round { rate: rate(count, took), cpu_us: micros_each(cpu, count), over_http: None }
}

fn over_http(runtime: &Runtime, script: &Script) -> Round {
    let folder = folder();
    let store = prepared_store(runtime, script, folder.path());
    let count = script.requests.len();
    let stop = CancellationToken::new();
    let (listener, server) = runtime.block_on(async {
        let signer = NoteSigner::new("localhost/feed", &[9; 32]).expect("the name is fine");
        let feed = Feed::open(store.clone(), folder.path(), signer).await.expect("the feed of a new store");
        let snapshots = Snapshots::of(&feed, &folder.path().join("snapshots"), 0).await;
        let snapshots = snapshots.expect("a new folder");
        let limits = Limits::new(&no_limits(), &Elapsed::monotonic());
        let casework = house::casework(store.clone(), folder.path());
        let routes = service::routes(&Arc::new(Service {
            casework,
            feed,
            snapshots,
            limits,
            pages: PageSettings { secure: false },
        }));
        let ids = Arc::new(|| uuid_v7(&SystemClock, &OsEntropy));
        let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes);
        (TcpListener::bind("127.0.0.1:0").await.expect("a free port"), server)
    });
    let address = listener.local_addr().expect("it is bound");
    let serving = runtime.spawn(server.serve(listener, stop.clone()));
    let requests = script.requests.clone();
    let cpu_before = cpu::of_this_process();
    let sent = client::send_all(address, CALLERS, requests).join().expect("every answer is 201");
    let sent = sent.expect("the connections hold");
    let cpu = (cpu::of_this_process() - cpu_before).saturating_sub(sent.cpu);
    stop.cancel();
    runtime.block_on(async {
        serving.await.expect("the server ends well");
        assert_filed(&store, count).await;
    });
    let percentile = |percent: usize| sent.latencies[(count - 1) * percent / 100].as_secs_f64() * 1e3;
    Round {
        rate: rate(count, sent.took),
        cpu_us: micros_each(cpu, count),
        over_http: Some(OverHttp {
            client_cpu_us: micros_each(sent.cpu, count),
            p50_ms: percentile(50),
            p99_ms: percentile(99),
        }),
    }
}

/// The rates that are kept in memory are off: all clients share an address.
fn no_limits() -> LimitsConfig {
    LimitsConfig { requests_per_address_per_second: 0, ..LimitsConfig::default() }
}

/// Both kinds did the same: an audit line for each filing, and no more.
async fn assert_filed(store: &Arc<dyn Store>, count: usize) {
    let last = store.audit(count as u64 - 1, 2).await.expect("the store is well");
    assert_eq!(last.len(), 1, "every filing is in the store, once");
    assert_eq!(last[0].draft.action, "filed");
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn micros_each(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / count as f64
}

fn report(args: &Args, rounds: &[(Round, Round)]) -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!(
        "filings/s, {} rounds of {} filings each, {processors} processors shared by client and server\n\
         store: {CALLERS} tasks commit the changesets of filings, each answered once durable\n\
         http:  {CALLERS} keep-alive connections POST /v1/disputes, each answered 201 once durable; includes\n\
         \x20      the client (one thread), a log line for each request, quotas; rates by address are off;\n\
         \x20      the worker that checks what was filed is not running\n\
         cpu:   µs of processor for each filing, store and service together\n\n\
         round     store  cpu      http  cpu  client cpu  p50 ms  p99 ms  http/store\n",
        rounds.len(),
        args.filings
    );
    let ratio = |(store, http): &(Round, Round)| http.rate / store.rate;
    for (nth, (store, http)) in rounds.iter().enumerate() {
        let Some(over) = &http.over_http else { continue };
        let (rate, cpu, ratio) = (http.rate, http.cpu_us, ratio(&rounds[nth]));
        let OverHttp { client_cpu_us, p50_ms, p99_ms } = over;
        let _ = writeln!(
            text,
            "{:>5} {:>9.0} {:>4.0} {rate:>9.0} {cpu:>4.0} {client_cpu_us:>11.0} {p50_ms:>7.1} {p99_ms:>7.1} {ratio:>11.2}",
            nth + 1,
            store.rate,
            store.cpu_us,
        );
    }
    let store = median(rounds.iter().map(|(store, _)| store.rate));
    let http = median(rounds.iter().map(|(_, http)| http.rate));
    let ratio = median(rounds.iter().map(ratio));
    let verdict = match (args.bench, ratio >= RATIO_MIN) {
        (true, true) => "held",
        (true, false) => "MISSED",
        (false, _) => "not judged in a trial",
    };
    let _ = writeln!(
        text,
        "\nmedians: store {store:.0}, http {http:.0}, http/store {ratio:.2} (at least {RATIO_MIN}: {verdict})"
    );
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
