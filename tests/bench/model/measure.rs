//! Labels and lines of some numbers through the use cases into PostgreSQL, what
//! comes of them published, and how large and how fast that was.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use zhengming::casework::Casework;
use zhengming::casework::actors::Owner;
use zhengming::domain::lines::{LabelSaid, TenureSaid};
use zhengming::env::clock::{Clock, SystemClock};
use zhengming::feed::note::NoteSigner;
use zhengming::feed::render::PageForm;
use zhengming::feed::tiles::{TILE_WIDTH, TilePlace};
use zhengming::feed::{Coding, Feed};
use zhengming::http::body::{BodyStream, Lines};
use zhengming::http::uploads::{
    Form, LINE_BYTES_MAX, SaidLines, UPLOAD_BYTES_MAX, receive_labels, receive_tenures,
};
use zhengming::store::postgres::{PostgresOptions, PostgresStore};
use zhengming::store::{AuditDraft, Changeset, Claim, Store};

use crate::dice::Dice;
use crate::house::{casework_with, settings};
use crate::postgres::new_database;

const POLLS: u64 = 500;
const COMMIT_FOR: Duration = Duration::from_secs(3);
const COMMITTERS: usize = 16;
/// What a release adds to: the number's file first.
const TABLES: [&str; 3] = ["numbers", "corrections", "audit"];

pub struct Measured {
    pub leaf_bytes: f64,
    pub line_bytes: f64,
    pub zstd_bytes: f64,
    pub files_bytes: f64,
    /// For each release.
    pub tables: Vec<(&'static str, f64)>,
    pub label_bytes: f64,
    pub labels_per_s: f64,
    pub lines_per_s: f64,
    pub commits_alone_per_s: f64,
    pub commits_per_s: f64,
    pub poll_ms: f64,
}

pub async fn measure(rows: u64, per_poll: u64) -> Measured {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours");
    let url = new_database().await;
    let store = PostgresStore::open(&PostgresOptions::new(&url)).await.expect("it was just made");
    let store: Arc<dyn Store> = Arc::new(store);
    let mut settings = settings();
    (settings.releases_per_operator_per_day, settings.labels_per_provider_per_day) = (0, 0);
    let casework = casework_with(store.clone(), folder.path(), settings);
    let numbers = numbers(rows);
    let labels_per_s = rows as f64 / labels(&casework, &numbers).await.as_secs_f64();
    let lines_per_s = 2.0 * rows as f64 / lines(&casework, &numbers).await.as_secs_f64();

    let signer = NoteSigner::new("model/feed", &[9; 32]).expect("the name is good");
    let log = folder.path().join("log");
    let feed = Feed::open(store.clone(), &log, signer).await.expect("the log is new");
    assert_eq!(feed.size(), rows, "each release was published");
    let (leaf_bytes, line_bytes) = entries(&feed, rows).await;
    let zstd_bytes = bundle_bytes(&feed).await;
    let files_bytes = bytes_in(&log) as f64 / rows as f64;
    let poll_ms = poll_ms(&feed, per_poll.min(rows)).await;
    let dense = Dense::of(&url).await;
    let mut tables = Vec::new();
    for table in TABLES {
        tables.push((table, dense.bytes(table).await / rows as f64));
    }
    let label_bytes = dense.bytes("labels").await / rows as f64;
    let commits_alone_per_s = commits_per_s(&store, 1).await;
    let commits_per_s = commits_per_s(&store, COMMITTERS).await;
    Measured {
        leaf_bytes,
        line_bytes,
        zstd_bytes,
        files_bytes,
        tables,
        label_bytes,
        labels_per_s,
        lines_per_s,
        commits_alone_per_s,
        commits_per_s,
        poll_ms,
    }
}

/// One operator's, in no order, and no two alike.
fn numbers(rows: u64) -> Vec<u64> {
    let mut dice = Dice::new(1);
    let mut drawn = BTreeSet::new();
    while (drawn.len() as u64) < rows {
        drawn.insert(8_613_800_000_000 + dice.roll(100_000_000));
    }
    let mut drawn: Vec<u64> = drawn.into_iter().collect();
    (1..drawn.len()).for_each(|nth| drawn.swap(nth, dice.roll(nth as u64 + 1) as usize));
    drawn
}

async fn said(text: String, columns: &[&str]) -> SaidLines {
    let body = BodyStream::from_reader(Cursor::new(text.into_bytes()));
    let lines = Lines::new(body, LINE_BYTES_MAX, UPLOAD_BYTES_MAX);
    SaidLines::begin(Form::Csv, lines, columns).await.expect("the header is right")
}

/// A mark on each, so that its release is news.
async fn labels(casework: &Casework, numbers: &[u64]) -> Duration {
    let mut text = String::from("number,kind,code,count,first_marked_on,last_marked_on\n");
    for number in numbers {
        let _ = writeln!(text, "+{number},category,55,12,2023-03-02,2023-11-05");
    }
    let provider = casework.provider_for(Owner::at_the_command_line(), "tencent".parse().expect("a good id"));
    let began = Instant::now();
    let mut lines = said(text, LabelSaid::COLUMNS).await;
    let upload = receive_labels(casework, &provider, &mut lines).await.expect("the store takes it");
    let tally = upload.finish().await.expect("the store takes it");
    assert_eq!(tally.accepted, numbers.len() as u64, "{tally:?}");
    began.elapsed()
}

/// Each number is given back and sold again.
async fn lines(casework: &Casework, numbers: &[u64]) -> Duration {
    let mut text = String::from("number,event,on\n");
    for number in numbers {
        let _ = writeln!(text, "+{number},disconnected,2024-01-10\n+{number},activated,2024-06-01");
    }
    let operator = casework.operator_for(Owner::at_the_command_line(), "cmcc".parse().expect("a good id"));
    let began = Instant::now();
    let mut lines = said(text, TenureSaid::COLUMNS).await;
    let upload = receive_tenures(casework, &operator, None, &mut lines).await.expect("the store takes it");
    let tally = upload.finish(lines.digest()).await.expect("the store takes it");
    assert_eq!(tally.corrections, numbers.len() as u64, "{tally:?}");
    began.elapsed()
}

/// Bytes of a leaf, and of its line.
async fn entries(feed: &Feed, rows: u64) -> (f64, f64) {
    let page = feed.page(0, rows.min(1_000) as usize).await.expect("it is published");
    let count = (page.next - page.first) as f64;
    let leaves: usize = feed.leaves_of(&page).await.expect("it is published").iter().map(Vec::len).sum();
    let lines = feed.page_body(&page, PageForm::Ndjson).await.expect("it is published").bytes.len();
    (leaves as f64 / count, lines as f64 / count)
}

async fn bundle_bytes(feed: &Feed) -> f64 {
    let full = feed.bundle(TilePlace::full(0), Some(Coding::Zstd)).await.expect("it is published");
    full.expect("there are so many").bytes.len() as f64 / TILE_WIDTH as f64
}

/// How long the caller waits, which is more than the processor's work.
async fn poll_ms(feed: &Feed, per_poll: u64) -> f64 {
    let mut dice = Dice::new(2);
    let began = Instant::now();
    for _ in 0..POLLS {
        let after = dice.roll(feed.size() - per_poll + 1);
        let page = feed.page(after, per_poll as usize).await.expect("it is published");
        let body = feed.page_body(&page, PageForm::Ndjson).await.expect("it is published");
        assert!(!body.bytes.is_empty());
    }
    began.elapsed().as_secs_f64() * 1e3 / POLLS as f64
}

/// Commits of what a small use case changes: a record and a line of the audit.
async fn commits_per_s(store: &Arc<dyn Store>, at_once: usize) -> f64 {
    let until = Instant::now() + COMMIT_FOR;
    let mut committers = JoinSet::new();
    for committer in 0..at_once {
        let store = store.clone();
        committers.spawn(async move {
            let mut count = 0_u32;
            while Instant::now() < until {
                let name = format!("model:{at_once}:{committer}:{count}");
                store.commit(small(name)).await.expect("the store takes it");
                count += 1;
            }
            count
        });
    }
    f64::from(committers.join_all().await.into_iter().sum::<u32>()) / COMMIT_FOR.as_secs_f64()
}

fn small(name: String) -> Changeset {
    let mut changes = Changeset::default();
    changes.audit.push(AuditDraft {
        at: SystemClock.now(),
        actor: "cli".into(),
        action: "model".into(),
        subject: name.clone(),
        digest: None,
    });
    changes.put_new(Claim { name, value: "taken".into(), expires_at: None });
    changes
}

/// The database without the room that replaced rows have left.
struct Dense(tokio_postgres::Client);

impl Dense {
    async fn of(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("it runs");
        tokio::spawn(connection);
        client.batch_execute("VACUUM FULL").await.expect("nobody writes");
        Self(client)
    }

    async fn bytes(&self, table: &str) -> f64 {
        let sql = format!("SELECT pg_total_relation_size('{table}')");
        self.0.query_one(&sql, &[]).await.expect("there is such a table").get::<_, i64>(0) as f64
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the folder is ours");
    let bytes = entries.map(|entry| {
        let entry = entry.expect("it is there");
        let metadata = entry.metadata().expect("it is there");
        if metadata.is_dir() { bytes_in(&entry.path()) } else { metadata.len() }
    });
    bytes.sum()
}
