#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::domain::control::Method;
use crate::domain::id::{DisputeId, FilingId, VerificationId};
use crate::domain::label::LabelKind;
use crate::domain::progress::Stage;
use crate::store::{Claim, Cluster, FilingNews, Series};

fn a_key() -> impl Strategy<Value = Key> {
    let number = (1_000_000u64..1_000_600).prop_map(|digits| Number::from_digits(digits).unwrap());
    let slug = "[a-z][a-z0-9_-]{0,3}";
    let uuid = any::<u128>().prop_map(Uuid::from_u128);
    let stage = prop::sample::select(Stage::ALL.as_slice());
    let day = (-9_000i16..9_000, 1i8..=12, 1i8..=28);
    let day = day.prop_map(|(year, month, day)| Date::new(year, month, day).unwrap());
    let cluster = prop_oneof![
        any::<u64>().prop_map(Cluster::Neighbours),
        any::<[u8; 16]>().prop_map(Cluster::Address),
        number.clone().prop_map(Cluster::Contact),
    ];
    let kind = prop::sample::select([LabelKind::Category, LabelKind::Name].as_slice());
    let series = prop_oneof![
        Just(Series::Disputes),
        Just(Series::Log),
        slug.prop_map(|provider| Series::Serving(provider.parse().unwrap())),
    ];
    prop_oneof![
        number.clone().prop_map(Key::NumberFile),
        (number.clone(), slug, kind).prop_map(|(n, p, kind)| Key::Label((n, p.parse().unwrap(), kind))),
        uuid.clone().prop_map(|id| Key::Dispute(DisputeId(id))),
        ".{0,6}".prop_map(Key::Claim),
        ".{0,6}".prop_map(Key::Lease),
        slug.prop_map(|name| Key::Moderator(name.parse().unwrap())),
        (slug, stage, any::<u64>()).prop_map(|(p, stage, size)| Key::Ack((p.parse().unwrap(), stage, size))),
        (slug, any::<u64>()).prop_map(|(p, seq)| Key::ProviderRefusal((p.parse().unwrap(), seq))),
        uuid.clone().prop_map(|id| Key::Task(TaskKind::Check(DisputeId(id)))),
        uuid.clone().prop_map(|id| Key::Task(TaskKind::SendCode(VerificationId(id)))),
        uuid.clone().prop_map(|id| Key::Task(TaskKind::PurgeDocuments(DisputeId(id)))),
        (series.clone(), day.clone()).prop_map(Key::CountedWeek),
        series.prop_map(Key::Counting),
        (0u128..2, day).prop_map(|(id, on)| {
            Key::Task(TaskKind::Lapse { dispute: DisputeId(Uuid::from_u128(id)), on })
        }),
        number.prop_map(|number| Key::Task(TaskKind::RenewName(number))),
        (0u128..9, slug).prop_map(|(id, provider)| {
            let provider = provider.parse().unwrap();
            Key::Task(TaskKind::Probe { dispute: DisputeId(Uuid::from_u128(id)), provider })
        }),
        uuid.clone().prop_map(|id| Key::Task(TaskKind::File(FilingId(id)))),
        (uuid.clone(), any::<bool>()).prop_map(|(id, documents)| {
            let news = if documents { FilingNews::DocumentsAsked } else { FilingNews::AllDecided };
            Key::Task(TaskKind::TellFiling { filing: FilingId(id), news })
        }),
        (slug, any::<u8>()).prop_map(|(p, place)| Key::Webhook((p.parse().unwrap(), place))),
        uuid.clone().prop_map(|id| Key::Filing(FilingId(id))),
        (uuid.clone(), any::<u16>()).prop_map(|(id, nth)| Key::FilingPart((FilingId(id), nth))),
        (cluster, any::<i32>(), uuid).prop_map(|(cluster, second, filing)| {
            Key::Trace((cluster, Timestamp::from_second(second.into()).unwrap(), filing))
        }),
        slug.prop_map(|provider| Key::ProviderState(provider.parse().unwrap())),
    ]
}

proptest! {
    #[test]
    fn bytes_sort_as_keys_do((one, other) in (a_key(), a_key())) {
        prop_assert_eq!(record_key(&one).cmp(&record_key(&other)), one.cmp(&other));
    }

    #[test]
    fn instants_sort_as_bytes(one in any::<i64>(), other in any::<i64>()) {
        let at = |nanoseconds: i64| Timestamp::from_nanosecond(nanoseconds.into()).unwrap();
        let bytes = |nanoseconds| Vec::from(KeyBytes::new(0).time(at(nanoseconds)));
        prop_assert_eq!(bytes(one).cmp(&bytes(other)), one.cmp(&other));
        let end = Vec::from(KeyBytes::new(0).time_after(at(one)));
        prop_assert_eq!(bytes(other) < end, other <= one);
    }

    #[test]
    fn the_end_of_a_prefix_is_after_all_of_it(
        (prefix, more) in (any::<Vec<u8>>(), any::<Vec<u8>>()),
    ) {
        let end = KeyBytes::new(1).rest(&prefix).end();
        prop_assert!(Vec::from(KeyBytes::new(1).rest(&prefix).rest(&more)) < end);
        prop_assert!(end.len() <= prefix.len() + 1);
    }
}

#[test]
fn every_flipped_bit_of_a_value_is_noticed() {
    let record = Claim { name: "a".into(), value: "b".into(), expires_at: None };
    let record = Record::Claim(record);
    let key = record_key(&record.key());
    let sealed = encode(&key, 7, &record).unwrap();
    assert_eq!(decode(&key, &sealed).unwrap(), Versioned { version: 7, value: record });
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(decode(&key, &flipped), Err(StoreError::Fatal(_))), "bit {bit}");
    }
    assert!(decode(b"\x06other", &sealed).is_err(), "a value belongs under its key");
}

#[test]
fn a_verification_of_an_earlier_release_is_read() {
    let json = r#"{"id":"00000000-0000-0000-0000-000000000007","number":"+8613800138000","sends":true,
        "language":"zh","tries":0,"status":{"is":"pending"},"started_at":"2026-11-23T03:04:05Z",
        "expires_at":"2026-11-23T03:14:05Z"}"#;
    let read = read_json(0x04, json.as_bytes()).unwrap().unwrap();
    let Record::Verification(read) = read else { panic!("{read:?}") };
    assert_eq!((read.method, read.token_told, read.delivery), (Method::SmsCode, false, None));
    let json = r#"{"number":"+8613800138000","sent_at":[],"expires_at":"2026-11-23T03:14:05Z"}"#;
    assert!(read_json(0x05, json.as_bytes()).unwrap().is_ok());
}

#[test]
fn what_is_said_of_a_damaged_record_gives_no_number_away() {
    let number = Number::from_digits(8_613_800_138_000).unwrap();
    let keys = [
        record_key(&Key::NumberFile(number)),
        record_key(&Key::Task(TaskKind::RenewName(number))),
        record_key(&Key::Claim("open:+8613800138000".into())),
        newest_key(number),
    ];
    for key in keys {
        let StoreError::Fatal(said) = unseal(&key, b"\x01").unwrap_err() else { panic!("not fatal") };
        assert!(!said.contains("13800138000") && said.contains("is damaged"), "{said}");
    }
}
