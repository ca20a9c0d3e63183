//! What `feed::publisher` says of a crash at each of its steps, and of what
//! else may happen to a log and its files.
//!
//! The child is this test binary, told by the environment to commit and to
//! publish until it dies; it says what it acknowledges, signs and shows. What
//! it leaves is damaged further, as power loss may, and then compared with all
//! that was ever said (`ledger`).
//!
//! `ZHENGMING_PUBLISHING_ROUNDS` kills at more random moments than usual,
//! `ZHENGMING_PUBLISHING_SEED` at others.

mod child;
mod dying;
mod ledger;
mod naive;
mod opening;
mod power;
mod rivals;
mod shared;

use std::sync::Arc;

use tempfile::TempDir;
use zhengming::feed::Feed;
use zhengming::store::{LogHead, Store};

use crate::support::dice::Dice;
use crate::support::service::signer;
use child::{End, Plan};
use ledger::Ledger;

/// Kills at random moments.
const ROUNDS: u64 = 30;
/// After so many of them on one folder the next is taken.
const ROUNDS_PER_FOLDER: u64 = 10;
/// Deaths at each step, each time with other damage.
const TIMES: u64 = 2;

#[tokio::test]
async fn dying_at_each_step_breaks_no_promise() {
    for seed in 0..TIMES {
        let mut campaign = Campaign::new(seed);
        for end in End::AT_A_STEP {
            campaign.round(end).await;
        }
        campaign.last().await;
    }
}

#[tokio::test]
async fn dying_at_any_moment_breaks_no_promise() {
    let rounds = from_environment("ZHENGMING_PUBLISHING_ROUNDS").unwrap_or(ROUNDS);
    let first = from_environment("ZHENGMING_PUBLISHING_SEED").unwrap_or(100);
    for seed in first..first + rounds.div_ceil(ROUNDS_PER_FOLDER) {
        let mut campaign = Campaign::new(seed);
        for nth in 0..ROUNDS_PER_FOLDER {
            let after = 1 + campaign.dice.roll(60);
            campaign.round(if nth % 2 == 0 { End::Steps { after } } else { End::Service { after } }).await;
        }
        campaign.last().await;
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One folder, and all that the processes over it have ever said.
struct Campaign {
    dir: TempDir,
    dice: Dice,
    runs: u64,
    ledger: Ledger,
}

impl Campaign {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, dice: Dice::new(seed), runs: 0, ledger: Ledger::new(signer().verifier().clone()) }
    }

    /// Lets a child die, and looks at what it leaves; the next child opens it
    /// then, or this process does before.
    async fn round(&mut self, end: End) {
        let plan = Plan { run: self.runs, rounds: self.dice.roll(3), seed: self.dice.next(), end };
        self.runs += 1;
        for line in child::run(self.dir.path(), &plan) {
            self.ledger.hear(&line);
        }
        self.look(&format!("run {plan:?}")).await;
    }

    async fn last(&mut self) {
        let said = self.ledger.said();
        assert!(said.0 > 0 && said.1 > 0 && said.2 > 0, "a campaign that says nothing: {said:?}");
        let store: Arc<dyn Store> = Arc::new(child::open_store(self.dir.path()));
        self.open(&store, "in the end").await;
    }

    async fn look(&mut self, when: &str) {
        let store: Arc<dyn Store> = Arc::new(child::open_store(self.dir.path()));
        let head = store.load::<LogHead>(&()).await.unwrap().map(|head| head.value);
        let files = self.dir.path().join(signer().verifier().id());
        self.ledger.check_store(&*store, head.as_ref(), when).await;
        self.ledger.check_shown_file(&files, head.as_ref(), when);
        if self.dice.once_in(2) {
            power::fails(&files, head.map_or(0, |head| head.size), &mut self.dice);
        }
        if self.dice.once_in(2) {
            self.open(&store, when).await;
        }
    }

    async fn open(&mut self, store: &Arc<dyn Store>, when: &str) {
        let feed = Feed::open(store.clone(), self.dir.path(), signer()).await;
        let feed = feed.unwrap_or_else(|error| panic!("{when}: {error}"));
        self.ledger.check_feed(&feed, &self.dir.path().join(feed.verifier().id()), when).await;
    }
}
