//! wrk, on a processor of its own: as many requests as the server answers.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use crate::program::{Serving, on_processor};

pub type Fields = Vec<(&'static str, String)>;

const LOOKUPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peers/lookups.lua");
const CONNECTIONS: usize = 64;
const FEW_CONNECTIONS: usize = 8;

/// What one run came to.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub requests_per_s: f64,
    pub bytes_per_s: f64,
    pub requests: f64,
    pub bytes: f64,
}

/// A run, and what the server has worked for it.
#[derive(Debug)]
pub struct Costed {
    pub run: Run,
    pub cpu: Duration,
}

impl Costed {
    /// For each request, in µs.
    pub fn us_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.run.requests
    }
}

/// `cpu` is how long the server has worked up to now.
pub fn costing(cpu: impl Fn() -> Duration, run: impl FnOnce() -> Run) -> Costed {
    let before = cpu();
    let run = run();
    Costed { run, cpu: cpu() - before }
}

/// # Panics
/// Where an answer is no success, or a connection ends.
pub fn run(processor: Option<usize>, lasts: Duration, url: &str, fields: &Fields) -> Run {
    run_script(processor, CONNECTIONS, lasts, url, fields, None)
}

/// The same by a few, of what is large.
pub fn run_few(processor: Option<usize>, lasts: Duration, url: &str, fields: &Fields) -> Run {
    run_script(processor, FEW_CONNECTIONS, lasts, url, fields, None)
}

/// The same with requests that a script makes: its path, and what it is told.
fn run_script(
    processor: Option<usize>,
    connections: usize,
    lasts: Duration,
    url: &str,
    fields: &Fields,
    script: Option<&[String]>,
) -> Run {
    let mut wrk = on_processor(processor, "wrk");
    wrk.args(["--threads", "1", "--connections", &connections.to_string(), "--timeout", "30s"]);
    wrk.args(["--duration", &format!("{}s", lasts.as_secs().max(1))]);
    for (name, value) in fields {
        wrk.args(["--header", &format!("{name}: {value}")]);
    }
    match script {
        Some([path, told @ ..]) => wrk.args(["--script", path, url, "--"]).args(told),
        _ => wrk.arg(url),
    };
    let out = wrk.output().expect("wrk is installed: see tests/bench/install");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.status.success() && !said.contains("Non-2xx") && !said.contains("Socket errors"),
        "{url}: {said}"
    );
    Run {
        requests_per_s: figure(&said, r"Requests/sec:\s+([0-9.]+)"),
        bytes_per_s: figure(&said, r"Transfer/sec:\s+([0-9.]+[KMG]?B)"),
        requests: figure(&said, r"(\d+) requests in"),
        bytes: figure(&said, r"requests in [^,]+, ([0-9.]+[KMG]?B) read"),
    }
}

/// Requests about numbers by chance: see `lookups.lua`.
pub fn run_lookups(
    serving: &Serving,
    provider: &str,
    kind: &str,
    corrections: u64,
    seed: usize,
    lasts: Duration,
) -> Run {
    let script = [LOOKUPS.to_owned(), kind.to_owned(), corrections.to_string(), seed.to_string()];
    let fields = vec![("Authorization", format!("Bearer {provider}"))];
    run_script(None, CONNECTIONS, lasts, &serving.url(""), &fields, Some(&script))
}

fn figure(said: &str, pattern: &str) -> f64 {
    let found =
        Regex::new(pattern).expect("it is well-formed").captures(said).unwrap_or_else(|| panic!("{said}"));
    let units = BTreeMap::from([("KB", 1024.0), ("MB", 1_048_576.0), ("GB", 1_073_741_824.0), ("B", 1.0)]);
    let digits = found[1].trim_end_matches(char::is_alphabetic);
    let unit = &found[1][digits.len()..];
    digits.parse::<f64>().expect("a number") * units.get(unit).copied().unwrap_or(1.0)
}
