//! Three instances on a PostgreSQL server with a synchronous standby, while
//! holders file and an operator pushes without a pause: instances are killed,
//! the one that publishes stands still for longer than its lease, and the
//! database's server is killed for good.
//!
//! `cargo test --test it failover -- --nocapture` prints the figures.

mod callers;
mod database;
mod fleet;
mod gateway;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::child::AT_MOST;
use crate::process::house::keep;
use crate::process::wire::get;
use crate::support::dice::Dice;
use callers::{Callers, FILERS, NUMBERS_PER_FILER, holder};
use database::Pair;
use fleet::{Fleet, INSTANCES};
use gateway::Gateway;

/// Acknowledged between two blows.
const CALM: usize = 25;
/// Of what is left to do when all is over, each wait is of so long at most.
const WAITS_MAX: usize = 60;
const WAIT_S: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost() {
    let (mut pair, gateway) = (Pair::start(), Gateway::start());
    let fleet = Fleet::start(&pair.url(), &gateway);
    let callers = Callers {
        fleet: &fleet,
        gateway: &gateway,
        provider: fleet.key("provider", "tencent"),
        operator: fleet.key("operator", "cmcc"),
        is_over: Default::default(),
        counts: Default::default(),
        notes: Default::default(),
        filed: Default::default(),
        released: Default::default(),
    };
    tell_of_holders(&callers);
    let gaps = std::thread::scope(|scope| {
        let (acknowledged, acks) = channel();
        for filer in 0..FILERS {
            let (tell, callers) = (acknowledged.clone(), &callers);
            scope.spawn(move || callers.file_on(filer, &tell));
        }
        let callers = &callers;
        scope.spawn(move || callers.push_on(&acknowledged));
        // They end, whatever happens here.
        let _over = Over(callers);
        blows(&fleet, &mut pair, &mut Story::new(acks))
    });
    settles(&callers);
    let corrections = check_log(&callers);
    check_disputes(&callers, &corrections);
    check_decisions(&pair, &callers).await;
    check_from_outside(&callers);
    figures(&callers, &gaps);
}

/// The operator tells of all holders before anybody files: nothing is shown of
/// their numbers, so nothing is published for that.
fn tell_of_holders(callers: &Callers) {
    let numbers: Vec<String> =
        (0..FILERS).flat_map(|filer| (0..NUMBERS_PER_FILER).map(move |nth| holder(filer, nth))).collect();
    let told = callers.released(&numbers).at(callers.fleet.public(0)).ok(200).json();
    assert_eq!((&told["rejected"], &told["corrections"]), (&Value::from(0), &Value::from(0)), "{told}");
}

struct Over<'a, 'b>(&'a Callers<'b>);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

/// When something was acknowledged.
struct Story {
    acks: Receiver<Instant>,
    last: Instant,
    dice: Dice,
}

impl Story {
    fn new(acks: Receiver<Instant>) -> Self {
        let last = acks.recv_timeout(AT_MOST).unwrap();
        Self { acks, last, dice: Dice::new(7) }
    }

    /// Waits for so many; the longest time between two.
    fn goes_on(&mut self, count: usize) -> Duration {
        let mut longest = Duration::ZERO;
        for _ in 0..count {
            let at = self.acks.recv_timeout(AT_MOST).expect("the service does not come back");
            longest = longest.max(at.saturating_duration_since(self.last));
            self.last = self.last.max(at);
        }
        longest
    }

    fn one(&mut self) -> usize {
        usize::try_from(self.dice.roll(INSTANCES as u64)).unwrap()
    }
}

/// What happened, and for how long nobody was told yes then.
type Gaps = Vec<(&'static str, Duration)>;

fn blows(fleet: &Fleet, pair: &mut Pair, story: &mut Story) -> Gaps {
    let mut gaps = vec![("calm", story.goes_on(CALM))];
    gaps.extend(instances_die(fleet, story));
    gaps.push(("the publisher stands still", stands_still(fleet, story)));

    pair.dies();
    pair.is_promoted();
    gaps.push(("the database's server is killed", story.goes_on(CALM)));
    gaps.extend(instances_die(fleet, story));
    gaps
}

/// Two, one after the other, each started again later.
fn instances_die(fleet: &Fleet, story: &mut Story) -> Gaps {
    let die = |_| {
        let victim = story.one();
        fleet.dies(victim);
        let gap = story.goes_on(CALM);
        fleet.starts(victim);
        ("an instance is killed", gap)
    };
    (0..2).map(die).collect()
}

/// For longer than its lease, until another publishes in its place.
fn stands_still(fleet: &Fleet, story: &mut Story) -> Duration {
    let old = until(|| fleet.leader(0..INSTANCES));
    fleet.signal(old, "STOP");
    let new = until(|| fleet.leader((0..INSTANCES).filter(|nth| *nth != old)));
    fleet.signal(old, "CONT");
    let gap = story.goes_on(CALM);
    until(|| (fleet.leader(std::iter::once(old)).is_none()).then_some(()));
    assert_ne!(old, new);
    gap
}

/// Each look is an answer of a process's.
fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < AT_MOST {
        if let Some(found) = look() {
            return found;
        }
    }
    panic!("it does not come to pass");
}

/// Until everything that was filed is decided, and what is decided published.
fn settles(callers: &Callers) {
    let mut left: Vec<_> = callers.filed.lock().unwrap().clone();
    for wait in 0..WAITS_MAX {
        left.retain(|filed| callers.view(filed, wait % INSTANCES)["status"] != "corrected");
        let published = (0..INSTANCES).map(|nth| size_at(callers, nth)).min().unwrap();
        if left.is_empty() && (0..INSTANCES).all(|nth| shows_all(callers, nth)) {
            return;
        }
        let path = format!("/feed/v1/corrections?after={published}&limit=1&wait={WAIT_S}");
        let _ = get(&path).bearer(&callers.provider).try_at(callers.fleet.public(wait % INSTANCES));
    }
    if left.is_empty() {
        // It is told which.
        return;
    }
    let views: Vec<_> = left.iter().map(|filed| callers.view(filed, 0)).collect();
    panic!("{} disputes are not decided: {:#?}", left.len(), views.first());
}

/// What was acknowledged is in the log there. Its size does not tell: others
/// were filed, too, and never acknowledged.
fn shows_all(callers: &Callers, nth: usize) -> bool {
    let log = log_at(callers, nth, size_at(callers, nth));
    let shown: BTreeSet<&str> = log.iter().filter_map(|entry| entry["number"].as_str()).collect();
    let filed = callers.filed.lock().unwrap();
    let released = callers.released.lock().unwrap();
    filed
        .iter()
        .map(|filed| &filed.number)
        .chain(released.iter())
        .all(|number| shown.contains(number.as_str()))
}

fn log_at(callers: &Callers, nth: usize, size: u64) -> Vec<Value> {
    let page = get(&format!("/feed/v1/corrections?limit={size}")).bearer(&callers.provider);
    let page = page.field("accept", "application/json").at(callers.fleet.public(nth)).ok(200).json();
    page.as_array().unwrap().clone()
}

fn size_at(callers: &Callers, nth: usize) -> u64 {
    callers.note(&get("/feed/v1/checkpoint").at(callers.fleet.public(nth)).ok(200))
}

/// The same log at every instance, without a gap; each number's entries.
fn check_log(callers: &Callers) -> BTreeMap<String, Vec<Value>> {
    // It may still grow by what was filed and never acknowledged.
    let size = (0..INSTANCES).map(|nth| size_at(callers, nth)).min().unwrap();
    let logs: Vec<_> = (0..INSTANCES).map(|nth| log_at(callers, nth, size)).collect();
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entries in &logs {
        assert_eq!(entries.len() as u64, size);
        for (seq, entry) in entries.iter().enumerate() {
            assert_eq!(entry["seq"], seq, "a gap");
            assert_eq!(*entry, logs[0][seq], "two logs");
        }
    }
    for entry in &logs[0] {
        found.entry(entry["number"].as_str().unwrap().to_owned()).or_default().push(entry.clone());
    }
    found
}

/// Each that was acknowledged is there, corrected once, and told once.
fn check_disputes(callers: &Callers, corrections: &BTreeMap<String, Vec<Value>>) {
    let filed = callers.filed.lock().unwrap();
    let ids: BTreeSet<&str> = filed.iter().map(|filed| filed.id.as_str()).collect();
    assert_eq!(ids.len(), filed.len());
    for filed in filed.iter() {
        let entries = corrections.get(&filed.number).unwrap_or_else(|| panic!("{} is lost", filed.number));
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["reason"], "reassigned");
        let news = callers.gateway.news_for(&filed.number);
        assert!(news.len() <= 1, "{news:?}");
    }
    for number in callers.released.lock().unwrap().iter() {
        let entries = corrections.get(number).unwrap_or_else(|| panic!("{number} is lost"));
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["reason"], "released");
    }
}

/// No decision was made twice: one line of the audit for each.
async fn check_decisions(pair: &Pair, callers: &Callers<'_>) {
    let twice = "SELECT count(*) FROM (SELECT subject FROM audit WHERE action = 'approved' \
                 GROUP BY subject HAVING count(*) > 1) AS twice";
    assert_eq!(pair.count(twice).await, 0);
    let approved = pair.count("SELECT count(*) FROM audit WHERE action = 'approved'").await;
    assert!(approved >= callers.filed.lock().unwrap().len() as i64);
    let gaps = "SELECT count(*) - max(seq) - 1 FROM corrections";
    assert_eq!(pair.count(gaps).await, 0);
}

/// By the program that audits a log: signature, every entry, every root.
fn check_from_outside(callers: &Callers) {
    let key_file = callers.fleet.path().join("provider.key");
    keep(&key_file, &callers.provider, 0o600);
    for nth in 0..INSTANCES {
        let at = callers.fleet.public(nth);
        let key = get("/feed/v1/key").at(at).ok(200).body;
        let verifier = String::from_utf8(key).unwrap();
        let line = format!(
            "feed verify --url http://{at} --verifier {} --key-file {}",
            verifier.trim(),
            key_file.display()
        );
        let command = crate::process::house::program(callers.fleet.path(), &line);
        crate::process::child::Process::start(command, b"").ended().done();
    }
}

#[allow(clippy::print_stderr)]
fn figures(callers: &Callers, gaps: &Gaps) {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let counts = &callers.counts;
    let (disputes, releases) = (callers.filed.lock().unwrap().len(), callers.released.lock().unwrap().len());
    let (messages, again) = callers.gateway.counts();
    eprintln!(
        "requests {}, refused for the moment {}, broken {}",
        count(&counts.requests),
        count(&counts.refused),
        count(&counts.broken)
    );
    eprintln!("acknowledged: {disputes} disputes, {releases} releases; lost 0, decided twice 0");
    eprintln!("messages {messages}, sent again under the same id {again}");
    for (what, gap) in gaps {
        eprintln!("{what}: at most {:.1} s without an acknowledgement", gap.as_secs_f64());
    }
}
