//! How long an answer takes when the program has half of the work that it can
//! do: as many connections, and requests that come whether the ones before are
//! answered or not.

use tokio::runtime::Runtime;

use crate::client::{self, Pace, Sent};
use crate::fill::{filled, folder, number};
use crate::program::SLED;
use crate::script::Script;
use crate::table::{Bar, Row, median};
use crate::{Size, filing, holders};

const CORRECTIONS: u64 = 10_000;
const CONNECTIONS: usize = 64;
const FILINGS: usize = 10_000;
const READS: usize = 50_000;

/// What is asked for, and where it is for the one or other of many.
type Read = (&'static str, fn(u64) -> String);

pub fn measure(size: &Size) -> Vec<Row> {
    let mut rows = rows("filing", &filings(size));
    let corrections = size.corrections(&[CORRECTIONS])[0];
    let there = filled(corrections);
    let serving = there.program.serve(None);
    let reads: [Read; 3] = [
        ("checkpoint", |_| "/feed/v1/checkpoint".to_owned()),
        ("page of 10 corrections", |nth| format!("/feed/v1/corrections?limit=10&after={nth}")),
        ("look-up of a number", |nth| format!("/feed/v1/corrections/{}", number(nth))),
    ];
    for (what, path) in reads {
        let requests: Vec<_> = (0..if size.is_bench { READS } else { 500 })
            .map(|nth| client::request(&path(nth as u64 * 7_919 % corrections), &there.provider).into_bytes())
            .collect();
        let send = |pace| {
            let sent = client::send_all(serving.address, CONNECTIONS, requests.clone(), 200, pace);
            sent.join().expect("every answer is 200").expect("the connections hold")
        };
        rows.extend(self::rows(what, &rounds(size, send)));
    }
    rows
}

/// The peak, and what half of it is answered in.
fn rounds(size: &Size, send: impl Fn(Pace) -> Sent) -> Vec<(f64, Sent)> {
    let round = |_| {
        let peak = send(Pace::AsAnswered).rate();
        (peak, send(Pace::PerSecond(peak / 2.0)))
    };
    (0..size.rounds).map(round).collect()
}

fn filings(size: &Size) -> Vec<(f64, Sent)> {
    let (runtime, played) = (Runtime::new().expect("a runtime"), folder());
    let count = if size.is_bench { FILINGS } else { 200 };
    let script = runtime.block_on(Script::record(count, played.path()));
    let send = |pace| {
        let made = holders::program(&runtime, &script.preparations, SLED);
        let serving = made.program.serve(None);
        filing::send(serving.address, script.requests.clone(), pace)
    };
    rounds(size, send)
}

fn rows(what: &str, rounds: &[(f64, Sent)]) -> Vec<Row> {
    let peak = Row::alone(
        format!("{what}, at most"),
        "1/s",
        median(rounds.iter().map(|(peak, _)| *peak)),
        Bar::Shown,
    );
    let within = [("50 %", 500), ("99 %", 990), ("99.9 %", 999)].map(|(share, of_thousand)| {
        let ms = median(rounds.iter().map(|(_, sent)| sent.within_ms(of_thousand)));
        Row::alone(format!("  {share} of half as many are answered within"), "ms", ms, Bar::Shown)
    });
    [peak].into_iter().chain(within).collect()
}
