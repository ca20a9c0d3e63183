//! What one person does not decide alone, and which person is another.

use proptest::prelude::*;

use super::{Desk, approve, ask_documents, refuse};
use crate::domain::correction::Effect;
use crate::domain::dispute::Status::{AwaitingSecond, Checking, Corrected, InReview};
use crate::domain::dispute::{Actor, Claim, Command, Control, Enterprise, Flag, Refused, Show, Status, What};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::evidence::{Answer, Assurance, Question};
use crate::domain::id::FilingId;
use crate::domain::label::{Category, CategoryClass, Label, Source};
use crate::domain::refusal::Refusal;
use crate::domain::testkit::{category_label, day, disputed, moderator};

impl Desk {
    fn labelled(mut self, category: Category) -> Self {
        self.labels.push(category_label(category, Some("2020-01-01"), None));
        self
    }

    fn approved_by(mut self, name: &str) -> Status {
        self.rule(name, approve).unwrap()
    }

    fn assurance(mut self) -> Assurance {
        self.rule("wang", approve).unwrap();
        if self.dispute.status() == AwaitingSecond {
            self.rule("li", approve).unwrap();
        }
        match self.dispute.events.last().unwrap().what {
            What::Approved { assurance, .. } => assurance,
            ref other => panic!("{other:?}"),
        }
    }
}

fn clears() -> Desk {
    Desk::of(Claim::NameMismatch { show: None })
}

fn name_is(name: &str) -> Question {
    Question::NameIs { name: name.to_owned() }
}

fn shows() -> (Desk, Question) {
    let (name, uscc) = ("某某有限公司".to_owned(), "91350211M000100Y46".parse().unwrap());
    let show = Some(Show { name: name.clone(), uscc });
    (Desk::of(Claim::NameMismatch { show }), Question::EnterpriseIs { name, uscc })
}

#[test]
fn an_approval_that_is_drawn_waits_for_another_person() {
    let desk = Desk::reassigned().answers(&[Unknown]).in_review(&[Flag::OperatorUnknown]);
    let mut drawn = Desk { is_drawn: true, ..desk.clone() };
    assert_eq!(drawn.clone().rule("wang", refuse), Ok(Status::Refused), "a no is not looked at again");
    assert_eq!(drawn.rule("wang", approve), Ok(AwaitingSecond));
    assert_eq!(drawn.rule("wang", approve), Err(Refusal::SamePerson));
    assert_eq!(drawn.clone().rule("li", refuse), Ok(InReview));
    assert_eq!(drawn.rule("li", approve), Ok(Corrected), "two are enough");
    assert_eq!(desk.approved_by("wang"), Corrected);
}

#[test]
fn documents_against_harm_need_two() {
    for category in Category::ALL {
        let status = if category.class() == CategoryClass::Harm { AwaitingSecond } else { Corrected };
        for answers in [&[][..], &[Unknown], &[Yes, Unknown], &[Yes, Yes, Unknown]] {
            let desk = Desk::reassigned().labelled(*category).answers(answers);
            let desk = desk.in_review(&[Flag::OperatorUnknown]);
            assert_eq!(desk.clone().approved_by("wang"), status, "{category} {answers:?}");
            assert_eq!(desk.assurance(), Assurance::Document, "{answers:?}");
        }
        let desk = clears().labelled(*category).in_review(&[Flag::NameSourceUnknown]);
        assert_eq!(desk.approved_by("wang"), status);
    }
}

#[test]
fn documents_against_complaints_that_go_on_need_two() {
    let status = |first: &str, last: &str, source: Source| {
        let mut desk = Desk::reassigned().answers(&[Unknown]).in_review(&[Flag::OperatorUnknown]);
        let label = category_label(Category::Harass, Some(first), Some(last));
        desk.labels.push(Label { source, ..label });
        desk.approved_by("wang")
    };
    // The claim: since some day from 2025-01-30 to 2025-04-29.
    assert_eq!(status("2025-01-29", "2025-04-30", Source::Crowd), AwaitingSecond);
    assert_eq!(status("2025-01-29", "2025-04-29", Source::Crowd), Corrected, "they ended with it");
    assert_eq!(status("2025-01-30", "2025-04-30", Source::Crowd), Corrected, "they began with it");
    assert_eq!(status("2025-01-29", "2025-04-30", Source::Partner), Corrected, "a copy has no day");
    let mut desk = Desk::reassigned().answers(&[Yes, Yes, Yes]).in_review(&[]);
    desk.labels.push(category_label(Category::Harass, Some("2025-01-29"), Some("2025-04-30")));
    assert_eq!(desk.approved_by("wang"), Corrected, "the operator's word");
}

#[test]
fn the_operators_word_against_harm_needs_one() {
    let desk = Desk::reassigned().labelled(Category::Fraud).answers(&[Yes, Yes, Yes]).in_review(&[]);
    assert_eq!(desk.clone().approved_by("wang"), Corrected);
    assert_eq!(desk.assurance(), Assurance::Operator);
    let desk = clears().labelled(Category::Fraud).answered(name_is("张记面馆"), No).in_review(&[]);
    assert_eq!(desk.clone().approved_by("wang"), Corrected);
    assert_eq!(desk.assurance(), Assurance::Operator);
    let (desk, question) = shows();
    let desk = desk.labelled(Category::Fraud).answered(question, Yes).in_review(&[Flag::NameIsWarning]);
    assert_eq!(desk.clone().approved_by("wang"), Corrected);
    assert_eq!(desk.assurance(), Assurance::Operator);
    // What was answered blind to ports is no word of the operator's.
    let desk = Desk::reassigned().labelled(Category::Fraud).answers(&[Yes, Yes, Yes]);
    let desk = desk.in_review(&[Flag::Ported]);
    assert_eq!(desk.clone().approved_by("wang"), AwaitingSecond);
    assert_eq!(desk.assurance(), Assurance::Document);
}

#[test]
fn overriding_an_operators_no_needs_two() {
    for answers in [&[No][..], &[Yes, No], &[Yes, Yes, No]] {
        let desk = Desk::reassigned().answers(answers).in_review(&[Flag::Appeal]);
        assert_eq!(desk.clone().approved_by("wang"), AwaitingSecond, "{answers:?}");
        assert_eq!(desk.assurance(), Assurance::Document, "{answers:?}");
    }
    let desk = clears().answered(name_is("张记面馆"), Yes).in_review(&[Flag::Appeal]);
    assert_eq!(desk.approved_by("wang"), AwaitingSecond);
    let (desk, question) = shows();
    assert_eq!(desk.answered(question, No).in_review(&[Flag::Appeal]).approved_by("wang"), AwaitingSecond);
    // An unknown is no "no".
    let desk = Desk::reassigned().answers(&[Unknown]).in_review(&[Flag::OperatorUnknown]);
    assert_eq!(desk.approved_by("wang"), Corrected);
}

#[test]
fn harm_at_rest_needs_two_though_the_operator_agrees() {
    let desk = Desk::reassigned().answers(&[Yes, Yes, Yes]).in_review(&[Flag::HarmAtRest]);
    assert_eq!(desk.clone().approved_by("wang"), AwaitingSecond);
    assert_eq!(desk.assurance(), Assurance::Operator);
}

#[test]
fn names_fall_by_the_operator_only_if_it_spoke_of_each() {
    let two = || {
        let mut desk = clears();
        desk.dispute.labels.push(disputed("tencent", "李记面馆"));
        desk.answered(name_is("张记面馆"), No)
    };
    let (second, none) = (name_is("李记面馆"), two().in_review(&[]));
    assert_eq!(none.assurance(), Assurance::Document);
    assert_eq!(two().answered(second.clone(), Unknown).in_review(&[]).assurance(), Assurance::Document);
    assert_eq!(two().answered(second.clone(), No).in_review(&[]).assurance(), Assurance::Operator);
    let mixed = two().answered(second, Yes).in_review(&[Flag::NamesMixed]);
    assert_eq!(mixed.clone().approved_by("wang"), AwaitingSecond);
    assert_eq!(mixed.assurance(), Assurance::Document);
}

#[test]
fn the_second_is_another_person() {
    let mut desk = Desk::reassigned().answers(&[Yes, No]).in_review(&[]);
    assert_eq!(desk.rule("wang", approve), Ok(AwaitingSecond));
    assert!(!desk.may_take("wang") && desk.may_take("li"));
    for command in [approve, refuse, ask_documents] {
        assert_eq!(desk.rule("wang", command), Err(Refusal::SamePerson));
    }
    assert_eq!(desk.rule("li", approve), Ok(Corrected));
    assert_eq!(desk.effect(), Effect::VoidBefore { day: day("2025-01-30") });
}

#[test]
fn a_second_who_will_not_sign_sends_it_back() {
    let mut desk = Desk::reassigned().answers(&[Yes, No]).in_review(&[]);
    desk.rule("wang", approve).unwrap();
    assert_eq!(desk.rule("li", refuse), Ok(InReview));
    let state = desk.dispute.state();
    assert_eq!((state.first_approval, state.closed_at, state.refusal), (None, None, None));
    // It starts over: again one signature is not enough.
    for name in ["wang", "li", "zhao"] {
        assert!(desk.may_take(name));
        assert_eq!(desk.clone().rule(name, approve), Ok(AwaitingSecond));
        assert_eq!(desk.clone().rule(name, refuse), Ok(Status::Refused));
    }
}

#[test]
fn old_facts_are_asked_again_before_either_signature() {
    let desk = Desk::reassigned().answers(&[Yes, No]).in_review(&[Flag::Appeal]);
    assert_eq!(desk.clone().later(24).approved_by("wang"), AwaitingSecond, "a day is not more than a day");
    assert_eq!(desk.clone().later(25).approved_by("wang"), Checking);
    let mut desk = desk.later(20);
    desk.rule("wang", approve).unwrap();
    let mut desk = desk.later(20);
    assert_eq!(desk.rule("li", approve), Ok(Checking));
    let state = desk.dispute.state();
    assert_eq!((state.evidence.len(), state.first_approval), (0, None), "both sign what is true now");
    assert!(state.flags.contains(&Flag::Appeal));
    assert_eq!(desk.clone().answers(&[Yes, Yes, Yes]).in_review(&[]).approved_by("wang"), Corrected);
    // A refusal rests on no old "yes".
    let mut refusing = Desk::reassigned().answers(&[Yes]).in_review(&[]).later(100);
    assert_eq!(refusing.rule("wang", refuse), Ok(Status::Refused));
}

/// Days pass, people take turns, operators say anything.
#[derive(Debug, Clone)]
enum Turn {
    Rule(&'static str, u8),
    Appeal,
    Answers(Vec<Answer>),
    Hours(i64),
}

fn turn() -> impl Strategy<Value = Turn> {
    let name = prop::sample::select(vec!["wang", "li", "zhao"]);
    let answers = prop::collection::vec(prop::sample::select(vec![Yes, No, Unknown]), 0..4);
    prop_oneof![
        6 => (name, 0..3u8).prop_map(|(name, command)| Turn::Rule(name, command)),
        2 => Just(Turn::Appeal),
        2 => answers.prop_map(Turn::Answers),
        1 => (1..30i64).prop_map(Turn::Hours),
    ]
}

proptest! {
    #[test]
    fn nobody_signs_twice(turns in prop::collection::vec(turn(), 1..40), harm: bool) {
        let mut desk = Desk::reassigned();
        if harm {
            desk = desk.labelled(Category::Fraud);
        }
        for turn in turns {
            let before = desk.dispute.state();
            match turn {
                Turn::Rule(name, command) => {
                    let command = [approve, refuse, ask_documents][usize::from(command)];
                    let decided = desk.rule(name, command);
                    let barred = before.decided_by.contains(&moderator(name))
                        || before.first_approval == Some(moderator(name));
                    prop_assert!(!(barred && decided.is_ok()), "{name} has decided before");
                    if decided == Ok(Corrected) && before.status == InReview {
                        prop_assert!(before.evidence.iter().all(|evidence| evidence.answer != No));
                        prop_assert!(!harm || before.evidence.iter().filter(|e| e.answer == Yes).count() >= 3);
                    }
                }
                Turn::Appeal => drop(desk.appeal()),
                Turn::Answers(answers) if before.status == Checking => {
                    desk = desk.answers(&answers).in_review(&[Flag::OperatorUnknown]);
                }
                Turn::Answers(_) if before.status == Status::NeedsEvidence => {
                    desk.dispute.apply(desk.now, Actor::Holder, What::DocumentsGiven { documents: Vec::new() });
                }
                Turn::Answers(_) => {}
                Turn::Hours(hours) => desk = desk.later(hours),
            }
        }
        let commands = [Command::Withdraw, Command::NewTenure];
        let open = desk.dispute.status().is_open();
        prop_assert!(commands.into_iter().all(|command| desk.ask(command).is_ok() == open));
    }
}

#[test]
fn control_that_nobody_proved_needs_documents_and_two() {
    let (desk, question) = shows();
    let Question::EnterpriseIs { name, uscc } = question.clone() else { panic!("{question:?}") };
    for claim in [Claim::NameMismatch { show: None }, desk.dispute.claim.clone()] {
        let mut desk = Desk::of(claim);
        let filing = FilingId(uuid::Uuid::from_u128(7));
        let enterprise = Enterprise { name: name.clone(), uscc };
        desk.dispute.control = Control::Enterprise { enterprise, filing };
        let unproved = desk.clone().answered(question.clone(), Unknown).in_review(&[Flag::ControlUnproved]);
        assert!(!unproved.dispute.is_control_proved());
        assert_eq!(unproved.clone().approved_by("wang"), AwaitingSecond);
        assert_eq!(unproved.clone().assurance(), Assurance::Document);
        let mut approved = unproved.clone();
        approved.rule("wang", approve).unwrap();
        approved.rule("li", approve).unwrap();
        assert!(approved.dispute.is_control_proved(), "two people have seen documents");

        // Once the operator knows, it is like any other.
        let mut proved = unproved;
        proved.dispute.apply(proved.now, Actor::Rule, What::ControlProved);
        assert_eq!(proved.in_review(&[Flag::Appeal]).approved_by("wang"), Corrected);
    }
}

#[test]
fn whoever_did_not_prove_control_is_not_told_of_a_new_tenure() {
    let mut desk = Desk::reassigned();
    assert_eq!(desk.dispute.closed_by_new_tenure(), What::Withdrawn { by_new_tenure: true });
    let enterprise = Enterprise { name: "某某".to_owned(), uscc: "91350211M000100Y46".parse().unwrap() };
    desk.dispute.control = Control::Enterprise { enterprise, filing: FilingId(uuid::Uuid::from_u128(7)) };
    let closed = desk.dispute.closed_by_new_tenure();
    assert!(
        matches!(closed, What::Refused(Refused { code, public_note: None, .. }) if code == "control_unproved")
    );
    desk.dispute.apply(desk.now, Actor::Rule, What::ControlProved);
    assert_eq!(desk.dispute.closed_by_new_tenure(), What::Withdrawn { by_new_tenure: true });
}
