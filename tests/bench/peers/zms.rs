//! The compact snapshot: how many bits it takes beside what information theory
//! asks for, and how fast it is read.
//!
//! The bound is the sum of log2 C(U, n) for the set of numbers, U being how many
//! mobile numbers the numbering plan has; the empirical entropy (order 0) of
//! `void_before`, of `name_until`, and of what else there is taken together; and
//! 8 bits for each byte of a name. The strict bound takes names at the entropy
//! of their bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use zhengming::domain::number::Number;
use zhengming::feed::zms::{Decoder, Encoder, Header, Record, Statistics, ZmsError};

use crate::Size;
use crate::dice::Dice;
use crate::snapshot::{Bound, Corrections, draw, mobiles};
use crate::table::{Bar, Row, median};

/// Of what is measured, to the strict bound.
const RATIO_MAX: f64 = 1.03;
const MEMORY_MIB_MAX: f64 = 64.0;
const DECODED_PER_S_MIN: f64 = 20e6;
/// So many are made at a time, outside of what is measured.
const CHUNK: usize = 8_192;
const LOOKUPS: usize = 2_000;

pub fn measure(size: &Size) -> Vec<Row> {
    let counts = if size.is_bench { vec![1_000_000, 10_000_000] } else { vec![20_000] };
    counts.into_iter().flat_map(|records| rows(size, records)).collect()
}

fn rows(size: &Size, records: usize) -> Vec<Row> {
    let measured: Vec<Measured> = (0..size.rounds).map(|_| once(records)).collect();
    let rate = |of: fn(&Measured) -> Duration| {
        median(measured.iter().map(|m| m.records as f64 / of(m).as_secs_f64() / 1e6))
    };
    let Some(first) = measured.first() else { return Vec::new() };
    let each = |bits: f64| bits / first.records as f64;
    let bits = each(first.bytes as f64 * 8.0);
    let of_bound = |bound: f64, other: &str, bar| {
        Row::beside(format!(".zms of {records}, for each"), "bits", &[(bits, each(bound))], other, bar)
    };
    vec![
        of_bound(first.bound.strict_bits(), "information, names at their entropy", Bar::AtMost(RATIO_MAX)),
        of_bound(first.bound.bits(), "information, names at 8 bits", Bar::Shown),
        Row::alone(
            "  decoded on one processor, million",
            "1/s",
            rate(|m| m.decoded),
            Bar::AtLeast(DECODED_PER_S_MIN / 1e6),
        ),
        Row::alone("  encoded, two passes, million", "1/s", rate(|m| m.observed + m.encoded), Bar::Shown),
        Row::alone(
            "  one number looked up",
            "µs",
            median(measured.iter().map(|m| m.lookup.as_secs_f64() * 1e6)),
            Bar::Shown,
        ),
        Row::alone(
            "  memory of the encoder",
            "MiB",
            median(measured.iter().map(|m| m.encoder_mib)),
            Bar::AtMost(MEMORY_MIB_MAX),
        ),
    ]
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

fn once(records: usize) -> Measured {
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
