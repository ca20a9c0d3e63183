//! Counted once each: by turns that break off, by workers that race, and by a
//! service that has a past.
#![allow(clippy::unwrap_used)]

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::counting::Read;
use super::*;
use crate::casework::actors::Owner;
use crate::casework::testkit::parts;
use crate::casework::{Error, record};
use crate::domain::correction::{Effect, Entry, EntryReason};
use crate::domain::day::later;
use crate::domain::dispute::{Actor, Claim, Control, Flag, Refused, What};
use crate::domain::evidence::Assurance;
use crate::domain::figures::{Figure, Times, WhyRefused};
use crate::domain::id::DisputeId;
use crate::domain::number::Number;
use crate::domain::progress::Stage;
use crate::env::clock::{Clock, MockClock};
use crate::store::memory::MemoryStore;
use crate::store::{Ack, Changeset, Grant, Store};

struct Town {
    worker: Casework,
    store: Arc<MemoryStore>,
    clock: MockClock,
    filed: u64,
    dir: TempDir,
}

impl Town {
    /// A Monday at noon in Shanghai.
    fn new() -> Self {
        let (store, dir) = (Arc::default(), tempfile::tempdir().unwrap());
        let clock = MockClock::at("2026-11-23T04:00:00Z".parse().unwrap());
        let worker = Casework::new(parts(&store, &clock, dir.path()));
        Self { worker, store, clock, filed: 0, dir }
    }

    /// Another process over the same store.
    fn another_worker(&self) -> Casework {
        Casework::new(parts(&self.store, &self.clock, self.dir.path()))
    }

    fn advance_s(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn happens(&self, mut dispute: Dispute, actor: Actor, what: What) -> Dispute {
        let found = self.worker.store().load::<Dispute>(&dispute.id).await.unwrap();
        let version = found.map_or(0, |found| found.version);
        let mut changes = Changeset::default();
        record(&mut changes, &mut dispute, self.clock.now(), actor, what);
        changes.put(crate::store::Versioned { version, value: dispute.clone() });
        self.store.commit(changes).await.unwrap();
        dispute
    }

    async fn files(&mut self) -> Dispute {
        self.filed += 1;
        let now = self.clock.now();
        let dispute = Dispute {
            id: DisputeId(Uuid::from_u128(self.filed.into())),
            number: Number::from_digits(8_613_800_000_000 + self.filed).unwrap(),
            claim: Claim::Reassigned { opened: None, window: None },
            control: Control::Code,
            labels: Vec::new(),
            providers: Vec::new(),
            note: None,
            contact: None,
            language: crate::domain::language::Language::default(),
            control_proved_at: now,
            filed_at: now,
            answer_due_on: self.worker.home_day(now),
            due_on: self.worker.home_day(now),
            events: Vec::new(),
            lease: None,
        };
        self.happens(dispute, Actor::Holder, What::Filed).await
    }

    /// Filed, and decided so many seconds later.
    async fn decided(&mut self, actor: Actor, what: What, seconds: i64) -> Dispute {
        let dispute = self.files().await;
        self.advance_s(seconds);
        self.happens(dispute, actor, what).await
    }

    /// Entries that are decided now.
    async fn publishes(&self, count: u64) {
        for _ in 0..count {
            let nth = *self.store.log_size().borrow();
            let number = Number::from_digits(8_613_900_000_000 + nth).unwrap();
            let entry =
                Entry::new(number, None, EntryReason::Released, None, self.clock.now(), nth.to_string());
            let changes = Changeset { entries: vec![entry], ..Changeset::default() };
            self.store.commit(changes).await.unwrap();
        }
    }

    async fn serves(&self, provider: &str, size: u64) {
        let mut changes = Changeset::default();
        let (provider, stage) = (provider.parse().unwrap(), Stage::Serving);
        changes.put_new(Ack { provider, stage, size, at: self.clock.now(), software: None });
        self.store.commit(changes).await.unwrap();
    }

    async fn has_key(&self, provider: &str) {
        let grant = Grant::Provider(provider.parse().unwrap());
        self.worker.issue_key(Owner::at_the_command_line(), grant, provider).await.unwrap();
    }

    async fn counts(&self) {
        while self.worker.count_figures().await.unwrap() {}
    }

    /// As whoever comes a minute later sees them.
    async fn figures(&self) -> Arc<Figures> {
        self.advance_s(FRESH_S);
        self.worker.figures().await.unwrap()
    }
}

fn people() -> Actor {
    Actor::Moderator { name: "li-lei".parse().unwrap() }
}

fn approved() -> What {
    What::Approved { effect: Effect::ClearName, assurance: Assurance::Operator, ruling: None }
}

fn refused(code: &str) -> What {
    What::Refused(Refused { code: code.to_owned(), public_note: None, note: None })
}

#[tokio::test]
async fn what_happened_is_told_by_who_decided_and_how_long_it_took() {
    let mut town = Town::new();
    for nth in 0..20 {
        town.decided(Actor::Rule, approved(), 1 + nth % 2).await;
    }
    for nth in 0..10 {
        town.decided(people(), approved(), 3_600 * (1 + nth)).await;
        town.decided(people(), refused("looked_at_it"), 60).await;
        town.decided(Actor::Rule, refused("names_agree"), 2).await;
    }
    for _ in 0..9 {
        town.decided(Actor::Rule, refused("not_held_since"), 2).await;
    }
    town.publishes(30).await;
    town.counts().await;
    let figures = town.figures().await;
    assert_eq!((figures.filed, figures.published), (Figure::Shown(50), Figure::Shown(30)));
    assert_eq!(figures.by_rule.decided, Figure::Shown(30));
    assert_eq!(figures.by_rule.corrected, Figure::Shown(20));
    assert_eq!(figures.by_rule.times, Some(Times { median_s: 1, p95_s: 2 }));
    assert_eq!(
        (figures.by_people.decided, figures.by_people.corrected),
        (Figure::Shown(20), Figure::Shown(10))
    );
    let Times { median_s, p95_s } = figures.by_people.times.unwrap();
    assert!(median_s.abs_diff(5 * 3_600) < 1_800 && p95_s.abs_diff(10 * 3_600) < 3_600);
    let refusals = [
        (WhyRefused::NamesAgree, Figure::Shown(10)),
        (WhyRefused::Other, Figure::Shown(10)),
        (WhyRefused::NotHeldSince, Figure::TooFew),
    ];
    assert_eq!(figures.refusals, refusals);
    let weeks: Vec<_> = figures.weeks.iter().rev().map(|week| (week.filed, week.decided)).collect();
    assert_eq!((weeks.len(), weeks[0]), (26, (Figure::Shown(50), Figure::Shown(50))));
    assert_eq!(weeks[1], (Figure::TooFew, Figure::TooFew));
}

#[tokio::test]
async fn a_turn_that_breaks_off_or_comes_second_counts_nothing() {
    let mut town = Town::new();
    for _ in 0..15 {
        town.files().await;
    }
    // Killed before the commit.
    assert!(town.worker.counted(Series::Disputes, None, &mut Read::default()).await.unwrap().is_some());
    assert_eq!(town.figures().await.filed, Figure::Zero);
    let slower =
        town.another_worker().counted(Series::Disputes, None, &mut Read::default()).await.unwrap().unwrap();
    town.counts().await;
    assert_eq!(town.worker.commit(slower).await, Err(Error::Stale));
    assert_eq!(town.figures().await.filed, Figure::Shown(10));
    assert_eq!(
        town.worker.counted(Series::Disputes, None, &mut Read::default()).await,
        Ok(None),
        "nothing is new"
    );
    // The five that waited go on waiting in the record.
    for _ in 0..5 {
        town.files().await;
    }
    while town.another_worker().count_figures().await.unwrap() {}
    assert_eq!(town.figures().await.filed, Figure::Shown(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_count_each_case_once() {
    let mut town = Town::new();
    for _ in 0..2_300 {
        town.decided(Actor::Rule, approved(), 1).await;
    }
    let racing = (0..4).map(|_| {
        let worker = town.another_worker();
        tokio::spawn(async move { while worker.count_figures().await.unwrap() {} })
    });
    for worker in racing.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let figures = town.figures().await;
    assert_eq!((figures.filed, figures.by_rule.corrected), (Figure::Shown(2_300), Figure::Shown(2_300)));
}

#[tokio::test]
async fn a_past_is_counted_into_its_own_weeks_and_forgotten_after_a_year() {
    let mut town = Town::new();
    for weeks_later in [0, 30, 40] {
        town.clock.set("2026-01-05T04:00:00Z".parse().unwrap());
        town.advance_s(weeks_later * 7 * 86_400);
        for _ in 0..12 {
            town.files().await;
        }
    }
    town.counts().await;
    let figures = town.figures().await;
    // Of the 36 the first 10 lie before the half year, and 6 still wait.
    assert_eq!(figures.filed, Figure::Shown(20));
    assert_eq!(figures.weeks[15].filed, Figure::Shown(10));
    assert_eq!(figures.weeks[25].filed, Figure::Shown(10));
    let first = (Series::Disputes, "2026-01-05".parse().unwrap());
    let kept = async |town: &Town| {
        while town.worker.purge().await.unwrap() {}
        town.worker.store().load::<CountedWeek>(&first).await.unwrap().is_some()
    };
    town.clock.set("2027-01-15T04:00:00Z".parse().unwrap());
    assert!(kept(&town).await);
    town.clock.set("2027-01-20T04:00:00Z".parse().unwrap());
    assert!(!kept(&town).await);
}

#[tokio::test]
async fn a_provider_is_measured_from_correction_to_serving_since_it_has_a_key() {
    let town = Town::new();
    town.publishes(20).await;
    town.advance_s(86_400 * 300);
    town.has_key("tencent").await;
    town.has_key("baidu").await;
    town.publishes(10).await;
    town.advance_s(5);
    town.serves("tencent", 25).await;
    town.advance_s(3_600);
    town.serves("tencent", 30).await;
    town.serves("baidu", 29).await;
    town.counts().await;
    let figures = town.figures().await;
    let [tencent, baidu] = figures.serving.as_slice() else { panic!("{figures:?}") };
    assert_eq!((tencent.provider.as_str(), tencent.entries), ("tencent", Figure::Shown(10)));
    let Times { median_s, p95_s } = tencent.times.unwrap();
    assert!(median_s == 5 && p95_s.abs_diff(3_605) < 360, "{figures:?}");
    assert_eq!((baidu.provider.as_str(), baidu.entries, baidu.times), ("baidu", Figure::TooFew, None));
    // Said again, and nothing new.
    assert!(!town.worker.count_figures().await.unwrap());
}

#[tokio::test]
async fn what_is_open_and_overdue_is_told_by_tens() {
    let mut town = Town::new();
    for _ in 0..18 {
        let dispute = town.files().await;
        town.happens(dispute, Actor::Rule, What::SentToReview { flags: vec![Flag::Ported] }).await;
    }
    for what in [approved(), refused("names_agree"), What::Withdrawn { by_new_tenure: false }] {
        town.decided(people(), what, 1).await;
    }
    let refused = town.decided(people(), refused("names_agree"), 1).await;
    town.happens(refused, Actor::Holder, What::Appealed { text: "no".to_owned() }).await;
    town.counts().await;
    let figures = town.figures().await;
    assert_eq!((figures.open, figures.overdue), (Figure::Shown(10), Figure::Zero), "nineteen");
    town.advance_s(86_400);
    let figures = town.figures().await;
    assert_eq!((figures.open, figures.overdue), (Figure::Shown(10), Figure::Shown(10)));
}

#[tokio::test]
async fn whoever_asks_again_soon_is_told_the_same() {
    let mut town = Town::new();
    let before = town.figures().await;
    for _ in 0..10 {
        town.files().await;
    }
    town.counts().await;
    assert!(Arc::ptr_eq(&before, &town.worker.figures().await.unwrap()));
    assert_eq!(town.figures().await.filed, Figure::Shown(10));
    // A clock that is set back does not keep the old figures for ever.
    town.clock.set(later(town.clock.now(), SignedDuration::from_hours(-5)));
    assert_eq!(town.worker.figures().await.unwrap().filed, Figure::Shown(10));
}

#[tokio::test]
async fn the_worker_counts_by_itself() {
    let mut town = Town::new();
    for _ in 0..10 {
        town.files().await;
    }
    let (worker, stop) = (town.another_worker(), CancellationToken::new());
    let stopped = stop.clone();
    let working = tokio::spawn(async move { worker.work(&stopped).await });
    while town.worker.store().load::<Counting>(&Series::Disputes).await.unwrap().is_none() {
        assert!(!working.is_finished());
        tokio::task::yield_now().await;
    }
    stop.cancel();
    working.await.unwrap().unwrap();
    assert_eq!(town.figures().await.filed, Figure::Shown(10));
}
