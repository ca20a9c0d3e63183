//! From the program's start to its first answers, against sled's own opening
//! of the same database; and how much memory that and serving takes.

use std::time::{Duration, Instant};

use zhengming::store::sled::SledOptions;

use crate::fill::{Filled, empty, filled, number};
use crate::program::Serving;
use crate::table::{Bar, Row, median};
use crate::{Size, client, wrk};

const RATIO_MAX: f64 = 1.5;
const IDLE_MIB_MAX: f64 = 32.0;
const MILLION_MIB_MAX: f64 = 512.0;
const TEN_MILLION_MIB_MAX: f64 = 2_048.0;

pub fn measure(size: &Size) -> Vec<Row> {
    let mut rows = vec![idle()];
    let million = size.corrections(&[1_000_000]).into_iter().map(|count| (count, MILLION_MIB_MAX));
    let ten_million = size.ten_million().map(|count| (count, TEN_MILLION_MIB_MAX));
    for (corrections, mib_max) in million.chain(ten_million) {
        rows.extend(with(size, corrections, mib_max));
    }
    rows
}

fn idle() -> Row {
    let made = empty();
    let serving = made.program.serve(None);
    Row::alone("memory of an empty service", "MiB", serving.memory_mib().0, Bar::AtMost(IDLE_MIB_MAX))
}

fn with(size: &Size, corrections: u64, mib_max: f64) -> [Row; 2] {
    let filled = filled(corrections);
    let (mut starts, mut mib) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let began = Instant::now();
        let db = sled::Config::new().path(filled.folder.path().join("data/db")).flush_every_ms(None);
        let db = db.cache_capacity(SledOptions::new("", "").cache_bytes).open().expect("nobody has it open");
        let opened = began.elapsed();
        drop(db);
        let began = Instant::now();
        let serving = filled.program.serve(None);
        answers(&serving, &filled, corrections);
        starts.push((began.elapsed().as_secs_f64(), opened.as_secs_f64()));
        mib.push(worked(size, &serving, &filled, corrections));
        serving.end();
    }
    [
        Row::beside(
            format!("start with {corrections} corrections, to the first answers"),
            "s",
            &starts,
            "sled's own opening",
            Bar::AtMost(RATIO_MAX),
        ),
        Row::alone(
            "  most memory, with 10 s of look-ups and pages",
            "MiB",
            median(mib),
            Bar::AtMost(mib_max),
        ),
    ]
}

/// A page of the feed, and a look-up.
pub fn answers(serving: &Serving, filled: &Filled, corrections: u64) {
    let last = format!("/feed/v1/corrections?after={}&limit=1", corrections - 1);
    let one = format!("/feed/v1/corrections/{}", number(corrections / 2));
    for path in [last, one] {
        let answer = client::get(serving.address, &path, &filled.provider);
        assert!(answer.contains("\r\n\r\n{\"seq\":"), "{answer}");
    }
}

/// The most memory after some work.
fn worked(size: &Size, serving: &Serving, filled: &Filled, corrections: u64) -> f64 {
    let lasts = if size.is_bench { Duration::from_secs(5) } else { Duration::from_secs(1) };
    for kind in ["point", "page"] {
        wrk::run_lookups(serving, &filled.provider, kind, corrections, 1, lasts);
    }
    serving.memory_mib().1
}
