//! Moderators: they take what comes, mostly judge rightly, hurry when much
//! waits, and one of them takes bribes.
//!
//! What they go by: without papers they ask for some. Papers against an
//! operator's plain answer are shown to the operator before anybody approves.

use std::collections::BTreeMap;

use zhengming::casework::actors::ModeratorActor;
use zhengming::casework::moderation::{CaseInHand, Verdict};
use zhengming::domain::dispute::{Claim, Flag, Ruling, Status, What};
use zhengming::domain::evidence::{Answer, Evidence, Question};
use zhengming::domain::id::DisputeId;

use crate::chance::happens;
use crate::dice::Dice;
use crate::service::{Service, refused};

pub const PEOPLE: [&str; 6] = ["ayi", "beifeng", "chunhua", "dashan", "erhu", "feiyan"];
/// Who takes bribes.
pub const BRIBED: usize = 5;
/// Wrong where only papers tell; in a hurry, so many times as often.
const ERRS: f64 = 0.02;
const HURRIED: f64 = 2.5;
/// Approves against an operator's plain answer by mistake: the console says so
/// in red before one signs.
const ERRS_OVER_NO: f64 = 0.003;
/// A forged paper passes one person.
const FORGERY_PASSES: f64 = 0.05;
/// What the operator says of a forged paper that it is shown.
const OPERATOR_TAKEN_IN: f64 = 0.001;
/// A case takes so long; in a hurry half of it.
pub const CASE_MIN: i64 = 6;
/// More waiting cases than this make people hurry.
const MANY_WAIT: u64 = 60;

/// What the town knows of a case, and the moderators have to find out.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    /// What is claimed is so.
    pub is_so: bool,
    pub papers: Papers,
    /// The operator's own records are wrong.
    pub record_is_wrong: bool,
    /// The tenure's first day.
    pub began: Option<jiff::civil::Date>,
    /// The bribed moderator was paid for this one.
    pub is_paid_for: bool,
}

/// What somebody can show who is asked for papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Papers {
    True,
    /// True, and they say that the number was handed on without rest.
    OfTransfer,
    Forged,
    /// No one can see it.
    ForgedWell,
}

#[derive(Debug)]
pub struct Moderators {
    dice: Dice,
    pub minutes: i64,
    /// By what was decided.
    pub decided: BTreeMap<&'static str, u64>,
    /// The bribed one's approvals that a second person would not sign, and
    /// those that stood.
    pub bribes_undone: u64,
    pub bribes_stood: u64,
    pub first_undone_at: Option<jiff::Timestamp>,
    pub is_suspended: bool,
    signed_for_bribe: BTreeMap<DisputeId, jiff::Timestamp>,
}

/// Approvals of one moderator that others would not sign, before somebody asks
/// the moderator why.
const UNDONE_MAX: u64 = 2;

impl Moderators {
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            minutes: 0,
            decided: BTreeMap::new(),
            bribes_undone: 0,
            bribes_stood: 0,
            first_undone_at: None,
            is_suspended: false,
            signed_for_bribe: BTreeMap::new(),
        }
    }

    /// Takes a case and decides it. How many minutes that took; `None`:
    /// nothing waits for this one.
    pub async fn turn(
        &mut self,
        service: &Service,
        nth: usize,
        truth_of: impl Fn(DisputeId) -> Option<Truth>,
    ) -> Option<i64> {
        if nth == BRIBED && self.is_suspended {
            return None;
        }
        let actor = service.moderator(nth, PEOPLE[nth]).await;
        let case = refused(service.casework.next_case(&actor).await).ok()??;
        let id = case.dispute.value.id;
        let truth = truth_of(id)?;
        let waiting: u64 = queued(service, &actor).await;
        let hurries = waiting > MANY_WAIT;
        let verdict = self.judge(nth, &case, truth, hurries);
        let is_second = case.state.status == Status::AwaitingSecond;
        let said = match verdict {
            Verdict::Approve if case.wants_second => "approved, first of two",
            Verdict::Approve if is_second => "approved, second of two",
            Verdict::Approve => "approved",
            Verdict::Refuse if is_second => "second would not sign",
            Verdict::Refuse => "refused",
            Verdict::Ask => "papers asked for",
        };
        let ruling = Ruling { reason_code: "looked_at".to_owned(), note: None, public_note: None };
        let told = service.casework.decide(&actor, id, verdict, ruling, case.dispute.version).await;
        if let Ok(status) = refused(told) {
            *self.decided.entry(said).or_default() += 1;
            self.watch(nth, id, verdict, status, truth, service.now());
        }
        let took = if hurries { CASE_MIN / 2 } else { CASE_MIN };
        self.minutes += took;
        Some(took)
    }

    /// Keeps what became of the approvals that were paid for.
    fn watch(
        &mut self,
        nth: usize,
        id: DisputeId,
        verdict: Verdict,
        status: Status,
        truth: Truth,
        now: jiff::Timestamp,
    ) {
        if nth == BRIBED && truth.is_paid_for && verdict == Verdict::Approve {
            if status == Status::Corrected {
                self.bribes_stood += 1;
            } else {
                self.signed_for_bribe.insert(id, now);
            }
        } else if self.signed_for_bribe.remove(&id).is_some() {
            if status == Status::Corrected {
                self.bribes_stood += 1;
            } else {
                self.bribes_undone += 1;
                self.first_undone_at.get_or_insert(now);
                self.is_suspended |= self.bribes_undone >= UNDONE_MAX;
            }
        }
    }

    fn judge(&mut self, nth: usize, case: &CaseInHand, truth: Truth, hurries: bool) -> Verdict {
        if nth == BRIBED && truth.is_paid_for {
            return Verdict::Approve;
        }
        let errs = if hurries { ERRS * HURRIED } else { ERRS };
        let asked =
            |event: &zhengming::domain::dispute::Event| matches!(event.what, What::DocumentsAsked { .. });
        let was_asked = case.dispute.value.events.iter().any(asked);
        let has_papers = !case.state.documents.is_empty();
        if !has_papers && !was_asked && case.state.status == Status::InReview && !self.slips(errs) {
            return Verdict::Ask;
        }
        let looks_true = match truth.papers {
            Papers::True if has_papers && truth.is_so => !self.slips(errs),
            Papers::Forged if has_papers => self.slips(FORGERY_PASSES),
            Papers::ForgedWell if has_papers => true,
            _ => self.slips(errs),
        };
        let approves = if operator_says_no(case) {
            let operator_agrees = truth.record_is_wrong && truth.is_so;
            let taken_in = has_papers && self.slips(OPERATOR_TAKEN_IN);
            (looks_true && (operator_agrees || taken_in)) || self.slips(ERRS_OVER_NO)
        } else {
            looks_true && (!goes_too_far(case, truth) || self.slips(errs))
        };
        if approves { Verdict::Approve } else { Verdict::Refuse }
    }

    fn slips(&mut self, often: f64) -> bool {
        happens(&mut self.dice, often)
    }
}

/// Papers say since when; an approval may not reach beyond that.
fn goes_too_far(case: &CaseInHand, truth: Truth) -> bool {
    let void_before = match &case.dispute.value.claim {
        Claim::Reassigned { window, .. } => window.map(|window| window.void_before()),
        Claim::NameMismatch { .. } => None,
    };
    void_before.zip(truth.began).is_some_and(|(void_before, began)| void_before > began)
}

/// Against what is claimed; not where it only sees a port, and not where it
/// told more closely when the number changed hands.
fn operator_says_no(case: &CaseInHand) -> bool {
    let window = case.dispute.value.window();
    let said_no = |evidence: &Evidence| match evidence.question {
        Question::NameIs { .. } => evidence.answer == Answer::Yes,
        Question::HeldSince { day } => {
            evidence.answer == Answer::No && window.is_none_or(|window| window.until == day)
        }
        _ => evidence.answer == Answer::No,
    };
    !case.state.flags.contains(&Flag::Ported) && case.state.evidence.iter().any(said_no)
}

async fn queued(service: &Service, actor: &ModeratorActor) -> u64 {
    let queue = refused(service.casework.queue(actor).await).expect("moderators may look");
    queue.by_status.values().sum()
}
