//! What providers and auditors pull, against nginx with the same bytes as
//! files: both on one processor, wrk on the other.

use tokio::runtime::Runtime;

use crate::fill::{Filled, client, filled, folder};
use crate::nginx::Nginx;
use crate::program::Serving;
use crate::table::{Bar, Row};
use crate::wrk::{self, Fields, costing};
use crate::{CLIENTS_PROCESSOR, SERVERS_PROCESSOR, Size};

const CORRECTIONS: u64 = 10_000;
/// Up to here a body is small.
const SMALL_BYTES: usize = 4_096;

const TARGETS: [(&str, &str, Option<&str>); 6] = [
    ("checkpoint", "/feed/v1/checkpoint", None),
    ("page of 10 corrections", "/feed/v1/corrections?after=500&limit=10", None),
    ("page of 1,000 corrections", "/feed/v1/corrections?after=500&limit=1000", None),
    ("full tile", "/feed/v1/tile/0/001", None),
    ("full entry bundle", "/feed/v1/tile/entries/001", None),
    ("full entry bundle, zstd", "/feed/v1/tile/entries/001", Some("zstd")),
];

pub fn measure(size: &Size) -> Vec<Row> {
    let Filled { folder: _folder, program, provider, .. } = filled(size.corrections(&[CORRECTIONS])[0]);
    let serving = program.serve(Some(SERVERS_PROCESSOR));
    let files = folder();
    let nginx = Nginx::start(files.path(), SERVERS_PROCESSOR);
    let mut rows = Vec::new();
    for (nth, (what, path, coding)) in TARGETS.into_iter().enumerate() {
        let ours = Target::of_ours(&serving, &provider, path, coding);
        let theirs = Target::ask(&nginx.put(&nth.to_string(), &ours.body), Fields::new());
        assert!(ours.body == theirs.body, "nginx has the same bytes");
        let what = format!("{what}, {} bytes", ours.body.len());
        let bar = Bar::AtLeast(if ours.body.len() <= SMALL_BYTES { 1.2 } else { 1.0 });
        let rounds = beside(size, &serving, &ours, &nginx, &theirs);
        rows.extend(rounds.rows(&what, "nginx, a file", bar));
        let rounds = beside(size, &serving, &ours.known(), &nginx, &theirs.known());
        rows.extend(rounds.rows(&format!("{what}, 304"), "nginx, a file", Bar::AtLeast(0.9)));
    }
    rows
}

/// An address that is asked, and what it gives.
#[derive(Debug, Default)]
pub struct Target {
    pub url: String,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub tag: String,
}

impl Target {
    pub fn of_ours(serving: &Serving, provider: &str, path: &str, coding: Option<&str>) -> Self {
        let mut fields = vec![("Authorization", format!("Bearer {provider}"))];
        fields.extend(coding.map(|coding| ("Accept-Encoding", coding.to_owned())));
        Self::ask(&serving.url(path), fields)
    }

    pub fn ask(url: &str, fields: Fields) -> Self {
        let (url, tag, body) = Runtime::new().expect("a runtime").block_on(async {
            let client = client().no_gzip().no_zstd().build().expect("a client");
            let mut request = client.get(url);
            for (name, value) in &fields {
                request = request.header(*name, value);
            }
            let answer = request.send().await.expect("it serves");
            assert_eq!(answer.status(), 200, "{url}");
            let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
            // Where it was sent on to.
            let url = answer.url().to_string();
            (url, tag.to_owned(), answer.bytes().await.expect("all of it").to_vec())
        });
        Self { url, fields, body, tag }
    }

    /// The same, asked by who has it.
    pub fn known(&self) -> Self {
        let mut fields = self.fields.clone();
        fields.push(("If-None-Match", self.tag.clone()));
        Self { url: self.url.clone(), fields, body: Vec::new(), tag: self.tag.clone() }
    }
}

/// Requests in a second and processor time for each, ours and theirs.
pub struct Rounds {
    rates: Vec<(f64, f64)>,
    cpu_us: Vec<(f64, f64)>,
}

impl Rounds {
    fn rows(&self, what: &str, other: &str, bar: Bar) -> [Row; 2] {
        [
            Row::beside(what, "1/s", &self.rates, other, bar),
            Row::beside("  processor for one", "µs", &self.cpu_us, other, Bar::Shown),
        ]
    }
}

fn beside(size: &Size, serving: &Serving, ours: &Target, nginx: &Nginx, theirs: &Target) -> Rounds {
    let (mut rates, mut cpu_us) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let run =
            |target: &Target| wrk::run(Some(CLIENTS_PROCESSOR), size.lasts, &target.url, &target.fields);
        let (ours, theirs) =
            (costing(|| serving.cpu(), || run(ours)), costing(|| nginx.cpu(), || run(theirs)));
        rates.push((ours.run.requests_per_s, theirs.run.requests_per_s));
        cpu_us.push((ours.us_each(), theirs.us_each()));
    }
    Rounds { rates, cpu_us }
}
