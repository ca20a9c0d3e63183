//! What is counted, in Prometheus's terms. Each room counts its own and
//! registers it with the registry of its service: there is none for the process,
//! so that services in one process count apart.
//!
//! Absent: what is counted (the rooms'), how it is shown (`http::admin`).

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

pub use prometheus_client::registry::Registry;

/// Names and values. A value that is not our own word is bounded by what the
/// owner configured: operators, providers, gateways. Never a number, a token, a
/// key or a path.
pub type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

pub type Counters<const N: usize> = Family<Labels<N>, Counter>;
/// One without labels (`N` = 0) can be absent, where nothing is known.
pub type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
pub type Reals<const N: usize> = Family<Labels<N>, Gauge<f64, AtomicU64>>;
pub type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// A label with one of our own words.
pub fn is(name: &'static str, value: &'static str) -> (&'static str, Cow<'static, str>) {
    (name, Cow::Borrowed(value))
}

/// A label with a name that the owner configured.
pub fn named(name: &'static str, value: &str) -> (&'static str, Cow<'static, str>) {
    (name, Cow::Owned(value.to_owned()))
}

/// Shows one of several states as 1 and the others as 0, as is usual.
pub fn set_state<const N: usize>(
    gauges: &Gauges<N>,
    labels: impl Fn(&'static str) -> Labels<N>,
    states: &[&'static str],
    now: &str,
) {
    for state in states {
        gauges.get_or_create(&labels(state)).set(i64::from(*state == now));
    }
}
