//! Making a snapshot: how soon its compact form is there, against reading the
//! log out of the store and no more; and what those who file meanwhile notice.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use zhengming::env::clock::{Clock, SystemClock};
use zhengming::feed::Feed;
use zhengming::feed::note::NoteSigner;
use zhengming::feed::snapshot::{Rhythm, Snapshots};
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{LOG_ENTRIES_MAX, Store};

use crate::fill::{filled, folder};
use crate::script::Script;
use crate::table::{Bar, Row, median};
use crate::{Size, filing, log_file};

const CORRECTIONS: u64 = 1_000_000;
const SCAN_RATIO_MAX: f64 = 2.0;
const P99_RATIO_MAX: f64 = 1.5;
const FILINGS: usize = 10_000;
/// What the product says when the compact form is there.
const SAID: &str = "compact form of a snapshot made";

pub fn measure(size: &Size) -> Vec<Row> {
    let runtime = Runtime::new().expect("a runtime");
    let counts = size.corrections(&[CORRECTIONS]).into_iter().chain(size.ten_million());
    let mut rows: Vec<Row> = counts.flat_map(|corrections| made(&runtime, size, corrections)).collect();
    rows.push(filings(&runtime, size));
    rows
}

fn made(runtime: &Runtime, size: &Size, corrections: u64) -> [Row; 2] {
    let (mut compact, mut all) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let there = filled(corrections);
        let data = there.folder.path().join("data");
        let (scan, zms, whole) = runtime.block_on(once(&data));
        compact.push((zms.as_secs_f64(), scan.as_secs_f64()));
        all.push(whole.as_secs_f64());
    }
    let what = format!(".zms of {corrections} corrections made");
    [
        Row::beside(what, "s", &compact, "reading the log", Bar::AtMost(SCAN_RATIO_MAX)),
        Row::alone("  and all other forms, at the lowest priority", "s", median(all), Bar::Shown),
    ]
}

/// Of the log out of the store; to the compact form; to the whole snapshot.
async fn once(data: &Path) -> (Duration, Duration, Duration) {
    let options = SledOptions::new(data.join("db"), data.join("high-water-mark"));
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options).expect("it is whole"));
    let size = *store.log_size().borrow();
    let (began, mut at) = (Instant::now(), 0);
    while at < size {
        at += store.log(at, LOG_ENTRIES_MAX).await.expect("it is whole").len() as u64;
    }
    let scan = began.elapsed();
    let signer = NoteSigner::new("localhost/feed", &[9; 32]).expect("the name is fine");
    let feed = Feed::open(store, &data.join("log"), signer).await.expect("it is whole");
    let snapshots = folder();
    let snapshots = Snapshots::of(&feed, snapshots.path(), 0).await.expect("a new folder");
    let rhythm = Rhythm { snapshot_interval_s: 86_400, keep_entries_days: 180 };
    let (began, now) = (Instant::now(), SystemClock.now());
    let made = snapshots.look(&feed, &rhythm, now, &CancellationToken::new()).await;
    assert!(made.expect("the disk has room"), "the first one is due");
    (scan, said_at().duration_since(now).unsigned_abs(), began.elapsed())
}

/// When it was said last.
fn said_at() -> Timestamp {
    let log = fs::read_to_string(log_file()).expect("it is ours");
    let line = log.lines().rfind(|line| line.contains(SAID)).expect("it was said");
    line.split_whitespace().next().and_then(|at| at.parse().ok()).expect("a line begins with its time")
}

fn filings(runtime: &Runtime, size: &Size) -> Row {
    let played = folder();
    let count = if size.is_bench { FILINGS } else { 200 };
    let script = runtime.block_on(Script::record(count, played.path()));
    let corrections = size.corrections(&[CORRECTIONS])[0];
    let mut rounds = Vec::new();
    for _ in 0..size.rounds {
        let [with, without] = [true, false].map(|makes_snapshot| {
            let there = filled(corrections);
            let data = there.folder.path().join("data");
            fs::remove_dir_all(data.join("snapshots")).expect("there is one");
            filing::over_http(runtime, &script, &data, makes_snapshot).p99_ms
        });
        rounds.push((with, without));
    }
    let what = "99 % of filings are answered within, a snapshot being made";
    Row::beside(what, "ms", &rounds, "none being made", Bar::AtMost(P99_RATIO_MAX))
}
