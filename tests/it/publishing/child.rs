//! The process that dies: what it is told to do, and what it says meanwhile.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use zhengming::feed::Feed;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{Changeset, Store};

use super::dying::{DyingStore, Moment, die};
use crate::support::dice::Dice;
use crate::support::records::{entry, number};
use crate::support::service::signer;

const DIR: &str = "ZHENGMING_TEST_PUBLISHING_DIR";
const PLAN: &str = "ZHENGMING_TEST_PUBLISHING_PLAN";
/// Enough for a full bundle, and to be read in as many pieces as a `Moment` counts.
const ENTRIES_AT_THE_END: u64 = 300;
const READS: u64 = 8;
/// A number of its own for every entry.
const NUMBERS_PER_RUN: u64 = 100_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// No two over one folder have the same.
    pub run: u64,
    /// Whole rounds before the one in which it dies.
    pub rounds: u64,
    pub seed: u64,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// While the log is opened, with entries that are not published.
    OpeningWhileExtending,
    OpeningBeforeHead,
    OpeningAfterHead,
    /// Around the steps of a round, and within them.
    Committed,
    WhileExtending,
    Extended,
    Signed,
    BeforeHead,
    AfterHead,
    Recorded,
    Shown,
    /// From outside, after so many lines, while it publishes step by step.
    Steps {
        after: u64,
    },
    /// The same, while it publishes as the service does.
    Service {
        after: u64,
    },
}

impl End {
    /// What follows `Committed` finds entries of more than one run.
    pub const AT_A_STEP: [Self; 14] = [
        Self::Signed,
        Self::Committed,
        Self::OpeningWhileExtending,
        Self::OpeningBeforeHead,
        Self::WhileExtending,
        Self::Extended,
        Self::BeforeHead,
        Self::OpeningAfterHead,
        Self::AfterHead,
        Self::Shown,
        Self::Recorded,
        Self::WhileExtending,
        Self::Committed,
        Self::Signed,
    ];

    fn moment(self, dice: &mut Dice) -> Option<Moment> {
        match self {
            Self::OpeningWhileExtending | Self::WhileExtending => Some(Moment::Reading(dice.roll(READS))),
            Self::OpeningBeforeHead | Self::BeforeHead => Some(Moment::BeforeHead),
            Self::OpeningAfterHead | Self::AfterHead => Some(Moment::AfterHead),
            _ => None,
        }
    }
}

pub fn open_store(dir: &Path) -> SledStore {
    let options =
        SledOptions { disk_free_bytes_min: 0, ..SledOptions::new(dir.join("db"), dir.join("mark")) };
    SledStore::open(&options).unwrap()
}

/// Runs it to its end; what it has said by then.
pub fn run(dir: &Path, plan: &Plan) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "publishing::child::child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(PLAN, serde_json::to_string(plan).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    if let End::Steps { after } | End::Service { after } = plan.end {
        // The first lines are the test harness's.
        said.extend(lines.by_ref().take(usize::try_from(after).unwrap() + 4));
        child.kill().unwrap();
    }
    // What it said before it died counts as well.
    said.extend(lines);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "{plan:?}: it was not killed, but ended: {said:#?}");
    said
}

/// No test of its own: it publishes until it dies, if it is told where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Some(dir), Ok(plan)) = (std::env::var_os(DIR), std::env::var(PLAN)) else { return };
    let (dir, plan): (&Path, Plan) = (dir.as_ref(), serde_json::from_str(&plan).unwrap());
    // The harness has begun a line.
    say("");
    let store = Arc::new(DyingStore::over(open_store(dir)));
    let mut writer = Writer { store: store.clone(), dice: Dice::new(plan.seed), run: plan.run, written: 0 };
    if let End::OpeningWhileExtending | End::OpeningBeforeHead | End::OpeningAfterHead = plan.end {
        writer.commit_some(ENTRIES_AT_THE_END).await;
        store.dies_at(plan.end.moment(&mut writer.dice).unwrap());
    }
    let feed = Feed::open(store.clone(), dir, signer()).await.unwrap();
    say_shown(&feed);
    match plan.end {
        End::Steps { .. } => drop(join(writer.commit_on(), publish_by_steps(&feed, &store)).await),
        End::Service { .. } => drop(join(writer.commit_on(), publish_as_service(&feed)).await),
        end => {
            for _ in 0..plan.rounds {
                writer.commit_some(1).await;
                round(&feed, None).await;
            }
            writer.commit_some(ENTRIES_AT_THE_END).await;
            if let Some(moment) = end.moment(&mut writer.dice) {
                store.dies_at(moment);
            }
            round(&feed, Some(end)).await;
        }
    }
}

/// One round, step by step.
async fn round(feed: &Feed, end: Option<End>) {
    let come_to = |step: End| {
        if end == Some(step) {
            die();
        }
    };
    come_to(End::Committed);
    let extended = feed.extend().await.unwrap();
    come_to(End::Extended);
    let signed = feed.sign(&extended).unwrap();
    say(&format!("signed {:?}", signed.note()));
    come_to(End::Signed);
    let recorded = feed.record(signed).await.unwrap();
    come_to(End::Recorded);
    feed.show(recorded).unwrap();
    say_shown(feed);
    come_to(End::Shown);
}

async fn publish_by_steps(feed: &Feed, store: &DyingStore) {
    let mut durable = store.log_size();
    loop {
        durable.borrow_and_update();
        round(feed, None).await;
        durable.changed().await.unwrap();
    }
}

async fn publish_as_service(feed: &Feed) {
    let stop = CancellationToken::new();
    let publishing = feed.publish_until(&stop, Duration::from_millis(1));
    let telling = async {
        let mut published = feed.published();
        loop {
            published.changed().await.unwrap();
            say_shown(feed);
        }
    };
    let (end, ()) = join(publishing, telling).await;
    end.unwrap();
}

fn say_shown(feed: &Feed) {
    say(&format!("shown {:?}", feed.newest().note));
}

/// In one write, so that no line is said by halves.
fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}

struct Writer {
    store: Arc<DyingStore>,
    dice: Dice,
    run: u64,
    written: u64,
}

impl Writer {
    /// So many entries or some more, in one changeset or several.
    async fn commit_some(&mut self, least: u64) {
        let mut left = least + self.dice.roll(300);
        while left > 0 {
            let some = left.min(1 + self.dice.roll(256));
            self.commit(some).await;
            left -= some;
        }
    }

    async fn commit_on(mut self) {
        loop {
            let some = 1 + self.dice.roll(40);
            self.commit(some).await;
        }
    }

    async fn commit(&mut self, count: u64) {
        let nths = self.written..self.written + count;
        let salt = |nth: u64| format!("{}-{nth}", self.run);
        let entries = nths.map(|nth| entry(number(self.run * NUMBERS_PER_RUN + nth), None, salt(nth)));
        let changes = Changeset { entries: entries.collect(), ..Changeset::default() };
        let first = self.store.commit(changes).await.unwrap().first_seq.unwrap();
        say(&format!("acknowledged {first} {count} {}", salt(self.written)));
        self.written += count;
    }
}
