//! What a command does to a dispute: a refusal, or the events that follow.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::dispute::{Claim, Dispute, Flag, Refused, State, Status, What};
use crate::domain::document::Document;
use crate::domain::evidence::{Answer, Assurance, Evidence, Question};
use crate::domain::id::ModeratorName;
use crate::domain::label::Label;
use crate::domain::policy::{FACTS_FRESH_HOURS, NAME_LEASE_DAYS, NEEDS_EVIDENCE_DAYS};
use crate::domain::refusal::Refusal;
use crate::domain::tenure::Ledger;
use crate::domain::window::Window;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Withdraw,
    /// `control_proved_at`: when the caller last proved control of the number.
    Appeal {
        text: String,
        control_proved_at: Timestamp,
    },
    Approve {
        by: ModeratorName,
        ruling: Ruling,
    },
    Refuse {
        by: ModeratorName,
        ruling: Ruling,
    },
    AskDocuments {
        by: ModeratorName,
        ruling: Ruling,
    },
    /// What can no longer be seen in the dispute's story is not in here.
    GiveDocuments {
        documents: Vec<Document>,
    },
    /// They have been kept for as long as they may be.
    PurgeDocuments,
    /// The next tenure began: what the former holder left open is closed.
    NewTenure,
    /// The wait for documents is over.
    Lapse,
    Revert {
        reason: String,
    },
}

/// A moderator's words: a code, a note for colleagues, one for the holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub reason_code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_note: Option<String>,
}

/// What a moderator's decision is weighed against.
#[derive(Debug, Clone, Copy)]
pub struct Weighing<'a> {
    pub labels: &'a [Label],
    pub ledger: &'a Ledger,
    pub rest_days: i32,
    pub today: Date,
    pub now: Timestamp,
    /// Chance wants a second person to look at an approval.
    pub is_drawn: bool,
}

impl What {
    /// Whether this came of a moderator's command.
    pub fn says(&self, command: &Command) -> bool {
        match (command, self) {
            (Command::Approve { ruling, .. }, Self::ApprovedOnce { ruling: said }) => ruling == said,
            (Command::Approve { ruling, .. }, Self::Approved { ruling: said, .. }) => {
                Some(ruling) == said.as_ref()
            }
            (Command::Refuse { ruling, .. }, Self::SecondRefused { ruling: said }) => ruling == said,
            (Command::Refuse { ruling, .. }, Self::Refused(said)) => ruling.reason_code == said.code,
            (Command::AskDocuments { ruling, .. }, Self::DocumentsAsked { ruling: said, .. }) => {
                ruling == said
            }
            _ => false,
        }
    }
}

impl Dispute {
    pub fn decide(&self, command: Command, weighing: Weighing<'_>) -> Result<Vec<What>, Refusal> {
        let state = self.state();
        match command {
            Command::Withdraw if state.status.is_open() => Ok(vec![What::Withdrawn { by_new_tenure: false }]),
            Command::Appeal { text, control_proved_at } if state.status == Status::Refused => {
                if state.closed_at.is_some_and(|closed_at| control_proved_at <= closed_at) {
                    return Err(Refusal::FreshControlNeeded);
                }
                Ok(vec![What::Appealed { text }])
            }
            Command::Approve { by, ruling } => self.approve(&state, &by, ruling, weighing),
            Command::Refuse { by, ruling } => self.refuse(&state, &by, ruling, weighing.now),
            Command::AskDocuments { by, ruling } => {
                self.may_decide(&state, &by, weighing.now)?;
                if state.status != Status::InReview {
                    return Err(wrong_state(&state));
                }
                let until = plus_days(weighing.today, NEEDS_EVIDENCE_DAYS);
                Ok(vec![What::DocumentsAsked { ruling, until }])
            }
            Command::GiveDocuments { documents } => state.take_documents(documents),
            Command::PurgeDocuments
                if state.documents_kept_until().is_some_and(|end| end <= weighing.now) =>
            {
                Ok(vec![What::DocumentsPurged])
            }
            Command::NewTenure if state.status.is_open() => Ok(vec![self.closed_by_new_tenure()]),
            Command::Lapse if state.lapses_on.is_some_and(|day| day < weighing.today) => {
                Ok(vec![What::Refused(Refused {
                    code: "evidence_lapsed".to_owned(),
                    public_note: None,
                    note: None,
                })])
            }
            Command::Revert { reason } if state.status == Status::Corrected => {
                Ok(vec![What::Reverted { reason }])
            }
            Command::Withdraw
            | Command::Appeal { .. }
            | Command::NewTenure
            | Command::Lapse
            | Command::PurgeDocuments
            | Command::Revert { .. } => Err(wrong_state(&state)),
        }
    }

    /// Whether this moderator may take the case: not an appeal of their own
    /// decision, not the second signature under their own first.
    pub fn may_take(&self, state: &State, moderator: &ModeratorName) -> bool {
        state.status.is_queued()
            && !state.decided_by.contains(moderator)
            && state.first_approval.as_ref() != Some(moderator)
    }

    fn may_decide(&self, state: &State, by: &ModeratorName, now: Timestamp) -> Result<(), Refusal> {
        if !state.status.is_queued() {
            return Err(wrong_state(state));
        }
        if !self.may_take(state, by) {
            return Err(Refusal::SamePerson);
        }
        self.lease_of(by, now).map(|_| ()).ok_or(Refusal::LeaseMissing)
    }

    fn approve(
        &self,
        state: &State,
        by: &ModeratorName,
        ruling: Ruling,
        weighing: Weighing<'_>,
    ) -> Result<Vec<What>, Refusal> {
        self.may_decide(state, by, weighing.now)?;
        let effect = self.approved_effect(weighing)?;
        let fresh = SignedDuration::from_hours(FACTS_FRESH_HOURS);
        let is_old = |evidence: &Evidence| {
            evidence.answer != Answer::Unknown && weighing.now.duration_since(evidence.at) > fresh
        };
        if state.evidence.iter().any(is_old) {
            return Ok(vec![What::RecheckAsked]);
        }
        let assurance = self.assurance(state);
        let is_drawn = weighing.is_drawn && state.status == Status::InReview;
        if is_drawn || self.wants_second(state, weighing.labels) {
            return Ok(vec![What::ApprovedOnce { ruling }]);
        }
        Ok(vec![What::Approved { effect, assurance, ruling: Some(ruling) }])
    }

    fn refuse(
        &self,
        state: &State,
        by: &ModeratorName,
        ruling: Ruling,
        now: Timestamp,
    ) -> Result<Vec<What>, Refusal> {
        self.may_decide(state, by, now)?;
        if state.status == Status::AwaitingSecond {
            return Ok(vec![What::SecondRefused { ruling }]);
        }
        let Ruling { reason_code, note, public_note } = ruling;
        Ok(vec![What::Refused(Refused { code: reason_code, public_note, note })])
    }

    /// Whether an approval now is the first of two signatures.
    pub fn wants_second(&self, state: &State, labels: &[Label]) -> bool {
        state.status == Status::InReview && self.needs_two(state, self.assurance(state), labels)
    }

    /// What a moderator's approval comes to. A window that a moderator
    /// believes is still never read past a beginning that the ledger knows.
    pub fn approved_effect(&self, weighing: Weighing<'_>) -> Result<Effect, Refusal> {
        match &self.claim {
            Claim::Reassigned { window, .. } => {
                let proven = weighing.ledger.proven(weighing.rest_days).map(|tenure| tenure.began_on);
                let claimed = window.map(|window| window.void_before());
                // Where a disconnection followed, the beginning was a former holder's.
                let began_on = weighing.ledger.began_on().filter(|_| !weighing.ledger.is_disconnected());
                let day = proven.or_else(|| match began_on {
                    Some(began_on) => claimed.map(|day| day.min(began_on)),
                    None => claimed,
                });
                Ok(Effect::VoidBefore { day: day.ok_or(Refusal::OpenedNeeded)? })
            }
            Claim::NameMismatch { show: Some(show) } => Ok(Effect::SetName {
                name: show.name.clone(),
                until: plus_days(weighing.today, NAME_LEASE_DAYS),
            }),
            Claim::NameMismatch { show: None } => Ok(Effect::ClearName),
        }
    }

    /// What an approval of this case rests on: the operator's word, where it
    /// answered all that had to be asked, else what the holder could show.
    fn assurance(&self, state: &State) -> Assurance {
        let said = |wanted: Answer, is: &dyn Fn(&Question) -> bool| {
            state
                .evidence
                .iter()
                .filter(|evidence| evidence.answer == wanted && is(&evidence.question))
                .count()
        };
        let by_operator = match &self.claim {
            Claim::Reassigned { .. } => {
                let held = said(Answer::Yes, &|question| matches!(question, Question::HeldSince { .. }));
                let changed =
                    said(Answer::Yes, &|question| matches!(question, Question::ChangedAfter { .. }));
                // Changed after E, and after E - R.
                !state.flags.contains(&Flag::Ported) && held >= 1 && changed >= 2
            }
            Claim::NameMismatch { show: Some(_) } => {
                said(Answer::Yes, &|question| matches!(question, Question::EnterpriseIs { .. })) >= 1
            }
            Claim::NameMismatch { show: None } => {
                let not_theirs = |theirs: &str| {
                    said(
                        Answer::No,
                        &|question| matches!(question, Question::NameIs { name } if name == theirs),
                    ) >= 1
                };
                self.disputed_names().next().is_some() && self.disputed_names().all(not_theirs)
            }
        };
        // Whose number it is was never said by anybody but the enterprise.
        let by_operator = by_operator && !state.flags.contains(&Flag::ControlUnproved);
        if by_operator { Assurance::Operator } else { Assurance::Document }
    }

    /// The cases that one person does not decide alone.
    fn needs_two(&self, state: &State, assurance: Assurance, labels: &[Label]) -> bool {
        let harm = labels.iter().any(|label| label.is_harm());
        let against = |question: &Question| match question {
            Question::NameIs { .. } => Answer::Yes,
            Question::HeldSince { .. } | Question::ChangedAfter { .. } | Question::EnterpriseIs { .. } => {
                Answer::No
            }
        };
        let overrides = state.evidence.iter().any(|evidence| evidence.answer == against(&evidence.question));
        let doubtful = [Flag::HarmAtRest, Flag::MarkedAtRest, Flag::ControlUnproved];
        doubtful.iter().any(|flag| state.flags.contains(flag))
            || overrides
            || (assurance == Assurance::Document && (harm || self.goes_on(labels)))
    }

    /// Complaints from before the tenure that is claimed have not ended with
    /// it: who is complained of now may be who was then.
    fn goes_on(&self, labels: &[Label]) -> bool {
        let is_on_both_sides = |label: &Label, window: Window| {
            label.is_of_calls()
                && label.first_marked_on.is_some_and(|first| first < window.void_before())
                && label.last_marked_on.is_some_and(|last| last > window.until)
        };
        let claimed = self.window();
        claimed.is_some_and(|window| labels.iter().any(|label| is_on_both_sides(label, window)))
    }
}

pub(super) fn wrong_state(state: &State) -> Refusal {
    Refusal::WrongState { status: state.status.as_str() }
}
