//! How fast an operator's lines are taken over HTTP, and how much memory that
//! takes: as much for many lines as for few.
//!
//! ```text
//! cargo bench --bench tenures [-- --sizes N,N,...]
//! ```
//!
//! For each size a server of its own, in a process of its own, over sled on
//! disk. Lines that fill the store's cache come first, so that what is compared
//! is the service's memory. Prints a table, kept as `target/bench/tenures.txt`.
//! Client and server share the processors.
#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const LINES_PER_CHUNK: u64 = 1_000;
/// More than the store's cache holds.
const WARM_UP_LINES: u64 = 400_000;
/// Of the peak: with the largest size, to that with the one before it.
const RATIO_MAX: f64 = 1.2;

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
disk_free_bytes_min = 0
data_dir = "data"
"#;

#[derive(Debug, Parser)]
struct Args {
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// Given by `cargo bench`; without it all is tried once, to see that it works.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one size took.
#[derive(Debug)]
struct Round {
    lines: u64,
    took: Duration,
    /// The same lines once more.
    again: Duration,
    /// The most memory that the server ever held, and before these lines.
    peak_kib: u64,
    before_kib: u64,
}

fn main() {
    let mut args = Args::parse();
    let mut warm_up = WARM_UP_LINES;
    if !args.bench {
        (args.sizes, warm_up) = (vec![2_000, 4_000], 1_000);
    }
    let runtime = Runtime::new().expect("a runtime");
    let rounds = args.sizes.iter().map(|lines| runtime.block_on(round(warm_up, *lines)));
    let rounds: Vec<Round> = rounds.collect();
    let report = report(&rounds, args.bench);
    print!("{report}");
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("tenures.txt"), report).expect("the build's folder is ours");
    }
}

async fn round(warm_up: u64, lines: u64) -> Round {
    let server = Server::start();
    assert_eq!(server.push(0, warm_up).await["accepted"], warm_up);
    let before_kib = server.peak_kib();
    let began = Instant::now();
    assert_eq!(server.push(warm_up, lines).await["accepted"], lines);
    let took = began.elapsed();
    let began = Instant::now();
    assert_eq!(server.push(warm_up, lines).await["unchanged"], lines);
    Round { lines, took, again: began.elapsed(), peak_kib: server.peak_kib(), before_kib }
}

/// `zhengming serve` in a folder; killed when it is dropped.
struct Server {
    child: Child,
    base: String,
    key: String,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        // Next to the build, for folders of the system may lie in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours");
        fs::write(folder.path().join("zhengming.toml"), CONFIG).expect("the folder is ours");
        let command = |words: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_zhengming"));
            command.args(words.split(' ')).args(["--config", "zhengming.toml"]).current_dir(folder.path());
            command
        };
        let issued = command("key issue operator cmcc --name bench").output().expect("the program runs");
        let out = String::from_utf8(issued.stdout).expect("it speaks UTF-8");
        let key = out.split_whitespace().find(|word| word.starts_with("zmo_"));
        let key = key.expect("a key was issued").to_owned();
        // Else what one thread frees may not be taken by another: with glibc's
        // many arenas the same cache takes up to twice the memory.
        let mut serve = command("serve");
        serve.env("MALLOC_ARENA_MAX", "1").stderr(Stdio::piped());
        let mut child = serve.spawn().expect("the program runs");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let said = Regex::new(r"\blisten=([0-9.:]+)").expect("it is well-formed");
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let plain = line.replace("\u{1b}[3m", "").replace("\u{1b}[0m", "").replace("\u{1b}[2m", "");
            Some(said.captures(&plain)?[1].to_owned())
        });
        // It goes on to speak, and must not wait for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let base = format!("http://{}", address.expect("it says where it listens"));
        Self { child, base, key, _folder: folder }
    }

    /// Streams lines of numbers from `first` on; the answer.
    async fn push(&self, first: u64, lines: u64) -> Value {
        let chunks = (0..lines.div_ceil(LINES_PER_CHUNK)).map(move |chunk| {
            let from = chunk * LINES_PER_CHUNK;
            let text = (from..lines.min(from + LINES_PER_CHUNK)).map(|nth| line(first, nth, lines));
            std::io::Result::Ok(Bytes::from(text.collect::<String>()))
        });
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let request = client.post(format!("{}/v1/tenures", self.base)).bearer_auth(&self.key);
        let request = request.header("Content-Type", "application/x-ndjson").body(body);
        let answer = request.send().await.expect("the server is there");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    /// By the kernel's account.
    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("this is Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is running");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of two lines of a number; in the order of nothing: the end of one
/// tenure, and somewhere else the beginning of the next.
fn line(first: u64, nth: u64, lines: u64) -> String {
    // A stride that has no divisor in common with any size of ours.
    let place = nth * 7_368_787 % lines;
    let (event, on) =
        if place.is_multiple_of(2) { ("disconnected", "2024-11-01") } else { ("activated", "2025-03-01") };
    let number = 8_613_800_000_000 + (first + place) / 2;
    format!("{{\"number\":\"+{number}\",\"event\":\"{event}\",\"on\":\"{on}\"}}\n")
}

fn report(rounds: &[Round], is_bench: bool) -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!(
        "tenure lines over HTTP, {processors} processors shared by client and server; sled on disk\n\
         again: the same lines once more, all unchanged\n\
         peak:  the server's VmHWM after both, and before; the store's cache is filled before\n\n\
         \x20    lines   lines/s   again/s  before MiB  peak MiB\n"
    );
    let rate = |lines: u64, took: Duration| lines as f64 / took.as_secs_f64();
    for round in rounds {
        let (rate, again) = (rate(round.lines, round.took), rate(round.lines, round.again));
        let (lines, before, peak) = (round.lines, round.before_kib / 1_024, round.peak_kib / 1_024);
        let _ = writeln!(text, "{lines:>10} {rate:>9.0} {again:>9.0} {before:>11} {peak:>9}");
    }
    if let [.., few, many] = rounds {
        let ratio = many.peak_kib as f64 / few.peak_kib as f64;
        let times = many.lines as f64 / few.lines as f64;
        let verdict = match (is_bench, ratio <= RATIO_MAX) {
            (true, true) => "held",
            (true, false) => "MISSED",
            (false, _) => "not judged in a trial",
        };
        let _ = writeln!(
            text,
            "\n{times:.0} times the lines: {ratio:.2} times the peak (at most {RATIO_MAX}: {verdict})"
        );
    }
    text
}
