//! What it costs, beside what a team would build instead and beside the parts
//! that it is made of. Everything is a ratio of what took turns in one run.
//!
//! ```text
//! tests/bench/install && cargo bench --bench peers [-- LINE… --rounds N --seconds N]
//! ```
//!
//! Prints a table, kept as `target/bench/peers.txt`. Client and server share
//! the processors, but where one of them is bound to one.
#![allow(clippy::print_stdout)]

mod client;
mod copy;
mod cores;
#[path = "../cpu.rs"]
mod cpu;
mod databases;
#[path = "../../it/support/dice.rs"]
mod dice;
mod download;
mod feed;
mod filing;
#[path = "../fill.rs"]
mod fill;
mod growth;
#[path = "../holders.rs"]
mod holders;
#[path = "../house.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod house;
mod latency;
mod lookups;
mod mirror;
mod nginx;
#[path = "../../it/support/postgres.rs"]
#[allow(clippy::unwrap_used)]
mod postgres;
#[path = "../program.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod program;
#[path = "../script.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod script;
#[path = "../snapshot.rs"]
mod snapshot;
mod start;
#[path = "../table.rs"]
mod table;
mod taking;
mod tenures;
#[path = "../wire.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod wire;
mod wrk;
mod zms;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use table::{Bar, Row};

/// The program's own, for those of its parts that are measured in this process.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Where servers run that are bound to one processor, and where their clients.
const SERVERS_PROCESSOR: usize = 0;
const CLIENTS_PROCESSOR: usize = 1;

#[derive(Debug, Parser)]
struct Args {
    /// Which; all of them where none is named.
    lines: Vec<Line>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each turn lasts that can last as long as one likes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Also show what ten million corrections cost. They take an hour to make.
    #[arg(long)]
    ten_million: bool,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Line {
    Filing,
    Feed,
    Download,
    Lookups,
    Tenures,
    Snapshot,
    Zms,
    Mirror,
    Start,
    Growth,
    Latency,
    Cores,
    Databases,
}

/// How much is measured.
#[derive(Debug)]
struct Size {
    rounds: usize,
    lasts: Duration,
    has_ten_million: bool,
    is_bench: bool,
}

impl Size {
    /// So many of them are there; few in a trial.
    fn corrections(&self, counts: &[u64]) -> Vec<u64> {
        if self.is_bench { counts.to_vec() } else { vec![2_000] }
    }

    /// What is shown where there is time for it.
    fn ten_million(&self) -> Option<u64> {
        self.has_ten_million.then_some(10_000_000)
    }
}

fn main() {
    let args = Args::parse();
    let size = if args.bench {
        Size {
            rounds: args.rounds.max(1),
            lasts: Duration::from_secs(args.seconds),
            has_ten_million: args.ten_million,
            is_bench: true,
        }
    } else {
        Size { rounds: 1, lasts: Duration::from_secs(1), has_ten_million: false, is_bench: false }
    };
    log_to(&log_file());
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    fs::create_dir_all(&dir).expect("the build's folder is ours");
    let mut rows = Vec::new();
    for line in Line::value_variants() {
        if args.lines.is_empty() || args.lines.contains(line) {
            rows.extend(line.measure(&size));
            // What was measured is kept should a later one fail.
            if args.bench {
                fs::write(dir.join("peers.txt"), table::table(&rows)).expect("the build's folder is ours");
            }
        }
    }
    if !args.bench {
        // A trial has too little of everything to be judged.
        rows.iter_mut().for_each(|row| row.bar = Bar::Shown);
    }
    print!("{}", table::table(&rows));
}

/// Next to the build: what our own parts say in this process.
fn log_file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers.log")
}

/// Requests are logged as they are in service: a line each, to a file.
fn log_to(path: &Path) {
    let file = Mutex::new(File::create(path).expect("the build's folder is ours"));
    let lines = tracing_subscriber::fmt().with_env_filter("info").with_ansi(false).with_writer(file);
    tracing::subscriber::set_global_default(lines.finish()).expect("it is the first");
}

impl Line {
    fn measure(self, size: &Size) -> Vec<Row> {
        match self {
            Self::Filing => filing::measure(size),
            Self::Feed => feed::measure(size),
            Self::Download => download::measure(size),
            Self::Lookups => lookups::measure(size),
            Self::Tenures => tenures::measure(size),
            Self::Snapshot => taking::measure(size),
            Self::Zms => zms::measure(size),
            Self::Mirror => mirror::measure(size),
            Self::Start => start::measure(size),
            Self::Growth => growth::measure(size),
            Self::Latency => latency::measure(size),
            Self::Cores => cores::measure(size),
            Self::Databases => databases::measure(size),
        }
    }
}
