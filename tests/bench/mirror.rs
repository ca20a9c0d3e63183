//! How fast a mirror takes entries from a server on this machine, verified,
//! into SQLite; and what a few new entries cost on top of many.
//!
//! ```text
//! cargo bench --bench mirror [-- --entries N --bases N,N,...]
//! ```
//!
//! Prints two tables, kept as `target/bench/mirror.txt`. Server and mirror
//! share the processors of one process.
#![allow(clippy::print_stdout)]

mod house;
#[path = "mirror/log.rs"]
mod log;
#[path = "mirror/served.rs"]
mod served;

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use served::Served;
use tokio::runtime::Runtime;
use zhengming::domain::progress::Stage;
use zhengming::feed::merkle::{Frontier, leaf_hash};
use zhengming::feed::mirror::{self, Format, HttpSource, Mirror, Options, Phase};

/// New entries on top of each base, and how often that is repeated.
const NEW: u64 = 1_000;
const REPEATS: usize = 25;
/// Catch-up time on the slowest base, to that on the fastest.
const RATIO_MAX: f64 = 1.5;

#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000, 10_000_000])]
    bases: Vec<u64>,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let mut args = Args::parse();
    if !args.bench {
        (args.entries, args.bases) = (2_000, vec![300, 3_000]);
    }
    let runtime = Runtime::new().expect("a runtime");
    let mut report = runtime.block_on(from_nothing(args.entries));
    report.push_str(&runtime.block_on(catching_up(&args.bases)));
    print!("{report}");
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("mirror.txt"), report).expect("the build's folder is ours");
    }
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

async fn from_nothing(entries: u64) -> String {
    let folder = served::folder();
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
    let share = |part: Duration| 100.0 * part.as_secs_f64() / took.as_secs_f64();
    let mut text = format!(
        "a mirror takes {entries} entries, verified, into SQLite: {:.0} entries/s, {:.1} s\n\n",
        entries as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
    for (what, part) in [
        ("hashing", hashing),
        ("network, with decompression and the server's part", fetching.saturating_sub(hashing)),
        ("parsing and checking each entry", parsing),
        ("SQLite", took.saturating_sub(fetching + parsing)),
    ] {
        let _ = writeln!(text, "  {:>5.1} %  {what}", share(part));
    }
    text
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
async fn catching_up(bases: &[u64]) -> String {
    let mut mirrored = Vec::new();
    for &base in bases {
        let folder = served::folder();
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
    told(mirrored.into_iter().map(|(times, ..)| times).collect())
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

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn told(measured: Vec<CatchingUp>) -> String {
    let mut text = format!("\n{NEW} new entries on top of so many, ms, medians of {REPEATS}\n\n");
    let _ = writeln!(text, "        base  following  then settling    once  to its end");
    let (mut all_following, mut all_once) = (Vec::new(), Vec::new());
    for CatchingUp { base, following, settling, once, once_settled } in measured {
        let [following, settling, once, end] = [following, settling, once, once_settled].map(median);
        let _ = writeln!(text, "{base:>12} {following:>10.1} {settling:>14.1} {once:>7.1} {end:>11.1}");
        all_following.push(following);
        all_once.push(once);
    }
    for (what, all) in [("following", all_following), ("once", all_once)] {
        let (least, most) =
            all.iter().fold((f64::MAX, 0.0), |(least, most), ms| (ms.min(least), ms.max(most)));
        let ratio = most / least;
        let verdict = if ratio <= RATIO_MAX { "within" } else { "beyond" };
        let _ =
            writeln!(text, "{what}: the slowest base to the fastest is {ratio:.2}, {verdict} {RATIO_MAX}");
    }
    text
}
