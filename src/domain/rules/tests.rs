#![allow(clippy::unwrap_used)]

mod control;
mod name_mismatch;
mod reassigned;
mod rest;
mod theorem;

use jiff::civil::Date;

use crate::domain::dispute::{Claim, Dispute, Flag};
use crate::domain::evidence::Question;
use crate::domain::rules::Step;
use crate::domain::testkit::{dispute, op};
use crate::domain::window::Window;

fn asks(operator: &str, question: Question) -> Step {
    Step::Ask { operator: op(operator), question }
}

fn reviewed(flag: Flag) -> Step {
    Step::Review { flags: vec![flag], told: Vec::new() }
}

fn held_since(day: Date) -> Question {
    Question::HeldSince { day }
}

fn changed_after(day: Date) -> Question {
    Question::ChangedAfter { day }
}

fn filed_for(window: Option<Window>) -> Dispute {
    dispute(Claim::Reassigned { opened: None, window }, Vec::new())
}
