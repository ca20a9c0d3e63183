//! When to look whether a provider that serves a correction really shows it:
//! a while after it said so, and once more when caches have run out.

use jiff::{SignedDuration, Timestamp};

use crate::domain::day::later;
use crate::domain::policy::{PROBE_FIRST_DAYS, PROBE_LAST_DAYS, PROBES_END_DAYS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    Wait(Timestamp),
    /// And then, where it is not the last time, once more.
    Ask {
        then: Option<Timestamp>,
    },
    Over,
}

/// What there is to do now about a correction of `decided_at`, at a provider
/// that serves it since `served_at`. It needs to know nothing of the probes
/// before: the first one is due until the last one is.
pub fn probe(decided_at: Timestamp, served_at: Option<Timestamp>, now: Timestamp) -> Probe {
    if days_after(decided_at, PROBES_END_DAYS) <= now {
        return Probe::Over;
    }
    let Some(served_at) = served_at else {
        return Probe::Wait(days_after(now, PROBE_FIRST_DAYS));
    };
    let (first, last) = (days_after(served_at, PROBE_FIRST_DAYS), days_after(served_at, PROBE_LAST_DAYS));
    if now < first {
        Probe::Wait(first)
    } else if now < last {
        Probe::Ask { then: Some(last) }
    } else {
        Probe::Ask { then: None }
    }
}

/// When to look for the first time, at the earliest.
pub fn first_probe(decided_at: Timestamp) -> Timestamp {
    days_after(decided_at, PROBE_FIRST_DAYS)
}

fn days_after(at: Timestamp, days: i64) -> Timestamp {
    later(at, SignedDuration::from_hours(24 * days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::at;

    #[test]
    fn a_week_and_a_month_after_it_serves() {
        let decided = at("2026-01-01T00:00:00Z");
        let wait = |text: &str| Probe::Wait(at(text));
        let last = Probe::Ask { then: None };
        for (served, now, expected) in [
            (None, "2026-01-08T00:00:00Z", wait("2026-01-15T00:00:00Z")),
            (Some("2026-01-02T03:00:00Z"), "2026-01-08T00:00:00Z", wait("2026-01-09T03:00:00Z")),
            (
                Some("2026-01-02T03:00:00Z"),
                "2026-01-09T03:00:00Z",
                Probe::Ask { then: Some(at("2026-02-01T03:00:00Z")) },
            ),
            (Some("2026-01-02T03:00:00Z"), "2026-02-01T03:00:00Z", last),
            // Nobody looked in time: once is enough.
            (Some("2026-01-02T03:00:00Z"), "2026-05-01T00:00:00Z", last),
            (Some("2026-06-25T00:00:00Z"), "2026-06-29T23:59:59Z", wait("2026-07-02T00:00:00Z")),
            (None, "2026-06-29T23:59:59Z", wait("2026-07-06T23:59:59Z")),
            (None, "2026-06-30T00:00:00Z", Probe::Over),
            (Some("2026-01-02T03:00:00Z"), "2026-06-30T00:00:00Z", Probe::Over),
        ] {
            assert_eq!(probe(decided, served.map(at), at(now)), expected, "{served:?} {now}");
        }
    }
}
