//! The decision table, written down a second time and compared cell by cell.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{asks, changed_after, filed_for, held_since, reviewed};
use crate::domain::correction::{Decision, Effect, Ground, Reversal};
use crate::domain::day::plus_days;
use crate::domain::dispute::{Actor, Flag, What};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::evidence::{Answer, Assurance};
use crate::domain::id::OperatorId;
use crate::domain::label::Category;
use crate::domain::rules::Step;
use crate::domain::tenure::{Ledger, TenureEvent};
use crate::domain::testkit::{REST, World, askable, category_label, day, line, moderator, noon, op, tell};
use crate::domain::window::Window;

const ANSWERS: [Option<Answer>; 4] = [None, Some(Yes), Some(No), Some(Unknown)];
const EITHER: [bool; 2] = [true, false];

/// What is true of a case besides the answers.
#[derive(Debug, Clone, Copy)]
struct Setting {
    window: Window,
    today: Date,
    serving: bool,
    follows_ports: bool,
    registry_current: bool,
    /// How many days before E - R, or since then, a port was told.
    ported: Option<i32>,
    is_virtual: bool,
}

impl Setting {
    fn all() -> Vec<Self> {
        let window = Window { after: day("2025-01-09"), until: day("2025-04-09") };
        let mut settings = Vec::new();
        for days_since in [-1, 0, 7, 8, 400] {
            for (serving, follows_ports) in product(EITHER, EITHER) {
                for (registry_current, is_virtual) in product(EITHER, EITHER) {
                    for ported in [None, Some(-1), Some(0), Some(100)] {
                        let today = plus_days(window.until, days_since);
                        settings.push(Self {
                            window,
                            today,
                            serving,
                            follows_ports,
                            registry_current,
                            ported,
                            is_virtual,
                        });
                    }
                }
            }
        }
        settings
    }

    fn rest_began_by(&self) -> Date {
        plus_days(self.window.after, -REST)
    }

    fn world(&self) -> World {
        let mut ledger = Ledger::default();
        if let Some(days) = self.ported {
            let port =
                line(TenureEvent::PortedOut, plus_days(self.rest_began_by(), days), OperatorId::REGISTRY);
            ledger.insert(port, self.window.until, None).unwrap();
        }
        World {
            ledger,
            operators: vec![askable("cmcc", self.serving, self.follows_ports)],
            only_first: self.is_virtual,
            registry_current: self.registry_current,
            ..World::of(filed_for(Some(self.window)), self.today)
        }
    }

    fn in_lag(&self) -> bool {
        self.today < plus_days(self.window.until, 8)
    }

    fn sees_through_ports(&self) -> bool {
        let unported = self.ported.is_none_or(|days| days < 0);
        self.follows_ports || (self.serving && self.registry_current && unported)
    }

    /// The table, row by row.
    fn expected(&self, held: Option<Answer>, changed: Option<Answer>, rested: Option<Answer>) -> Step {
        let lag_or = |step: Step| {
            let tomorrow = noon(self.today).checked_add(24.hours()).unwrap();
            if self.in_lag() { Step::AskAgainAt(tomorrow) } else { step }
        };
        if self.is_virtual && !self.serving {
            return reviewed(Flag::OperatorUnknown);
        }
        match (held, changed, rested) {
            (None, _, _) => asks("cmcc", held_since(self.window.until)),
            (Some(Yes | No), _, _) if !self.sees_through_ports() => reviewed(Flag::Ported),
            (Some(No), _, _) => lag_or(Step::Refuse("not_held_since")),
            (Some(Yes), None, _) => asks("cmcc", changed_after(self.window.after)),
            (Some(Yes), Some(No), _) => lag_or(Step::Refuse("no_change_of_holder")),
            (Some(Yes), Some(Yes), None) => asks("cmcc", changed_after(self.rest_began_by())),
            (Some(Yes), Some(Yes), Some(No)) => lag_or(reviewed(Flag::Reinstatement)),
            (Some(Yes), Some(Yes), Some(Yes)) => approved(plus_days(self.window.after, 1)),
            (Some(Unknown), _, _) | (_, Some(Unknown), _) | (_, _, Some(Unknown)) => {
                lag_or(reviewed(Flag::OperatorUnknown))
            }
        }
    }
}

fn approved(void_before: Date) -> Step {
    let effect = Effect::VoidBefore { day: void_before };
    Step::Approve { effect, assurance: Assurance::Operator, told: Vec::new() }
}

fn product<A: Copy, B: Copy, const N: usize, const M: usize>(a: [A; N], b: [B; M]) -> Vec<(A, B)> {
    a.into_iter().flat_map(|a| b.into_iter().map(move |b| (a, b))).collect()
}

#[test]
fn every_cell_of_the_table() {
    for setting in Setting::all() {
        for (held, changed) in product(ANSWERS, ANSWERS) {
            for rested in ANSWERS {
                let questions = [
                    (held_since(setting.window.until), held),
                    (changed_after(setting.window.after), changed),
                    (changed_after(setting.rest_began_by()), rested),
                ];
                let mut world = setting.world();
                for (question, answer) in questions {
                    if let Some(answer) = answer {
                        world = world.answered("cmcc", question, answer);
                    }
                }
                let expected = setting.expected(held, changed, rested);
                assert_eq!(world.step(), expected, "{setting:?} {held:?} {changed:?} {rested:?}");
            }
        }
    }
}

/// Whatever is asked, some two answers to it lead to different steps.
#[test]
fn no_question_is_asked_whose_answer_is_not_needed() {
    fn walk(world: &World, setting: &Setting, asked: usize) {
        let Step::Ask { operator, question } = world.step() else { return };
        assert!(asked < 3, "three questions are enough: {setting:?}");
        let next = |answer| world.clone().answered(operator.as_str(), question.clone(), answer);
        let worlds = [Yes, No, Unknown].map(next);
        let steps = worlds.each_ref().map(World::step);
        assert!(steps.iter().any(|step| *step != steps[0]), "{setting:?} {question:?} {steps:?}");
        for world in worlds {
            walk(&world, setting, asked + 1);
        }
    }
    for setting in Setting::all() {
        walk(&setting.world(), &setting, 0);
    }
}

fn old_case() -> World {
    let window = Window { after: day("2025-01-09"), until: day("2025-04-09") };
    World::of(filed_for(Some(window)), day("2026-06-01"))
}

#[test]
fn who_does_not_know_the_number_leads_to_the_next_operator() {
    let world =
        World { operators: vec![askable("cmcc", true, true), askable("cucc", false, true)], ..old_case() };
    let held = held_since(day("2025-04-09"));
    assert_eq!(world.step(), asks("cmcc", held.clone()));
    let world = world.answered("cmcc", held.clone(), Unknown);
    assert_eq!(world.step(), asks("cucc", held.clone()));
    let known = world.clone().answered("cucc", held.clone(), Yes);
    assert_eq!(
        known.step(),
        asks("cucc", changed_after(day("2025-01-09"))),
        "the rest of the one that knows"
    );
    let unsure = known.answered("cucc", changed_after(day("2025-01-09")), Unknown);
    assert_eq!(unsure.step(), reviewed(Flag::OperatorUnknown));
    let nobody = world.clone().answered("cucc", held.clone(), Unknown);
    assert_eq!(nobody.step(), reviewed(Flag::OperatorUnknown));
    // The registry's silence speaks for the serving operator only.
    let blind = World {
        operators: vec![askable("cmcc", true, true), askable("cucc", false, false)],
        registry_current: true,
        ..world.clone()
    };
    assert_eq!(blind.answered("cucc", held.clone(), Yes).step(), reviewed(Flag::Ported));
    // In a virtual operator's range nobody else is asked.
    assert_eq!(World { only_first: true, ..world }.step(), reviewed(Flag::OperatorUnknown));
}

#[test]
fn in_a_virtual_range_without_its_operator_nobody_is_asked() {
    let world = World { operators: vec![askable("cmcc", false, true)], only_first: true, ..old_case() };
    assert_eq!(world.step(), reviewed(Flag::OperatorUnknown));
    let in_lag = World { today: day("2025-04-10"), ..world };
    assert_eq!(in_lag.step(), reviewed(Flag::OperatorUnknown), "nobody to ask again");
}

#[test]
fn without_operators_people_decide() {
    for today in ["2025-04-10", "2026-06-01"] {
        let world = World { operators: Vec::new(), today: day(today), ..old_case() };
        assert_eq!(world.step(), reviewed(Flag::OperatorUnknown));
    }
}

#[test]
fn the_newest_answer_of_a_round_counts() {
    let held = held_since(day("2025-04-09"));
    let world = old_case().answered("cmcc", held.clone(), No).answered("cmcc", held.clone(), Yes);
    assert_eq!(world.step(), asks("cmcc", changed_after(day("2025-01-09"))));
    // Another operator's answer, or one to another question, is none.
    let world = old_case().answered("cucc", held.clone(), Yes).answered(
        "cmcc",
        changed_after(day("2025-04-09")),
        Yes,
    );
    assert_eq!(world.step(), asks("cmcc", held));
}

fn all_yes(world: World) -> World {
    world
        .answered("cmcc", held_since(day("2025-04-09")), Yes)
        .answered("cmcc", changed_after(day("2025-01-09")), Yes)
        .answered("cmcc", changed_after(day("2024-10-11")), Yes)
}

#[test]
fn harm_from_a_number_at_rest_is_for_people() {
    let step = |category, first, last| {
        let labels = vec![category_label(category, first, last)];
        // An operator that does not tell more closely when it was (`rest`).
        World { labels, ..all_yes(old_case()) }.play(|_, _| Unknown).0
    };
    let (fraud, fine) = (Category::Fraud, approved(day("2025-01-10")));
    // [D - R, D] is 2025-01-09 to 2025-04-09.
    for at_rest in ["2025-01-09", "2025-03-01", "2025-04-09"] {
        assert_eq!(step(fraud, Some(at_rest), None), reviewed(Flag::HarmAtRest));
        assert_eq!(step(fraud, Some("2020-01-01"), Some(at_rest)), reviewed(Flag::HarmAtRest));
        assert_eq!(step(Category::Express, Some(at_rest), None), fine);
        assert_eq!(step(Category::Harass, Some(at_rest), Some(at_rest)), fine);
    }
    assert_eq!(step(fraud, Some("2020-01-01"), Some("2025-01-08")), fine);
    assert_eq!(step(fraud, Some("2025-04-10"), None), fine);
    assert_eq!(step(fraud, None, None), fine);
}

fn told(lines: &[(TenureEvent, &str)], window: Option<Window>) -> World {
    let mut world = World::of(filed_for(window), day("2026-06-01"));
    for (event, on) in lines {
        tell(&mut world.ledger, *event, on, "cmcc", Some("cmcc")).unwrap();
    }
    world
}

const RELEASED: [(TenureEvent, &str); 2] =
    [(TenureEvent::Disconnected, "2025-01-01"), (TenureEvent::Activated, "2025-04-01")];

#[test]
fn a_tenure_that_the_ledger_proves_is_asked_of_nobody() {
    for window in [None, old_case().dispute.window()] {
        let mut world = told(&RELEASED, window);
        // A port is no change of holder, and its operator proved nothing.
        tell(&mut world.ledger, TenureEvent::PortedOut, "2026-01-01", "registry", Some("cmcc")).unwrap();
        tell(&mut world.ledger, TenureEvent::PortedIn, "2026-01-01", "cucc", Some("cmcc")).unwrap();
        tell(&mut world.ledger, TenureEvent::PortedIn, "2026-01-02", "registry", Some("cmcc")).unwrap();
        let Step::Approve { effect, assurance, told } = world.step() else { panic!("{:?}", world.step()) };
        assert_eq!(effect, Effect::VoidBefore { day: day("2025-04-01") });
        assert_eq!(assurance, Assurance::Operator);
        let said: Vec<_> = told.iter().map(|evidence| evidence.question.clone()).collect();
        let questions = ["2025-03-31", "2024-12-31"].map(|after| changed_after(day(after)));
        assert_eq!(said, [vec![held_since(day("2025-04-01"))], questions.to_vec()].concat());
        assert!(told.iter().all(|evidence| evidence.answer == Yes && evidence.at == noon(world.today)));
        assert!(told.iter().all(|evidence| evidence.source == op("cmcc")), "{told:?}");
    }
}

#[test]
fn harm_in_a_rest_that_the_ledger_proves_is_for_people() {
    let step = |on: &str| {
        let labels = vec![category_label(Category::Fraud, Some("2020-01-01"), Some(on))];
        World { labels, ..told(&RELEASED, None) }.step()
    };
    for at_rest in ["2025-01-02", "2025-03-31"] {
        let Step::Review { flags, told } = step(at_rest) else { panic!("{at_rest}") };
        assert_eq!((flags, told.len()), (vec![Flag::HarmAtRest], 3));
    }
    // The former holder's last day, and the present one's first.
    for held in ["2024-12-31", "2025-01-01", "2025-04-01"] {
        assert!(matches!(step(held), Step::Approve { .. }), "{held}");
    }
}

#[test]
fn complaints_that_begin_in_a_rest_that_the_ledger_proves_are_for_people() {
    let step = |category: Category, first: &str| {
        let labels = vec![category_label(category, Some(first), Some("2026-05-01"))];
        World { labels, ..told(&RELEASED, None) }.step()
    };
    for (category, flags) in [
        (Category::Harass, vec![Flag::MarkedAtRest]),
        (Category::Fraud, vec![Flag::HarmAtRest, Flag::MarkedAtRest]),
    ] {
        let Step::Review { flags: raised, told } = step(category, "2025-03-20") else { panic!("{category}") };
        assert_eq!((raised, told.len()), (flags, 3));
    }
    for held in ["2024-06-01", "2025-01-01", "2025-04-01"] {
        assert!(matches!(step(Category::Harass, held), Step::Approve { .. }), "{held}");
    }
}

#[test]
fn what_the_ledger_does_not_prove_the_operator_is_asked() {
    let window = old_case().dispute.window();
    let reinstated = [(TenureEvent::Disconnected, "2025-02-01"), (TenureEvent::Activated, "2025-04-01")];
    let transferred = [(TenureEvent::Transferred, "2025-04-01")];
    let late = [(TenureEvent::Disconnected, "2025-02-01")];
    let held = held_since(day("2025-04-09"));
    for lines in [&reinstated[..], &transferred[..], &late[..]] {
        assert_eq!(told(lines, window).step(), asks("cmcc", held.clone()));
        assert_eq!(all_yes(told(lines, window)).step(), approved(day("2025-01-10")));
    }
    let unknown = |lines| told(lines, window).answered("cmcc", held.clone(), Unknown).step();
    assert_eq!(unknown(&reinstated), reviewed(Flag::OperatorUnknown));
    assert_eq!(unknown(&late), reviewed(Flag::LedgerLate));
    // Filed on the ledger's word, which has changed since.
    assert_eq!(told(&transferred, None).step(), reviewed(Flag::OperatorUnknown));
    assert_eq!(told(&late, None).step(), reviewed(Flag::LedgerLate));
}

#[test]
fn a_ledger_that_is_late_is_waited_for() {
    let lines = [(TenureEvent::Disconnected, "2025-12-01")];
    let window = old_case().dispute.window();
    let held = held_since(day("2025-04-09"));
    let step = |filed_on: &str| {
        let mut world = told(&lines, window).answered("cmcc", held.clone(), Unknown);
        world.dispute.filed_at = noon(day(filed_on));
        world.step()
    };
    // It is the 1st of June.
    for filed_on in ["2026-06-01", "2026-05-25"] {
        assert!(matches!(step(filed_on), Step::AskAgainAt(_)), "{filed_on}");
    }
    assert_eq!(step("2026-05-24"), reviewed(Flag::LedgerLate), "the days of the lag are over");
    let mut nobody = told(&lines, window);
    nobody.operators.clear();
    assert_eq!(nobody.step(), reviewed(Flag::LedgerLate), "there is nobody to ask");
}

/// A moderator who would grant an appeal on old answers has them asked again;
/// the same "no" is then two people's to override, not the rule's to repeat.
#[test]
fn a_rule_does_not_refuse_an_appeal() {
    let mut world = old_case();
    world.dispute.apply(noon(world.today), Actor::Holder, What::Appealed { text: "…".to_owned() });
    world.dispute.apply(noon(world.today), Actor::Rule, What::RecheckAsked);
    let (held, changed) = (held_since(day("2025-04-09")), changed_after(day("2025-01-09")));
    assert_eq!(world.clone().answered("cmcc", held.clone(), No).step(), reviewed(Flag::Appeal));
    let world = world.answered("cmcc", held, Yes);
    assert_eq!(world.clone().answered("cmcc", changed, No).step(), reviewed(Flag::Appeal));
    assert_eq!(all_yes(world).step(), approved(day("2025-01-10")));
}

#[test]
fn what_two_people_reverted_is_for_people() {
    let at = noon(day("2026-06-01"));
    let reversal = Reversal { first: moderator("wang"), second: moderator("li"), reason: "wrong".into(), at };
    let effect = Effect::VoidBefore { day: day("2021-01-01") };
    let ground = Ground::LabelArrived;
    let reverted = Decision { at, ground, effect, assurance: Assurance::Operator, reverted: Some(reversal) };
    let mut world =
        told(&[(TenureEvent::Disconnected, "2020-09-01"), (TenureEvent::Activated, "2021-01-01")], None);
    assert!(matches!(world.step(), Step::Approve { .. }));
    world.decisions.push(reverted);
    let Step::Review { flags, told } = world.step() else { panic!("a rule repeats what people took back") };
    assert_eq!((flags, told.len()), (vec![Flag::RevertedBefore], 3));
}
