//! The program under load: an hour of a national service in ten minutes, ten
//! times as much as it can do, and what times tell who guesses.
//!
//! ```text
//! cargo bench --bench load [-- soak overload guesses --seconds N]
//! ```
//!
//! Prints tables, kept as `target/bench/load.txt`. The program runs as it does
//! in service; all its clients are threads of this process.
#![allow(clippy::print_stdout)]

#[path = "../cpu.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod cpu;
#[path = "../../it/support/dice.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod dice;
#[path = "../fill.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod fill;
mod guesses;
#[path = "../holders.rs"]
mod holders;
#[path = "../house.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod house;
mod latencies;
mod overload;
#[path = "../program.rs"]
mod program;
#[path = "../script.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod script;
mod soak;
#[path = "../table.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod table;
#[path = "../wire.rs"]
mod wire;

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// The program's own, so that clients cost what they would with it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SOAK_S: u64 = 600;
const OVERLOAD_S: u64 = 30;

#[derive(Debug, Parser)]
struct Args {
    /// Which; all where none is named.
    parts: Vec<Part>,
    /// How long each lasts that lasts for a time; by default ten minutes, and
    /// half of one.
    #[arg(long)]
    seconds: Option<u64>,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Soak,
    Overload,
    Guesses,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    lasts: Duration,
    is_bench: bool,
}

fn main() {
    let args = Args::parse();
    let mut text = String::new();
    for part in Part::value_variants() {
        if !args.parts.is_empty() && !args.parts.contains(part) {
            continue;
        }
        let (bench_s, trial_s) = match part {
            Part::Soak => (SOAK_S, 4),
            Part::Overload => (OVERLOAD_S, 1),
            // As long as its samples take.
            Part::Guesses => (1, 1),
        };
        let seconds = args.seconds.unwrap_or(if args.bench { bench_s } else { trial_s });
        let size = Size { lasts: Duration::from_secs(seconds.max(1)), is_bench: args.bench };
        let said = match part {
            Part::Soak => soak::measure(&size),
            Part::Overload => overload::measure(&size),
            Part::Guesses => guesses::measure(&size),
        };
        println!("{said}");
        text = format!("{text}{said}\n");
    }
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("load.txt"), text).expect("the build's folder is ours");
    }
}
