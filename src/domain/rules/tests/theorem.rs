//! No guess does harm: whatever the rules approve takes away no mark of the
//! present tenure and every mark of the former ones.

use jiff::civil::Date;
use proptest::prelude::*;

use super::filed_for;
use crate::domain::correction::Effect;
use crate::domain::day::plus_days;
use crate::domain::evidence::{Answer, Question};
use crate::domain::opened::Opened;
use crate::domain::rules::Step;
use crate::domain::tenure::{TenureEvent, TenureLine};
use crate::domain::testkit::{REST, World, day, line, op};
use crate::domain::window::Window;

/// A stretch of days with a contract. `until` is the day of its end; none of
/// the present one.
#[derive(Debug, Clone, Copy)]
struct Spell {
    holder: usize,
    from: Date,
    until: Option<Date>,
}

#[derive(Debug, Clone)]
struct History {
    spells: Vec<Spell>,
    marks: Vec<(usize, Date)>,
    today: Date,
    opened: Opened,
}

impl History {
    fn present(&self) -> Spell {
        *self.spells.last().unwrap()
    }

    /// The first day on which the present holder had the number.
    fn began(&self) -> Date {
        let present = self.present().holder;
        self.spells.iter().find(|spell| spell.holder == present).unwrap().from
    }

    fn window(&self) -> Window {
        Window::around(self.opened, self.today, REST)
    }

    fn holder_on(&self, day: Date) -> Option<usize> {
        let has = |spell: &&Spell| spell.from <= day && spell.until.is_none_or(|until| day < until);
        self.spells.iter().find(has).map(|spell| spell.holder)
    }

    /// An operator that knows it all. `since` is when it takes the present
    /// tenure to have begun.
    fn truth(&self, question: &Question, since: Date) -> Answer {
        let yes = match question {
            // Of a number that nobody has, nobody is said to have had it.
            Question::HeldSince { day } => self.present().until.is_none() && since <= *day,
            // Of another, or of nobody, on that day.
            Question::ChangedAfter { day } => self.holder_on(*day) != Some(self.present().holder),
            other => panic!("{other:?} is no question about a tenure"),
        };
        if yes { Answer::Yes } else { Answer::No }
    }

    /// What operators may also mean: some day after that day had no contract.
    fn truth_by_gaps(&self, question: &Question) -> Answer {
        let Question::ChangedAfter { day } = question else { return self.truth(question, self.began()) };
        let gap = |spell: &Spell| spell.until.is_some_and(|until| until > *day);
        if self.began() > *day || self.spells.iter().any(gap) { Answer::Yes } else { Answer::No }
    }

    fn harmless(&self, void_before: Date) -> Result<(), TestCaseError> {
        let present = self.present().holder;
        for (holder, on) in &self.marks {
            prop_assert!(*holder != present || *on >= void_before, "takes the present holder's mark of {on}");
        }
        Ok(())
    }

    fn complete(&self, void_before: Date) -> Result<(), TestCaseError> {
        self.harmless(void_before)?;
        let present = self.present().holder;
        for (holder, on) in &self.marks {
            prop_assert!(*holder == present || *on < void_before, "leaves a former holder's mark of {on}");
        }
        Ok(())
    }

    fn lines(&self) -> Vec<TenureLine> {
        let ends = |spell: &Spell| spell.until.map(|until| line(TenureEvent::Disconnected, until, "cmcc"));
        let begins = |spell: &Spell| line(TenureEvent::Activated, spell.from, "cmcc");
        self.spells.iter().flat_map(|spell| [Some(begins(spell)), ends(spell)]).flatten().collect()
    }

    fn world(&self) -> World {
        World::of(filed_for(Some(self.window())), self.today)
    }
}

/// Spells out of (days held, days until the next), the last one still held
/// since as many days as its first number.
fn spells_of(parts: &[(i32, i32)], held: i32) -> (Vec<Spell>, Date) {
    let mut from = day("2001-02-27");
    let mut spells = Vec::new();
    for (holder, (days, rest)) in parts.iter().enumerate() {
        let until = plus_days(from, *days);
        spells.push(Spell { holder, from, until: Some(until) });
        from = plus_days(until, *rest);
    }
    spells.push(Spell { holder: parts.len(), from, until: None });
    (spells, plus_days(from, held))
}

fn history_of(spells: impl Strategy<Value = (Vec<Spell>, Date)>) -> impl Strategy<Value = History> {
    let marks = proptest::collection::vec((any::<prop::sample::Index>(), 0..2000i32), 0..40);
    // Most claims are nearly right; some are about any day at all.
    let near = prop_oneof![3 => -130..130i32, 1 => -6000..2000i32];
    (spells, marks, any::<prop::sample::Index>(), near, any::<bool>()).prop_map(
        |((spells, today), marks, about, off, is_day)| {
            let mark = |(index, offset): (prop::sample::Index, i32)| {
                let spell = index.get(&spells);
                let last = spell.until.unwrap_or(today);
                (spell.holder, plus_days(spell.from, offset).min(last))
            };
            let mut marks: Vec<_> = marks.into_iter().map(mark).collect();
            // The days that it turns on.
            marks.extend(
                spells.iter().flat_map(|spell| {
                    [spell.from, spell.until.unwrap_or(today)].map(|on| (spell.holder, on))
                }),
            );
            let near = if about.index(2) == 0 { spells[spells.len() - 1] } else { *about.get(&spells) };
            let claimed = plus_days(near.from, off).min(today).max(day("1987-11-01"));
            let month = Opened::Month { year: claimed.year(), month: claimed.month() };
            History { spells, marks, today, opened: if is_day { Opened::Day(claimed) } else { month } }
        },
    )
}

/// Holders with a rest between them, the present one since any number of days.
fn honest() -> impl Strategy<Value = History> {
    let former = proptest::collection::vec((1..900i32, REST..200i32), 0..5);
    history_of((former, 0..900i32).prop_map(|(former, held)| spells_of(&former, held)))
}

/// As `honest`, but the present holder lost the number for less than the rest.
/// They had had it for a rest at least: a shorter spell lies between the days
/// that are asked about, and nobody would see it.
fn reinstated() -> impl Strategy<Value = History> {
    let former = proptest::collection::vec((1..900i32, REST..200i32), 0..4);
    let own = (REST..900i32, 1..REST);
    history_of((former, own, 0..900i32).prop_map(|(mut parts, own, held)| {
        parts.push(own);
        let (mut spells, today) = spells_of(&parts, held);
        let last = spells.len() - 1;
        spells[last].holder = spells[last - 1].holder;
        (spells, today)
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_approved_is_right_and_what_is_right_is_approved(history in honest(), by_gaps: bool) {
        let (step, asked) = history.world().play(|_, question| match by_gaps {
            true => history.truth_by_gaps(question),
            false => history.truth(question, history.began()),
        });
        prop_assert!(asked.len() <= 3);
        let window = history.window();
        let in_window = window.after < history.began() && history.began() <= window.until;
        match step {
            Step::Approve { effect: Effect::VoidBefore { day }, .. } => {
                prop_assert!(in_window);
                prop_assert_eq!(day, plus_days(window.after, 1));
                history.complete(day)?;
            }
            Step::Refuse("not_held_since") => prop_assert!(history.began() > window.until),
            Step::Refuse("no_change_of_holder") => prop_assert!(history.began() <= window.after),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// An operator that reads "held since" strictly refuses more, never less.
    #[test]
    fn a_strict_operator_does_no_harm(history in honest()) {
        let strict = |question: &Question| match question {
            Question::HeldSince { day } if *day == history.began() => Answer::No,
            _ => history.truth(question, history.began()),
        };
        let (step, _) = history.world().play(|_, question| strict(question));
        if let Step::Approve { effect: Effect::VoidBefore { day }, .. } = step {
            history.complete(day)?;
        } else if history.opened == Opened::Day(history.began()) {
            prop_assert!(false, "the exact day is enough");
        }
    }

    /// Answers that are unknown, or late by up to eight days, do no harm.
    #[test]
    fn silence_and_lag_do_no_harm(history in honest(), mask: u8, late in 0..9i32) {
        let seen = plus_days(history.today, -late);
        let mut known = history.clone();
        known.spells.retain(|spell| spell.from <= seen);
        prop_assume!(!known.spells.is_empty());
        for spell in &mut known.spells {
            spell.until = spell.until.filter(|until| *until <= seen);
        }
        let (step, _) = history.world().play(|_, question| {
            let silent = match question {
                Question::HeldSince { .. } => mask & 1 == 1,
                Question::ChangedAfter { day } => mask >> (1 + u8::from(*day != history.window().after)) & 1 == 1,
                _ => false,
            };
            if silent { Answer::Unknown } else { known.truth(question, known.began()) }
        });
        if let Step::Approve { effect: Effect::VoidBefore { day }, .. } = step {
            history.harmless(day)?;
        }
    }

    #[test]
    fn lines_in_any_order_come_to_the_same(
        (history, lines) in honest().prop_flat_map(|history| {
            let lines = history.lines();
            (Just(history), Just(lines).prop_shuffle())
        }),
    ) {
        let mut world = World { operators: Vec::new(), dispute: filed_for(None), ..history.world() };
        for line in lines {
            let taken = world.ledger.insert(line, history.today, Some(&op("cmcc")));
            prop_assert!(taken.is_ok(), "{:?}", taken);
            if let Step::Approve { effect: Effect::VoidBefore { day }, .. } = world.step() {
                history.harmless(day)?;
            }
        }
        match world.step() {
            Step::Approve { effect: Effect::VoidBefore { day }, .. } => {
                prop_assert_eq!(day, history.began());
                history.complete(day)?;
            }
            step => prop_assert!(history.spells.len() == 1, "{step:?}"),
        }
    }

    /// Whose contract lapsed and was taken up again within the rest is no new
    /// holder: nothing of theirs is taken, on whatever claim.
    #[test]
    fn a_reinstatement_is_never_approved(history in reinstated()) {
        let again = history.present().from;
        let (step, _) = history.world().play(|_, question| history.truth(question, again));
        let approved = matches!(step, Step::Approve { .. });
        prop_assert!(!approved, "{step:?}");
        // Where the operator sees one tenure in both, its true beginning may be.
        let (step, _) = history.world().play(|_, question| history.truth(question, history.began()));
        if let Step::Approve { effect: Effect::VoidBefore { day }, .. } = step {
            history.complete(day)?;
        }
        let mut world = World { operators: Vec::new(), dispute: filed_for(None), ..history.world() };
        for line in history.lines() {
            world.ledger.insert(line, history.today, Some(&op("cmcc"))).unwrap();
        }
        let by_ledger = matches!(world.step(), Step::Approve { .. });
        prop_assert!(!by_ledger);
    }
}
