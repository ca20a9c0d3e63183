//! Control by an enterprise: every row of its table, for every reason.

use super::{asks, changed_after, held_since};
use crate::domain::correction::Effect;
use crate::domain::dispute::{Actor, Claim, Control, Dispute, Enterprise, Flag, Show, What};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::evidence::{Answer, Question};
use crate::domain::id::FilingId;
use crate::domain::label::{Category, Source};
use crate::domain::rules::Step;
use crate::domain::tenure::TenureEvent::{Activated, Disconnected, Transferred};
use crate::domain::testkit::{
    World, askable, category_label, day, dispute, disputed, evidence, ledger, name_label, noon,
};
use crate::domain::window::Window;

const NAME: &str = "厦门某某科技有限公司";
const TODAY: &str = "2026-06-01";

fn enterprise() -> Enterprise {
    Enterprise { name: NAME.to_owned(), uscc: "91350211M000100Y46".parse().unwrap() }
}

fn filed(claim: Claim) -> Dispute {
    let filing = FilingId(uuid::Uuid::from_u128(7));
    let control = Control::Enterprise { enterprise: enterprise(), filing };
    Dispute { control, ..dispute(claim, vec![disputed("dianhuabang", "老王烧烤")]) }
}

fn window() -> Window {
    Window { after: day("2025-01-29"), until: day("2025-04-29") }
}

fn reassigned() -> World {
    let claim = Claim::Reassigned { opened: "2025-03".parse().ok(), window: Some(window()) };
    World::of(filed(claim), day(TODAY))
}

fn shows() -> World {
    let Enterprise { name, uscc } = enterprise();
    World::of(filed(Claim::NameMismatch { show: Some(Show { name, uscc }) }), day(TODAY))
}

fn clears() -> World {
    let labels = vec![name_label("dianhuabang", "老王烧烤", Source::Business)];
    World { labels, ..World::of(filed(Claim::NameMismatch { show: None }), day(TODAY)) }
}

fn said(world: World, answer: Answer) -> World {
    world.answered("cmcc", enterprise().question(), answer)
}

/// The match has been told and taken note of.
fn proved(world: World) -> World {
    let mut world = said(world, Yes);
    assert_eq!(world.step(), Step::ControlProved);
    world.dispute.apply(noon(day(TODAY)), Actor::Rule, What::ControlProved);
    world
}

fn unproved(more: &[Flag]) -> Step {
    let flags = [&[Flag::ControlUnproved], more].concat();
    Step::Review { flags, told: Vec::new() }
}

#[test]
fn the_match_is_asked_before_all_else_and_decides_whether_anything_else_is() {
    for world in [reassigned(), shows(), clears()] {
        assert_eq!(world.step(), asks("cmcc", enterprise().question()));
        assert_eq!(said(world.clone(), No).step(), Step::Refuse("identity_mismatch"));
        assert_eq!(said(world.clone(), Unknown).step(), unproved(&[]));
        let nobody = World { operators: Vec::new(), ..world };
        assert_eq!(nobody.step(), unproved(&[]));
    }
}

#[test]
fn after_the_match_the_usual_table_goes_on() {
    assert_eq!(proved(reassigned()).step(), asks("cmcc", held_since(window().until)));
    let (step, _) = reassigned().play(|_, _| Yes);
    let effect = Effect::VoidBefore { day: window().void_before() };
    assert!(matches!(step, Step::Approve { effect: found, .. } if found == effect));
    let (step, _) = reassigned().play(|_, question| match question {
        Question::ChangedAfter { .. } => No,
        _ => Yes,
    });
    assert_eq!(step, Step::Refuse("no_change_of_holder"));

    let (step, asked) = shows().play(|_, _| Yes);
    assert!(matches!(step, Step::Approve { effect: Effect::SetName { .. }, .. }));
    assert_eq!(asked.len(), 1, "the same question is not asked twice");

    let name_is = Question::NameIs { name: "老王烧烤".to_owned() };
    assert_eq!(proved(clears()).step(), asks("cmcc", name_is));
    let (step, _) = clears().play(|_, question| match question {
        Question::NameIs { .. } => No,
        _ => Yes,
    });
    assert!(matches!(step, Step::Approve { effect: Effect::ClearName, .. }));
}

#[test]
fn what_the_records_hold_shows_in_nothing_before_the_match() {
    let harm = category_label(Category::Fraud, Some("2025-03-01"), Some("2025-04-01"));
    let warning = name_label("dianhuabang", "冒充客服", Source::Crowd);
    let histories: &[&[_]] = &[
        &[],
        &[(Disconnected, "2024-06-01"), (Activated, "2025-03-15")],
        &[(Disconnected, "2026-05-30")],
        &[(Transferred, "2026-05-30")],
    ];
    for world in [reassigned(), shows(), clears()] {
        for history in histories {
            let labels = vec![harm.clone(), warning.clone()];
            let world = World { ledger: ledger(history), labels, ..world.clone() };
            assert_eq!(world.step(), asks("cmcc", enterprise().question()), "a ledger alone proves nothing");
            assert_eq!(said(world.clone(), No).step(), Step::Refuse("identity_mismatch"));
            assert_eq!(said(world, Unknown).step(), unproved(&[]));
        }
    }
}

#[test]
fn a_match_that_may_be_the_former_holders_does_not_count() {
    let transferred = World { ledger: ledger(&[(Transferred, "2026-05-30")]), ..shows() };
    assert!(matches!(said(transferred, Yes).step(), Step::AskAgainAt(_)));
    let disconnected = World { ledger: ledger(&[(Disconnected, "2026-05-01")]), ..reassigned() };
    assert_eq!(said(disconnected, Yes).step(), unproved(&[Flag::LedgerLate]));
}

#[test]
fn operators_that_learn_late_are_asked_again() {
    let window = Window { after: day("2026-05-29"), until: day("2026-05-31") };
    let claim = Claim::Reassigned { opened: "2026-05-30".parse().ok(), window: Some(window) };
    let world = World::of(filed(claim), day(TODAY));
    for answer in [No, Unknown] {
        assert!(matches!(said(world.clone(), answer).step(), Step::AskAgainAt(_)));
    }
    assert_eq!(world.clone().play(|_, _| No).0, Step::Refuse("identity_mismatch"));
    assert_eq!(world.play(|_, _| Unknown).0, unproved(&[]));
}

#[test]
fn another_operator_may_know() {
    let operators = vec![askable("cmcc", true, true), askable("cucc", false, true)];
    let world = said(World { operators, ..reassigned() }, Unknown);
    assert_eq!(world.step(), asks("cucc", enterprise().question()));
}

#[test]
fn who_did_not_say_since_when_is_asked_once_control_is_proved() {
    let world = World::of(filed(Claim::Reassigned { opened: None, window: None }), day(TODAY));
    assert_eq!(said(world.clone(), No).step(), Step::Refuse("identity_mismatch"));
    assert_eq!(proved(world.clone()).step(), Step::Refuse("opened_needed"));
    let known = ledger(&[(Disconnected, "2024-06-01"), (Activated, "2025-03-15")]);
    let told = proved(World { ledger: known, ..world });
    let effect = Effect::VoidBefore { day: day("2025-03-15") };
    assert!(matches!(told.step(), Step::Approve { effect: found, .. } if found == effect));
}

#[test]
fn a_window_is_asked_of_nobody_before_the_match() {
    let (_, asked) = reassigned().play(|_, question| match question {
        Question::EnterpriseIs { .. } => Unknown,
        _ => Yes,
    });
    assert_eq!(asked.len(), 1);
    let (_, asked) = reassigned().play(|_, _| Yes);
    let asked: Vec<_> = asked.into_iter().map(|(_, question)| question).collect();
    let rest = changed_after(window().rest_began_by(90));
    let questions =
        [enterprise().question(), held_since(window().until), changed_after(window().after), rest];
    assert_eq!(asked, questions);
}

#[test]
fn a_proof_lasts_until_the_operator_takes_it_back() {
    let mut dispute = filed(Claim::NameMismatch { show: None });
    let answered =
        |answer| What::Answered(evidence("cmcc", enterprise().question(), answer, noon(day(TODAY))));
    for (what, is_proved) in [
        (answered(Yes), false),
        (What::ControlProved, true),
        (What::AskingAgain { next_at: noon(day(TODAY)) }, true),
        (answered(Unknown), true),
        (answered(No), false),
        (What::ControlProved, true),
    ] {
        dispute.apply(noon(day(TODAY)), Actor::Rule, what);
        assert_eq!(dispute.is_control_proved(), is_proved, "{:?}", dispute.events.last());
    }
}
