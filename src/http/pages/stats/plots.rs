//! Plots as numbers: where each bar and each line goes. Colours are the
//! style's, so that they follow the scheme.
//!
//! All is measured in the pixels of a narrow phone, on which one of them is
//! one on the screen.

use jiff::civil::Date;

use super::said::grouped;
use crate::domain::figures::{Times, Week};

/// Of every plot.
pub(super) const WIDTH: u64 = 328;

const LEFT: u64 = 40;
const TOP: u64 = 10;
const BARS_HEIGHT: u64 = 140;

/// What was filed and decided each week.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WeekPlot {
    pub height: u64,
    pub baseline: u64,
    pub weeks: Vec<Bars>,
    pub lines: Vec<Line>,
    pub months: Vec<(u64, String)>,
}

/// Two bars side by side, in whole pixels.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bars {
    pub filed: Bar,
    pub decided: Bar,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub x: u64,
    pub y: u64,
    pub width: u64,
    pub height: u64,
}

/// A line across a plot, or down it, with what it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub at: u64,
    pub label: String,
}

impl WeekPlot {
    /// `None` of nothing.
    pub fn of(weeks: &[Week], month: impl Fn(Date) -> String) -> Option<Self> {
        let most = weeks.iter().map(|week| week.filed.shown().max(week.decided.shown())).max()?;
        if most == 0 {
            return None;
        }
        let (top, baseline) = (nice_top(most), TOP + BARS_HEIGHT);
        let pitch = (WIDTH - LEFT) / weeks.len() as u64;
        let width = (pitch - 1) / 2;
        let bar = |x, count: u64| {
            let height = (count * BARS_HEIGHT).div_ceil(top);
            Bar { x, y: baseline - height, width, height }
        };
        let places = (0u64..).map(|nth| LEFT + nth * pitch);
        let bars = places.clone().zip(weeks).map(|(x, week)| Bars {
            filed: bar(x, week.filed.shown()),
            decided: bar(x + width, week.decided.shown()),
        });
        let lines = [0, top / 2, top]
            .map(|count| Line { at: baseline - count * BARS_HEIGHT / top, label: grouped(count) });
        // Each month at the first of its Mondays; the last one needs room.
        let is_first = |week: &Week| week.begins_on.day() <= 7;
        let months = places.zip(weeks).filter(|(x, week)| is_first(week) && *x + 24 <= WIDTH);
        Some(Self {
            height: baseline + 22,
            baseline,
            weeks: bars.collect(),
            lines: lines.into(),
            months: months.map(|(x, week)| (x, month(week.begins_on))).collect(),
        })
    }
}

/// The next number above that halves well.
fn nice_top(most: u64) -> u64 {
    let mut unit = 10;
    loop {
        if let Some(times) = [2, 4, 6, 8, 10].into_iter().find(|times| times * unit >= most) {
            return times * unit;
        }
        unit *= 10;
    }
}

const ROW_HEIGHT: u64 = 44;
const BAR_HEIGHT: u64 = 12;
const SCALE_S: [u64; 5] = [1, 60, 3_600, 86_400, 30 * 86_400];

/// From correction to serving, by provider: half of it and 95 of a hundred, on
/// a scale that has room for seconds and for months.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProviderPlot {
    pub height: u64,
    pub baseline: u64,
    pub rows: Vec<Row>,
    pub lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub name: String,
    pub said: String,
    pub text_y: u64,
    pub bar_y: u64,
    pub middle_y: u64,
    pub median_x: u64,
    pub p95_x: u64,
}

impl ProviderPlot {
    /// `None` of nobody.
    pub fn of(providers: &[(&str, Times)], duration: impl Fn(u64) -> String) -> Option<Self> {
        let longest = providers.iter().map(|(_, times)| times.p95_s).max()?;
        // Up to the mark behind the longest, and an hour at least.
        let marks = SCALE_S.iter().position(|mark| *mark >= longest).unwrap_or(SCALE_S.len() - 1).max(2);
        let scale = Scale { end_s: SCALE_S[marks].max(longest) };
        let baseline = TOP + ROW_HEIGHT * providers.len() as u64;
        let row = |(nth, (name, times)): (u64, &(&str, Times))| {
            let y = TOP + nth * ROW_HEIGHT;
            Row {
                name: (*name).to_owned(),
                said: format!("{} · {}", duration(times.median_s), duration(times.p95_s)),
                text_y: y + 12,
                bar_y: y + 19,
                middle_y: y + 19 + BAR_HEIGHT / 2,
                median_x: scale.x(times.median_s),
                p95_x: scale.x(times.p95_s),
            }
        };
        let lines = SCALE_S[..=marks].iter();
        Some(Self {
            height: baseline + 22,
            baseline,
            rows: (0u64..).zip(providers).map(row).collect(),
            lines: lines.map(|mark| Line { at: scale.x(*mark), label: duration(*mark) }).collect(),
        })
    }
}

struct Scale {
    end_s: u64,
}

impl Scale {
    /// By logarithm, from a second on.
    fn x(&self, seconds: u64) -> u64 {
        let share = (seconds.max(1) as f64).ln() / (self.end_s.max(2) as f64).ln();
        (share * WIDTH as f64).round().clamp(0.0, WIDTH as f64) as u64
    }
}
