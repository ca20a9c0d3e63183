//! How fast a mirror takes entries from a server on this machine, verified,
//! into SQLite, against SQLite alone with the same rows; and what a few new
//! entries cost on top of many.
//!
//! Server and mirror share the processors of one process.

mod log;
mod served;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use served::Served;
use tokio::runtime::Runtime;
use zhengming::domain::progress::Stage;
use zhengming::feed::merkle::{Frontier, leaf_hash};
use zhengming::feed::mirror::{self, Format, HttpSource, Mirror, Options, Phase};

use crate::Size;
use crate::fill::folder;
use crate::table::{Bar, Row, median};

const ENTRIES: u64 = 1_000_000;
const SQLITE_RATIO_MIN: f64 = 0.5;
/// New entries on top of each base, and how often that is repeated.
const NEW: u64 = 1_000;
const REPEATS: usize = 25;
/// Catch-up time on a base, to that on the smallest.
const BASES_RATIO_MAX: f64 = 1.5;

pub fn measure(size: &Size) -> Vec<Row> {
    let entries = if size.is_bench { ENTRIES } else { 2_000 };
    let runtime = Runtime::new().expect("a runtime");
    let mut rounds = Vec::new();
    let mut shares = Vec::new();
    for _ in 0..size.rounds {
        let (took, shared) = runtime.block_on(from_nothing(entries));
        let rate = |took: Duration| entries as f64 / took.as_secs_f64();
        rounds.push((rate(took), rate(sqlite_alone(entries))));
        shares.push(shared);
    }
    let mut rows = vec![Row::beside(
        "mirror from nothing, entries verified into SQLite",
        "1/s",
        &rounds,
        "SQLite, one transaction",
        Bar::AtLeast(SQLITE_RATIO_MIN),
    )];
    for (place, what) in PARTS.iter().enumerate() {
        let share = median(shares.iter().map(|shares| shares[place]));
        rows.push(Row::alone(format!("  {what}"), "%", share, Bar::Shown));
    }
    let bases = size.corrections(&[10_000, 1_000_000]).into_iter().chain(size.ten_million());
    rows.extend(runtime.block_on(catching_up(&bases.collect::<Vec<_>>())));
    rows
}

/// Notes when each phase last moved.
#[derive(Debug, Default)]
struct Watch(Mutex<Option<Instant>>);

impl mirror::Progress for Watch {
    fn at(&self, phase: Phase, _: u64, _: u64) {
        if phase == Phase::Fetching {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

fn a_mirror(served: &Served, dir: &Path, watch: Arc<Watch>) -> Mirror {
    let source = HttpSource::new(&served.base, Some(&served.key)).expect("a loopback address");
    let options = Options {
        verifier: served.verifier(),
        dir: dir.to_owned(),
        format: Format::Sqlite,
        stage: Stage::Serving,
        step_entries_max: Options::STEP_ENTRIES_MAX,
    };
    Mirror::new(Arc::new(source), options, watch).expect("a new folder")
}

/// What a mirror's time goes to.
const PARTS: [&str; 4] = [
    "hashing",
    "network, with decompression and the server's part",
    "parsing and checking each entry",
    "SQLite",
];

/// How long it took, and each part's share in percent.
async fn from_nothing(entries: u64) -> (Duration, [f64; 4]) {
    let folder = folder();
    let served = Served::start(folder.path()).await;
    served.grow_to(entries).await;
    let watch = Arc::new(Watch::default());
    let mirror = a_mirror(&served, &folder.path().join("out"), watch.clone());
    let began = Instant::now();
    let round = mirror.catch_up().await.expect("the log is whole");
    let took = began.elapsed();
    assert_eq!((round.size, round.new, round.is_acknowledged), (entries, entries, true));
    let fetched = watch.0.lock().unwrap_or_else(PoisonError::into_inner).expect("entries were fetched");
    let fetching = fetched.duration_since(began);
    let (hashing, parsing) = (hashing(entries), parsing(entries));
    let parts = [hashing, fetching.saturating_sub(hashing), parsing, took.saturating_sub(fetching + parsing)];
    (took, parts.map(|part| 100.0 * part.as_secs_f64() / took.as_secs_f64()))
}

/// The same rows in the order of the log, in a table of the same form; durable
/// at its end, as a mirror's is.
fn sqlite_alone(entries: u64) -> Duration {
    let folder = folder();
    let mut took = Duration::ZERO;
    let mut began = Instant::now();
    let mut file = Connection::open(folder.path().join("rows.sqlite")).expect("a new file");
    let table = "CREATE TABLE corrections (number INTEGER PRIMARY KEY, void_before TEXT, name_action TEXT, \
                 name TEXT, name_until TEXT, reason TEXT, assurance TEXT, at TEXT, seq INTEGER)";
    file.execute_batch(table).expect("a new table");
    let transaction = file.transaction().expect("nobody else has it");
    let mut insert = transaction
        .prepare("INSERT OR REPLACE INTO corrections VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        .expect("it is well-formed");
    for first in (0..entries).step_by(10_000) {
        took += began.elapsed();
        let rows: Vec<_> = (first..entries.min(first + 10_000)).map(text_of).collect();
        began = Instant::now();
        for (seq, [number, void_before, name_action, reason, assurance, at]) in (first..).zip(&rows) {
            let row = params![
                number,
                void_before,
                name_action,
                None::<&str>,
                None::<&str>,
                reason,
                assurance,
                at,
                seq as i64
            ];
            insert.execute(row).expect("the disk has room");
        }
    }
    drop(insert);
    transaction.commit().expect("the disk has room");
    took + began.elapsed()
}

/// An entry's columns as text, which is not measured.
fn text_of(seq: u64) -> [String; 6] {
    let entry: serde_json::Value = serde_json::from_slice(&log::leaf(seq)).expect("entries are JSON");
    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let number = text("number").trim_start_matches('+').to_owned();
    [number, text("void_before"), text("name_action"), text("reason"), text("assurance"), text("at")]
}

/// The same work alone, which the mirror does while bundles arrive.
fn hashing(entries: u64) -> Duration {
    timed(entries, |leaves, tree: &mut Frontier| leaves.iter().for_each(|leaf| tree.push(leaf_hash(leaf))))
}

/// The same work alone, which the mirror does between two rows.
fn parsing(entries: u64) -> Duration {
    let mut seq = 0;
    timed(entries, |leaves, (): &mut ()| {
        for leaf in leaves {
            mirror::strict(seq, leaf).expect("entries are as they should be");
            seq += 1;
        }
    })
}

fn timed<T: Default>(entries: u64, mut work: impl FnMut(&[Vec<u8>], &mut T)) -> Duration {
    let (mut state, mut took) = (T::default(), Duration::ZERO);
    for first in (0..entries).step_by(10_000) {
        let leaves: Vec<_> = (first..entries.min(first + 10_000)).map(log::leaf).collect();
        let began = Instant::now();
        work(&leaves, &mut state);
        took += began.elapsed();
    }
    took
}

/// How long a few new entries take on top of a base.
struct CatchingUp {
    base: u64,
    /// In a mirror that runs.
    following: Vec<Duration>,
    /// What it then does before it waits for more.
    settling: Vec<Duration>,
    /// By `zhengming mirror --once`, from its start to the acknowledgement.
    once: Vec<Duration>,
    /// And to its end.
    once_settled: Vec<Duration>,
}

/// The bases take turns, so that a busy machine slows all of them.
async fn catching_up(bases: &[u64]) -> Vec<Row> {
    let mut mirrored = Vec::new();
    for &base in bases {
        let folder = folder();
        let served = Served::start(folder.path()).await;
        served.grow_to(base).await;
        let mirror = a_mirror(&served, &folder.path().join("out"), Arc::default());
        mirror.catch_up().await.expect("the log is whole");
        let [following, settling, once, once_settled] = [const { Vec::new() }; 4];
        let times = CatchingUp { base, following, settling, once, once_settled };
        mirrored.push((times, served, mirror, folder));
    }
    for _ in 0..REPEATS {
        for (times, served, mirror, _) in &mut mirrored {
            served.grow_to(served.size() + NEW).await;
            let began = Instant::now();
            let round = mirror.catch_up().await.expect("the log is whole");
            times.following.push(began.elapsed());
            let began = Instant::now();
            mirror.settle().await.expect("nobody reads");
            times.settling.push(began.elapsed());
            assert_eq!(round.new, NEW);
        }
    }
    // A mirror holds its folder.
    let mut mirrored: Vec<_> =
        mirrored.into_iter().map(|(times, served, _, folder)| (times, served, folder)).collect();
    for _ in 0..REPEATS {
        for (times, served, folder) in &mut mirrored {
            served.grow_to(served.size() + NEW).await;
            let command = served.command(&folder.path().join("out"));
            let (acked, ended) = tokio::task::spawn_blocking(|| run(command)).await.expect("no panic");
            times.once.push(acked);
            times.once_settled.push(ended);
        }
    }
    told(&mirrored.into_iter().map(|(times, ..)| times).collect::<Vec<_>>())
}

/// How long until it said that all is acknowledged, and until it ended.
fn run(mut command: Command) -> (Duration, Duration) {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program is there");
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut said).expect("UTF-8");
    let acked = began.elapsed();
    assert!(child.wait().expect("it is ours").success());
    assert!(said.contains(&format!("{NEW} of them new, acknowledged")), "{said}");
    (acked, began.elapsed())
}

fn told(measured: &[CatchingUp]) -> Vec<Row> {
    let ms = |times: &[Duration]| times.iter().map(|took| took.as_secs_f64() * 1e3).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for (what, of) in [
        (
            "mirror takes 1,000 new ones, following",
            (|times| &times.following) as fn(&CatchingUp) -> &Vec<Duration>,
        ),
        ("  and brings them into their places then", |times| &times.settling),
        ("mirror takes 1,000 new ones, --once", |times| &times.once),
        ("  to its end", |times| &times.once_settled),
    ] {
        let is_judged = !what.starts_with(' ');
        let (least, more) = measured.split_first().expect("there is one at least");
        let with = |base: u64| format!("{what}, {base} before");
        rows.push(Row::alone(with(least.base), "ms", median(ms(of(least))), Bar::Shown));
        rows.extend(more.iter().map(|times| {
            let rounds: Vec<_> = ms(of(times)).into_iter().zip(ms(of(least))).collect();
            let bar = if is_judged { Bar::AtMost(BASES_RATIO_MAX) } else { Bar::Shown };
            Row::beside(with(times.base), "ms", &rounds, "on the smallest", bar)
        }));
    }
    rows
}
