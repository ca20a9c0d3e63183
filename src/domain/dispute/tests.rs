#![allow(clippy::unwrap_used)]

mod documents;
mod life;
mod silence;
mod table;
mod two_people;

use jiff::{SignedDuration, Timestamp};

use crate::domain::correction::Effect;
use crate::domain::dispute::{Actor, Claim, Command, Dispute, Flag, Lease, Ruling, Status, Weighing, What};
use crate::domain::evidence::{Answer, Evidence, Question};
use crate::domain::label::Label;
use crate::domain::refusal::Refusal;
use crate::domain::tenure::Ledger;
use crate::domain::testkit::{REST, at, day, dispute, disputed, evidence, moderator, noon};
use crate::domain::window::Window;

/// A dispute and what its decisions are weighed against.
#[derive(Debug, Clone)]
struct Desk {
    dispute: Dispute,
    ledger: Ledger,
    labels: Vec<Label>,
    now: Timestamp,
    /// For a second look.
    is_drawn: bool,
}

const TODAY: &str = "2026-06-02";

impl Desk {
    fn of(claim: Claim) -> Self {
        let dispute = dispute(claim, vec![disputed("dianhuabang", "张记面馆")]);
        Self {
            dispute,
            ledger: Ledger::default(),
            labels: Vec::new(),
            now: noon(day(TODAY)),
            is_drawn: false,
        }
    }

    /// A window of which `approve` makes 2025-01-30.
    fn reassigned() -> Self {
        let window = Window { after: day("2025-01-29"), until: day("2025-04-29") };
        Self::of(Claim::Reassigned { opened: "2025-03".parse().ok(), window: Some(window) })
    }

    fn answered(mut self, question: Question, answer: Answer) -> Self {
        let answered = What::Answered(self.says(question, answer));
        self.dispute.apply(self.now, Actor::Rule, answered);
        self
    }

    fn says(&self, question: Question, answer: Answer) -> Evidence {
        evidence("cmcc", question, answer, self.now)
    }

    /// The answers to the three questions about the window.
    fn answers(self, answers: &[Answer]) -> Self {
        let questions = [
            Question::HeldSince { day: day("2025-04-29") },
            Question::ChangedAfter { day: day("2025-01-29") },
            Question::ChangedAfter { day: day("2024-10-31") },
        ];
        questions
            .into_iter()
            .zip(answers)
            .fold(self, |desk, (question, answer)| desk.answered(question, *answer))
    }

    fn in_review(mut self, flags: &[Flag]) -> Self {
        self.dispute.apply(self.now, Actor::Rule, What::SentToReview { flags: flags.to_vec() });
        self
    }

    fn later(mut self, hours: i64) -> Self {
        self.now += SignedDuration::from_hours(hours);
        self
    }

    fn ask(&self, command: Command) -> Result<Vec<What>, Refusal> {
        let weighing = Weighing {
            labels: &self.labels,
            ledger: &self.ledger,
            rest_days: REST,
            today: self.now.in_tz("Asia/Shanghai").unwrap().date(),
            now: self.now,
            is_drawn: self.is_drawn,
        };
        self.dispute.decide(command, weighing)
    }

    /// Decides, and lets the events happen.
    fn act(&mut self, actor: &Actor, command: Command) -> Result<Status, Refusal> {
        for what in self.ask(command)? {
            self.dispute.apply(self.now, actor.clone(), what);
        }
        Ok(self.dispute.status())
    }

    /// A moderator takes the case and decides.
    fn rule(&mut self, name: &str, command: fn(&str) -> Command) -> Result<Status, Refusal> {
        self.lease(name);
        self.act(&Actor::Moderator { name: moderator(name) }, command(name))
    }

    fn lease(&mut self, name: &str) {
        let until = self.now + SignedDuration::from_mins(15);
        self.dispute.lease = Some(Lease { by: moderator(name), until });
    }

    fn appeal(&mut self) -> Result<Status, Refusal> {
        let command = Command::Appeal { text: "…".to_owned(), control_proved_at: self.now };
        self.act(&Actor::Holder, command)
    }

    /// The effect of the approval in force.
    fn effect(&self) -> Effect {
        self.dispute.state().approved.unwrap().1
    }

    fn may_take(&self, name: &str) -> bool {
        self.dispute.may_take(&self.dispute.state(), &moderator(name))
    }
}

fn ruling() -> Ruling {
    Ruling { reason_code: "documents".to_owned(), note: Some("…".to_owned()), public_note: None }
}

fn approve(by: &str) -> Command {
    Command::Approve { by: moderator(by), ruling: ruling() }
}

fn refuse(by: &str) -> Command {
    Command::Refuse { by: moderator(by), ruling: ruling() }
}

fn ask_documents(by: &str) -> Command {
    Command::AskDocuments { by: moderator(by), ruling: ruling() }
}

fn revert() -> Command {
    Command::Revert { reason: "wrong".to_owned() }
}

fn wrong_state(status: Status) -> Refusal {
    Refusal::WrongState { status: status.as_str() }
}

#[test]
fn the_desk_is_in_order() {
    let desk = Desk::reassigned().later(1);
    assert_eq!(desk.now, at("2026-06-02T05:00:00Z"));
    assert_eq!(desk.dispute.status(), Status::Checking);
    assert_eq!(desk.in_review(&[Flag::Ported]).dispute.status(), Status::InReview);
}
