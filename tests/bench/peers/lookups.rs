//! One number at a time, against the cheapest thing that the same server says
//! to who shows the same key: that a page has not changed.

use crate::Size;
use crate::feed::Target;
use crate::fill::{Filled, filled};
use crate::table::{Bar, Row};
use crate::wrk::{self, costing};

const PAGE: &str = "/feed/v1/corrections?after=500&limit=10";
const RATE_MIN: f64 = 0.6;
const CPU_MAX: f64 = 1.5;

pub fn measure(size: &Size) -> Vec<Row> {
    let judged = size.corrections(&[10_000, 1_000_000]).into_iter();
    let judged = judged.map(|corrections| (corrections, Bar::AtLeast(RATE_MIN), Bar::AtMost(CPU_MAX)));
    let shown = size.ten_million().map(|corrections| (corrections, Bar::Shown, Bar::Shown));
    judged.chain(shown).flat_map(|(corrections, rate, cpu)| at(size, corrections, rate, cpu)).collect()
}

fn at(size: &Size, corrections: u64, rate: Bar, cpu: Bar) -> Vec<Row> {
    let Filled { folder: _folder, program, provider, .. } = filled(corrections);
    let serving = program.serve(None);
    let unchanged = Target::of_ours(&serving, &provider, PAGE, None).known();
    let kinds = [("point", "point look-up"), ("check", "number-recycling/check")];
    let mut rounds = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 0..size.rounds {
        let cpu = || serving.cpu();
        let known = costing(cpu, || wrk::run(None, size.lasts, &unchanged.url, &unchanged.fields));
        for ((kind, _), (rates, cpu_us)) in kinds.iter().zip(&mut rounds) {
            let run = || wrk::run_lookups(&serving, &provider, kind, corrections, round, size.lasts);
            let ours = costing(cpu, run);
            rates.push((ours.run.requests_per_s, known.run.requests_per_s));
            cpu_us.push((ours.us_each(), known.us_each()));
        }
    }
    let rows = kinds.iter().zip(&rounds).flat_map(|((_, what), (rates, cpu_us))| {
        [
            Row::beside(format!("{what}, {corrections} numbers"), "1/s", rates, "304, same server", rate),
            Row::beside("  processor for one", "µs", cpu_us, "304, same server", cpu),
        ]
    });
    rows.collect()
}
