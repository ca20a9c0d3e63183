//! Every command in every status.

use super::{Desk, approve, ask_documents, refuse, revert, ruling, wrong_state};
use crate::domain::correction::Effect;
use crate::domain::dispute::Status::{
    AwaitingSecond, Checking, Corrected, InReview, NeedsEvidence, Refused, Reverted, Withdrawn,
};
use crate::domain::dispute::{Actor, Command, Dispute, Flag, Status, What};
use crate::domain::evidence::{Answer, Assurance};
use crate::domain::refusal::Refusal;
use crate::domain::testkit::{day, moderator};

const STATUSES: [Status; 8] =
    [Checking, InReview, NeedsEvidence, AwaitingSecond, Corrected, Refused, Withdrawn, Reverted];

/// A dispute in that status, leased to wang, decided by nobody of theirs.
fn desk_in(status: Status) -> Desk {
    let mut desk = Desk::reassigned();
    let effect = Effect::VoidBefore { day: day("2025-01-30") };
    let approved = What::Approved { effect, assurance: Assurance::Operator, ruling: None };
    let refused =
        crate::domain::dispute::Refused { code: "not_held_since".to_owned(), public_note: None, note: None };
    let li = || Actor::Moderator { name: moderator("li") };
    let review = What::SentToReview { flags: vec![Flag::OperatorUnknown] };
    let events = match status {
        Checking => vec![],
        InReview => vec![(Actor::Rule, review)],
        NeedsEvidence => {
            let asked = What::DocumentsAsked { ruling: ruling(), until: day("2026-06-01") };
            vec![(Actor::Rule, review), (li(), asked)]
        }
        AwaitingSecond => vec![(Actor::Rule, review), (li(), What::ApprovedOnce { ruling: ruling() })],
        Corrected => vec![(Actor::Rule, approved)],
        Refused => vec![(Actor::Rule, What::Refused(refused))],
        Withdrawn => vec![(Actor::Holder, What::Withdrawn { by_new_tenure: false })],
        Reverted => vec![(Actor::Rule, approved), (li(), What::Reverted { reason: "wrong".to_owned() })],
    };
    for (actor, what) in events {
        desk.dispute.apply(desk.now, actor, what);
    }
    assert_eq!(desk.dispute.status(), status);
    let mut desk = desk.later(1);
    desk.lease("wang");
    desk
}

fn commands(desk: &Desk) -> Vec<(Command, Vec<(Status, Status)>)> {
    let appeal = Command::Appeal { text: "…".to_owned(), control_proved_at: desk.now };
    let open = [Checking, InReview, NeedsEvidence, AwaitingSecond];
    let closing = || open.map(|from| (from, Withdrawn)).to_vec();
    vec![
        (Command::Withdraw, closing()),
        (Command::NewTenure, closing()),
        (appeal, vec![(Refused, InReview)]),
        (approve("wang"), vec![(InReview, Corrected), (AwaitingSecond, Corrected)]),
        (refuse("wang"), vec![(InReview, Refused), (AwaitingSecond, InReview)]),
        (ask_documents("wang"), vec![(InReview, NeedsEvidence)]),
        (Command::Lapse, vec![(NeedsEvidence, Refused)]),
        (revert(), vec![(Corrected, Reverted)]),
    ]
}

#[test]
fn every_command_in_every_status() {
    for status in STATUSES {
        let desk = desk_in(status);
        for (command, moves) in commands(&desk) {
            let to = moves.iter().find(|(from, _)| *from == status).map(|(_, to)| *to);
            let mut acted = desk.clone();
            let actor = Actor::Moderator { name: moderator("wang") };
            let came_to = acted.act(&actor, command.clone());
            assert_eq!(came_to, to.ok_or(wrong_state(status)), "{command:?} when {status:?}");
            let happened = acted.dispute.events.len() - desk.dispute.events.len();
            assert_eq!(happened, usize::from(to.is_some()), "one event or none");
        }
    }
}

#[test]
fn statuses_are_open_or_closed() {
    let words = [
        "checking",
        "in_review",
        "needs_evidence",
        "awaiting_second",
        "corrected",
        "refused",
        "withdrawn",
        "reverted",
    ];
    for (status, word) in STATUSES.into_iter().zip(words) {
        assert_eq!(status.as_str(), word);
        assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{word}\""));
        assert_eq!(status.is_open(), status < Corrected);
        assert_eq!(status.is_queued(), matches!(status, InReview | AwaitingSecond));
        let state = desk_in(status).dispute.state();
        assert_eq!(state.closed_at.is_some(), !status.is_open());
        assert_eq!(state.refusal.is_some(), status == Refused);
        assert_eq!(state.approved.is_some(), status == Corrected);
        assert_eq!(state.lapses_on.is_some(), status == NeedsEvidence);
        assert_eq!(state.first_approval.is_some(), status == AwaitingSecond);
    }
}

#[test]
fn only_waiting_cases_can_be_taken() {
    for status in STATUSES {
        let desk = desk_in(status);
        assert_eq!(desk.may_take("wang"), status.is_queued(), "{status:?}");
        assert_eq!(desk.may_take("li"), status == InReview, "{status:?}: the first signature is theirs");
    }
}

#[test]
fn only_who_has_the_lease_decides() {
    for status in [InReview, AwaitingSecond] {
        let leases = [None, Some(("zhao", 1)), Some(("wang", 0))];
        for lease in leases {
            let mut desk = desk_in(status);
            desk.dispute.lease = None;
            if let Some((by, hours)) = lease {
                desk.lease(by);
                desk = desk.later(-hours);
                if hours == 0 {
                    // Fifteen minutes to the second.
                    desk.now = desk.dispute.lease.as_ref().unwrap().until;
                }
            }
            for command in [approve("wang"), refuse("wang"), ask_documents("wang")] {
                assert_eq!(desk.ask(command), Err(Refusal::LeaseMissing), "{lease:?}");
            }
        }
    }
    let mut desk = desk_in(InReview);
    assert!(desk.dispute.is_leased(desk.now));
    desk.now = desk.dispute.lease.as_ref().unwrap().until;
    assert!(!desk.dispute.is_leased(desk.now));
}

#[test]
fn a_dispute_is_read_back_as_written() {
    let mut disputes = STATUSES.map(|status| desk_in(status).dispute).to_vec();
    disputes.push(desk_in(Checking).answers(&[Answer::Yes, Answer::Unknown]).dispute);
    for dispute in disputes {
        let json = serde_json::to_string(&dispute).unwrap();
        assert_eq!(serde_json::from_str::<Dispute>(&json).unwrap(), dispute);
    }
}
