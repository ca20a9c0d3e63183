//! The picture of a case: when each label was marked, against the days that
//! were claimed and those that the operators told. Places only; colours and
//! words are the page's.

use jiff::civil::Date;

use crate::domain::correction::Effect;
use crate::domain::day::{days_between, plus_days};
use crate::domain::label::Label;
use crate::domain::window::Window;

pub(super) const WIDTH: i64 = 640;
/// Left of it are names.
pub(super) const LEFT: i64 = 150;
const RIGHT: i64 = 12;
const TOP: i64 = 22;
const ROW_HEIGHT: i64 = 24;
const BAR_HEIGHT: i64 = 12;
/// A single day is still to be seen.
const BAR_WIDTH_MIN: i64 = 4;
/// Ticks are as many as are told apart.
const TICKS_MAX: i64 = 8;
const NAME_CHARS_MAX: usize = 12;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub labels: &'a [Label],
    pub window: Option<Window>,
    pub rest_days: i32,
    pub effect: Option<&'a Effect>,
    /// When the present tenure began, as operators told.
    pub began_on: Option<Date>,
    pub today: Date,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub height: i64,
    /// Where rows end and ticks are named.
    pub bottom: i64,
    pub ticks: Vec<Tick>,
    /// The number was at rest then, if the claim is right.
    pub rest: Option<Span>,
    /// The tenure began then, if the claim is right.
    pub window: Option<Span>,
    pub tenure: Option<Span>,
    /// Marks left of it would fall.
    pub void_before: Option<(i64, Date)>,
    pub rows: Vec<Row>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub x: i64,
    pub label: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub x: i64,
    pub width: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub name: String,
    pub text_y: i64,
    pub bar_y: i64,
    pub bar: Span,
    pub is_harm: bool,
}

/// From days to pixels.
struct Scale {
    from: Date,
    days: i64,
}

impl Picture {
    /// `None` where no label has a day: there is nothing to compare.
    pub fn of(known: &Known<'_>) -> Option<Self> {
        let marked = known.labels.iter().filter_map(|label| Some((label, marked(label)?)));
        let marked: Vec<(&Label, (Date, Date))> = marked.collect();
        if marked.is_empty() {
            return None;
        }
        let rest = known.window.map(|window| (plus_days(window.until, -known.rest_days), window.until));
        let firsts = marked.iter().map(|(_, (first, _))| *first);
        let from = firsts.chain(rest.map(|(from, _)| from)).chain(known.began_on).min()?;
        let scale = Scale::new(plus_days(from, -14), known.today);
        let row = |(nth, (label, (first, last))): (i64, &(&Label, (Date, Date)))| {
            let y = TOP + nth * ROW_HEIGHT;
            Row {
                name: short(label.shown_text()),
                text_y: y + 14,
                bar_y: y + (ROW_HEIGHT - BAR_HEIGHT) / 2,
                bar: scale.span(*first, *last, BAR_WIDTH_MIN),
                is_harm: label.is_harm(),
            }
        };
        let bottom = TOP + ROW_HEIGHT * marked.len() as i64;
        let void_before = match known.effect {
            Some(Effect::VoidBefore { day }) => Some((scale.x(*day), *day)),
            _ => None,
        };
        Some(Self {
            height: bottom + 20,
            bottom,
            ticks: scale.ticks(),
            rest: rest.map(|(from, until)| scale.span(from, until, 1)),
            window: known.window.map(|window| scale.span(window.after, window.until, 1)),
            tenure: known.began_on.map(|day| scale.span(day, known.today, 1)),
            void_before,
            rows: (0..).zip(&marked).map(row).collect(),
        })
    }
}

/// From the first mark to the last one that is known.
fn marked(label: &Label) -> Option<(Date, Date)> {
    let first = label.first_marked_on.or(label.last_marked_on)?;
    Some((first, label.last_marked_on.unwrap_or(first).max(first)))
}

fn short(text: &str) -> String {
    if text.chars().count() <= NAME_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
}

impl Scale {
    fn new(from: Date, until: Date) -> Self {
        Self { from, days: i64::from(days_between(from, until)).max(1) }
    }

    fn x(&self, day: Date) -> i64 {
        let days = i64::from(days_between(self.from, day)).clamp(0, self.days);
        LEFT + days * (WIDTH - LEFT - RIGHT) / self.days
    }

    fn span(&self, from: Date, until: Date, width_min: i64) -> Span {
        let x = self.x(from);
        Span { x, width: (self.x(until) - x).max(width_min) }
    }

    /// The first days of years, or of quarters where there are few years.
    fn ticks(&self) -> Vec<Tick> {
        let years = self.days / 365 + 1;
        let (months, every) =
            if years <= 2 { (vec![1, 4, 7, 10], 1) } else { (vec![1], (years + TICKS_MAX - 1) / TICKS_MAX) };
        let first = i64::from(self.from.year());
        let last = first + years;
        let mut ticks = Vec::new();
        for year in (first..=last).filter(|year| year % every == 0) {
            for month in &months {
                let Ok(day) = Date::new(year as i16, *month, 1) else { continue };
                let offset = i64::from(days_between(self.from, day));
                if (0..=self.days).contains(&offset) {
                    let label = if *month == 1 { year.to_string() } else { format!("{year}-{month:02}") };
                    ticks.push(Tick { x: self.x(day), label });
                }
            }
        }
        ticks
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::label::{LabelKind, Source};
    use crate::domain::number::Number;

    fn label() -> Label {
        Label {
            provider: "tencent".parse().unwrap(),
            number: Number::from_digits(8_613_800_138_000).unwrap(),
            kind: LabelKind::Name,
            category: None,
            code: None,
            name: Some("老王汽修".to_owned()),
            text: None,
            source: Source::Business,
            count: None,
            first_marked_on: None,
            last_marked_on: None,
            marked_before: Vec::new(),
            observed_at: jiff::Timestamp::UNIX_EPOCH,
            regressed: None,
        }
    }

    fn known(labels: &[Label]) -> Known<'_> {
        let window = Window { after: date(2025, 1, 29), until: date(2025, 4, 29) };
        Known {
            labels,
            window: Some(window),
            rest_days: 90,
            effect: None,
            began_on: None,
            today: date(2026, 11, 24),
        }
    }

    fn marked(first: Date, last: Date) -> Label {
        Label { first_marked_on: Some(first), last_marked_on: Some(last), ..label() }
    }

    #[test]
    fn without_a_day_there_is_no_picture() {
        let undated = Label { first_marked_on: None, last_marked_on: None, ..label() };
        assert_eq!(Picture::of(&known(&[])), None);
        assert_eq!(Picture::of(&known(&[undated])), None);
    }

    #[test]
    fn what_is_earlier_is_further_left_and_all_is_within() {
        let labels = [
            marked(date(2019, 5, 1), date(2024, 12, 31)),
            marked(date(2025, 2, 1), date(2025, 2, 1)),
            marked(date(2026, 11, 24), date(2026, 11, 24)),
        ];
        let effect = Effect::VoidBefore { day: date(2025, 1, 30) };
        let seen = Known { effect: Some(&effect), began_on: Some(date(2025, 4, 1)), ..known(&labels) };
        let picture = Picture::of(&seen).unwrap();
        let xs: Vec<i64> = picture.rows.iter().map(|row| row.bar.x).collect();
        assert!(xs.is_sorted());
        let (void_x, _) = picture.void_before.unwrap();
        let [first, second, third] = &picture.rows[..] else { panic!("three rows") };
        assert!(first.bar.x + first.bar.width <= void_x && second.bar.x >= void_x);
        assert_eq!(second.bar.width, BAR_WIDTH_MIN, "one day is seen");
        assert_eq!(third.bar.x, WIDTH - RIGHT);
        let (rest, window) = (picture.rest.unwrap(), picture.window.unwrap());
        assert!(rest.x <= window.x && window.x + window.width <= WIDTH - RIGHT + 1);
        let ticks: Vec<&str> = picture.ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(ticks, ["2020", "2021", "2022", "2023", "2024", "2025", "2026"]);
    }

    #[test]
    fn a_short_time_is_told_by_quarters() {
        let labels = [marked(date(2026, 3, 1), date(2026, 3, 9))];
        let seen = Known { window: None, ..known(&labels) };
        let ticks: Vec<String> =
            Picture::of(&seen).unwrap().ticks.into_iter().map(|tick| tick.label).collect();
        assert_eq!(ticks, ["2026-04", "2026-07", "2026-10"]);
    }
}
