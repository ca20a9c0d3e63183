//! Operators' lines in bulk, with the corrections that follow, durable; against
//! sled taking the very records that this leaves, and PostgreSQL's COPY of as
//! many rows.
//!
//! And how much memory that takes: as much for many lines as for few.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::fill::{self, empty, folder};
use crate::table::{Bar, Row, median};
use crate::{Size, copy};

const LINES: u64 = 1_000_000;
const RATE_RATIO_MIN: f64 = 0.5;
/// More than the store's cache holds.
const WARM_UP_LINES: u64 = 1_000_000;
const FEW_LINES: u64 = 100_000;
/// Of the most memory: with all lines, to that with few.
const MEMORY_RATIO_MAX: f64 = 1.2;
/// What an upload puts into a commit.
const NUMBERS_PER_COMMIT: usize = 180;

type Pair = (Vec<u8>, Vec<u8>);

pub fn measure(size: &Size) -> Vec<Row> {
    let lines = if size.is_bench { LINES } else { 2_000 };
    let runtime = Runtime::new().expect("a runtime");
    let (mut synced, mut at_end, mut copied, mut mib) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let (ours, peak_mib, pairs) = upload(&runtime, lines);
        let rate = |took: Duration| lines as f64 / took.as_secs_f64();
        let ours = rate(ours);
        synced.push((ours, rate(sled_alone(&pairs, lines, true))));
        at_end.push((ours, rate(sled_alone(&pairs, lines, false))));
        copied.push((ours, rate(runtime.block_on(copy::lines(lines)))));
        mib.push(peak_mib);
    }
    let few = if size.is_bench { FEW_LINES } else { 500 };
    let warm_up = if size.is_bench { WARM_UP_LINES } else { 500 };
    let [few, many] = [few, lines].map(|lines| peak_after(&runtime, warm_up, lines));
    vec![
        Row::beside(
            "tenure lines over HTTP",
            "1/s",
            &synced,
            "sled, batch by batch",
            Bar::AtLeast(RATE_RATIO_MIN),
        ),
        Row::beside("  against one flush at the end", "1/s", &at_end, "sled, apply_batch", Bar::Shown),
        Row::beside("  against rows of the log alone", "1/s", &copied, "PostgreSQL, COPY", Bar::Shown),
        Row::alone("  most memory with them", "MiB", median(mib), Bar::Shown),
        Row::beside(
            "  most memory, the cache filled before",
            "MiB",
            &[(many, few)],
            "a tenth of the lines",
            Bar::AtMost(MEMORY_RATIO_MAX),
        ),
    ]
}

/// How long it took, the most memory, and what is in the database then.
fn upload(runtime: &Runtime, lines: u64) -> (Duration, f64, Vec<Pair>) {
    let made = empty();
    let serving = made.program.serve(None);
    let began = Instant::now();
    let answer = runtime.block_on(fill::push(&serving, &made.operator, 0, lines));
    let took = began.elapsed();
    assert_eq!(
        (&answer["accepted"], &answer["corrections"]),
        (&lines.into(), &(lines / 2).into()),
        "{answer}"
    );
    let (_, peak_mib) = serving.memory_mib();
    serving.end();
    (took, peak_mib, in_turn(&made.folder.path().join("data/db")))
}

/// Everything in a database, about as it came: each kind of key has grown
/// along with the others.
fn in_turn(dir: &Path) -> Vec<Pair> {
    let db = sled::open(dir).expect("the program has ended");
    let mut kinds: BTreeMap<u8, Vec<Pair>> = BTreeMap::new();
    for pair in db.iter() {
        let (key, value) = pair.expect("it is whole");
        kinds.entry(key[0]).or_default().push((key.to_vec(), value.to_vec()));
    }
    let most = kinds.values().map(Vec::len).max().unwrap_or_default().max(1);
    let mut placed: Vec<(f64, Pair)> = Vec::new();
    for pairs in kinds.into_values() {
        let step = most as f64 / pairs.len() as f64;
        placed.extend(pairs.into_iter().enumerate().map(|(nth, pair)| (nth as f64 * step, pair)));
    }
    placed.sort_by(|one, other| one.0.total_cmp(&other.0));
    placed.into_iter().map(|(_, pair)| pair).collect()
}

/// Each batch durable before the next, or all at the end.
fn sled_alone(pairs: &[Pair], lines: u64, syncs_each: bool) -> Duration {
    let folder = folder();
    let began = Instant::now();
    let db = sled::Config::new().path(folder.path()).flush_every_ms(None).open().expect("a new folder");
    let file = File::open(folder.path().join("db")).expect("it is there");
    let sync = || {
        db.flush().expect("the disk has room");
        file.sync_data().expect("the disk has room");
    };
    let per_number = (pairs.len() as f64 / (lines / 2) as f64).ceil() as usize;
    for batch in pairs.chunks(NUMBERS_PER_COMMIT * per_number.max(1)) {
        let mut writes = sled::Batch::default();
        batch.iter().for_each(|(key, value)| writes.insert(key.as_slice(), value.as_slice()));
        db.apply_batch(writes).expect("the disk has room");
        if syncs_each {
            sync();
        }
    }
    sync();
    began.elapsed()
}

fn peak_after(runtime: &Runtime, warm_up: u64, lines: u64) -> f64 {
    let made = empty();
    let serving = made.program.serve(None);
    runtime.block_on(fill::push(&serving, &made.operator, 0, warm_up));
    runtime.block_on(fill::push(&serving, &made.operator, warm_up, lines));
    serving.memory_mib().1
}
