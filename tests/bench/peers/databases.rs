//! The same program on PostgreSQL, beside itself on sled. Both are on this
//! machine, and durable.

use std::time::Instant;

use tokio::runtime::Runtime;

use crate::client::Pace;
use crate::feed::Target;
use crate::fill::{self, empty_on, folder};
use crate::postgres::new_database;
use crate::program::SLED;
use crate::script::Script;
use crate::table::{Bar, Row};
use crate::{Size, filing, holders, start, wrk};

const CORRECTIONS: u64 = 10_000;
const FILINGS: usize = 3_000;
const PAGE: &str = "/feed/v1/corrections?after=500&limit=10";

const WHAT: [(&str, &str); 6] = [
    ("tenure lines over HTTP", "1/s"),
    ("page of 10 corrections", "1/s"),
    ("point look-up", "1/s"),
    ("number-recycling/check", "1/s"),
    ("start to the first answers", "s"),
    ("filing, 64 connections", "1/s"),
];

pub fn measure(size: &Size) -> Vec<Row> {
    let runtime = Runtime::new().expect("a runtime");
    let played = folder();
    let script = runtime.block_on(Script::record(if size.is_bench { FILINGS } else { 100 }, played.path()));
    let mut rounds = [const { Vec::new() }; WHAT.len()];
    for round in 0..size.rounds {
        let sled = once(size, &runtime, &script, [SLED, SLED], round);
        let databases = runtime.block_on(async { [new_database().await, new_database().await] });
        let postgres = once(size, &runtime, &script, databases.each_ref().map(String::as_str), round);
        for (nth, rounds) in rounds.iter_mut().enumerate() {
            rounds.push((postgres[nth], sled[nth]));
        }
    }
    let row = |((what, unit), rounds): ((&str, _), &Vec<_>)| {
        Row::beside(format!("{what}, PostgreSQL"), unit, rounds, "sled", Bar::Shown)
    };
    WHAT.into_iter().zip(&rounds).map(row).collect()
}

/// As `WHAT` says. The stores are empty: one for lines, one for filings.
fn once(
    size: &Size,
    runtime: &Runtime,
    script: &Script,
    stores: [&str; 2],
    round: usize,
) -> [f64; WHAT.len()] {
    let corrections = size.corrections(&[CORRECTIONS])[0];
    let made = empty_on(stores[0]);
    let serving = made.program.serve(None);
    let began = Instant::now();
    runtime.block_on(fill::push(&serving, &made.operator, 0, 2 * corrections));
    let lines = (2 * corrections) as f64 / began.elapsed().as_secs_f64();
    runtime.block_on(fill::all_published(&serving, &made.provider, corrections));
    let page = Target::of_ours(&serving, &made.provider, PAGE, None);
    let page = wrk::run(None, size.lasts, &page.url, &page.fields).requests_per_s;
    let [point, check] = ["point", "check"].map(|kind| {
        wrk::run_lookups(&serving, &made.provider, kind, corrections, round, size.lasts).requests_per_s
    });
    serving.end();
    let began = Instant::now();
    let serving = made.program.serve(None);
    start::answers(&serving, &made, corrections);
    let started = began.elapsed().as_secs_f64();
    serving.end();
    let holders = holders::program(runtime, &script.preparations, stores[1]);
    let serving = holders.program.serve(None);
    let filings = filing::send(serving.address, script.requests.clone(), Pace::AsAnswered).rate();
    [lines, page, point, check, started, filings]
}
