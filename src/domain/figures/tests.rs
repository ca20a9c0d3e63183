#![allow(clippy::unwrap_used)]

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::day::plus_days;

const BEGAN_ON: Date = date(2026, 6, 1);

/// What a service would keep: weeks of released tens, and the rest.
#[derive(Debug, Clone, Default)]
struct Kept {
    weeks: BTreeMap<Date, Tallies>,
    waiting: Tallies,
}

impl Kept {
    fn count(&mut self, week: Date, cell: Cell, seconds: u64) {
        if let Some(ten) = self.waiting.count(cell, seconds) {
            self.weeks.entry(week).or_default().merge(cell, &ten);
        }
    }

    /// The last four weeks.
    fn shown(&self, now: Date) -> Counted {
        let weeks = (0..4).rev().map(|back| plus_days(now, -7 * back));
        let weeks = weeks.map(|week| (week, self.weeks.get(&week).cloned().unwrap_or_default()));
        Counted { weeks: weeks.collect(), waiting: self.waiting.clone() }
    }
}

/// Everything that a page could print.
fn printed(figures: &Figures) -> Vec<Figure> {
    let weeks = figures.weeks.iter().flat_map(|week| [week.filed, week.decided]);
    let deciders = [figures.by_rule, figures.by_people].into_iter();
    let deciders = deciders.flat_map(|one| [one.decided, one.corrected]);
    let refusals = figures.refusals.iter().map(|(_, figure)| *figure);
    let serving = figures.serving.iter().map(|one| one.entries);
    let rest = [figures.filed, figures.published, figures.open, figures.overdue];
    weeks.chain(deciders).chain(refusals).chain(serving).chain(rest).collect()
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let by = prop::sample::select(vec![By::Rule, By::People]);
    let why = prop::sample::select(WhyRefused::ALL.to_vec());
    prop_oneof![
        Just(Cell::Filed),
        by.clone().prop_map(Cell::Corrected),
        (by, why).prop_map(|(by, why)| Cell::Refused(by, why)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Day by day, somebody keeps every page and subtracts whatever they like:
    /// of numbers that are all multiples of ten nothing smaller comes.
    #[test]
    fn nothing_that_is_ever_shown_differs_by_fewer_than_ten(
        cases in prop::collection::vec((any_cell(), 0i32..9, 0u64..1_000_000), 0..400),
    ) {
        let mut kept = Kept::default();
        let mut week = BEGAN_ON;
        let mut open = 0;
        for (cell, later, seconds) in cases {
            week = plus_days(week, 7 * i32::from(later == 8));
            open = if cell == Cell::Filed { open + 1 } else { open.max(1) - 1 };
            kept.count(week, cell, seconds);
            let counted = kept.shown(week);
            let providers = vec![("baidu".parse().unwrap(), counted.clone())];
            let figures = Figures::new(&counted, &counted, providers, open, open / 2);
            for figure in printed(&figures) {
                if let Figure::Shown(count) = figure {
                    prop_assert!(count >= GROUP_MIN && count % GROUP_MIN == 0, "{figures:?}");
                }
            }
        }
    }

    /// Nothing is lost and nothing counted twice on its way.
    #[test]
    fn what_is_released_and_what_waits_is_all_there_was(
        cases in prop::collection::vec((any_cell(), 0u64..1_000), 0..300),
    ) {
        let mut kept = Kept::default();
        for (cell, seconds) in &cases {
            kept.count(BEGAN_ON, *cell, *seconds);
        }
        let all = |tallies: &Tallies| tallies.all(|_| true).count();
        let released: u64 = kept.weeks.values().map(all).sum();
        prop_assert_eq!(released + all(&kept.waiting), cases.len() as u64);
        prop_assert!(kept.waiting.0.values().all(|some| some.count() < GROUP_MIN));
    }
}

#[test]
fn nine_are_not_shown_and_ten_are() {
    let mut kept = Kept::default();
    let refused = Cell::Refused(By::People, WhyRefused::Other);
    let figures = |kept: &Kept| Figures::new(&kept.shown(BEGAN_ON), &Counted::default(), Vec::new(), 9, 0);
    assert_eq!(figures(&kept).filed, Figure::Zero);
    assert_eq!(figures(&kept).refusals, []);
    for seconds in 0..9 {
        kept.count(BEGAN_ON, Cell::Corrected(By::Rule), seconds);
        kept.count(BEGAN_ON, refused, seconds);
    }
    let before = figures(&kept);
    assert_eq!((before.by_rule.corrected, before.by_rule.times), (Figure::TooFew, None));
    assert_eq!(before.refusals, [(WhyRefused::Other, Figure::TooFew)]);
    assert_eq!((before.open, before.overdue), (Figure::TooFew, Figure::Zero));
    kept.count(BEGAN_ON, Cell::Corrected(By::Rule), 9);
    let after = figures(&kept);
    assert_eq!(after.by_rule.corrected, Figure::Shown(10));
    assert_eq!(after.by_rule.times, Some(Times { median_s: 4, p95_s: 9 }));
    // Of nineteen decisions ten are told: the other nine are one kind's.
    assert_eq!(after.weeks.last().unwrap().decided, Figure::Shown(10));
    assert_eq!((after.by_people.decided, after.by_people.times), (Figure::TooFew, None));
}

#[test]
fn what_stands_there_now_is_told_by_its_tens() {
    let told = [0, 1, 9, 10, 15, 19, 20].map(Figure::of_now);
    let (zero, few, shown) = (Figure::Zero, Figure::TooFew, Figure::Shown);
    assert_eq!(told, [zero, few, few, shown(10), shown(10), shown(10), shown(20)]);
}

#[test]
fn providers_come_by_their_speed_and_those_without_figures_last() {
    let mut counted = Vec::new();
    for (provider, count, seconds) in [("slow", 10, 90), ("new", 9, 1), ("fast", 30, 30)] {
        let mut kept = Kept::default();
        (0..count).for_each(|_| kept.count(BEGAN_ON, Cell::Served, seconds));
        counted.push((provider.parse().unwrap(), kept.shown(BEGAN_ON)));
    }
    let figures = Figures::new(&Counted::default(), &Counted::default(), counted, 0, 0);
    let said: Vec<_> = figures.serving.iter().map(|one| (one.provider.as_str(), one.entries)).collect();
    let expected = [("fast", Figure::Shown(30)), ("slow", Figure::Shown(10)), ("new", Figure::TooFew)];
    assert_eq!(said, expected);
    assert_eq!(figures.serving[2].times, None);
}

#[test]
fn a_week_begins_on_monday() {
    for (day, monday) in [(23, 23), (24, 23), (29, 23), (30, 30)] {
        assert_eq!(week_of(date(2026, 11, day)), date(2026, 11, monday));
    }
}

#[test]
fn tallies_are_kept_by_the_names_of_their_cells() {
    let mut tallies = Tallies::default();
    assert_eq!(tallies.count(Cell::Filed, 0), None);
    tallies.count(Cell::Refused(By::Rule, WhyRefused::of("names_agree")), 7);
    tallies.count(Cell::Refused(By::People, WhyRefused::of("looked at it")), 8);
    let json = serde_json::to_string(&tallies).unwrap();
    let expected = r#"["filed",{"0":1}],[{"refused":["rule","names_agree"]},{"7":1}],[{"refused":["people","other"]},{"8":1}]"#;
    assert_eq!(json, format!("[{expected}]"));
    assert_eq!(serde_json::from_str::<Tallies>(&json).unwrap(), tallies);
}
