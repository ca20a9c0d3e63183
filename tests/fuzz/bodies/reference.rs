//! Reference data that whoever runs the service may write anew: each text is
//! read as each of the files.

use jiff::civil::{Date, date};
use zhengming::domain::number::{Number, NumberKind};
use zhengming::domain::reference::{Reference, ReferenceTexts};

const BUILT_IN: ReferenceTexts<'static> = ReferenceTexts::BUILT_IN;
const TODAY: Date = date(2026, 11, 23);
const SHOWN: [&str; 4] = ["+8613800138000", "+8695500", "+861062345678", "+85291234567"];

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(reference) = Reference::from_texts(&ReferenceTexts { numbering: text, ..BUILT_IN }) {
        numbering(&reference);
    }
    if let Ok(reference) = Reference::from_texts(&ReferenceTexts { working_days: text, ..BUILT_IN }) {
        let days: Vec<Date> = (0..40).map(|n| reference.working_days.add_working_days(TODAY, n)).collect();
        assert!(days[0] == TODAY && days.is_sorted_by(|one, next| one < next || *next == Date::MAX));
        assert!(days[1..].iter().all(|day| reference.working_days.is_working_day(*day) || *day == Date::MAX));
    }
    for texts in [ReferenceTexts { labels: text, ..BUILT_IN }, ReferenceTexts { providers: text, ..BUILT_IN }]
    {
        let Ok(reference) = Reference::from_texts(&texts) else { continue };
        let labels = &reference.labels;
        for provider in labels.provider_ids() {
            assert!(!labels.provider_name(provider).trim().is_empty());
            assert!(labels.appeal_url(provider).is_none_or(|url| url.starts_with("http")));
            labels.category_for_code(provider, "1");
        }
        assert!(!labels.is_warning(""));
    }
}

fn numbering(reference: &Reference) {
    let numbering = &reference.numbering;
    let now = "2026-11-23T03:04:05Z".parse().unwrap();
    for text in SHOWN {
        if let Ok(number) = numbering.parse(text) {
            assert_eq!(number.to_string(), text);
            assert_ne!(numbering.kind(number), NumberKind::Unplanned);
        }
        // Stored ones outlive their plan.
        let number = Number::from_digits(text[1..].parse().unwrap()).unwrap();
        numbering.home_operator(number);
        numbering.is_virtual(number);
        numbering.today(number, now);
        assert!((0..=3_660).contains(&numbering.rest_days(number)));
    }
}
