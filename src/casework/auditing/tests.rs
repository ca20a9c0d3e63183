//! Lines of some days, looked through by who, what, whom and when.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::casework::Error;
use crate::casework::testkit::parts;
use crate::domain::refusal::Refusal;
use crate::env::clock::MockClock;
use crate::store::Store;
use crate::store::memory::MemoryStore;

struct Archive {
    casework: Casework,
    store: Arc<MemoryStore>,
    _dir: TempDir,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn filter() -> AuditFilter {
    AuditFilter::default()
}

impl Archive {
    /// A line for each, in this order: when, who, what, whom.
    async fn with(lines: impl IntoIterator<Item = (Timestamp, &str, &str, String)>) -> Self {
        let clock = MockClock::at(at("2026-11-23T03:04:05Z"));
        let (store, dir) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let casework = Casework::new(parts(&store, &clock, dir.path()));
        let drafts: Vec<_> =
            lines.into_iter().map(|(at, actor, action, subject)| audit(at, actor, action, subject)).collect();
        for drafts in drafts.chunks(200) {
            let changeset = Changeset { audit: drafts.to_vec(), ..Changeset::default() };
            store.commit(changeset).await.unwrap();
        }
        Self { casework, store, _dir: dir }
    }

    /// As an admin finds them: their numbers.
    async fn finds(&self, filter: &AuditFilter, before: Option<u64>, limit: usize) -> (Vec<u64>, AuditFound) {
        let admin = ModeratorActor::of_test("root", Role::Admin);
        let found = self.casework.search_audit(&admin, filter, before, limit).await.unwrap();
        (found.lines.iter().map(|line| line.seq).collect(), found)
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Noon in Shanghai on the days of March 2026, four lines a day.
async fn march() -> Archive {
    let who = ["holder", "moderator:wang", "moderator:wang-li", "rule"];
    let line = |nth: usize| {
        let day = SignedDuration::from_hours(24 * (nth as i64 / 4));
        let action = if nth.is_multiple_of(2) { "filed" } else { "decided" };
        (later(at("2026-03-01T04:00:00Z"), day), who[nth % 4], action, format!("dispute:{}", nth / 4))
    };
    Archive::with((0..31 * 4).map(line)).await
}

#[tokio::test]
async fn the_newest_lines_come_first_and_pages_meet() {
    let march = march().await;
    let (first, found) = march.finds(&filter(), None, 100).await;
    assert_eq!(first, (24..124).rev().collect::<Vec<_>>());
    assert_eq!((found.searched, found.is_cut, found.broken_at), (24..124, true, None));
    let (rest, found) = march.finds(&filter(), Some(24), 100).await;
    assert_eq!(rest, (0..24).rev().collect::<Vec<_>>());
    assert_eq!((found.searched, found.is_cut), (0..24, false));
    for (before, lines, cut) in [(u64::MAX, 1, true), (1, 1, false), (0, 0, false)] {
        let (seqs, found) = march.finds(&filter(), Some(before), 1).await;
        assert_eq!((seqs.len(), found.is_cut), (lines, cut), "{before}");
    }
}

#[tokio::test]
async fn who_and_whom_are_one_or_all_of_a_kind() {
    let march = march().await;
    for (wanted, lines) in [
        (AuditFilter { actor: some("moderator:wang"), ..filter() }, 31),
        (AuditFilter { actor: some("moderator"), ..filter() }, 62),
        (AuditFilter { actor: some("mod"), ..filter() }, 0),
        (AuditFilter { action: some("filed"), actor: some("holder"), ..filter() }, 31),
        (AuditFilter { action: some("filed"), actor: some("rule"), ..filter() }, 0),
        (AuditFilter { subject: some("dispute:3"), ..filter() }, 4),
        (AuditFilter { subject: some("dispute"), ..filter() }, 124),
        (AuditFilter { action: some("file"), ..filter() }, 0),
    ] {
        let (seqs, found) = march.finds(&wanted, None, 1_000).await;
        assert_eq!(seqs.len(), lines, "{wanted:?}");
        assert_eq!((found.searched, found.is_cut), (0..124, false));
    }
}

#[tokio::test]
async fn days_are_found_by_halving() {
    let march = march().await;
    let day = |day| Some(jiff::civil::date(2026, 3, day));
    for (from, to, expected) in [
        (day(3), day(4), 8..16),
        (None, day(1), 0..4),
        (day(31), None, 120..124),
        (day(5), day(3), 0..0),
        (Some(jiff::civil::date(2026, 4, 1)), None, 0..0),
        (None, Some(jiff::civil::date(2026, 2, 28)), 0..0),
    ] {
        let (seqs, found) = march.finds(&AuditFilter { from, to, ..filter() }, None, 1_000).await;
        assert_eq!(seqs, expected.rev().collect::<Vec<_>>(), "{from:?} to {to:?}");
        assert!(
            found.searched.end - found.searched.start <= 8,
            "{:?} is more than those days",
            found.searched
        );
    }
}

/// A use case that began before midnight may be committed after one that began
/// after it.
#[tokio::test]
async fn lines_a_little_out_of_order_are_found() {
    let midnight = at("2026-03-01T16:00:00Z");
    let offs = [-600, -5, 20, -30, 1, -1, 600];
    let lines =
        offs.map(|off| (later(midnight, SignedDuration::from_secs(off)), "rule", "did", "x".to_owned()));
    let archive = Archive::with(lines).await;
    let day = |day| Some(jiff::civil::date(2026, 3, day));
    let (first, _) = archive.finds(&AuditFilter { to: day(1), ..filter() }, None, 10).await;
    let (second, _) = archive.finds(&AuditFilter { from: day(2), ..filter() }, None, 10).await;
    assert_eq!((first, second), (vec![5, 3, 1, 0], vec![6, 4, 2]));
}

#[tokio::test]
async fn a_search_that_finds_little_stops_and_goes_on() {
    let rare = |nth| if nth == 7 { "rare" } else { "usual" };
    let line = |nth: u64| (at("2026-03-01T04:00:00Z"), "rule", rare(nth), "x".to_owned());
    let archive = Archive::with((0..AUDIT_LINES_SEARCHED_MAX + 2_500).map(line)).await;
    let wanted = AuditFilter { action: some("rare"), ..filter() };
    let (none, found) = archive.finds(&wanted, None, 10).await;
    assert_eq!((none, found.is_cut), (vec![], true));
    assert_eq!(found.searched, 2_500..AUDIT_LINES_SEARCHED_MAX + 2_500);
    let (rest, found) = archive.finds(&wanted, Some(found.searched.start), 10).await;
    assert_eq!((rest, found.searched, found.is_cut, found.broken_at), (vec![7], 0..2_500, false, None));
}

#[tokio::test]
async fn admins_alone_and_what_is_taken_away_is_noted() {
    let march = march().await;
    let empty = Archive::with([]).await;
    assert_eq!(empty.finds(&filter(), None, 10).await.1.searched, 0..0);
    for role in [Role::Moderator, Role::Senior] {
        let moderator = ModeratorActor::of_test("wang", role);
        let refused = Err(Error::Refused(Refusal::Forbidden));
        assert_eq!(march.casework.search_audit(&moderator, &filter(), None, 10).await, refused);
        assert_eq!(march.casework.export_audit(&moderator, &filter(), None).await, refused);
    }
    assert_eq!(march.store.audit(124, 10).await.unwrap(), []);
    let admin = ModeratorActor::of_test("root", Role::Admin);
    let wanted = AuditFilter { actor: some("holder"), ..filter() };
    let found = march.casework.export_audit(&admin, &wanted, Some(100)).await.unwrap();
    assert_eq!((found.lines.len(), found.searched), (25, 0..100));
    let noted = march.store.audit(124, 10).await.unwrap().remove(0).draft;
    assert_eq!((noted.actor.as_str(), noted.action.as_str()), ("moderator:root", "audit_exported"));
    assert_eq!(noted.subject, "audit:0-100");
}

#[tokio::test]
async fn a_line_that_was_changed_breaks_the_chain_there() {
    let lines = march().await.store.audit(0, 1_000).await.unwrap();
    assert_eq!(broken_at(&lines, 0, AuditLine::HASH_BEFORE_FIRST), None);
    assert_eq!(broken_at(&lines[10..20], 10, &lines[9].hash), None);
    assert_eq!(broken_at(&lines[10..20], 10, &lines[8].hash), Some(10));
    assert_eq!(broken_at(&lines[10..20], 11, &lines[9].hash), Some(11), "numbers count too");
    let with = |change: fn(&mut AuditLine)| {
        let mut lines = lines.clone();
        change(&mut lines[50]);
        broken_at(&lines, 0, AuditLine::HASH_BEFORE_FIRST)
    };
    assert_eq!(with(|line| line.draft.actor.push('x')), Some(50));
    assert_eq!(with(|line| line.hash = "0".repeat(64)), Some(50));
    // Made to fit by itself, it does not fit the next.
    assert_eq!(with(|line| *line = line.draft.clone().chained(50, "else")), Some(50));
    let mut gone = lines.clone();
    gone.remove(50);
    assert_eq!(broken_at(&gone, 0, AuditLine::HASH_BEFORE_FIRST), Some(50));
}
