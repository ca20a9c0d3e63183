//! A case that went to people because an operator was out of reach.

use super::*;

/// Sent to review by the rules, after this answer.
fn sent(correlator: Option<&str>) -> Dispute {
    let mut dispute = Desk::reassigned().dispute;
    let mut unknown = evidence(
        "cmcc",
        Question::HeldSince { day: day("2025-04-29") },
        Answer::Unknown,
        at("2026-06-02T04:00:00Z"),
    );
    unknown.correlator = correlator.map(str::to_owned);
    let now = unknown.at;
    dispute.apply(now, Actor::Rule, What::Answered(unknown));
    dispute.apply(now, Actor::Rule, What::SentToReview { flags: vec![Flag::OperatorUnknown] });
    dispute
}

#[test]
fn only_silence_is_waited_for_and_only_while_nobody_did_anything() {
    let silent = sent(None);
    let waited_for = silent.state();
    assert_eq!(silent.waits_for_an_operator(&waited_for), waited_for.evidence.first());
    let answered = sent(Some("c-1"));
    assert_eq!(answered.waits_for_an_operator(&answered.state()), None, "it said that it does not know");

    let now = noon(day(TODAY));
    let ruling = Ruling { reason_code: "x".to_owned(), note: None, public_note: None };
    let alice = Actor::Moderator { name: moderator("alice") };
    for (actor, what) in [
        (alice.clone(), What::DocumentsAsked { ruling: ruling.clone(), until: day(TODAY) }),
        (alice, What::ApprovedOnce { ruling }),
        (Actor::Holder, What::DocumentsGiven { documents: Vec::new() }),
        (Actor::Holder, What::Withdrawn { by_new_tenure: false }),
    ] {
        let mut dispute = sent(None);
        dispute.apply(now, actor, what);
        assert_eq!(dispute.waits_for_an_operator(&dispute.state()), None);
    }
}

#[test]
fn the_next_round_begins_without_the_flag_and_the_old_answers() {
    let mut dispute = sent(None);
    dispute.apply(noon(day(TODAY)), Actor::Rule, What::RecheckAsked);
    let state = dispute.state();
    assert_eq!((state.status, state.flags.len(), state.evidence.len()), (Status::Checking, 0, 0));
}
