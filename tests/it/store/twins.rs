//! Random operations on two engines: every answer is the same. Versions are
//! an engine's own affair; only what they mean is compared.

use proptest::prelude::*;
use zhengming::domain::id::FilingId;
use zhengming::domain::progress::Stage;
use zhengming::store::{
    AuditLine, Changeset, Key, Listing, PAGE_RECORDS_MAX, Put, Receipt, Record, Store, StoreError,
};

use crate::store::engines::{self, Engine};
use crate::support::dice::Dice;
use crate::support::records::{self, at, audit, cluster, entry, number, provider, uuid};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(48))]
    #[test]
    fn memory_and_sled_answer_alike(seeds in prop::collection::vec(any::<u64>(), 1..80)) {
        run(async { play(&engines::memory().await, &engines::sled().await, &seeds).await });
    }
}

proptest! {
    // Each look is some hundred round trips.
    #![proptest_config(cases(6))]
    #[test]
    fn memory_and_postgres_answer_alike(seeds in prop::collection::vec(any::<u64>(), 1..30)) {
        run(async { play(&engines::memory().await, &engines::postgres().await, &seeds).await });
    }
}

fn run(playing: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(playing);
}

/// Each seed is one operation.
async fn play(one: &Engine, other: &Engine, seeds: &[u64]) {
    let (one, other) = (&*one.store, &*other.store);
    for seed in seeds {
        let intent = intend(&mut Dice::new(*seed), one).await;
        let answers = (intent.commit(one).await, intent.commit(other).await);
        assert_eq!(answers.0, answers.1, "{intent:?}");
        assert_eq!(look(one, *seed).await, look(other, *seed).await, "after {intent:?}");
    }
}

/// A changeset that names versions by what they mean.
#[derive(Debug)]
struct Intent {
    puts: Vec<(Record, Expected)>,
    deletes: Vec<(Key, Expected)>,
    expects: Vec<(Key, Expected)>,
    rest: Changeset,
}

#[derive(Debug, Clone, Copy)]
enum Expected {
    Present,
    None,
    Wrong,
}

async fn intend(dice: &mut Dice, store: &dyn Store) -> Intent {
    let keys = |dice: &mut Dice, most| {
        let count = dice.roll(most);
        (0..count).map(|_| (records::any(dice), expected(dice))).collect::<Vec<_>>()
    };
    let puts = keys(dice, 6);
    let deletes = keys(dice, 3).into_iter().map(|(record, expected)| (record.key(), expected)).collect();
    let expects = keys(dice, 2).into_iter().map(|(record, expected)| (record.key(), expected)).collect();
    let mut rest = Changeset::default();
    let size = *store.log_size().borrow();
    for nth in 0..dice.roll(3) {
        let of = number(dice.roll(3));
        let supersedes = match dice.roll(8) {
            0 => None,
            1 => Some(size + nth),
            _ => store.newest_entry(of).await.unwrap(),
        };
        rest.entries.push(entry(of, supersedes, dice.next()));
    }
    rest.audit = (0..dice.roll(3)).map(|_| audit(dice.next())).collect();
    Intent { puts, deletes, expects, rest }
}

fn expected(dice: &mut Dice) -> Expected {
    match dice.roll(24) {
        0 => Expected::None,
        1 => Expected::Wrong,
        _ => Expected::Present,
    }
}

impl Intent {
    async fn commit(&self, store: &dyn Store) -> Result<Receipt, StoreError> {
        let mut changeset = self.rest.clone();
        for (record, expected) in &self.puts {
            let expected = version(store, &record.key(), *expected).await;
            changeset.puts.push(Put { record: record.clone(), expected });
        }
        for (key, expected) in &self.deletes {
            changeset.deletes.push((key.clone(), version(store, key, *expected).await));
        }
        for (key, expected) in &self.expects {
            changeset.expect(key.clone(), version(store, key, *expected).await);
        }
        store.commit(changeset).await
    }
}

async fn version(store: &dyn Store, key: &Key, expected: Expected) -> u64 {
    match expected {
        Expected::Present => store.get(key).await.unwrap().map_or(0, |found| found.version),
        Expected::None => 0,
        Expected::Wrong => u64::MAX >> 1,
    }
}

#[derive(Debug, PartialEq)]
pub struct View {
    /// The listing whole, then its pages.
    listings: Vec<Vec<Vec<Record>>>,
    log: Vec<Vec<u8>>,
    log_size: u64,
    audit: Vec<AuditLine>,
    newest: Vec<Option<u64>>,
}

/// Everything that can be asked, with limits by chance.
pub async fn look(store: &dyn Store, seed: u64) -> View {
    let mut dice = Dice::new(seed);
    // Not within the expression below: the borrow would last over its awaits.
    let log_size = *store.log_size().borrow();
    let mut view = View {
        listings: Vec::new(),
        log: store.log(dice.roll(4), 1 + usize::try_from(dice.roll(50)).unwrap()).await.unwrap(),
        log_size,
        audit: store.audit(dice.roll(4), 1 + usize::try_from(dice.roll(50)).unwrap()).await.unwrap(),
        newest: Vec::new(),
    };
    for nth in 0..3 {
        view.newest.push(store.newest_entry(number(nth)).await.unwrap());
    }
    for listing in listings(&mut dice) {
        let whole = pages(store, &listing, PAGE_RECORDS_MAX).await;
        let paged = pages(store, &listing, 1 + usize::try_from(dice.roll(4)).unwrap()).await;
        assert_eq!(whole.concat(), paged.concat());
        view.listings.extend([whole, paged]);
    }
    view
}

fn listings(dice: &mut Dice) -> Vec<Listing> {
    let until = at(dice.roll(5));
    let mut all = vec![
        Listing::Queue,
        Listing::TasksDue { until },
        Listing::AccessKeys,
        Listing::Regressed { provider: None },
        Listing::Moderators,
        Listing::Webhooks,
        Listing::OpenBatches,
        Listing::ReversalsAsked,
        Listing::Expired { until },
    ];
    all.extend((0..3).map(|nth| Listing::LabelsOf(number(nth))));
    all.extend((0..3).map(|nth| Listing::DisputesOf(number(nth))));
    all.extend((0..4).map(|nth| Listing::RefusalsOf(provider(nth))));
    all.extend((0..3).map(|nth| Listing::PartsOf(FilingId(uuid(nth)))));
    let since = at(dice.roll(5));
    all.extend((0..3).map(|nth| Listing::TracesSince { cluster: cluster(nth), since }));
    all.extend((0..4).map(|nth| Listing::Regressed { provider: Some(provider(nth)) }));
    let (provider, size) = (provider(dice.roll(4)), dice.roll(3));
    all.extend(Stage::ALL.map(|stage| Listing::AcksAbove { provider: provider.clone(), stage, size }));
    all
}

async fn pages(store: &dyn Store, listing: &Listing, limit: usize) -> Vec<Vec<Record>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(listing, after.as_ref(), limit).await.unwrap();
        pages.push(page.records.into_iter().map(|found| found.value).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}
