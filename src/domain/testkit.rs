//! Makers of small values for the domain's tests.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::domain::catalog::LabelCatalog;
use crate::domain::correction::Decision;
use crate::domain::day::plus_days;
use crate::domain::dispute::{Actor, Claim, Control, Dispute, DisputedLabel, What};
use crate::domain::evidence::{Answer, Evidence, Question};
use crate::domain::id::{DisputeId, ModeratorName, OperatorId};
use crate::domain::label::{Category, Label, LabelKind, Source};
use crate::domain::language::Language;
use crate::domain::lines::LineError;
use crate::domain::number::Number;
use crate::domain::reference::Reference;
use crate::domain::rules::{Askable, Case, Step, next_step};
use crate::domain::tenure::{Insert, Ledger, TenureEvent, TenureLine};

/// R of the country under test.
pub const REST: i32 = 90;

static CATALOG: LazyLock<LabelCatalog> = LazyLock::new(|| Reference::built_in().labels);

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An instant of that day, the same day in Shanghai and in Greenwich.
pub fn noon(day: Date) -> Timestamp {
    at(&format!("{day}T04:00:00Z"))
}

pub fn number() -> Number {
    Number::from_digits(8_613_800_138_000).unwrap()
}

pub fn op(id: &str) -> OperatorId {
    id.parse().unwrap()
}

pub fn moderator(name: &str) -> ModeratorName {
    name.parse().unwrap()
}

pub fn askable(id: &str, serving: bool, follows_ports: bool) -> Askable {
    Askable { id: op(id), serving, follows_ports }
}

pub fn line(event: TenureEvent, on: Date, by: &str) -> TenureLine {
    TenureLine { event, on, by: op(by), received_at: Timestamp::UNIX_EPOCH }
}

/// Tells the ledger something, long after it happened.
pub fn tell(
    ledger: &mut Ledger,
    event: TenureEvent,
    on: &str,
    by: &str,
    home: Option<&str>,
) -> Result<Insert, LineError> {
    ledger.insert(line(event, day(on), by), day("2030-01-01"), home.map(op).as_ref())
}

/// A ledger of the one operator that served the number all the time.
pub fn ledger(lines: &[(TenureEvent, &str)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (event, on) in lines {
        assert_eq!(tell(&mut ledger, *event, on, "cmcc", Some("cmcc")), Ok(Insert::Added));
    }
    ledger
}

pub fn category_label(category: Category, first: Option<&str>, last: Option<&str>) -> Label {
    Label {
        provider: "tencent".parse().unwrap(),
        number: number(),
        kind: LabelKind::Category,
        category: Some(category),
        code: None,
        name: None,
        text: None,
        source: Source::Crowd,
        count: Some(20),
        first_marked_on: first.map(day),
        last_marked_on: last.map(day),
        marked_before: Vec::new(),
        observed_at: at("2026-01-01T00:00:00Z"),
        regressed: None,
    }
}

pub fn name_label(provider: &str, name: &str, source: Source) -> Label {
    Label {
        provider: provider.parse().unwrap(),
        kind: LabelKind::Name,
        category: None,
        name: Some(name.to_owned()),
        source,
        count: None,
        ..category_label(Category::Other, None, None)
    }
}

pub fn disputed(provider: &str, name: &str) -> DisputedLabel {
    DisputedLabel { provider: provider.parse().unwrap(), category: None, name: Some(name.to_owned()) }
}

pub fn dispute(claim: Claim, labels: Vec<DisputedLabel>) -> Dispute {
    let filed_at = at("2026-06-01T04:00:00Z");
    let mut dispute = Dispute {
        id: DisputeId(Uuid::from_u128(1)),
        number: number(),
        claim,
        control: Control::Code,
        labels,
        providers: Vec::new(),
        note: None,
        contact: None,
        language: Language::default(),
        filed_at,
        control_proved_at: filed_at,
        answer_due_on: day("2026-06-02"),
        due_on: day("2026-06-08"),
        events: Vec::new(),
        lease: None,
    };
    dispute.apply(filed_at, Actor::Holder, What::Filed);
    dispute
}

pub fn evidence(source: &str, question: Question, answer: Answer, at: Timestamp) -> Evidence {
    Evidence { question, answer, source: op(source), at, correlator: None, detail: None }
}

/// A case that owns its parts.
#[derive(Debug, Clone)]
pub struct World {
    pub dispute: Dispute,
    pub evidence: Vec<Evidence>,
    pub ledger: Ledger,
    pub decisions: Vec<Decision>,
    pub labels: Vec<Label>,
    pub operators: Vec<Askable>,
    pub only_first: bool,
    pub registry_current: bool,
    pub today: Date,
}

impl World {
    /// One serving operator that sees through ports, and nothing else known.
    pub fn of(dispute: Dispute, today: Date) -> Self {
        Self {
            dispute,
            evidence: Vec::new(),
            ledger: Ledger::default(),
            decisions: Vec::new(),
            labels: Vec::new(),
            operators: vec![askable("cmcc", true, true)],
            only_first: false,
            registry_current: false,
            today,
        }
    }

    pub fn step(&self) -> Step {
        next_step(&Case {
            dispute: &self.dispute,
            evidence: &self.evidence,
            ledger: &self.ledger,
            decisions: &self.decisions,
            labels: &self.labels,
            operators: &self.operators,
            only_first: self.only_first,
            registry_current: self.registry_current,
            rest_days: REST,
            today: self.today,
            now: noon(self.today),
            catalog: &CATALOG,
        })
    }

    pub fn answered(mut self, source: &str, question: Question, answer: Answer) -> Self {
        self.evidence.push(evidence(source, question, answer, noon(self.today)));
        self
    }

    /// Asks `oracle` until something else is to be done, and waits for as
    /// many days as the rules want to; returns that, and the questions asked
    /// since the last wait.
    pub fn play(mut self, oracle: impl Fn(&str, &Question) -> Answer) -> (Step, Vec<(OperatorId, Question)>) {
        let mut asked = Vec::new();
        loop {
            match self.step() {
                Step::Ask { operator, question } => {
                    assert!(
                        !asked.contains(&(operator.clone(), question.clone())),
                        "asked twice: {question:?}"
                    );
                    let answer = oracle(operator.as_str(), &question);
                    asked.push((operator.clone(), question.clone()));
                    self = self.answered(operator.as_str(), question, answer);
                }
                Step::ControlProved => {
                    self.dispute.apply(noon(self.today), Actor::Rule, What::ControlProved);
                }
                Step::AskAgainAt(next) => {
                    assert!(next > noon(self.today));
                    self.today = plus_days(self.today, 1);
                    self.evidence.clear();
                    asked.clear();
                }
                step => return (step, asked),
            }
        }
    }
}
