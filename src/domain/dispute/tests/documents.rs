//! Documents: when they are taken, how many, and for how long they are kept.

use uuid::Uuid;

use super::{Desk, approve, ask_documents, refuse, wrong_state};
use crate::domain::dispute::Status::{
    AwaitingSecond, Corrected, InReview, NeedsEvidence, Refused, Withdrawn,
};
use crate::domain::dispute::{Actor, Command, Flag, What};
use crate::domain::document::{Document, DocumentKind};
use crate::domain::evidence::Assurance;
use crate::domain::id::DocumentId;
use crate::domain::label::Category;
use crate::domain::refusal::Refusal;
use crate::domain::testkit::category_label;

fn document(nth: u128) -> Document {
    Document {
        id: DocumentId(Uuid::from_u128(nth)),
        kind: DocumentKind::Jpeg,
        bytes: 7,
        sha256: format!("{nth:064x}"),
    }
}

fn documents(range: std::ops::Range<u128>) -> Command {
    Command::GiveDocuments { documents: range.map(document).collect() }
}

fn reviewed() -> Desk {
    Desk::reassigned().in_review(&[Flag::OperatorUnknown])
}

fn asked() -> Desk {
    let mut desk = reviewed();
    desk.rule("wang", ask_documents).unwrap();
    desk
}

#[test]
fn the_first_ones_bring_the_case_back_and_more_may_follow() {
    let mut desk = asked();
    assert_eq!(desk.act(&Actor::Holder, documents(0..2)), Ok(InReview));
    assert_eq!(desk.act(&Actor::Holder, documents(2..6)), Ok(InReview));
    let state = desk.dispute.state();
    assert_eq!((state.documents.len(), state.documents_left, state.lapses_on), (6, Some(0), None));
    assert_eq!(desk.ask(documents(6..7)), Err(Refusal::DocumentsTooMany { documents_max: 6 }));
    assert_eq!(desk.ask(documents(0..6)), Ok(Vec::new()), "those are there already");
    // Asked once more, six more can come; those from before stay.
    assert_eq!(desk.rule("wang", ask_documents), Ok(NeedsEvidence));
    assert_eq!(desk.ask(documents(6..13)), Err(Refusal::DocumentsTooMany { documents_max: 6 }));
    assert_eq!(desk.act(&Actor::Holder, documents(5..12)), Ok(InReview), "one of them was there");
    assert_eq!(desk.dispute.state().documents.len(), 12);
}

#[test]
fn the_same_one_twice_in_one_go_is_one() {
    let mut desk = asked();
    let twice = Command::GiveDocuments { documents: vec![document(1), document(1)] };
    desk.act(&Actor::Holder, twice).unwrap();
    assert_eq!(desk.dispute.state().documents.len(), 1);
}

#[test]
fn nobody_hands_in_what_was_not_asked_for() {
    let desk = reviewed();
    assert_eq!(desk.ask(documents(0..1)), Err(wrong_state(InReview)));
    let mut desk = asked();
    desk.act(&Actor::Holder, documents(0..1)).unwrap();
    desk.labels.push(category_label(Category::Fraud, Some("2020-01-01"), None));
    assert_eq!(desk.rule("wang", approve), Ok(AwaitingSecond));
    assert_eq!(desk.ask(documents(1..2)), Err(wrong_state(AwaitingSecond)));
    assert_eq!(desk.rule("li", approve), Ok(Corrected));
    let approved = desk.dispute.events.last().unwrap().what.clone();
    assert!(matches!(approved, What::Approved { assurance: Assurance::Document, .. }), "{approved:?}");
    assert_eq!(desk.ask(documents(1..2)), Err(wrong_state(Corrected)));
}

#[test]
fn an_appeal_asks_anew_or_not_at_all() {
    let mut desk = asked();
    desk.act(&Actor::Holder, documents(0..1)).unwrap();
    assert_eq!(desk.rule("wang", refuse), Ok(Refused));
    let mut desk = desk.later(1);
    assert_eq!(desk.appeal(), Ok(InReview));
    assert_eq!(desk.ask(documents(1..2)), Err(wrong_state(InReview)));
    assert_eq!(desk.rule("li", ask_documents), Ok(NeedsEvidence));
    assert_eq!(desk.act(&Actor::Holder, documents(1..2)), Ok(InReview));
}

#[test]
fn they_are_kept_for_thirty_days_after_the_end() {
    let mut desk = asked();
    desk.act(&Actor::Holder, documents(0..2)).unwrap();
    assert_eq!(desk.clone().later(24 * 400).ask(Command::PurgeDocuments), Err(wrong_state(InReview)));
    assert_eq!(desk.rule("wang", refuse), Ok(Refused));
    let appealed = {
        let mut desk = desk.clone().later(24 * 29);
        assert_eq!(desk.ask(Command::PurgeDocuments), Err(wrong_state(Refused)));
        desk.appeal().unwrap();
        desk.later(24 * 2)
    };
    assert_eq!(appealed.ask(Command::PurgeDocuments), Err(wrong_state(InReview)), "an appeal reopens");
    let mut desk = desk.later(24 * 30);
    assert_eq!(desk.act(&Actor::Rule, Command::PurgeDocuments), Ok(Refused));
    let state = desk.dispute.state();
    assert!(state.documents.iter().all(|given| given.purged_at == Some(desk.now)));
    assert_eq!(state.kept_documents().count(), 0);
    assert_eq!(desk.ask(Command::PurgeDocuments), Err(wrong_state(Refused)), "once");
}

#[test]
fn what_was_withdrawn_goes_the_same_way() {
    for end in [Command::Withdraw, Command::NewTenure] {
        let mut desk = asked();
        desk.act(&Actor::Holder, documents(0..1)).unwrap();
        assert_eq!(desk.act(&Actor::Holder, end), Ok(Withdrawn));
        assert!(desk.clone().later(24 * 30 - 1).ask(Command::PurgeDocuments).is_err());
        assert!(desk.later(24 * 30).ask(Command::PurgeDocuments).is_ok());
    }
}

#[test]
fn an_older_record_of_documents_is_read() {
    let what: What = serde_json::from_str(r#"{"event":"documents_given"}"#).unwrap();
    assert_eq!(what, What::DocumentsGiven { documents: Vec::new() });
}
