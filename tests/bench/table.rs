//! What came out, as rows of one table: ours, the other's, their ratio, and
//! what the ratio is to be.

use std::fmt::Write;

/// How a ratio is judged.
#[derive(Debug, Clone, Copy)]
pub enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// It tells what to expect, and is not judged.
    Shown,
}

/// One thing that was measured beside another in the same rounds.
#[derive(Debug)]
pub struct Row {
    pub what: String,
    pub unit: &'static str,
    pub ours: f64,
    /// What it is measured against, and its figure.
    pub theirs: Option<(String, f64)>,
    pub ratio: f64,
    pub bar: Bar,
}

impl Row {
    /// From rounds in which both took their turns: medians of each, and of the
    /// rounds' ratios.
    pub fn beside(
        what: impl Into<String>,
        unit: &'static str,
        rounds: &[(f64, f64)],
        other: &str,
        bar: Bar,
    ) -> Self {
        let ours = median(rounds.iter().map(|(ours, _)| *ours));
        let theirs = median(rounds.iter().map(|(_, theirs)| *theirs));
        let ratio = median(rounds.iter().map(|(ours, theirs)| ours / theirs));
        Self { what: what.into(), unit, ours, theirs: Some((other.to_owned(), theirs)), ratio, bar }
    }

    /// A figure that stands for itself; a bar is for the figure.
    pub fn alone(what: impl Into<String>, unit: &'static str, ours: f64, bar: Bar) -> Self {
        Self { what: what.into(), unit, ours, theirs: None, ratio: ours, bar }
    }

    fn verdict(&self) -> String {
        let (bar, holds) = match self.bar {
            Bar::AtLeast(least) => (format!("at least {}", short(least)), self.ratio >= least),
            Bar::AtMost(most) => (format!("at most {}", short(most)), self.ratio <= most),
            Bar::Shown => return String::new(),
        };
        format!("{bar}: {}", if holds { "held" } else { "MISSED" })
    }
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<64} {:>10} {:<9} {:>10}  {:<36} {:>6}  bar\n",
        "what", "ours", "unit", "other", "which", "ratio"
    );
    for row in rows {
        let (which, theirs) =
            row.theirs.as_ref().map_or(("", String::new()), |(which, theirs)| (which, short(*theirs)));
        let ratio = if row.theirs.is_some() { format!("{:.2}", row.ratio) } else { String::new() };
        let line = format!(
            "{:<64} {:>10} {:<9} {theirs:>10}  {which:<36} {ratio:>6}  {}",
            row.what,
            short(row.ours),
            row.unit,
            row.verdict(),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
