//! Appeals, documents, new tenures, and what an approval comes to.

use jiff::SignedDuration;

use super::{Desk, approve, ask_documents, refuse, revert, wrong_state};
use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::dispute::Status::{
    AwaitingSecond, Corrected, InReview, NeedsEvidence, Refused, Reverted, Withdrawn,
};
use crate::domain::dispute::{Actor, Claim, Command, Flag, Reason, Show, What};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::refusal::Refusal;
use crate::domain::tenure::TenureEvent::{Activated, Disconnected, Transferred};
use crate::domain::testkit::{day, ledger, moderator};

fn reviewed() -> Desk {
    Desk::reassigned().in_review(&[Flag::OperatorUnknown])
}

#[test]
fn an_appeal_needs_fresh_control() {
    let mut desk = reviewed();
    desk.rule("wang", refuse).unwrap();
    let closed_at = desk.now;
    let desk = desk.later(2);
    let appeal = |seconds: i64| {
        let control_proved_at = closed_at + SignedDuration::from_secs(seconds);
        desk.ask(Command::Appeal { text: "…".to_owned(), control_proved_at })
    };
    for before in [-3600, 0] {
        assert_eq!(appeal(before), Err(Refusal::FreshControlNeeded));
    }
    assert_eq!(appeal(1), Ok(vec![What::Appealed { text: "…".to_owned() }]));
}

#[test]
fn an_appeal_is_for_somebody_else() {
    let mut desk = reviewed();
    assert_eq!(desk.rule("wang", refuse), Ok(Refused));
    assert_eq!(desk.dispute.state().refusal.unwrap().code, "documents");
    let mut desk = desk.later(1);
    assert_eq!(desk.appeal(), Ok(InReview));
    let state = desk.dispute.state();
    assert!(state.flags.contains(&Flag::Appeal));
    assert_eq!((state.refusal, state.closed_at), (None, None));
    assert!(!desk.may_take("wang"));
    for command in [approve, refuse, ask_documents] {
        assert_eq!(desk.clone().rule("wang", command), Err(Refusal::SamePerson));
    }
    assert_eq!(desk.rule("li", refuse), Ok(Refused));
    // The next appeal is for neither of them.
    let mut desk = desk.later(1);
    desk.appeal().unwrap();
    assert!(!desk.may_take("wang") && !desk.may_take("li") && desk.may_take("zhao"));
    assert_eq!(desk.rule("zhao", approve), Ok(Corrected));
}

#[test]
fn a_rules_refusal_is_anybodys_appeal() {
    let mut desk = Desk::reassigned().answers(&[No]);
    let refused =
        crate::domain::dispute::Refused { code: "not_held_since".to_owned(), public_note: None, note: None };
    desk.dispute.apply(desk.now, Actor::Rule, What::Refused(refused));
    let mut desk = desk.later(1);
    assert_eq!(desk.appeal(), Ok(InReview));
    assert_eq!(desk.dispute.state().evidence.len(), 1, "moderators see what was answered");
    assert_eq!(desk.rule("wang", approve), Ok(AwaitingSecond));
    assert_eq!(desk.rule("li", approve), Ok(Corrected));
}

#[test]
fn documents_are_waited_for_fifteen_days() {
    let mut desk = reviewed();
    assert_eq!(desk.rule("wang", ask_documents), Ok(NeedsEvidence));
    assert_eq!(desk.dispute.state().lapses_on, Some(plus_days(day("2026-06-02"), 15)));
    for name in ["wang", "li"] {
        assert_eq!(desk.clone().rule(name, approve), Err(wrong_state(NeedsEvidence)));
    }
    assert_eq!(desk.clone().later(15 * 24).ask(Command::Lapse), Err(wrong_state(NeedsEvidence)));
    let mut lapsed = desk.clone().later(16 * 24);
    assert_eq!(lapsed.act(&Actor::Rule, Command::Lapse), Ok(Refused));
    assert_eq!(lapsed.dispute.state().refusal.unwrap().code, "evidence_lapsed");
    assert_eq!(lapsed.ask(Command::Lapse), Err(wrong_state(Refused)), "once");
    assert_eq!(lapsed.later(1).appeal(), Ok(InReview));
    // Given in time, it is in review again, for whoever asked too.
    desk.dispute.apply(desk.now, Actor::Holder, What::DocumentsGiven { documents: Vec::new() });
    let mut given = desk.later(16 * 24);
    assert_eq!(given.ask(Command::Lapse), Err(wrong_state(InReview)));
    assert_eq!(given.rule("wang", approve), Ok(Corrected));
}

#[test]
fn a_new_tenure_closes_what_is_open() {
    let mut desk = reviewed();
    assert_eq!(desk.act(&Actor::Rule, Command::NewTenure), Ok(Withdrawn));
    assert_eq!(desk.dispute.events.last().unwrap().what, What::Withdrawn { by_new_tenure: true });
    assert_eq!(desk.later(1).appeal(), Err(wrong_state(Withdrawn)));
    let mut desk = reviewed();
    assert_eq!(desk.act(&Actor::Holder, Command::Withdraw), Ok(Withdrawn));
    assert_eq!(desk.dispute.events.last().unwrap().what, What::Withdrawn { by_new_tenure: false });
}

#[test]
fn a_reversal_ends_a_correction() {
    let mut desk = reviewed();
    desk.rule("wang", approve).unwrap();
    assert_eq!(desk.effect(), Effect::VoidBefore { day: day("2025-01-30") });
    assert_eq!(desk.act(&Actor::Moderator { name: moderator("li") }, revert()), Ok(Reverted));
    assert_eq!(desk.dispute.state().approved, None);
    assert_eq!(desk.ask(revert()), Err(wrong_state(Reverted)));
    assert_eq!(desk.later(1).appeal(), Err(wrong_state(Reverted)));
}

#[test]
fn what_is_asked_again_waits_for_new_answers() {
    let mut desk = Desk::reassigned().answers(&[Yes, No]);
    let next_at = desk.now + SignedDuration::from_hours(24);
    desk.dispute.apply(desk.now, Actor::Rule, What::AskingAgain { next_at });
    let state = desk.dispute.state();
    assert_eq!((state.evidence.len(), state.ask_again_at), (0, Some(next_at)));
    let desk = desk.later(24).answers(&[Unknown]).in_review(&[Flag::OperatorUnknown]);
    let state = desk.dispute.state();
    assert_eq!((state.evidence.len(), state.ask_again_at), (1, None));
}

#[test]
fn an_approval_comes_to_what_was_claimed() {
    let effect = |claim| {
        let mut desk = Desk::of(claim).in_review(&[]);
        desk.rule("wang", approve).map(|_| desk.effect())
    };
    assert_eq!(effect(Claim::Reassigned { opened: None, window: None }), Err(Refusal::OpenedNeeded));
    assert_eq!(effect(Claim::NameMismatch { show: None }), Ok(Effect::ClearName));
    let (name, uscc) = ("某某有限公司".to_owned(), "91350211M000100Y46".parse().unwrap());
    let show = Some(Show { name: name.clone(), uscc });
    let until = day("2026-08-31");
    assert_eq!(effect(Claim::NameMismatch { show }), Ok(Effect::SetName { name, until }), "for 90 days");
    assert_eq!(Desk::reassigned().dispute.reason(), Reason::Reassigned);
    assert_eq!(Desk::reassigned().dispute.window().unwrap().void_before(), day("2025-01-30"));
    assert_eq!(Desk::of(Claim::NameMismatch { show: None }).dispute.window(), None);
}

#[test]
fn an_approval_is_never_read_past_a_beginning_that_the_ledger_knows() {
    let void_before = |lines: &[_]| {
        let mut desk = reviewed();
        desk.ledger = ledger(lines);
        desk.rule("wang", approve).unwrap();
        let Effect::VoidBefore { day } = desk.effect() else { panic!("{:?}", desk.effect()) };
        day.to_string()
    };
    assert_eq!(void_before(&[]), "2025-01-30", "the window's");
    // Proven: its date, earlier or later than claimed.
    assert_eq!(void_before(&[(Disconnected, "2024-01-01"), (Activated, "2024-06-01")]), "2024-06-01");
    assert_eq!(void_before(&[(Disconnected, "2024-01-01"), (Activated, "2025-06-01")]), "2025-06-01");
    // Not proven: the earlier of the two.
    assert_eq!(void_before(&[(Transferred, "2024-06-01")]), "2024-06-01");
    assert_eq!(void_before(&[(Activated, "2025-06-01")]), "2025-01-30");
    // A beginning whose end is known is a former holder's, and bounds nothing.
    assert_eq!(void_before(&[(Activated, "2019-01-01"), (Disconnected, "2024-10-01")]), "2025-01-30");
}
