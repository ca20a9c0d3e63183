use super::plots::{ProviderPlot, WIDTH, WeekPlot};
use super::said::{count, count_of_many, duration, grouped, month};
use crate::casework::control::Language;
use crate::domain::figures::{Figure, Times, Week};
use jiff::civil::{Date, date};

#[test]
fn times_are_said_as_exactly_as_they_are_known() {
    for (seconds, zh, en) in [
        (0, "不到 1 秒", "under 1 s"),
        (1, "1 秒", "1 s"),
        (59, "59 秒", "59 s"),
        (90, "1.5 分钟", "1.5 min"),
        (600, "10 分钟", "10 min"),
        (3_599, "60 分钟", "60 min"),
        (7_200, "2 小时", "2 h"),
        (86_400, "1 天", "1 day"),
        (36 * 3_600, "1.5 天", "1.5 days"),
        (9 * 86_400 + 86_000, "10 天", "10 days"),
        (400 * 86_400, "400 天", "400 days"),
    ] {
        let said = [Language::Zh, Language::En].map(|language| duration(seconds, language));
        assert_eq!(said.map(|said| said.replace('\u{a0}', " ")), [zh, en]);
    }
}

#[test]
fn counts_are_grouped_and_few_are_not_told() {
    assert_eq!([10, 1_230, 1_234_560].map(grouped), ["10", "1,230", "1,234,560"]);
    assert_eq!(count(Figure::Zero, Language::Zh), "0");
    assert_eq!(count(Figure::TooFew, Language::Zh), "少于 10");
    assert_eq!(count(Figure::TooFew, Language::En), "fewer than 10");
    assert_eq!(count_of_many(Figure::TooFew, Language::En), "fewer than 10 each");
    assert_eq!(count_of_many(Figure::Shown(1_230), Language::En), "1,230");
    assert_eq!(month(date(2026, 12, 7), Language::En), "Dec");
}

#[test]
fn bars_stand_on_one_line_and_within_the_plot() {
    let monday = |nth: i8| -> Date { date(2026, 6, 1).saturating_add(jiff::Span::new().weeks(nth)) };
    let weeks: Vec<Week> = (0..26)
        .map(|nth| Week {
            begins_on: monday(nth),
            filed: Figure::Shown(u64::from(nth.unsigned_abs()) * 50),
            decided: Figure::TooFew,
        })
        .collect();
    let plot = WeekPlot::of(&weeks, |day| month(day, Language::En)).expect("there is something to draw");
    for bars in &plot.weeks {
        for bar in [&bars.filed, &bars.decided] {
            assert_eq!(bar.y + bar.height, plot.baseline);
            assert!(bar.x + bar.width <= WIDTH);
        }
    }
    let labels: Vec<&str> = plot.lines.iter().map(|line| line.label.as_str()).collect();
    assert_eq!(labels, ["0", "1,000", "2,000"]);
    let months: Vec<&str> = plot.months.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(months, ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]);
    assert_eq!(WeekPlot::of(&[], |_| String::new()), None);
    let nothing = weeks.iter().map(|week| Week { filed: Figure::TooFew, ..*week });
    assert_eq!(WeekPlot::of(&nothing.collect::<Vec<_>>(), |_| String::new()), None);
}

#[test]
fn a_scale_has_room_for_the_slowest() {
    let times = |median_s, p95_s| Times { median_s, p95_s };
    let said = |seconds| duration(seconds, Language::En).replace('\u{a0}', " ");
    let all = [("a", times(0, 2)), ("b", times(30, 4_000)), ("c", times(86_400, 2_000 * 86_400))];
    let plot = ProviderPlot::of(&all, said).expect("there are three");
    assert!(plot.rows.iter().all(|row| row.median_x <= row.p95_x && row.p95_x <= WIDTH));
    assert_eq!((plot.rows[0].median_x, plot.rows[2].p95_x), (0, WIDTH));
    let marks = |plot: &ProviderPlot| plot.lines.iter().map(|line| line.label.clone()).collect::<Vec<_>>();
    assert_eq!(marks(&plot), ["1 s", "1 min", "1 h", "1 day", "30 days"]);
    let quick = ProviderPlot::of(&all[..1], said).expect("there is one");
    assert_eq!(marks(&quick), ["1 s", "1 min", "1 h"]);
    assert_eq!(ProviderPlot::of(&[], said), None);
}
