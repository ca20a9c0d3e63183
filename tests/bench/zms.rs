//! How small and how fast the compact snapshot is: bits for each record,
//! against what information theory asks for.
//!
//! ```text
//! cargo bench --bench zms [-- --records N]
//! ```
//!
//! Prints a table, kept as `target/bench/zms.txt`. The bound is the sum of
//! log2 C(U, n) for the set of numbers, U being how many mobile numbers the
//! numbering plan has; the empirical entropy (order 0) of `void_before`, of
//! `name_until`, and of what else there is taken together; and 8 bits for each
//! byte of a name. The strict bound takes names at the entropy of their bytes.
#![allow(clippy::print_stdout)]

#[path = "../it/support/dice.rs"]
mod dice;
mod snapshot;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser;
use dice::Dice;
use snapshot::{Bound, Corrections, draw, mobiles};
use zhengming::domain::number::Number;
use zhengming::feed::zms::{Decoder, Encoder, Header, Record, Statistics, ZmsError};

/// Of what is measured, to the strict bound.
const RATIO_MAX: f64 = 1.03;
const MEMORY_MIB_MAX: f64 = 64.0;
/// So many are made at a time, outside of what is measured.
const CHUNK: usize = 8_192;
const LOOKUPS: usize = 2_000;

#[derive(Debug, Parser)]
struct Args {
    #[arg(long)]
    records: Option<usize>,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Measured {
    records: usize,
    bytes: u64,
    bound: Bound,
    observed: Duration,
    encoded: Duration,
    decoded: Duration,
    lookup: Duration,
    encoder_mib: f64,
}

fn main() {
    let args = Args::parse();
    let counts = match (args.records, args.bench) {
        (Some(records), _) => vec![records],
        (None, true) => vec![1_000_000, 10_000_000],
        (None, false) => vec![20_000],
    };
    let measured: Vec<Measured> = counts.into_iter().map(measure).collect();
    let report = report(&measured);
    print!("{report}");
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("zms.txt"), report).expect("the build's folder is ours");
    }
}

fn measure(records: usize) -> Measured {
    let mobiles = mobiles();
    let numbers = draw(&mobiles, records);
    let mut bound = Bound::default();
    Corrections::of(&numbers).for_each(|record| bound.count(&record));
    bound.choose(mobiles.count(), records as u64);

    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours");
    let memory_before = peak_mib_from_here();
    let (observed, encoded) = encode(&numbers, &file);
    let encoder_mib = peak_mib() - memory_before;
    let decoded = decode(&numbers, &mut file);
    let lookup = look_up(&numbers, &mut file);
    let bytes = file.metadata().expect("it is open").len();
    Measured { records, bytes, bound, observed, encoded, decoded, lookup, encoder_mib }
}

/// Both passes.
fn encode(numbers: &[Number], file: &File) -> (Duration, Duration) {
    let mut statistics = Statistics::default();
    let observed = in_chunks(numbers, |record| statistics.observe(record));
    let header =
        Header { origin: "zhengming.example/feed".into(), size: numbers.len() as u64, root: [0; 32] };
    let began = Instant::now();
    let mut encoder = Encoder::new(BufWriter::new(file), &header, &statistics).expect("the file takes it");
    let opened = began.elapsed();
    let pushed = in_chunks(numbers, |record| encoder.push(record));
    let began = Instant::now();
    encoder.finish().expect("all were pushed").flush().expect("the disk has room");
    (observed, opened + pushed + began.elapsed())
}

/// The time that `each` takes for all records, without making them.
fn in_chunks(numbers: &[Number], mut each: impl FnMut(&Record) -> Result<(), ZmsError>) -> Duration {
    let mut took = Duration::ZERO;
    let mut corrections = Corrections::of(numbers);
    loop {
        let chunk: Vec<Record> = corrections.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return took;
        }
        let began = Instant::now();
        chunk.iter().try_for_each(&mut each).expect("each can be encoded");
        took += began.elapsed();
    }
}

/// Everything, each record compared with what it was.
fn decode(numbers: &[Number], file: &mut File) -> Duration {
    let began = Instant::now();
    let mut decoder = Decoder::open(file).expect("it is whole");
    let mut took = began.elapsed();
    let mut records = decoder.records();
    let mut corrections = Corrections::of(numbers);
    loop {
        let began = Instant::now();
        let chunk: Result<Vec<Record>, _> = records.by_ref().take(CHUNK).collect();
        took += began.elapsed();
        let chunk = chunk.expect("it is whole");
        assert!(chunk.iter().cloned().eq(corrections.by_ref().take(CHUNK)), "what went in comes out");
        if chunk.is_empty() {
            return took;
        }
    }
}

/// For one number, by the open file.
fn look_up(numbers: &[Number], file: &mut File) -> Duration {
    let mut dice = Dice::new(3);
    let mut decoder = Decoder::open(file).expect("it is whole");
    let began = Instant::now();
    for _ in 0..LOOKUPS {
        let number = numbers[dice.roll(numbers.len() as u64) as usize];
        assert!(decoder.find(number).expect("it is whole").is_some_and(|record| record.number == number));
    }
    began.elapsed() / LOOKUPS as u32
}

/// Forgets the peak so far, and gives what there is now.
fn peak_mib_from_here() -> f64 {
    fs::write("/proc/self/clear_refs", "5").expect("this is Linux");
    peak_mib()
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
    peak.trim().trim_end_matches(" kB").parse::<f64>().expect("it is a number") / 1_024.0
}

fn report(measured: &[Measured]) -> String {
    let mut text = String::from(
        "the compact snapshot, bits for each record; the strict bound takes names at the entropy of their bytes,\n\
         the other at 8 bits for each byte; million records/s on one processor; memory: growth of the process\n\n\
         \x20  records      bytes   bits  bound  ratio  strict  ratio  observe  encode  decode  lookup µs  encoder MiB\n",
    );
    for m in measured {
        let each = |bits: f64| bits / m.records as f64;
        let bits = each(m.bytes as f64 * 8.0);
        let (bound, strict) = (each(m.bound.bits()), each(m.bound.strict_bits()));
        let rate = |took: Duration| m.records as f64 / took.as_secs_f64() / 1e6;
        let _ = writeln!(
            text,
            "{:>10} {:>10} {bits:>6.3} {bound:>6.3} {:>6.4} {strict:>7.3} {:>6.4} {:>8.1} {:>7.1} {:>7.1} {:>10.1} {:>12.1}",
            m.records,
            m.bytes,
            bits / bound,
            bits / strict,
            rate(m.observed),
            rate(m.encoded),
            rate(m.decoded),
            m.lookup.as_secs_f64() * 1e6,
            m.encoder_mib,
        );
    }
    let worst = measured.iter().filter(|m| m.records >= 1_000_000);
    let worst = worst.map(|m| m.bytes as f64 * 8.0 / m.bound.strict_bits()).fold(0.0, f64::max);
    let memory = measured.iter().map(|m| m.encoder_mib).fold(0.0, f64::max);
    let verdict = match (worst > 0.0, worst <= RATIO_MAX && memory <= MEMORY_MIB_MAX) {
        (true, true) => "held",
        (true, false) => "MISSED",
        (false, _) => "not judged in a trial",
    };
    let _ = writeln!(
        text,
        "\nat most {RATIO_MAX} of the strict bound, from a million records on, and {MEMORY_MIB_MAX} MiB: {verdict}"
    );
    text
}
