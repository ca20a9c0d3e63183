//! What providers upload: labels as NDJSON and as CSV.

use serde_json::{Value, json};
use zhengming::domain::label::LabelKind;
use zhengming::domain::lines::{LabelSaid, LineFormat};
use zhengming::http::uploads::Form;

use super::REFERENCE;
use super::lines::said;

pub fn run(data: &[u8]) {
    let provider = "tencent".parse().unwrap();
    let now = "2026-11-23T03:04:05Z".parse().unwrap();
    let parse = |line: &[u8], format: &LineFormat| {
        let today = |number| REFERENCE.numbering.today(number, now);
        LabelSaid::parse(line, format, &provider, &REFERENCE.numbering, &REFERENCE.labels, today)
    };
    for form in [Form::Ndjson, Form::Csv] {
        let said = said(form, data, LabelSaid::COLUMNS, parse).unwrap_or_default();
        for said in said.into_iter().filter_map(|(_, said)| said.ok()) {
            can_be_kept(&said);
            assert_eq!(parse(line(&said).to_string().as_bytes(), &LineFormat::Json), Ok(said.clone()));
            assert_eq!(said.label(&provider, now).is_some(), said.shown.is_some());
        }
    }
}

/// No store takes a zero in a text, nor does a screen want what is no text.
fn can_be_kept(said: &LabelSaid) {
    let Some(shown) = &said.shown else { return };
    for text in [&shown.code, &shown.name, &shown.text].into_iter().flatten() {
        assert!(!text.chars().any(char::is_control), "{text:?} is no text");
        assert!((1..=200).contains(&text.chars().count()), "{text:?} is too long");
    }
    assert!(shown.code.as_ref().is_none_or(|code| code.chars().count() <= 64));
}

fn line(said: &LabelSaid) -> Value {
    let LabelSaid { number, kind, shown } = said;
    let Some(shown) = shown else {
        return match kind {
            LabelKind::Category => json!({ "number": number, "kind": kind, "category": "none" }),
            LabelKind::Name => json!({ "number": number, "kind": kind }),
        };
    };
    let mut line = serde_json::to_value(shown).unwrap();
    line["number"] = json!(number);
    line["kind"] = json!(kind);
    line
}
