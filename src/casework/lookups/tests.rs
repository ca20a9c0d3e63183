//! Providers that are slow, fail, or are asked by many at once. Time is paused:
//! it moves when nothing else can.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::casework::Parts;
use crate::casework::ports::Unavailable;
use crate::casework::testkit::parts;
use crate::domain::label::Label;
use crate::env::clock::MockClock;
use crate::store::Store;
use crate::store::memory::MemoryStore;

#[derive(Debug, Clone)]
enum Says {
    Labels(Vec<Value>),
    After(Duration, Vec<Value>),
    No(NoAnswer),
    Never,
    Panics,
}

use Says::{After, Labels, Never, No, Panics};

/// Answers what it is told to, the last one for ever.
#[derive(Debug)]
struct Provider {
    answers: Mutex<VecDeque<Says>>,
    asked: Mutex<usize>,
}

impl Provider {
    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    fn next(&self) -> Says {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

#[async_trait]
impl LookUp for Provider {
    fn kinds(&self) -> &'static [LabelKind] {
        &[LabelKind::Category, LabelKind::Name]
    }

    async fn ask(&self, _: Number) -> std::result::Result<Vec<String>, NoAnswer> {
        let labels = match self.next() {
            Labels(labels) => labels,
            After(wait, labels) => {
                // As long as a deadline takes that nothing meets.
                let _ = timeout(wait, std::future::pending::<()>()).await;
                labels
            }
            No(why) => return Err(why),
            Never => std::future::pending().await,
            Panics => panic!("as it is meant to"),
        };
        Ok(labels.iter().map(Value::to_string).collect())
    }
}

fn unavailable(retry_after_s: Option<u64>) -> Unavailable {
    Unavailable { why: "503".into(), retry_after_s, alarm: false }
}

struct Town {
    casework: Casework,
    clock: MockClock,
    store: Arc<MemoryStore>,
    providers: Vec<Arc<Provider>>,
    _dir: TempDir,
}

const IDS: [&str; 3] = ["tencent", "baidu", "sogou"];

fn number(nth: u64) -> Number {
    Number::from_digits(8_613_800_138_000 + nth).unwrap()
}

fn express() -> Value {
    json!({ "number": number(0).to_string(), "kind": "category", "category": "express", "count": 20 })
}

fn no(why: Missing, nth: usize) -> (ProviderId, Missing) {
    (IDS[nth].parse().unwrap(), why)
}

impl Town {
    fn new(providers: &[&[Says]]) -> Self {
        let clock = MockClock::at("2026-11-23T03:04:05Z".parse().unwrap());
        let (store, dir) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let provider = |answers: &&[Says]| {
            let answers = Mutex::new(answers.iter().cloned().collect());
            Arc::new(Provider { answers, asked: Mutex::new(0) })
        };
        let providers: Vec<_> = providers.iter().map(provider).collect();
        let asked = |(id, api): (&&str, &Arc<Provider>)| AskedProvider {
            id: id.parse().unwrap(),
            api: api.clone() as Arc<dyn LookUp>,
        };
        let lookups = IDS.iter().zip(&providers).map(asked).collect();
        let casework = Casework::new(Parts { lookups, ..parts(&store, &clock, dir.path()) });
        Self { casework, clock, store, providers, _dir: dir }
    }

    async fn missing(&self) -> Vec<(ProviderId, Missing)> {
        self.casework.look_up_all(number(0)).await
    }

    async fn labels(&self) -> Vec<Label> {
        self.casework.labels_of(number(0)).await.unwrap()
    }

    fn advance_s(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn all_are_asked_at_once_and_nobody_waits_longer_than_two_seconds() {
    let town = Town::new(&[&[Never], &[Labels(vec![express()])], &[Never]]);
    let missing = timeout(ALL_WITHIN + Duration::from_millis(1), town.missing()).await;
    assert_eq!(missing, Ok(vec![no(Missing::Timeout, 0), no(Missing::Timeout, 2)]));
    let labels = town.labels().await;
    assert_eq!((labels.len(), labels[0].provider.as_str(), labels[0].count), (1, "baidu", Some(20)));
    assert_eq!(labels[0].observed_at, town.casework.now());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_good_for_a_few_minutes() {
    let town = Town::new(&[&[Labels(vec![express()]), Labels(Vec::new())]]);
    for _ in 0..3 {
        assert_eq!(town.missing().await, []);
        assert_eq!(town.labels().await.len(), 1);
        town.advance_s(99);
    }
    assert_eq!(town.providers[0].asked(), 1);
    town.advance_s(10);
    assert_eq!(town.missing().await, []);
    assert_eq!((town.providers[0].asked(), town.labels().await.len()), (2, 0), "it is shown no more");
    assert_eq!(town.casework.look_up_all(number(1)).await, []);
    assert_eq!(town.providers[0].asked(), 3, "another number is another question");
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_the_same_share_one_question() {
    let town = Town::new(&[&[After(Duration::from_secs(1), vec![express()])]]);
    let outcomes = join_all((0..50).map(|_| town.missing())).await;
    assert!(outcomes.iter().all(Vec::is_empty));
    assert_eq!(town.providers[0].asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waits_for_is_written_down() {
    let town = Town::new(&[&[After(Duration::from_secs(1), vec![express()])]]);
    assert!(timeout(Duration::from_millis(500), town.missing()).await.is_err(), "the caller has gone");
    assert_eq!(town.missing().await, []);
    assert_eq!((town.providers[0].asked(), town.labels().await.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_fails_again_and_again_is_left_alone_for_a_while() {
    let failing = [Never, Never, Never, Never, Never, Never, Labels(vec![express()])];
    let town = Town::new(&[&failing]);
    for _ in 0..5 {
        assert_eq!(town.missing().await, [no(Missing::Timeout, 0)]);
    }
    let missing = timeout(Duration::from_millis(1), town.missing()).await;
    assert_eq!(missing, Ok(vec![no(Missing::Unavailable, 0)]), "it costs nobody any time");
    assert_eq!(town.providers[0].asked(), 5);
    town.advance_s(30);
    assert_eq!(town.missing().await, [no(Missing::Timeout, 0)]);
    assert_eq!(town.missing().await, [no(Missing::Unavailable, 0)]);
    town.advance_s(60);
    assert_eq!(town.missing().await, []);
    assert_eq!(town.providers[0].asked(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_provider_names_is_kept() {
    let busy = No(NoAnswer::Unavailable(unavailable(Some(60))));
    let town = Town::new(&[&[busy, Labels(Vec::new())]]);
    for _ in 0..2 {
        assert_eq!(town.missing().await, [no(Missing::Unavailable, 0)]);
    }
    assert_eq!(town.providers[0].asked(), 1);
    town.advance_s(60);
    assert_eq!(town.missing().await, []);
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_word_and_changes_nothing() {
    let first = Labels(vec![express()]);
    let refused = Unavailable { alarm: true, ..unavailable(None) };
    let other_number = json!({ "number": number(1).to_string(), "kind": "category", "category": "fraud" });
    let unknown_code = json!({ "number": number(0).to_string(), "kind": "category", "code": "999" });
    let cases = [
        (No(NoAnswer::Unavailable(unavailable(None))), Missing::Unavailable),
        (No(NoAnswer::Unavailable(refused)), Missing::Refused),
        (No(NoAnswer::Malformed), Missing::Malformed),
        (No(NoAnswer::Unsupported), Missing::Unsupported),
        (Panics, Missing::Unavailable),
        (Labels(vec![json!({ "kind": "category" })]), Missing::Malformed),
        (Labels(vec![express(), express()]), Missing::Malformed),
        (Labels(vec![express(), unknown_code]), Missing::Malformed),
        (Labels(vec![other_number]), Missing::Malformed),
    ];
    for (says, why) in cases {
        let town = Town::new(&[&[first.clone(), says.clone(), first.clone()]]);
        assert_eq!(town.missing().await, []);
        let before = town.labels().await;
        town.advance_s(300);
        assert_eq!(town.missing().await, [no(why, 0)], "{says:?}");
        assert_eq!(town.labels().await, before);
        assert_eq!(town.missing().await, [], "{says:?}: asked again at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_look_up_leaves_out_is_kept() {
    let dated = json!({ "number": number(0).to_string(), "kind": "category", "category": "express",
        "code": "55", "source": "crowd", "count": 20, "first_marked_on": "2023-06-01" });
    let bare = json!({ "number": number(0).to_string(), "kind": "category", "category": "express" });
    let other = json!({ "number": number(0).to_string(), "kind": "category", "category": "harass" });
    let town = Town::new(&[&[Labels(vec![dated]), Labels(vec![bare]), Labels(vec![other])]]);
    town.missing().await;
    let before = town.labels().await;
    assert!(before[0].first_marked_on.is_some());
    town.advance_s(300);
    town.missing().await;
    assert_eq!(town.labels().await, before);
    town.advance_s(300);
    town.missing().await;
    let after = town.labels().await;
    assert_eq!((after[0].count, after[0].first_marked_on, &after[0].code), (None, None, &None));
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_in_the_audit_and_once() {
    let town = Town::new(&[&[Labels(vec![express()])]]);
    for _ in 0..3 {
        assert_eq!(town.missing().await, []);
        town.advance_s(300);
    }
    assert_eq!(town.providers[0].asked(), 3);
    let lines = town.store.audit(0, 10).await.unwrap();
    assert_eq!(lines.len(), 1, "nothing was news after the first time");
    let draft = &lines[0].draft;
    let told = (draft.actor.as_str(), draft.action.as_str(), draft.subject.as_str());
    assert_eq!(told, ("provider:tencent", "labels_looked_up", "number:+86138****8000"));
}

#[tokio::test(start_paused = true)]
async fn answers_are_forgotten() {
    let town = Town::new(&[&[Labels(Vec::new())]]);
    for nth in 0..20 {
        town.casework.look_up_all(number(nth)).await;
    }
    assert_eq!(town.casework.lookups.remembered(), 20);
    town.advance_s(300);
    town.casework.purge().await.unwrap();
    assert_eq!(town.casework.lookups.remembered(), 0);
}
