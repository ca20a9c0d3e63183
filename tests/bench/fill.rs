//! Data folders with so many corrections, made by the program itself out of an
//! operator's lines. They are kept beside the build and copied for each use:
//! `target/bench/filled` can be deleted, and is made anew.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use reqwest::redirect::Policy;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zhengming::env::calls;

use crate::program::{Program, SLED, Serving, keep};

const LINES_PER_CHUNK: u64 = 1_000;
const LINES_PER_UPLOAD: u64 = 1_000_000;

/// A program in a folder, with a key for a provider and one for an operator.
#[derive(Debug)]
pub struct Filled {
    pub folder: TempDir,
    pub program: Program,
    pub provider: String,
    pub operator: String,
}

/// As many corrections as numbers.
pub fn filled(corrections: u64) -> Filled {
    let original = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench").join("filled");
    let original = original.join(corrections.to_string());
    if !original.exists() {
        make(corrections, &original);
    }
    let folder = folder();
    let mut copy = Command::new("cp");
    copy.args(["-r", "--reflink=auto"]).arg(original.join(".")).arg(folder.path());
    assert!(copy.status().expect("cp is there").success());
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("it was written");
    let (provider, operator) = (read("provider.key"), read("operator.key"));
    let program = Program::in_dir(folder.path(), SLED);
    Filled { folder, program, provider, operator }
}

/// Next to the build, for folders of the system may lie in memory.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours")
}

/// The program in an empty folder.
pub fn empty() -> Filled {
    empty_on(SLED)
}

/// The same with another store, which is empty too.
pub fn empty_on(store: &str) -> Filled {
    let folder = folder();
    for (name, byte) in [("secret.key", 7), ("feed.key", 9)] {
        known_key(&folder.path().join("data"), name, byte);
    }
    let program = Program::in_dir(folder.path(), store);
    let (provider, operator) = (program.issue_key("provider tencent"), program.issue_key("operator cmcc"));
    keep(&folder.path().join("provider.key"), &provider);
    keep(&folder.path().join("operator.key"), &operator);
    Filled { folder, program, provider, operator }
}

/// As `house` and `filing` have them: what the program made they can go on with.
fn known_key(data: &Path, name: &str, byte: u8) {
    fs::create_dir_all(data).expect("the folder is ours");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(name));
    file.as_mut().expect("the folder is new").write_all(&[byte; 32]).expect("the disk has room");
}

fn make(corrections: u64, original: &PathBuf) {
    let made = empty();
    let serving = made.program.serve(None);
    let runtime = Runtime::new().expect("a runtime");
    for first in (0..2 * corrections).step_by(LINES_PER_UPLOAD as usize) {
        let lines = LINES_PER_UPLOAD.min(2 * corrections - first);
        let answer = runtime.block_on(push(&serving, &made.operator, first, lines));
        assert_eq!(answer["corrections"], lines / 2, "{answer}");
    }
    runtime.block_on(all_published(&serving, &made.provider, corrections));
    serving.end();
    // None is due then, so that none is made while others measure.
    let serving = made.program.serve(None);
    runtime.block_on(snapshot_made(&serving, &made.provider, corrections));
    serving.end();
    fs::create_dir_all(original.parent().expect("it has one")).expect("the build's folder is ours");
    fs::rename(made.folder.keep(), original).expect("they are on one disk");
}

/// To servers on this machine.
pub fn client() -> reqwest::ClientBuilder {
    calls::client().no_proxy().tls_certs_only([])
}

/// Streams lines, of two for each number.
pub async fn push(serving: &Serving, operator: &str, first: u64, lines: u64) -> Value {
    let chunks = (0..lines.div_ceil(LINES_PER_CHUNK)).map(move |chunk| {
        let from = chunk * LINES_PER_CHUNK;
        let text = (from..lines.min(from + LINES_PER_CHUNK)).map(|nth| line(first, nth, lines));
        std::io::Result::Ok(Bytes::from(text.collect::<String>()))
    });
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = client().build().expect("a client").post(serving.url("/v1/tenures")).bearer_auth(operator);
    let request = request.header("Content-Type", "application/x-ndjson").body(body);
    let answer = request.send().await.expect("the server is there");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("JSON")
}

/// One of two lines of a number; in the order of nothing: the end of one
/// tenure, and somewhere else the beginning of the next.
fn line(first: u64, nth: u64, lines: u64) -> String {
    // A stride that has no divisor in common with any size of ours.
    let place = nth * 7_368_787 % lines;
    let (event, on) =
        if place.is_multiple_of(2) { ("disconnected", "2024-11-01") } else { ("activated", "2025-03-01") };
    format!("{{\"number\":\"+{}\",\"event\":\"{event}\",\"on\":\"{on}\"}}\n", number((first + place) / 2))
}

/// Mobile numbers in no order, and no two alike: the factor has no divisor in
/// common with the count of numbers behind a prefix.
pub fn number(nth: u64) -> u64 {
    8_613_800_000_000 + nth * 61_803_399 % 100_000_000
}

pub async fn all_published(serving: &Serving, provider: &str, corrections: u64) {
    let client = client().build().expect("a client");
    let last = format!("/feed/v1/corrections?after={}&limit=1&wait=30", corrections - 1);
    let mut seen = 0;
    while seen < corrections {
        let answer = client.get(serving.url(&last)).bearer_auth(provider).send().await.expect("it serves");
        let size = answer.headers().get("zhengming-size").and_then(|size| size.to_str().ok()?.parse().ok());
        seen = size.unwrap_or(seen);
    }
}

/// Waits for one that has nearly all of them.
async fn snapshot_made(serving: &Serving, provider: &str, corrections: u64) {
    let client = client().redirect(Policy::none()).build().expect("a client");
    let get = |path: String| client.get(serving.url(&path)).bearer_auth(provider).send();
    loop {
        let answer = get("/feed/v1/snapshot".to_owned()).await.expect("it serves");
        let newest = answer.headers().get("location").and_then(|to| to.to_str().ok());
        let size = newest.and_then(|to| to.rsplit('/').next()?.split('.').next()?.parse::<u64>().ok());
        if size.is_some_and(|size| size * 6 / 5 > corrections) {
            return;
        }
        // Which takes a second.
        get(format!("/feed/v1/corrections?after={corrections}&wait=1")).await.expect("it serves");
    }
}
