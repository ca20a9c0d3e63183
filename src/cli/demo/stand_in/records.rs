//! What the contracts of one number say to CAMARA's questions.

use jiff::civil::Date;

use crate::cli::demo::stand_in::Contract;

/// The contract of a day.
pub(super) fn on(history: &[Contract], day: Date) -> Option<&Contract> {
    history.iter().find(|contract| contract.from <= day && contract.until.is_none_or(|until| day < until))
}

/// KYC Tenure: "`true` when the identified mobile subscription has had valid
/// tenure since `tenureDate`". One signed on that very day has. (The summary
/// says "longer than the specified date", which strict readers take to leave
/// that day out; whoever asks must be right with both.)
pub(super) fn held_since(present: &Contract, day: Date) -> bool {
    present.from <= day
}

/// Number Recycling: `true` "when there has been a change in the subscriber
/// after" the day. It is `true` too for a day without a contract (the note of
/// scenario 2) and where nobody holds the number today, and `false` for the
/// day on which the present subscriber signed (the note of scenario 1).
/// A subscriber who comes back is no change.
pub(super) fn changed_after(history: &[Contract], day: Date, today: Date) -> bool {
    let Some(then) = on(history, day) else { return true };
    let is_later =
        |contract: &&Contract| contract.from <= today && contract.until.is_none_or(|until| day < until);
    on(history, today).is_none() || history.iter().filter(is_later).any(|later| later.holder != then.holder)
}

/// KYC Match for one attribute, in the definition's words.
pub(super) fn match_result(asked: &str, known: Option<&str>) -> &'static str {
    match known {
        None => "not_available",
        Some(known) if known.trim() == asked.trim() => "true",
        Some(_) => "false",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn contract(holder: &str, from: Date, until: Option<Date>) -> Contract {
        Contract { holder: holder.to_owned(), name: holder.to_owned(), uscc: None, from, until }
    }

    const TODAY: Date = date(2024, 11, 2);

    #[test]
    fn the_scenarios_of_the_definition() {
        let first = [contract("A", date(2023, 10, 9), None)];
        assert!(!changed_after(&first, date(2023, 12, 22), TODAY));
        assert!(!changed_after(&first, date(2023, 10, 9), TODAY));
        assert!(changed_after(&first, date(2023, 10, 8), TODAY));

        let second = [
            contract("A", date(2023, 10, 9), Some(date(2024, 2, 25))),
            contract("B", date(2024, 9, 21), None),
        ];
        for (day, changed) in [
            (date(2023, 12, 22), true),
            (date(2024, 2, 24), true),
            (date(2024, 2, 25), true),
            (date(2024, 9, 20), true),
            (date(2024, 9, 21), false),
            (TODAY, false),
        ] {
            assert_eq!(changed_after(&second, day, TODAY), changed, "{day}");
        }
        let present = on(&second, TODAY).unwrap();
        for (day, held) in [(date(2024, 9, 20), false), (date(2024, 9, 21), true), (TODAY, true)] {
            assert_eq!(held_since(present, day), held, "{day}");
        }
    }

    #[test]
    fn who_comes_back_is_no_change_and_who_comes_between_is() {
        let back = [
            contract("A", date(2023, 10, 9), Some(date(2024, 2, 25))),
            contract("A", date(2024, 3, 20), None),
        ];
        assert!(!changed_after(&back, date(2024, 1, 1), TODAY));
        assert!(changed_after(&back, date(2024, 3, 1), TODAY));
        assert!(!held_since(on(&back, TODAY).unwrap(), date(2024, 1, 1)));

        let between = [
            contract("A", date(2023, 1, 1), Some(date(2023, 6, 1))),
            contract("B", date(2023, 9, 1), Some(date(2024, 1, 1))),
            contract("A", date(2024, 4, 1), None),
        ];
        assert!(changed_after(&between, date(2023, 5, 1), TODAY));
        assert!(!changed_after(&between, date(2024, 4, 1), TODAY));
    }

    #[test]
    fn at_rest_and_moved_within_a_day() {
        let resting = [contract("A", date(2023, 10, 9), Some(date(2024, 10, 1)))];
        assert!(changed_after(&resting, date(2023, 12, 22), TODAY));
        assert_eq!(on(&resting, TODAY), None);

        let handed_over =
            [contract("A", date(2023, 10, 9), Some(date(2024, 5, 1))), contract("B", date(2024, 5, 1), None)];
        assert!(changed_after(&handed_over, date(2024, 4, 30), TODAY));
        assert!(!changed_after(&handed_over, date(2024, 5, 1), TODAY));
    }

    #[test]
    fn names_match_exactly_but_for_spaces_around() {
        assert_eq!(match_result(" 三喜米线 ", Some("三喜米线")), "true");
        assert_eq!(match_result("三喜", Some("三喜米线")), "false");
        assert_eq!(match_result("三喜", None), "not_available");
    }
}
