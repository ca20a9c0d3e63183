use std::io::Cursor;

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::day::plus_days;
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;

mod damage;
mod vectors;

fn number(digits: u64) -> Number {
    Number::from_digits(digits).unwrap()
}

fn header() -> Header {
    Header { origin: "zhengming.example/feed".into(), size: 77, root: [7; 32] }
}

/// A correction that says only from when on marks count.
pub(super) fn void(digits: u64, day: &str) -> Record {
    Record {
        number: number(digits),
        void_before: Some(day.parse().unwrap()),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        reason: EntryReason::Released,
        assurance: Assurance::Operator,
    }
}

pub(super) fn named(digits: u64, name: &str) -> Record {
    let until = Some("2027-02-21".parse().unwrap());
    let shown = Record {
        name_action: NameAction::Set,
        name: Some(name.into()),
        name_until: until,
        ..void(digits, "2025-03-01")
    };
    Record { void_before: None, reason: EntryReason::Renewed, ..shown }
}

fn encoder(header: &Header, records: &[Record]) -> Encoder<Vec<u8>> {
    let mut statistics = Statistics::default();
    records.iter().for_each(|record| statistics.observe(record).unwrap());
    assert_eq!(statistics.count(), records.len() as u64);
    Encoder::new(Vec::new(), header, &statistics).unwrap()
}

fn encoded(header: &Header, records: &[Record]) -> Vec<u8> {
    let mut encoder = encoder(header, records);
    records.iter().for_each(|record| encoder.push(record).unwrap());
    encoder.finish().unwrap()
}

fn decoded(file: &[u8]) -> Result<Vec<Record>, ZmsError> {
    Decoder::open(Cursor::new(file))?.records().collect()
}

fn unencodable<T: std::fmt::Debug>(result: Result<T, ZmsError>) -> &'static str {
    match result {
        Err(ZmsError::Unencodable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_is_what_an_entry_leaves_in_force() {
    let correction = InForce {
        void_before: Some("2025-03-01".parse().unwrap()),
        name_action: NameAction::Keep,
        name: None,
        name_until: None,
        assurance: Assurance::Operator,
    };
    let entry = |correction| {
        Entry::new(
            number(8_613_800_138_000),
            correction,
            EntryReason::Released,
            None,
            jiff::Timestamp::UNIX_EPOCH,
            String::new(),
        )
    };
    assert_eq!(Record::of(entry(Some(correction))), Some(void(8_613_800_138_000, "2025-03-01")));
    assert_eq!(Record::of(entry(None)), None);
}

#[test]
fn a_number_is_found_where_it_is_and_nowhere_else() {
    let records: Vec<Record> =
        (0..3_000).map(|nth| void(8_613_800_000_000 + 5 * nth, "2025-03-01")).collect();
    let file = encoded(&header(), &records);
    let mut decoder = Decoder::open(Cursor::new(&file)).unwrap();
    for record in records.iter().step_by(101).chain(&records[1_022..1_026]).chain(records.last()) {
        assert_eq!(decoder.find(record.number).unwrap().as_ref(), Some(record));
        for beside in [record.number.digits() - 1, record.number.digits() + 1] {
            assert_eq!(decoder.find(number(beside)).unwrap(), None);
        }
    }
    for far in [1_000_000, 999_999_999_999_999] {
        assert_eq!(decoder.find(number(far)).unwrap(), None);
    }
}

#[test]
fn what_has_no_form_is_refused_before_it_is_counted() {
    let good = named(8_613_800_138_000, "老王烧烤");
    let bad = [
        Record { name: None, ..good.clone() },
        Record { name_until: None, ..good.clone() },
        Record { name_action: NameAction::Keep, ..good.clone() },
        Record { name_action: NameAction::Clear, name: None, ..good.clone() },
        Record { name: Some(String::new()), ..good.clone() },
        Record { name: Some("a\0b".into()), ..good.clone() },
        Record { name: Some("x".repeat(481)), ..good.clone() },
        Record { name_until: Some(Date::MAX), ..good.clone() },
        void(8_613_800_138_000, "1969-12-31"),
    ];
    let mut statistics = Statistics::default();
    for record in &bad {
        unencodable(statistics.observe(record));
    }
    assert_eq!(statistics.count(), 0);
    statistics.observe(&good).unwrap();
    for digits in [8_613_800_138_000, 8_613_800_137_999] {
        assert_eq!(unencodable(statistics.observe(&void(digits, "2025-03-01"))), "numbers have to ascend");
    }
    for origin in [String::new(), "x".repeat(256)] {
        unencodable(Encoder::new(Vec::new(), &Header { origin, ..header() }, &statistics));
    }
}

#[test]
fn the_second_pass_has_to_be_the_first_again() {
    let records = [named(8_613_800_138_000, "abc"), named(8_613_800_138_001, "cba")];
    let mut encoder = encoder(&header(), &records);
    // Refused in the middle of its name, it leaves nothing behind.
    unencodable(encoder.push(&named(8_613_800_138_000, "abd")));
    unencodable(encoder.push(&void(8_613_800_138_000, "2025-03-01")));
    encoder.push(&records[0]).unwrap();
    unencodable(encoder.push(&named(8_613_800_138_009, "cba")));
    unencodable(encoder.push(&records[0]));
    encoder.push(&records[1]).unwrap();
    assert_eq!(decoded(&encoder.finish().unwrap()).unwrap(), records);

    let mut encoder = self::encoder(&header(), &records);
    encoder.push(&records[0]).unwrap();
    assert_eq!(unencodable(encoder.finish()), "there were more or fewer records than observed");
}

#[test]
fn more_days_than_a_table_names_are_kept_all_the_same() {
    let day = |nth: u64| plus_days(Date::constant(1970, 1, 1), (nth / 3 % 20_000) as i32).to_string();
    let records: Vec<Record> = (0..60_000).map(|nth| void(8_613_800_000_000 + nth, &day(nth))).collect();
    assert_eq!(decoded(&encoded(&header(), &records)).unwrap(), records);
}

fn names() -> impl Strategy<Value = (NameAction, Option<String>, Option<Date>)> {
    prop_oneof![
        4 => Just((NameAction::Keep, None, None)),
        1 => Just((NameAction::Clear, None, None)),
        1 => ("[^\\x00]{1,120}", days()).prop_map(|(name, day)| (NameAction::Set, Some(name), Some(day))),
    ]
}

fn days() -> impl Strategy<Value = Date> {
    prop_oneof![20_000..20_010_i32, 0..=65_535_i32].prop_map(|day| plus_days(Date::constant(1970, 1, 1), day))
}

fn reasons() -> impl Strategy<Value = EntryReason> {
    prop::sample::select(vec![
        EntryReason::Reassigned,
        EntryReason::NameMismatch,
        EntryReason::Released,
        EntryReason::TenureEnded,
        EntryReason::Renewed,
        EntryReason::Reverted,
    ])
}

prop_compose! {
    fn a_record()(
        void_before in prop::option::of(days()),
        (name_action, name, name_until) in names(),
        reason in reasons(),
        assurance in prop::sample::select(vec![Assurance::Document, Assurance::Operator]),
    ) -> Record {
        let number = number(8_613_800_138_000);
        Record { number, void_before, name_action, name, name_until, reason, assurance }
    }
}

/// Numbers of all lengths, crowded in places.
fn records(count_max: usize) -> impl Strategy<Value = Vec<Record>> {
    let numbers = prop_oneof![1_000_000..1_000_000_000_000_000_u64, 8_613_800_000_000..8_613_800_002_000_u64];
    prop::collection::btree_map(numbers, a_record(), 0..count_max).prop_map(|by_number| {
        by_number.into_iter().map(|(digits, record)| Record { number: number(digits), ..record }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn everything_comes_back(records in records(2_200), origin in "\\PC{1,60}", size: u64, root: [u8; 32]) {
        let header = Header { origin, size, root };
        let file = encoded(&header, &records);
        let mut decoder = Decoder::open(Cursor::new(&file)).unwrap();
        prop_assert_eq!(decoder.header(), &header);
        prop_assert_eq!(decoder.count(), records.len() as u64);
        let back: Vec<Record> = decoder.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&back, &records);
        prop_assert_eq!(&encoded(&header, &records), &file);
        for record in records.iter().step_by(197) {
            let found = decoder.find(record.number).unwrap();
            prop_assert_eq!(found.as_ref(), Some(record));
        }
    }
}
