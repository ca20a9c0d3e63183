//! The figures as pictures: plain SVG, to be opened by any browser.

use std::fmt::Write;

use crate::figures::Figures;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 230.0;
const ROW: f64 = 24.0;
const COLOURS: [&str; 5] = ["#1b6ca8", "#c1440e", "#2e7d32", "#7b1fa2", "#9e8b00"];

/// Names of pictures, and the pictures.
pub fn all(figures: &Figures) -> Vec<(&'static str, String)> {
    let laundering = figures.laundering.iter().map(|(plan, of)| ((*plan).to_owned(), of.share * 1_000.0));
    let cases = figures.cases_by_flag.iter().flat_map(|(flag, case)| {
        [(format!("{flag}, honest"), case.honest as f64), (format!("{flag}, not"), case.laundering as f64)]
    });
    vec![
        ("laundering", bars("Laundering that succeeds, of 1,000 attempts", &laundering.collect::<Vec<_>>())),
        ("cases", bars("Cases by their flags", &cases.collect::<Vec<_>>())),
        ("serving", serving(figures)),
    ]
}

fn bars(title: &str, rows: &[(String, f64)]) -> String {
    let most = rows.iter().map(|(_, value)| *value).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let height = 50.0 + ROW * rows.len() as f64;
    let mut svg = head(title, height);
    for (at, (name, value)) in rows.iter().enumerate() {
        let y = 40.0 + ROW * at as f64;
        let wide = (WIDTH - LEFT - 80.0) * value / most;
        let colour = COLOURS[0];
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{LEFT:.0}\" y=\"{y:.0}\" width=\"{wide:.1}\" height=\"16\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\">{value:.1}</text>",
            LEFT - 8.0,
            y + 13.0,
            LEFT + wide + 6.0,
            y + 13.0,
        );
    }
    svg + "</svg>\n"
}

/// How many of a provider's corrections are served after how long.
fn serving(figures: &Figures) -> String {
    let (high, low, right) = (40.0, 300.0, WIDTH - 140.0);
    let mut svg = head("Corrections served after so many days", 340.0);
    let days_max = 10.0;
    for day in 0..=10 {
        let x = 50.0 + (right - 50.0) * f64::from(day) / days_max;
        let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"320\" text-anchor=\"middle\">{day}</text>");
    }
    for (at, (provider, minutes)) in figures.serving.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let mut points = String::new();
        for step in 0..=100usize {
            let Some(last) = minutes.len().checked_sub(1) else { continue };
            let days = minutes[last * step / 100] as f64 / 1_440.0;
            let x = 50.0 + (right - 50.0) * (days / days_max).min(1.0);
            let y = low - (low - high) * step as f64 / 100.0;
            let _ = write!(points, "{x:.1},{y:.1} ");
        }
        let y = high + ROW * at as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.0}\" y=\"{y:.0}\" fill=\"{colour}\">{provider}</text>",
            right + 20.0,
        );
    }
    svg + "</svg>\n"
}

fn head(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH:.0}\" height=\"{height:.0}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"22\" font-weight=\"bold\">{title}</text>"
    )
}
