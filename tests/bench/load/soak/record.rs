//! What was answered, route by route.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::time::Duration;

use crate::latencies::Latencies;

#[derive(Debug, Default)]
pub struct Record(RefCell<BTreeMap<&'static str, Route>>);

#[derive(Debug, Default)]
struct Route {
    latencies: Latencies,
    /// Those that are none of the wanted ones.
    errors: BTreeMap<u16, u64>,
    /// Connections that ended instead of an answer.
    broken: u64,
    /// The first that went wrong, to be looked at.
    first: Option<String>,
}

impl Record {
    pub fn answered(&self, route: &'static str, took: Duration, status: u16, body: &[u8]) {
        let mut routes = self.0.borrow_mut();
        let route = routes.entry(route).or_default();
        route.latencies.add(took);
        if status >= 400 {
            *route.errors.entry(status).or_default() += 1;
            route.first.get_or_insert_with(|| String::from_utf8_lossy(body).into_owned());
        }
    }

    pub fn broke(&self, route: &'static str, error: &io::Error) {
        let mut routes = self.0.borrow_mut();
        let route = routes.entry(route).or_default();
        route.broken += 1;
        route.first.get_or_insert_with(|| error.to_string());
    }

    pub fn requests(&self) -> usize {
        self.0.borrow().values().map(|route| route.latencies.count()).sum()
    }

    pub fn errors(&self) -> u64 {
        let of = |route: &Route| route.errors.values().sum::<u64>() + route.broken;
        self.0.borrow().values().map(of).sum()
    }

    /// A line for each route, and what was the first to go wrong.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<44} {:>9} {:<16} {:>8} {:>8} {:>8} {:>8}\n",
            "route", "requests", "errors", "p50_ms", "p95_ms", "p99_ms", "p99.9_ms"
        );
        let mut firsts = String::new();
        for (name, route) in self.0.borrow_mut().iter_mut() {
            let mut errors: Vec<_> =
                route.errors.iter().map(|(status, count)| format!("{status}: {count}")).collect();
            errors.extend((route.broken > 0).then(|| format!("broken: {}", route.broken)));
            let errors = if errors.is_empty() { "0".to_owned() } else { errors.join(" ") };
            let within = route.latencies.within_ms([500, 950, 990, 999]);
            let within = within.map(|within| within.map(|ms| format!("{ms:>8.2}")).join(" "));
            let count = route.latencies.count();
            let _ = writeln!(text, "{name:<44} {count:>9} {errors:<16} {}", within.unwrap_or_default());
            if let Some(first) = &route.first {
                let _ = writeln!(firsts, "first error of {name}: {first}");
            }
        }
        text + &firsts
    }
}
