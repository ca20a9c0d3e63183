//! Values that come as a text: numbers, days, ids, names, codes, URLs.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use zhengming::domain::day::parse_day;
use zhengming::domain::id::{DisputeId, OperatorId, ProviderId};
use zhengming::domain::label::Category;
use zhengming::domain::name::{NAME_CHARS_MAX, names_agree, parse_name};
use zhengming::domain::number::{Number, NumberKind};
use zhengming::domain::opened::Opened;
use zhengming::domain::phrase::Phrase;
use zhengming::domain::uscc::Uscc;
use zhengming::domain::webhook::{WEBHOOK_URL_BYTES_MAX, WebhookUrl};
use zhengming::feed::checkpoint::decimal;
use zhengming::feed::tiles::TilePlace;

use super::REFERENCE;

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    numbers(text);
    days(text);
    names(text);
    is_written_as_read::<ProviderId>(text);
    is_written_as_read::<OperatorId>(text);
    is_written_as_read::<Category>(text);
    is_read_again(text, |text| text.parse::<DisputeId>().ok());
    is_read_again(text, |text| text.parse::<Uscc>().ok());
    is_read_again(text, |text| Phrase::read(text).map(|phrase| phrase.to_string()));
    if let Ok(code) = text.parse::<Uscc>() {
        assert_eq!(code.as_str(), text.to_ascii_uppercase());
    }
    if let Some(number) = decimal(text) {
        assert_eq!(number.to_string(), text);
    }
    if let Some(place) = TilePlace::parse(text) {
        assert_eq!(place.to_string(), text);
        assert!((1..=256).contains(&place.width), "{place:?}");
    }
    if let Ok(url) = text.parse::<WebhookUrl>() {
        assert!(url.as_str().len() <= WEBHOOK_URL_BYTES_MAX);
        assert_eq!(url.as_str().parse().ok(), Some(url));
    }
}

fn numbers(text: &str) {
    let numbering = &REFERENCE.numbering;
    let parsed = numbering.parse(text);
    if let Ok(number) = parsed {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(number) = numbering.parse_digits(text) {
        assert_eq!(number.digits().to_string(), text);
    }
    let (sender, typed) = (numbering.parse_sender(text), numbering.parse_typed(text));
    if sender.is_ok() {
        assert_eq!(sender, typed, "who types may write at least what a gateway writes");
    }
    let json = serde_json::Value::from(text);
    let deserialized = serde_json::from_value::<Number>(json).ok();
    assert!(parsed.is_err() || deserialized == parsed.ok());
    for number in parsed.into_iter().chain(sender).chain(typed) {
        assert_eq!(numbering.parse(&number.to_string()), Ok(number));
        assert_ne!(numbering.kind(number), NumberKind::Unplanned);
        assert_eq!(Number::from_digits(number.digits()), Some(number));
        let masked = format!("{number:?}");
        assert!(masked.bytes().filter(|b| *b == b'*').count() >= 4, "{masked}");
    }
}

fn days(text: &str) {
    if let Some(day) = parse_day(text) {
        assert_eq!(day.to_string(), text);
    }
    if let Ok(opened) = text.parse::<Opened>() {
        assert_eq!(opened.to_string(), text);
        assert_eq!(Opened::parse_typed(text), Ok(opened));
    }
    if let Ok(opened) = Opened::parse_typed(text) {
        assert_eq!(opened.to_string().parse(), Ok(opened));
        assert!(opened.first_day() <= opened.last_day());
    }
}

fn names(text: &str) {
    if let Ok(name) = parse_name(text) {
        assert!((1..=NAME_CHARS_MAX).contains(&name.chars().count()));
        assert!(!name.chars().any(char::is_control));
        assert_eq!(parse_name(&name).as_ref(), Ok(&name));
    }
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    assert!(names_agree(one, one) && names_agree(other, other));
    assert_eq!(names_agree(one, other), names_agree(other, one));
    REFERENCE.labels.is_warning(text);
}

/// There is one way to write it.
fn is_written_as_read<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

/// However it was written, what we write of it is the same again.
fn is_read_again<T: PartialEq + Debug + Display>(text: &str, read: impl Fn(&str) -> Option<T>) {
    if let Some(value) = read(text) {
        assert_eq!(read(&value.to_string()), Some(value));
    }
}
