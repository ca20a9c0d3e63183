//! Ten times what the program can do, on one processor, with its clients on
//! the other.

mod flood;
mod probe;

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::runtime::Runtime;

use self::flood::{Flooded, Flow, Requests, flood};
use crate::Size;
use crate::fill::{Filled, filled, folder};
use crate::holders;
use crate::program::SLED;
use crate::script::Script;
use crate::table::{Bar, Row, table};

const SERVERS_PROCESSOR: usize = 0;
const CLIENTS_PROCESSOR: usize = 1;
/// The peak is the better of both.
const PEAK_CONNECTIONS: [usize; 2] = [64, 512];
const PEAK_MAX: Duration = Duration::from_secs(5);
/// More than wait in the store's queue.
const KEPT_CONNECTIONS: usize = 4_000;
/// As many as the program takes at once.
const NEW_CONNECTIONS: usize = 12_000;
const TIMES: f64 = 10.0;

const GOODPUT_MIN: f64 = 0.8;
const RECOVERY_S_MAX: f64 = 5.0;
const FILINGS: usize = 360_000;
const CORRECTIONS: u64 = 10_000;

/// One thing that is asked for too often.
struct Subject {
    what: &'static str,
    made: Filled,
    requests: Requests,
}

pub fn measure(size: &Size) -> String {
    let mut text = format!(
        "The server has processor {SERVERS_PROCESSOR}, all clients {CLIENTS_PROCESSOR}. \
         {TIMES} times the peak arrives for {} s:\n\n",
        size.lasts.as_secs()
    );
    let mut rows = Vec::new();
    for anew in [false, true] {
        rows.extend(overloaded(size, filings(size), anew));
    }
    for anew in [false, true] {
        rows.extend(overloaded(size, pages(size), anew));
    }
    if !size.is_bench {
        // A trial has too little of everything to be judged.
        rows.iter_mut().for_each(|row| row.bar = Bar::Shown);
    }
    let _ = write!(text, "{}", table(&rows));
    text
}

fn filings(size: &Size) -> Subject {
    let (runtime, played) = (Runtime::new().expect("a runtime"), folder());
    let count = if size.is_bench { FILINGS } else { 3_000 };
    let script = runtime.block_on(Script::of_requests(count, played.path()));
    let made = holders::program(&runtime, &script.preparations, SLED);
    Subject { what: "filings", made, requests: Requests::once_each(script.requests) }
}

fn pages(size: &Size) -> Subject {
    let made = filled(if size.is_bench { CORRECTIONS } else { 2_000 });
    let request = format!(
        "GET /feed/v1/corrections?after=500&limit=10 HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {}\r\n\r\n",
        made.provider
    );
    Subject { what: "pages of 10 corrections", made, requests: Requests::again(request.into_bytes()) }
}

fn overloaded(size: &Size, subject: Subject, anew: bool) -> Vec<Row> {
    let Subject { what, made, requests } = subject;
    let serving = made.program.serve(Some(SERVERS_PROCESSOR));
    let (at_peak, requests) = peak(size, serving.address, requests, anew);
    let (before, requests) = probe::median(serving.address, requests);
    let memory_before = serving.memory_mib().0;
    let many = if anew { NEW_CONNECTIONS } else { KEPT_CONNECTIONS };
    let connections = if size.is_bench { many } else { 200 };
    let rate = Some(at_peak.goodput() * TIMES);
    let cpu_before = serving.cpu();
    let flow = Flow { connections, anew, rate, lasts: size.lasts, processor: CLIENTS_PROCESSOR };
    let (over, requests) = flood(serving.address, requests, flow);
    let cpu = serving.cpu() - cpu_before;
    let memory_peak = serving.memory_mib().1;
    let (recovered, requests) = probe::until_recovered(serving.address, requests, before);
    // There is more in the store by now.
    let (peak_after, _) = peak(size, serving.address, requests, anew);
    let what = format!("{what}, {connections} {}", if anew { "new connections" } else { "kept connections" });
    let memory = [memory_before, memory_peak, serving.memory_mib().0];
    rows(&what, [&at_peak, &over, &peak_after], cpu, memory, (before, recovered))
}

/// As many as are answered; the better of two turns.
fn peak(size: &Size, address: SocketAddr, mut requests: Requests, anew: bool) -> (Flooded, Requests) {
    let mut best: Option<Flooded> = None;
    for connections in PEAK_CONNECTIONS {
        let lasts = (size.lasts / 3).min(PEAK_MAX);
        let flow = Flow { connections, anew, rate: None, lasts, processor: CLIENTS_PROCESSOR };
        let (turn, rest) = flood(address, requests, flow);
        requests = rest;
        best = best.into_iter().chain([turn]).max_by(|one, other| one.goodput().total_cmp(&other.goodput()));
    }
    (best.expect("there were two turns"), requests)
}

fn rows(
    what: &str,
    [peak, over, peak_after]: [&Flooded; 3],
    cpu: Duration,
    memory: [f64; 3],
    (before, recovered): (Duration, Option<Duration>),
) -> Vec<Row> {
    let shown = |what: &str, unit, figure| Row::alone(what, unit, figure, Bar::Shown);
    let seconds = over.took.as_secs_f64();
    let goodput = [(over.goodput(), f64::midpoint(peak.goodput(), peak_after.goodput()))];
    let mut rows = vec![
        Row::beside(what, "1/s", &goodput, "the peak, before and after", Bar::AtLeast(GOODPUT_MIN)),
        Row::beside(
            "  the peak afterwards",
            "1/s",
            &[(peak_after.goodput(), peak.goodput())],
            "before",
            Bar::Shown,
        ),
        shown("  offered", "1/s", over.offered as f64 / seconds),
        shown("  no connection free", "1/s", over.unsent as f64 / seconds),
    ];
    rows.extend(
        over.others.iter().map(|(status, count)| {
            shown(&format!("  answered with {status}"), "1/s", *count as f64 / seconds)
        }),
    );
    let within =
        |flooded: &Flooded| flooded.latencies.clone().within_ms([500, 990, 999, 1_000]).unwrap_or_default();
    rows.extend([
        Row::alone("  of these without Retry-After", "", over.without_retry_after as f64, Bar::AtMost(0.0)),
        shown("  connections refused", "", over.refused as f64),
        shown("  connections broken", "", over.broken as f64),
        shown("  not waited for beyond 15 s", "", over.given_up as f64),
        Row::beside(
            "  50 % of what succeeds within",
            "ms",
            &[(within(over)[0], within(peak)[0])],
            "the peak",
            Bar::Shown,
        ),
        Row::beside(
            "  99 % of what succeeds within",
            "ms",
            &[(within(over)[1], within(peak)[1])],
            "the peak",
            Bar::Shown,
        ),
        shown("  memory before", "MiB", memory[0]),
        shown("  memory at most", "MiB", memory[1]),
        shown("  memory afterwards", "MiB", memory[2]),
        shown(
            "  server's processor",
            "%",
            100.0 * cpu.as_secs_f64() / (over.took + over.drained).as_secs_f64(),
        ),
        shown("  client's processor", "%", over.cpu_percent()),
        shown("  client's processor at the peak", "%", peak.cpu_percent()),
        shown("  a single one before", "ms", before.as_secs_f64() * 1e3),
    ]);
    let recovery = recovered.map_or(f64::INFINITY, |after| (over.drained + after).as_secs_f64());
    rows.push(Row::alone(
        "  until a single one takes 1.5 times that",
        "s",
        recovery,
        Bar::AtMost(RECOVERY_S_MAX),
    ));
    rows
}
