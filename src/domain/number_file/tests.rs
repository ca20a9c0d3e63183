#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::correction::EntryReason;
use crate::domain::label::{Category, LabelKind, Source};
use crate::domain::tenure::TenureEvent::{Activated, Disconnected, Transferred};
use crate::domain::testkit::{REST, at, category_label, day, ledger, moderator, noon, number};

fn shanghai(at: Timestamp) -> Date {
    at.in_tz("Asia/Shanghai").unwrap().date()
}

fn file() -> NumberFile {
    NumberFile::new(number())
}

fn void(on: &str) -> Effect {
    Effect::VoidBefore { day: day(on) }
}

fn set() -> Effect {
    Effect::SetName { name: "某某有限公司".to_owned(), until: day("2026-09-01") }
}

impl NumberFile {
    fn with(mut self, effect: Effect, on: &str) -> Self {
        self.decide(effect, Assurance::Operator, Ground::Renewal, noon(day(on)));
        self
    }

    fn reverted(mut self, decision: usize) -> Self {
        for name in ["wang", "li"] {
            self.revert(decision, &moderator(name), "wrong", at("2026-07-01T04:00:00Z")).unwrap();
        }
        self
    }
}

fn released_on(began: &str) -> NumberFile {
    NumberFile { ledger: ledger(&[(Disconnected, "2020-01-01"), (Activated, began)]), ..file() }
}

#[test]
fn a_proven_tenure_voids_what_is_older() {
    assert_eq!(file().released(REST, &[]), None);
    assert_eq!(released_on("2020-03-30").released(REST, &[]), None, "89 days");
    let file = released_on("2020-03-31");
    assert_eq!(file.released(REST, &[]), Some(void("2020-03-31")));
    // Said already, or more: nothing to say.
    assert_eq!(file.clone().with(void("2020-03-31"), "2026-06-01").released(REST, &[]), None);
    assert_eq!(file.clone().with(void("2020-04-01"), "2026-06-01").released(REST, &[]), None);
    assert_eq!(
        file.clone().with(void("2020-03-30"), "2026-06-01").released(REST, &[]),
        Some(void("2020-03-31"))
    );
    assert_eq!(file.with(Effect::ClearName, "2026-06-01").released(REST, &[]), Some(void("2020-03-31")));
    let transferred =
        ledger(&[(Disconnected, "2020-01-01"), (Activated, "2021-01-01"), (Transferred, "2022-01-01")]);
    assert_eq!(NumberFile { ledger: transferred, ..self::file() }.released(REST, &[]), None);
}

#[test]
fn complaints_while_it_was_nobodys_leave_only_the_former_holders_end_to_believe() {
    let file = released_on("2020-06-01");
    let label = |first: &str| category_label(Category::Harass, Some(first), Some("2020-06-20"));
    let released = |labels: &[Label]| file.released(REST, labels);
    for (first, on) in [
        ("2019-12-31", "2020-06-01"),
        ("2020-01-01", "2020-06-01"),
        ("2020-01-02", "2020-01-02"),
        ("2020-05-31", "2020-01-02"),
        ("2020-06-01", "2020-06-01"),
    ] {
        assert_eq!(released(&[label("2019-05-01"), label(first)]), Some(void(on)), "{first}");
    }
    // Neither a copy nor a name says when somebody called.
    let copied = Label { source: Source::Partner, ..label("2020-05-31") };
    let name = Label { kind: LabelKind::Name, category: None, ..label("2020-05-31") };
    assert_eq!(released(&[copied, name]), Some(void("2020-06-01")));
    // Not back behind what is in force, nor around what two people reverted.
    let reverted = file.clone().with(void("2020-06-01"), "2026-06-01");
    assert_eq!(reverted.released(REST, &[label("2020-05-31")]), None);
    assert_eq!(reverted.reverted(0).released(REST, &[label("2020-05-31")]), None);
    let ended = file.with(void("2020-01-02"), "2026-06-01");
    assert_eq!(ended.released(REST, &[label("2020-05-31")]), None);
    assert_eq!(ended.released(REST, &[]), Some(void("2020-06-01")), "the label is gone");
}

#[test]
fn what_two_people_reverted_is_not_released_again() {
    let file = released_on("2021-01-01").with(void("2021-01-01"), "2026-06-01").reverted(0);
    assert_eq!(file.in_force(), None);
    assert_eq!(file.released(REST, &[]), None, "the same lines, once more");
    // Another decision that fell says nothing of what the ledger proves.
    let file = released_on("2021-01-01").with(void("2022-01-01"), "2026-06-01").reverted(0);
    assert_eq!(file.released(REST, &[]), Some(void("2021-01-01")));
}

fn shown_file() -> NumberFile {
    file().with(set(), "2026-06-01")
}

#[test]
fn a_shown_name_ends_with_its_tenure() {
    let clear = Some(Effect::ClearName);
    let ended = |file: &NumberFile, on: &str| file.name_ended(day(on), shanghai);
    assert_eq!(ended(&file(), "2026-07-01"), None);
    let shown = shown_file();
    assert_eq!(ended(&shown, "2026-07-01"), clear);
    assert_eq!(ended(&shown, "2026-06-01"), clear);
    assert_eq!(ended(&shown, "2020-01-01"), None, "another tenure's end, told late");
    // An operator that learns of an end late may have named the former holder.
    for on in ["2026-05-31", "2026-05-24"] {
        assert_eq!(ended(&shown, on), clear, "{on}");
    }
    assert_eq!(ended(&shown, "2026-05-23"), None);
    assert_eq!(ended(&shown.clone().with(void("2026-01-01"), "2026-06-02"), "2026-07-01"), clear);
    assert_eq!(ended(&shown.clone().with(Effect::ClearName, "2026-06-02"), "2026-07-01"), None, "once");
    assert_eq!(ended(&shown.reverted(0), "2026-07-01"), None);
    // Unless the next tenure had begun: then the name is that one's.
    for (began, event) in [("2026-05-30", Activated), ("2026-06-01", Transferred)] {
        let next = NumberFile { ledger: ledger(&[(event, began)]), ..shown_file() };
        assert_eq!(ended(&next, "2026-05-28"), None, "told late");
        assert_eq!(ended(&next, began), (began == "2026-06-01").then_some(Effect::ClearName));
        assert_eq!(ended(&next, "2026-07-01"), clear);
    }
    // A transfer ends one tenure and begins the next: whose name that is,
    // nobody can tell while operators may not have known of it.
    let handed = NumberFile { ledger: ledger(&[(Transferred, "2026-05-30")]), ..shown_file() };
    assert_eq!(ended(&handed, "2026-05-30"), clear);
    let handed = NumberFile { ledger: ledger(&[(Transferred, "2026-05-20")]), ..shown_file() };
    assert_eq!(ended(&handed, "2026-05-20"), None);
    // The day is that of the number's zone.
    let mut late = file();
    late.decide(set(), Assurance::Operator, Ground::Renewal, at("2026-05-31T16:00:00Z"));
    assert_eq!(ended(&late, "2026-05-23"), None);
    assert_eq!(ended(&late, "2026-05-24"), clear);
}

#[test]
fn a_shown_name_says_until_when() {
    assert_eq!(file().shown_name(), None);
    let shown = file().with(set(), "2026-06-01");
    assert_eq!(shown.shown_name(), Some(("某某有限公司".to_owned(), day("2026-09-01"))));
    assert_eq!(shown.clone().with(Effect::ClearName, "2026-06-02").shown_name(), None);
    assert_eq!(shown.reverted(0).shown_name(), None);
}

#[test]
fn a_reversal_has_two_signatures() {
    let mut file = file().with(void("2025-01-01"), "2026-06-01").with(void("2025-02-01"), "2026-06-02");
    let (wang, li, now) = (moderator("wang"), moderator("li"), at("2026-07-01T04:00:00Z"));
    assert_eq!(file.revert(2, &wang, "…", now), Err(Refusal::NotInForce));
    assert_eq!(file.revert(1, &wang, "a wrong month", now), Ok(Reverted::AwaitingSecond));
    let asked = file.clone();
    assert_eq!(file.revert(1, &wang, "again", now), Err(Refusal::SamePerson));
    assert_eq!(file, asked, "nothing has changed");
    assert_eq!(file.in_force().unwrap().void_before, Some(day("2025-02-01")));
    assert_eq!(file.revert(1, &li, "I agree", now), Ok(Reverted::Done(Ground::Renewal)));
    let reversal = file.decisions[1].reverted.clone().unwrap();
    assert_eq!((reversal.first, reversal.second, reversal.at), (wang.clone(), li.clone(), now));
    assert_eq!(reversal.reason, "a wrong month");
    assert_eq!(file.in_force().unwrap().void_before, Some(day("2025-01-01")));
    assert_eq!(file.reversal_asked, None);
    for by in [&wang, &li] {
        assert_eq!(file.revert(1, by, "…", now), Err(Refusal::NotInForce));
    }
}

#[test]
fn what_a_reversal_would_do_is_seen_before_anybody_signs() {
    let mut file = file().with(void("2025-01-01"), "2026-06-01").with(void("2025-02-01"), "2026-06-02");
    let (wang, li, now) = (moderator("wang"), moderator("li"), at("2026-07-01T04:00:00Z"));
    let foreseen = file.if_reverted(1, &wang, now).unwrap().in_force();
    assert_eq!(foreseen.as_ref().unwrap().void_before, Some(day("2025-01-01")));
    assert_eq!(file.if_reverted(2, &wang, now), Err(Refusal::NotInForce));
    for by in [&wang, &li] {
        file.revert(1, by, "a wrong month", now).unwrap();
    }
    assert_eq!(file.in_force(), foreseen);
    assert_eq!(file.if_reverted(1, &wang, now), Err(Refusal::NotInForce));
}

#[test]
fn a_first_signature_can_be_struck() {
    let mut file = file().with(void("2025-01-01"), "2026-06-01").with(void("2025-02-01"), "2026-06-02");
    let (wang, now) = (moderator("wang"), at("2026-07-01T04:00:00Z"));
    let before = file.clone();
    assert_eq!(file.discard_reversal(1), Err(Refusal::NotFound));
    file.revert(1, &wang, "a wrong month", now).unwrap();
    assert_eq!(file.discard_reversal(0), Err(Refusal::NotFound), "it is under another decision");
    assert_eq!(file.discard_reversal(1).unwrap().by, wang);
    assert_eq!(file, before);
    assert_eq!(file.revert(1, &wang, "again", now), Ok(Reverted::AwaitingSecond));
}

#[test]
fn a_signature_is_under_one_decision() {
    let mut file = file().with(void("2025-01-01"), "2026-06-01").with(Effect::ClearName, "2026-06-02");
    let (wang, li, now) = (moderator("wang"), moderator("li"), at("2026-07-01T04:00:00Z"));
    assert_eq!(file.revert(0, &wang, "…", now), Ok(Reverted::AwaitingSecond));
    assert_eq!(file.revert(1, &li, "…", now), Ok(Reverted::AwaitingSecond), "not the second under the other");
    assert_eq!(file.revert(0, &wang, "…", now), Ok(Reverted::AwaitingSecond));
    assert!(file.decisions.iter().all(|decision| decision.reverted.is_none()));
}

#[test]
fn an_entry_leads_to_its_decision() {
    let mut file = file();
    for instant in ["2026-06-01T04:00:00.25Z", "2026-06-01T04:00:01.75Z"] {
        file.decide(Effect::ClearName, Assurance::Operator, Ground::LabelArrived, at(instant));
    }
    let led = |reason, instant| {
        file.decision_of_entry(&Entry::new(
            number(),
            file.in_force(),
            reason,
            None,
            at(instant),
            String::new(),
        ))
    };
    assert_eq!(led(EntryReason::TenureEnded, "2026-06-01T04:00:00Z"), Some(0));
    assert_eq!(led(EntryReason::TenureEnded, "2026-06-01T04:00:01Z"), Some(1));
    assert_eq!(led(EntryReason::TenureEnded, "2026-06-01T04:00:02Z"), None);
    assert_eq!(led(EntryReason::Released, "2026-06-01T04:00:01Z"), None, "of another's second");
}

#[test]
fn a_file_is_read_back_as_written() {
    let file = released_on("2021-01-01").with(set(), "2026-06-01").with(void("2021-01-01"), "2026-06-02");
    let mut file = file.reverted(0);
    file.revert(1, &moderator("wang"), "…", at("2026-07-02T04:00:00Z")).unwrap();
    let json = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<NumberFile>(&json).unwrap(), file);
}

#[test]
fn what_one_entry_published_falls_together() {
    let file = file().with(Effect::ClearName, "2026-06-01").with(void("2021-01-01"), "2026-06-01");
    let file = file.with(void("2020-01-01"), "2026-05-01").reverted(1);
    let standing: Vec<bool> = file.decisions.iter().map(|decision| decision.reverted.is_none()).collect();
    assert_eq!(standing, [false, false, true]);
}
