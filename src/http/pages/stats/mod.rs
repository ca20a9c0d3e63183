//! Figures for everybody: what came in, what became of it, and how fast.
//!
//! Absent: what may be shown (`domain::figures` decides that), counting.

mod plots;
mod said;

use askama::Template;
use http::StatusCode;
use jiff::civil::Date;
use warp::Filter;

use self::plots::{ProviderPlot, WeekPlot};
use self::said::{count, count_of_many, duration, month};
use crate::casework::control::Language;
use crate::domain::figures::{Figure, Figures, Times};
use crate::http::call::{Call, call};
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::service::{App, Routes, Service, with};
use crate::http::words::refusal_in_short;

#[derive(Template)]
#[template(path = "stats/stats.html")]
struct StatsPage<'a> {
    shell: &'a Shell,
    since: Option<Date>,
    /// A word and its figure, the ones that matter most first.
    tiles: Vec<(&'static str, String)>,
    /// Nothing has come to ten yet.
    is_empty: bool,
    weeks: Vec<WeekRow>,
    week_plot: Option<WeekPlot>,
    deciders: [DeciderRow; 2],
    providers: Vec<ProviderRow>,
    provider_plot: Option<ProviderPlot>,
    refusals: Vec<(&'static str, String)>,
}

struct WeekRow {
    begins_on: Date,
    filed: String,
    decided: String,
}

struct DeciderRow {
    name: &'static str,
    corrected: String,
    times: TimesRow,
}

struct ProviderRow {
    name: String,
    entries: String,
    times: TimesRow,
}

struct TimesRow {
    median: String,
    p95: String,
}

pub(super) fn routes(app: &App) -> Routes {
    warp::path!("stats")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move {
            let (visit, _) = Visit::new(&app, call);
            by_method!(visit => { GET: visit.shown_to_all(show(&app, &visit)) })
        })
        .boxed()
}

async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    let figures = app.casework.figures().await?;
    let catalog = &app.casework.reference().labels;
    let names = figures.serving.iter().map(|one| catalog.provider_name(&one.provider).to_owned()).collect();
    page(StatusCode::OK, &stats_page(&visit.shell, &figures, names))
}

/// `names`: the providers', in the order of what they serve.
fn stats_page<'a>(shell: &'a Shell, figures: &Figures, names: Vec<String>) -> StatsPage<'a> {
    let language = shell.language;
    let refusals = figures.refusals.iter();
    let refusals = refusals
        .map(|(why, figure)| (refusal_in_short(why.code(), language), count_of_many(*figure, language)));
    let weeks = figures.weeks.iter().map(|week| WeekRow {
        begins_on: week.begins_on,
        filed: count(week.filed, language),
        decided: count_of_many(week.decided, language),
    });
    let timed =
        names.iter().zip(&figures.serving).filter_map(|(name, one)| Some((name.as_str(), one.times?)));
    let provider_plot = ProviderPlot::of(&timed.collect::<Vec<_>>(), |seconds| duration(seconds, language));
    let providers = figures.serving.iter().zip(names).map(|(one, name)| ProviderRow {
        name,
        entries: count(one.entries, language),
        times: TimesRow::of(one.times, language),
    });
    StatsPage {
        shell,
        since: figures.weeks.first().map(|week| week.begins_on),
        tiles: tiles(shell, figures),
        is_empty: all(figures).all(|figure| figure.shown() == 0),
        week_plot: WeekPlot::of(&figures.weeks, |day| month(day, language)),
        weeks: weeks.rev().collect(),
        deciders: deciders(shell, figures),
        providers: providers.collect(),
        provider_plot,
        refusals: refusals.collect(),
    }
}

fn all(figures: &Figures) -> impl Iterator<Item = Figure> {
    let serving = figures.serving.iter().map(|one| one.entries);
    let deciders = [figures.by_rule.decided, figures.by_people.decided];
    let rest = [figures.filed, figures.published, figures.open, figures.overdue];
    deciders.into_iter().chain(rest).chain(serving)
}

fn tiles(shell: &Shell, figures: &Figures) -> Vec<(&'static str, String)> {
    let language = shell.language;
    vec![
        (shell.say("收到申诉", "Disputes filed"), count(figures.filed, language)),
        (shell.say("发布更正", "Corrections published"), count(figures.published, language)),
        (shell.say("按规则决定", "Decided by rule"), count_of_many(figures.by_rule.decided, language)),
        (shell.say("由审核员决定", "Decided by people"), count_of_many(figures.by_people.decided, language)),
        (shell.say("正在处理", "Open now"), count(figures.open, language)),
        (shell.say("等待审核已超期", "Overdue for review"), count(figures.overdue, language)),
    ]
}

fn deciders(shell: &Shell, figures: &Figures) -> [DeciderRow; 2] {
    let language = shell.language;
    let by_rule = (shell.say("按规则", "By rule"), figures.by_rule);
    let by_people = (shell.say("由审核员", "By people"), figures.by_people);
    [by_rule, by_people].map(|(name, decided)| DeciderRow {
        name,
        corrected: count(decided.corrected, language),
        times: TimesRow::of(decided.times, language),
    })
}

impl TimesRow {
    fn of(times: Option<Times>, language: Language) -> Self {
        let said = |seconds| duration(seconds, language);
        let (median, p95) = times
            .map_or(("–".to_owned(), "–".to_owned()), |times| (said(times.median_s), said(times.p95_s)));
        Self { median, p95 }
    }
}

#[cfg(test)]
mod tests;
