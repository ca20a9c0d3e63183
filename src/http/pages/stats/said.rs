//! Counts, times and months in words.

use jiff::civil::Date;

use crate::casework::control::Language;
use crate::domain::figures::{Figure, GROUP_MIN};
use crate::http::words::Words;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Of one kind of case.
pub(super) fn count(figure: Figure, language: Language) -> String {
    match (figure, language) {
        (Figure::Zero, _) => "0".to_owned(),
        (Figure::TooFew, Language::Zh) => format!("少于 {GROUP_MIN}"),
        (Figure::TooFew, Language::En) => format!("fewer than {GROUP_MIN}"),
        (Figure::Shown(count), _) => grouped(count),
    }
}

/// Of several kinds together, each of which waits for its ten.
pub(super) fn count_of_many(figure: Figure, language: Language) -> String {
    match (figure, language) {
        (Figure::TooFew, Language::Zh) => format!("各少于 {GROUP_MIN}"),
        (Figure::TooFew, Language::En) => format!("fewer than {GROUP_MIN} each"),
        _ => count(figure, language),
    }
}

/// `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}

/// As exactly as it is known: by two digits.
pub(super) fn duration(seconds: u64, language: Language) -> String {
    let (unit_s, unit) = match seconds {
        0 => return Words { zh: "不到 1 秒", en: "under 1 s" }.say(language).to_owned(),
        1..MINUTE_S => (1, Words { zh: "秒", en: "s" }),
        MINUTE_S..HOUR_S => (MINUTE_S, Words { zh: "分钟", en: "min" }),
        HOUR_S..DAY_S => (HOUR_S, Words { zh: "小时", en: "h" }),
        _ => (DAY_S, Words { zh: "天", en: "days" }),
    };
    let tenths = (seconds * 10 + unit_s / 2) / unit_s;
    let number = match (tenths / 10, tenths % 10) {
        (whole @ 0..10, tenth @ 1..) => format!("{whole}.{tenth}"),
        (whole, tenth) => (whole + u64::from(tenth >= 5)).to_string(),
    };
    let unit = match unit.say(language) {
        "days" if number == "1" => "day",
        unit => unit,
    };
    // Not to be torn apart at a line's end.
    format!("{number}\u{a0}{unit}")
}

pub(super) fn month(day: Date, language: Language) -> String {
    match language {
        Language::Zh => format!("{}月", day.month()),
        Language::En => MONTHS[usize::from(day.month().unsigned_abs()) - 1].to_owned(),
    }
}
