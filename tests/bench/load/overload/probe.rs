//! How long a single request takes, with nobody else there, and how soon it is
//! so again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::CLIENTS_PROCESSOR;
use super::flood::{Flow, Requests, flood};

/// For so long one asks, one request after the other.
const LOOK: Duration = Duration::from_millis(250);
const BEFORE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);
const TIMES_MAX: f64 = 1.5;

/// In a quiet moment.
pub fn median(address: SocketAddr, requests: Requests) -> (Duration, Requests) {
    let (first, requests) = look(address, requests, BEFORE);
    (first.expect("it answers"), requests)
}

/// When the first good look began. `None` where that is not soon.
pub fn until_recovered(
    address: SocketAddr,
    mut requests: Requests,
    before: Duration,
) -> (Option<Duration>, Requests) {
    let ended = Instant::now();
    while ended.elapsed() < PATIENCE {
        let after = ended.elapsed();
        let (took, rest) = look(address, requests, LOOK);
        requests = rest;
        if took.is_some_and(|took| took <= before.mul_f64(TIMES_MAX)) {
            return (Some(after), requests);
        }
    }
    (None, requests)
}

/// The median of what succeeded.
fn look(address: SocketAddr, requests: Requests, lasts: Duration) -> (Option<Duration>, Requests) {
    let alone = Flow { connections: 1, anew: false, rate: None, lasts, processor: CLIENTS_PROCESSOR };
    let (mut looked, requests) = flood(address, requests, alone);
    let half = looked.latencies.within_ms([500, 500, 500, 500]);
    (half.map(|[half, ..]| Duration::from_secs_f64(half / 1e3)), requests)
}
