//! What a country costs: sizes and rates that are measured here, multiplied by
//! how many there are.
//!
//! ```text
//! cargo bench --bench model [-- --rows N --numbers N --releases N --providers N --poll-s N]
//! ```
//!
//! Starts a PostgreSQL server of its own, takes a provider's labels and an
//! operator's lines of `--rows` numbers as uploads are taken, publishes what
//! comes of them, and asks the database and the files how large they are.
//! Prints two tables, what was measured and what follows, kept as
//! `target/bench/model.txt`.
//!
//! Absent: networks and other machines. A round trip to the database is one on
//! loopback here.
#![allow(clippy::print_stdout)]

#[path = "../it/support/dice.rs"]
mod dice;
mod house;
#[path = "model/measure.rs"]
mod measure;
#[path = "../it/support/postgres.rs"]
#[allow(clippy::unwrap_used)]
mod postgres;
#[allow(dead_code, reason = "another benchmark asks it for more")]
mod snapshot;
#[path = "model/snapshots.rs"]
mod snapshots;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::Parser;
use measure::Measured;
use tokio::runtime::Runtime;

const DAY_S: f64 = 86_400.0;
const YEAR_DAYS: f64 = 365.0;
const HASH_BYTES: f64 = 32.0;

#[derive(Debug, Parser)]
struct Args {
    /// Numbers whose labels and lines are really taken.
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Corrections in the snapshot that is really made.
    #[arg(long, default_value_t = 1_000_000)]
    corrections: usize,
    /// Numbers that are in use.
    #[arg(long, default_value_t = 1_800_000_000)]
    numbers: u64,
    /// Of them, how many change hands in a day, with a correction each.
    #[arg(long, default_value_t = 500_000)]
    releases: u64,
    #[arg(long, default_value_t = 100)]
    providers: u64,
    /// How often each of them asks what is new.
    #[arg(long, default_value_t = 10)]
    poll_s: u64,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let mut args = Args::parse();
    if !args.bench {
        (args.rows, args.corrections) = (600, 20_000);
    }
    let per_poll = (args.releases * args.poll_s / 86_400).max(1);
    let runtime = Runtime::new().expect("a runtime");
    let measured = runtime.block_on(measure::measure(args.rows, per_poll));
    let year = args.releases * YEAR_DAYS as u64;
    let snapshot_bytes = snapshots::bytes_of(year, args.corrections);
    let report = sizes(&args, &measured) + &follows(&args, &measured, snapshot_bytes);
    print!("{report}");
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("model.txt"), report).expect("the build's folder is ours");
    }
}

/// What was measured.
fn sizes(args: &Args, m: &Measured) -> String {
    let mut text = format!("measured with {} numbers, PostgreSQL on the same machine\n\n", args.rows);
    let mut line = |what: &str, much: String| {
        let _ = writeln!(text, "{what:<66}{much:>14}");
    };
    line("an entry of the log, bytes", format!("{:.0}", m.leaf_bytes));
    line("  as a line of corrections", format!("{:.0}", m.line_bytes));
    line("  in a full bundle, zstd", format!("{:.0}", m.zstd_bytes));
    line("  on an instance's disk (hashes, bundles in two codings)", format!("{:.0}", m.files_bytes));
    for (table, bytes) in &m.tables {
        line(&format!("  in PostgreSQL, {table} with its indexes"), format!("{bytes:.0}"));
    }
    line("a label in PostgreSQL with its indexes, bytes", format!("{:.0}", m.label_bytes));
    line("labels taken in a second", format!("{:.0}", m.labels_per_s));
    line(
        "operators' lines taken in a second, a correction for every second",
        format!("{:.0}", m.lines_per_s),
    );
    line("small commits in a second, one after the other", format!("{:.0}", m.commits_alone_per_s));
    line("small commits in a second, sixteen at once", format!("{:.0}", m.commits_per_s));
    line("answering a poll with news, ms", format!("{:.2}", m.poll_ms));
    text
}

/// What that is for all.
fn follows(args: &Args, m: &Measured, snapshot_bytes: f64) -> String {
    let (releases, providers) = (args.releases as f64, args.providers as f64);
    let numbers = args.numbers as f64;
    let polls_per_s = providers / args.poll_s as f64;
    let day_lines = releases * m.line_bytes;
    let mut text = format!(
        "\n{} numbers, {} releases a day, {} providers asking every {} s\n\n",
        args.numbers, args.releases, args.providers, args.poll_s
    );
    let mut line = |what: &str, much: String| {
        let _ = writeln!(text, "{what:<66}{much:>14}");
    };
    line("corrections a second", format!("{:.1}", releases / DAY_S));
    line("polls a second", format!("{polls_per_s:.1}"));
    line("  of one processor, at most", format!("{:.1} %", polls_per_s * m.poll_ms / 10.0));
    line("  new corrections in each", format!("{:.0}", releases * args.poll_s as f64 / DAY_S));
    line("a provider's day, lines", size(day_lines));
    line("a provider's day, bundles in zstd and hash tiles", size(releases * (m.zstd_bytes + HASH_BYTES)));
    line("all providers' day, lines", size(providers * day_lines));
    line("  on average, Mbit/s", format!("{:.1}", mbit_per_s(providers * day_lines)));
    let year = releases * YEAR_DAYS;
    line("a year's corrections, million", format!("{:.1}", year / 1e6));
    for (table, bytes) in &m.tables {
        line(&format!("  in PostgreSQL, {table}"), size(year * bytes));
    }
    line("  in PostgreSQL together", size(year * m.tables.iter().map(|(_, bytes)| bytes).sum::<f64>()));
    line("  on each instance's disk", size(year * m.files_bytes));
    line("  as .zms, if all are of different numbers", size(snapshot_bytes));
    line(
        "  all providers take that once a day, on average, Mbit/s",
        format!("{:.0}", mbit_per_s(providers * snapshot_bytes)),
    );
    line("labels in PostgreSQL, one for each fifth number", size(numbers / 5.0 * m.label_bytes));
    line("operators' lines in PostgreSQL, two for each number", size(numbers * m.tables[0].1));
    line("  taking them all, days", format!("{:.0}", 2.0 * numbers / m.lines_per_s / DAY_S));
    line("taking a day's lines, of the day", format!("{:.1} %", 200.0 * releases / m.lines_per_s / DAY_S));
    text
}

/// On average, of what goes out in a day.
fn mbit_per_s(day_bytes: f64) -> f64 {
    day_bytes * 8.0 / DAY_S / 1e6
}

fn size(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e12 => format!("{:.2} TB", bytes / 1e12),
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}
