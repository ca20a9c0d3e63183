//! What came of it all, held against the truth.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use zhengming::domain::correction::{Entry, EntryReason};
use zhengming::store::{LOG_ENTRIES_MAX, Store};

use crate::life::{Day, Life, day_of, number_of_day};
use crate::marks::Marks;
use crate::numbers::index_of;
use crate::service::Service;

/// Reads the log as it grows.
#[derive(Debug, Default)]
pub struct Auditor {
    cursor: u64,
    pub entries: BTreeMap<&'static str, u64>,
    /// Numbers of whose present tenure a mark was voided, and by what.
    pub wrongly_voided: BTreeMap<usize, &'static str>,
    /// Numbers whose marks fell although those who made them have them still.
    pub laundered: BTreeSet<usize>,
    /// Of each number the first entry: when, why and from which day on marks count.
    pub first: BTreeMap<usize, (Timestamp, EntryReason, Day)>,
    /// The newest day before which marks are void, and what first said so.
    pub void_before: BTreeMap<usize, Vec<(Day, EntryReason)>>,
}

impl Auditor {
    pub fn size(&self) -> u64 {
        self.cursor
    }

    pub async fn read(&mut self, service: &Service, lives: &[Life], marks: &Marks) {
        let size = *service.store.log_size().borrow();
        while self.cursor < size {
            let leaves = service.store.log(self.cursor, LOG_ENTRIES_MAX).await.expect("memory is read");
            for leaf in &leaves {
                let entry: Entry = serde_json::from_slice(leaf).expect("the log's own words");
                self.judge(&entry, lives, marks);
            }
            self.cursor += leaves.len() as u64;
        }
    }

    fn judge(&mut self, entry: &Entry, lives: &[Life], marks: &Marks) {
        let nth = index_of(entry.number);
        let reason = reason(entry.reason);
        *self.entries.entry(reason).or_default() += 1;
        let today = day_of(entry.at);
        let life = &lives[nth];
        let Some(present) = life.spells.iter().rfind(|spell| spell.from <= today) else { return };
        let void_before = entry.void_before.map(number_of_day);
        if let Some(day) = void_before {
            self.first.entry(nth).or_insert((entry.at, entry.reason, day));
            self.void_before.entry(nth).or_default().push((day, entry.reason));
        }
        let clears = entry.name_action != zhengming::domain::correction::NameAction::Keep;
        for mark in marks.get(&nth).into_iter().flatten().filter(|mark| mark.first <= today) {
            let falls = match (mark.category, void_before) {
                (None, _) if clears => true,
                (_, Some(day)) => mark.is_dated && mark.first < day,
                _ => false,
            };
            if falls && mark.holder == present.holder {
                self.wrongly_voided.entry(nth).or_insert(reason);
            }
            if falls && mark.ring == present.ring {
                self.laundered.insert(nth);
            }
        }
    }
}

pub fn reason(reason: EntryReason) -> &'static str {
    match reason {
        EntryReason::Reassigned => "reassigned",
        EntryReason::NameMismatch => "name_mismatch",
        EntryReason::Released => "released",
        EntryReason::TenureEnded => "tenure_ended",
        EntryReason::Renewed => "renewed",
        EntryReason::Reverted => "reverted",
    }
}

/// So much of all are at most as large as this; the values are sorted for it.
pub fn within(values: &mut [i64], share: f64) -> i64 {
    if values.is_empty() {
        return 0;
    }
    values.sort_unstable();
    let at = (values.len() as f64 * share).ceil() as usize;
    values[at.saturating_sub(1).min(values.len() - 1)]
}
