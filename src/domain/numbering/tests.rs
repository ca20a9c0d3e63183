#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::reference::Reference;
use proptest::prelude::*;

fn plan() -> Numbering {
    Reference::built_in().numbering
}

fn kind(plan: &Numbering, text: &str) -> NumberKind {
    plan.kind(plan.parse(text).unwrap_or_else(|why| panic!("{text}: {why}")))
}

#[test]
fn every_kind_is_told_from_its_digits() {
    let plan = plan();
    for (text, expected) in [
        ("+8613800138000", NumberKind::Mobile),
        ("+8619912345678", NumberKind::Mobile),
        ("+8617005551234", NumberKind::Mobile),
        ("+861062345678", NumberKind::Landline),
        ("+862188886666", NumberKind::Landline),
        ("+865922123456", NumberKind::Landline),
        ("+8657188886666", NumberKind::Landline),
        ("+869518012345", NumberKind::Landline),
        ("+869992123456", NumberKind::Landline),
        ("+864008123123", NumberKind::Toll400),
        ("+868008101234", NumberKind::Toll800),
        ("+8695588", NumberKind::Short),
        ("+8695131234", NumberKind::Short),
        ("+869501234567", NumberKind::Short),
        ("+8695012345678", NumberKind::Short),
        ("+8696110", NumberKind::Short),
        ("+8610106666", NumberKind::Short),
    ] {
        assert_eq!(kind(&plan, text), expected, "{text}");
        assert_eq!(expected.receives_sms(), expected == NumberKind::Mobile);
    }
}

#[test]
fn a_sender_is_read_in_each_of_its_spellings() {
    let plan = plan();
    let number = plan.parse("+8613800138000").unwrap();
    for text in ["+8613800138000", "8613800138000", "008613800138000", "13800138000", " 8613800138000"] {
        assert_eq!(plan.parse_sender(text), Ok(number), "{text}");
    }
    for text in
        ["", "+", "00", "1380013800", "+13800138000", "0013800138000", "10086", "正名", "+14155550100"]
    {
        assert!(plan.parse_sender(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_is_read_as_people_type_it() {
    let plan = plan();
    let mobile = plan.parse("+8613800138000").unwrap();
    for text in
        ["138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "１３８００１３８０００", "0086 13800138000"]
    {
        assert_eq!(plan.parse_typed(text), Ok(mobile), "{text}");
    }
    assert_eq!(plan.parse_typed("010-62345678"), plan.parse("+861062345678"));
    assert_eq!(plan.parse_typed("(010) 6234 5678"), plan.parse("+861062345678"));
    assert_eq!(plan.parse_typed("400-123-4567"), plan.parse("+864001234567"));
    for text in ["", "-", "138", "abc", "1380013800０0", "00", "0"] {
        assert!(plan.parse_typed(text).is_err(), "{text}");
    }
}

#[test]
fn what_the_plan_does_not_have_is_refused() {
    let plan = plan();
    for (text, why) in [
        ("+8612345678901", NumberError::NotInPlan),
        ("+861380013800", NumberError::NotInPlan),
        ("+86138001380001", NumberError::NotInPlan),
        ("+86013800138000", NumberError::NotInPlan),
        ("+86059221234567", NumberError::NotInPlan),
        ("+861012345678", NumberError::NotInPlan),
        ("+86592123456", NumberError::NotInPlan),
        ("+862612345678", NumberError::NotInPlan),
        ("+863332123456", NumberError::NotInPlan),
        ("+8640012345678", NumberError::NotInPlan),
        ("+8610086", NumberError::NotInPlan),
        ("+86110", NumberError::TooShort),
        ("+14155550123", NumberError::Unsupported),
        ("+85298765432", NumberError::Unsupported),
        ("+999999999999999", NumberError::Unsupported),
    ] {
        assert_eq!(plan.parse(text), Err(why), "{text}");
        assert_eq!(plan.parse_digits(&text[1..]), Err(why), "{text}");
    }
    assert_eq!(plan.parse("8613800138000"), Err(NumberError::NoPlus));
    assert_eq!(plan.parse_digits("+8613800138000"), Err(NumberError::NotDigits));
    assert_eq!(plan.parse_digits("8613800138000"), plan.parse("+8613800138000"));
}

#[test]
fn the_longest_prefix_tells_the_operator() {
    let plan = plan();
    for (text, operator, is_virtual) in [
        ("+8613800138000", Some("cmcc"), false),
        ("+8613488138000", Some("cmcc"), false),
        ("+8613498138000", Some("ctcc"), false),
        ("+8614788138000", Some("cmcc"), false),
        ("+8613000138000", Some("cucc"), false),
        ("+8616600138000", Some("cucc"), false),
        ("+8619600138000", Some("cucc"), false),
        ("+8619300138000", Some("ctcc"), false),
        ("+8619000138000", Some("ctcc"), false),
        ("+8619700138000", Some("cmcc"), false),
        ("+8619200138000", Some("cbn"), false),
        ("+8617000138000", Some("vno-ctcc"), true),
        ("+8617050138000", Some("vno-cmcc"), true),
        ("+8617090138000", Some("vno-cucc"), true),
        ("+8617100138000", Some("vno-cucc"), true),
        ("+8616200138000", Some("vno-ctcc"), true),
        ("+8616500138000", Some("vno-cmcc"), true),
        ("+8616700138000", Some("vno-cucc"), true),
        ("+8615400138000", None, false),
        ("+8619400138000", None, false),
        ("+861062345678", None, false),
        ("+864006123123", Some("cucc"), false),
        ("+8695588", None, false),
    ] {
        let number = plan.parse(text).unwrap();
        assert_eq!(plan.home_operator(number).map(OperatorId::as_str), operator, "{text}");
        assert_eq!(plan.is_virtual(number), is_virtual, "{text}");
    }
}

#[test]
fn days_are_those_of_shanghai() {
    let plan = plan();
    let number = plan.parse("+8613800138000").unwrap();
    assert_eq!(plan.rest_days(number), 90);
    assert_eq!(plan.zone(number).iana_name(), Some("Asia/Shanghai"));
    let before_midnight: Timestamp = "2026-11-23T15:59:59Z".parse().unwrap();
    let midnight: Timestamp = "2026-11-23T16:00:00Z".parse().unwrap();
    assert_eq!(plan.today(number, before_midnight), jiff::civil::date(2026, 11, 23));
    assert_eq!(plan.today(number, midnight), jiff::civil::date(2026, 11, 24));
}

#[test]
fn a_stored_number_may_outlive_its_plan() {
    let plan = plan();
    for digits in [8_612_345_678_901, 14_155_550_123] {
        let number = Number::from_digits(digits).unwrap();
        assert_eq!(plan.kind(number), NumberKind::Unplanned);
        assert!(!plan.kind(number).receives_sms());
        assert_eq!(plan.home_operator(number), None);
        assert_eq!(plan.rest_days(number), 90);
    }
}

const SMALL: &str = r#"
[[country]]
calling_code = "86"
name = "中国大陆"
zone = "Asia/Shanghai"
rest_days = 90
range = [{ kind = "mobile", after = ["1"], then = '\d{10}' }]
operator = [{ id = "cmcc", prefixes = ["138"] }]
"#;

#[test]
fn a_broken_file_is_refused_by_the_key() {
    assert!(Numbering::from_toml(SMALL).is_ok());
    let twice = format!("{SMALL}{SMALL}");
    for (text, key) in [
        (SMALL.replace("rest_days = 90", ""), "rest_days"),
        (SMALL.replace("rest_days = 90", "rest_days = -1"), "country 86: rest_days"),
        (SMALL.replace("Asia/Shanghai", "Asia/Atlantis"), "country 86: zone"),
        (SMALL.replace("\"86\"", "\"+86\""), "calling_code"),
        (SMALL.replace("mobile", "pager"), "pager"),
        (SMALL.replace("mobile", "unplanned"), "kind"),
        (SMALL.replace("{10}", "{10"), "then"),
        (SMALL.replace("[\"1\"]", "[\"\"]"), "after"),
        (SMALL.replace("[\"1\"]", "[]"), "after"),
        (SMALL.replace("[\"138\"]", "[\"138\", \"138\"]"), "operator cmcc: prefixes: 138"),
        (SMALL.replace("[\"138\"]", "[\"13x\"]"), "operator cmcc: prefixes"),
        (SMALL.replace("\"cmcc\"", "\"China Mobile\""), "id"),
        (SMALL.replace("name =", "nmae ="), "nmae"),
        (twice, "calling_code"),
        (String::new(), "country"),
        ("\u{0}".to_owned(), "numbering.toml"),
    ] {
        let error = Numbering::from_toml(&text).unwrap_err().to_string();
        assert!(error.starts_with("numbering.toml: ") && error.contains(key), "{key}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*|\\+86[0-9]{0,14}|[+0-9]{0,20}") {
        let plan = plan();
        let parsed = plan.parse(&text);
        if let Ok(number) = parsed {
            prop_assert_eq!(number.to_string(), text.clone());
            prop_assert_ne!(plan.kind(number), NumberKind::Unplanned);
        }
        if let Some(digits) = text.strip_prefix('+') {
            prop_assert_eq!(plan.parse_digits(digits), parsed);
        }
    }

    #[test]
    fn every_mobile_is_taken(national in "1[3-9][0-9]{9}") {
        let plan = plan();
        let number = plan.parse(&format!("+86{national}")).unwrap();
        prop_assert!(plan.kind(number).receives_sms());
        prop_assert_eq!(plan.parse(&number.to_string()), Ok(number));
    }
}
