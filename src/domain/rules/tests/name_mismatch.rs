use super::{asks, reviewed};
use crate::domain::correction::Effect;
use crate::domain::dispute::{Claim, DisputedLabel, Flag, Show};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::evidence::{Answer, Assurance, Question};
use crate::domain::label::{Label, Source};
use crate::domain::rules::Step;
use crate::domain::tenure::TenureEvent::{self, Disconnected, Transferred};
use crate::domain::testkit::{World, askable, day, dispute, disputed, ledger, name_label};

const USCC: &str = "91350211M000100Y46";

fn name_is(name: &str) -> Question {
    Question::NameIs { name: name.to_owned() }
}

fn enterprise_is(name: &str) -> Question {
    Question::EnterpriseIs { name: name.to_owned(), uscc: USCC.parse().unwrap() }
}

fn world(disputed: Vec<DisputedLabel>, labels: Vec<Label>, show: Option<&str>) -> World {
    let show = show.map(|name| Show { name: name.to_owned(), uscc: USCC.parse().unwrap() });
    let dispute = dispute(Claim::NameMismatch { show }, disputed);
    World { labels, ..World::of(dispute, day("2026-06-01")) }
}

/// Names that a business submitted to one provider, all of them disputed.
fn submitted(names: &[&str]) -> World {
    let labels = names.iter().map(|name| name_label("dianhuabang", name, Source::Business)).collect();
    world(names.iter().map(|name| disputed("dianhuabang", name)).collect(), labels, None)
}

fn cleared() -> Step {
    Step::Approve { effect: Effect::ClearName, assurance: Assurance::Operator, told: Vec::new() }
}

#[test]
fn a_name_falls_by_the_operators_no() {
    let world = submitted(&["张记面馆"]);
    assert_eq!(world.step(), asks("cmcc", name_is("张记面馆")));
    for (answer, step) in
        [(No, cleared()), (Yes, Step::Refuse("names_agree")), (Unknown, reviewed(Flag::OperatorUnknown))]
    {
        assert_eq!(world.clone().answered("cmcc", name_is("张记面馆"), answer).step(), step);
    }
}

#[test]
fn several_names_fall_or_stay_together() {
    let answered = |first: Answer, second: Answer| {
        let world = submitted(&["张记面馆", "李记面馆"]).answered("cmcc", name_is("张记面馆"), first);
        if first != Unknown {
            assert_eq!(world.step(), asks("cmcc", name_is("李记面馆")), "the other name too");
        }
        world.answered("cmcc", name_is("李记面馆"), second).step()
    };
    assert_eq!(answered(No, No), cleared());
    assert_eq!(answered(Yes, Yes), Step::Refuse("names_agree"));
    assert_eq!(answered(Yes, No), reviewed(Flag::NamesMixed));
    assert_eq!(answered(No, Yes), reviewed(Flag::NamesMixed));
    for answer in [Yes, No, Unknown] {
        assert_eq!(answered(answer, Unknown), reviewed(Flag::OperatorUnknown));
        assert_eq!(answered(Unknown, answer), reviewed(Flag::OperatorUnknown), "one is enough to know");
    }
}

#[test]
fn a_name_that_two_providers_show_is_asked_once() {
    let both = ["dianhuabang", "tencent"];
    let labels = both.map(|provider| name_label(provider, "张记面馆", Source::Partner)).to_vec();
    let world = world(both.map(|provider| disputed(provider, "张记面馆")).to_vec(), labels, None);
    assert_eq!(world.answered("cmcc", name_is("张记面馆"), No).step(), cleared());
}

#[test]
fn only_submitted_names_fall_by_rule() {
    let dispute_it = || vec![disputed("dianhuabang", "张记面馆")];
    for (source, by_rule) in
        [(Source::Business, true), (Source::Partner, true), (Source::Crowd, false), (Source::Unknown, false)]
    {
        let world = world(dispute_it(), vec![name_label("dianhuabang", "张记面馆", source)], None);
        let step =
            if by_rule { asks("cmcc", name_is("张记面馆")) } else { reviewed(Flag::NameSourceUnknown) };
        assert_eq!(world.step(), step, "{source:?}");
    }
    // Another provider's source, or another name's, says nothing of this one.
    for elsewhere in [
        name_label("tencent", "张记面馆", Source::Business),
        name_label("dianhuabang", "李记面馆", Source::Business),
    ] {
        assert_eq!(world(dispute_it(), vec![elsewhere], None).step(), reviewed(Flag::NameSourceUnknown));
    }
    assert_eq!(world(dispute_it(), Vec::new(), None).step(), reviewed(Flag::NameSourceUnknown));
    // One unknown source among several.
    let mut mixed = submitted(&["张记面馆"]);
    mixed.dispute.labels.push(disputed("tencent", "李记面馆"));
    assert_eq!(mixed.step(), reviewed(Flag::NameSourceUnknown));
}

#[test]
fn a_warning_in_the_shape_of_a_name_is_for_people() {
    for warning in ["冒充客服", "骗 子"] {
        assert_eq!(submitted(&[warning]).step(), reviewed(Flag::NameIsWarning));
        assert_eq!(submitted(&["张记面馆", warning]).step(), reviewed(Flag::NameIsWarning));
        let show = world(vec![disputed("tencent", warning)], Vec::new(), Some("某某有限公司"));
        assert_eq!(show.step(), reviewed(Flag::NameIsWarning));
    }
}

#[test]
fn nothing_is_cleared_without_a_name_that_was_asked() {
    let category_only = DisputedLabel { name: None, ..disputed("tencent", "") };
    for labels in [Vec::new(), vec![category_only]] {
        assert_eq!(world(labels, Vec::new(), None).step(), reviewed(Flag::NameSourceUnknown));
    }
}

#[test]
fn an_enterprise_has_its_own_name_shown() {
    let world = world(vec![disputed("tencent", "张记面馆")], Vec::new(), Some("某某有限公司"));
    assert_eq!(world.step(), asks("cmcc", enterprise_is("某某有限公司")));
    let answered = |answer| world.clone().answered("cmcc", enterprise_is("某某有限公司"), answer).step();
    let effect = Effect::SetName { name: "某某有限公司".to_owned(), until: day("2026-08-30") };
    assert_eq!(
        answered(Yes),
        Step::Approve { effect, assurance: Assurance::Operator, told: Vec::new() },
        "for 90 days"
    );
    assert_eq!(answered(No), Step::Refuse("identity_mismatch"));
    assert_eq!(answered(Unknown), reviewed(Flag::OperatorUnknown));
}

#[test]
fn a_name_that_is_shown_already_is_no_mismatch() {
    for shown in ["某某有限公司", "某某", "某某 股份有限公司", "（某某）有限公司"] {
        let world = world(vec![disputed("tencent", shown)], Vec::new(), Some("某某有限公司"));
        assert_eq!(world.step(), Step::Refuse("names_agree"), "{shown}");
    }
    let world = world(vec![disputed("tencent", "ＡＣＭＥ")], Vec::new(), Some("acme 公司"));
    assert_eq!(world.step(), Step::Refuse("names_agree"));
}

#[test]
fn who_does_not_know_leads_to_the_next_operator() {
    let two = |world: World| World {
        operators: vec![askable("cmcc", true, false), askable("cucc", false, false)],
        ..world
    };
    let clear = two(submitted(&["张记面馆"])).answered("cmcc", name_is("张记面馆"), Unknown);
    assert_eq!(clear.step(), asks("cucc", name_is("张记面馆")));
    assert_eq!(clear.clone().answered("cucc", name_is("张记面馆"), No).step(), cleared());
    let nobody = clear.clone().answered("cucc", name_is("张记面馆"), Unknown);
    assert_eq!(nobody.step(), reviewed(Flag::OperatorUnknown));
    assert_eq!(World { only_first: true, ..clear }.step(), reviewed(Flag::OperatorUnknown));
    let show = two(world(vec![disputed("tencent", "张记面馆")], Vec::new(), Some("某某有限公司")));
    let show = show.answered("cmcc", enterprise_is("某某有限公司"), Unknown);
    assert_eq!(show.step(), asks("cucc", enterprise_is("某某有限公司")));
    let none = World { operators: Vec::new(), ..submitted(&["张记面馆"]) };
    assert_eq!(none.step(), reviewed(Flag::OperatorUnknown));
    let host = World { operators: vec![askable("cucc", false, true)], only_first: true, ..none };
    assert_eq!(host.step(), reviewed(Flag::OperatorUnknown), "a virtual operator's range");
}

#[test]
fn a_name_is_not_shown_for_who_may_have_left() {
    let world = world(vec![disputed("tencent", "张记面馆")], Vec::new(), Some("某某有限公司"));
    let says = |lines: &[(TenureEvent, &str)], answer| {
        let world = World { ledger: ledger(lines), ..world.clone() };
        world.answered("cmcc", enterprise_is("某某有限公司"), answer).step()
    };
    // Operators learn late: they may speak of the former holder.
    for answer in [Yes, No] {
        assert!(matches!(says(&[(Transferred, "2026-05-25")], answer), Step::AskAgainAt(_)));
    }
    assert!(matches!(says(&[(Transferred, "2026-05-24")], Yes), Step::Approve { .. }), "the lag is over");
    assert_eq!(says(&[(Disconnected, "2026-05-01")], Yes), reviewed(Flag::LedgerLate));
}
