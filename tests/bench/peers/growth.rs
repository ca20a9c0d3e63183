//! What a filing and a page cost when there is more of everything.

use tokio::runtime::Runtime;

use crate::Size;
use crate::filing;
use crate::fill::{filled, folder};
use crate::script::Script;
use crate::table::{Bar, Row, median};
use crate::wrk::{self, costing};

const RATIO_MAX: f64 = 1.5;
const FILINGS: usize = 5_000;

/// Processor time for each, in µs.
struct Costs {
    corrections: u64,
    filing: Vec<f64>,
    page: Vec<f64>,
}

pub fn measure(size: &Size) -> Vec<Row> {
    let runtime = Runtime::new().expect("a runtime");
    let played = folder();
    let script = runtime.block_on(Script::record(if size.is_bench { FILINGS } else { 200 }, played.path()));
    let counts = size.corrections(&[10_000, 1_000_000]).into_iter().chain(size.ten_million());
    let mut costs: Vec<Costs> =
        counts.map(|corrections| Costs { corrections, filing: Vec::new(), page: Vec::new() }).collect();
    for round in 0..size.rounds {
        for cost in &mut costs {
            let there = filled(cost.corrections);
            let serving = there.program.serve(None);
            let run =
                || wrk::run_lookups(&serving, &there.provider, "page", cost.corrections, round, size.lasts);
            cost.page.push(costing(|| serving.cpu(), run).us_each());
            serving.end();
            cost.filing
                .push(filing::over_http(&runtime, &script, &there.folder.path().join("data"), false).cpu_us);
        }
    }
    rows(&costs)
}

fn rows(costs: &[Costs]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, of) in [
        ("processor for a filing", (|cost| &cost.filing) as fn(&Costs) -> &Vec<f64>),
        ("processor for a page of 100, anywhere in the log", |cost| &cost.page),
    ] {
        let (least, more) = costs.split_first().expect("there is one at least");
        rows.push(Row::alone(
            format!("{what}, {} corrections", least.corrections),
            "µs",
            median(of(least).clone()),
            Bar::Shown,
        ));
        rows.extend(more.iter().map(|cost| {
            let rounds: Vec<_> = of(cost).iter().copied().zip(of(least).iter().copied()).collect();
            let what = format!("  with {}", cost.corrections);
            Row::beside(what, "µs", &rounds, "the least", Bar::AtMost(RATIO_MAX))
        }));
    }
    rows
}
