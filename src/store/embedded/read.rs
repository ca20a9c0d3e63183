//! The reading verbs over a key space. The space may change underneath: a
//! record that has left a listing between two looks is left out.

use serde::de::DeserializeOwned;

use crate::domain::correction::Entry;
use crate::domain::number::Number;
use crate::store::embedded::plan::newest;
use crate::store::embedded::{Space, index, layout};
use crate::store::{AuditLine, Cursor, Key, LOG_ENTRIES_MAX, Listing, PAGE_RECORDS_MAX, Page};
use crate::store::{Record, StoreError, Versioned};

pub fn get(space: &impl Space, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
    let key = layout::record_key(key);
    space.get(&key)?.map(|sealed| layout::decode(&key, &sealed)).transpose()
}

/// A cursor is the last key of its page. One from another listing gives
/// nothing that is not in this one.
pub fn list(
    space: &impl Space,
    listing: &Listing,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.clamp(1, PAGE_RECORDS_MAX);
    let span = index::span(listing);
    let mut from = span.from;
    if let Some(Cursor(last)) = after {
        from = from.max(layout::just_after(last));
    }
    let mut records = Vec::new();
    loop {
        // One more than fits tells whether there is a next page.
        let wanted = limit - records.len() + 1;
        let pairs = space.scan(&from, &span.to, wanted)?;
        let was_all = pairs.len() < wanted;
        for (key, sealed) in pairs {
            if records.len() == limit {
                from.pop();
                return Ok(Page { records, next: Some(Cursor(from)) });
            }
            if span.indexed {
                records.extend(listed(space, &key, &sealed)?);
            } else {
                records.push(layout::decode(&key, &sealed)?);
            }
            from = layout::just_after(&key);
        }
        if was_all {
            return Ok(Page { records, next: None });
        }
    }
}

/// The record that an index entry stands for, if it still does.
fn listed(space: &impl Space, entry: &[u8], sealed: &[u8]) -> Result<Option<Versioned<Record>>, StoreError> {
    let primary = layout::unseal(entry, sealed)?;
    let Some(sealed) = space.get(primary)? else { return Ok(None) };
    let record = layout::decode(primary, &sealed)?;
    let still = index::entries(&record.value, primary).iter().any(|key| key == entry);
    Ok(still.then_some(record))
}

/// Leaves from `after` on, below `durable`.
pub fn log(space: &impl Space, after: u64, limit: usize, durable: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    numbered(space, layout::entry_key, after, limit, durable, |leaf| Ok(leaf.to_vec()))
}

/// Audit lines from `after` on, below `durable`.
pub fn audit(
    space: &impl Space,
    after: u64,
    limit: usize,
    durable: u64,
) -> Result<Vec<AuditLine>, StoreError> {
    numbered(space, layout::audit_key, after, limit, durable, parse)
}

/// The newest entry below `durable`: entries name the one before.
pub fn newest_entry(space: &impl Space, number: Number, durable: u64) -> Result<Option<u64>, StoreError> {
    let mut candidate = newest(space, number)?;
    while let Some(seq) = candidate.filter(|seq| *seq >= durable) {
        let key = layout::entry_key(seq);
        let sealed = space.get(&key)?.ok_or_else(|| layout::fatal(&key, "is missing"))?;
        let entry: Entry = parse(layout::unseal(&key, &sealed)?)
            .map_err(|error| layout::fatal(&key, &format!("does not parse: {error}")))?;
        candidate = entry.supersedes;
    }
    Ok(candidate)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(json)
}

/// What is numbered has no gaps; one is told, not skipped.
fn numbered<T>(
    space: &impl Space,
    key_of: fn(u64) -> Vec<u8>,
    after: u64,
    limit: usize,
    durable: u64,
    read: impl Fn(&[u8]) -> serde_json::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let to = after.saturating_add(limit.min(LOG_ENTRIES_MAX) as u64).min(durable);
    let pairs = space.scan(&key_of(after), &key_of(to), LOG_ENTRIES_MAX)?;
    let mut seq = after;
    let mut found = Vec::with_capacity(pairs.len());
    for (key, sealed) in &pairs {
        if *key != key_of(seq) {
            return Err(layout::fatal(&key_of(seq), "is missing"));
        }
        let rest = layout::unseal(key, sealed)?;
        found.push(read(rest).map_err(|error| layout::fatal(key, &format!("does not parse: {error}")))?);
        seq += 1;
    }
    if seq < to {
        return Err(layout::fatal(&key_of(seq), "is missing"));
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::correction::EntryReason;
    use crate::store::Changeset;
    use crate::store::embedded::plan::{Counters, plan};

    fn number(nth: u64) -> Number {
        Number::from_digits(8_613_800_000_000 + nth).unwrap()
    }

    /// Entries 0, 1 and 3 are number 1's, 2 is number 2's.
    fn four_entries() -> BTreeMap<Vec<u8>, Vec<u8>> {
        let entry = |nth, supersedes| {
            let reason = EntryReason::Released;
            Entry::new(number(nth), None, reason, supersedes, jiff::Timestamp::UNIX_EPOCH, String::new())
        };
        let entries = vec![entry(1, None), entry(1, Some(0)), entry(2, None), entry(1, Some(1))];
        let changeset = Changeset { entries, ..Changeset::default() };
        let plan = plan(&BTreeMap::new(), &Counters::new(), &changeset).unwrap();
        plan.writes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    #[test]
    fn what_is_not_durable_yet_is_not_shown() {
        let space = four_entries();
        let newest = |nth, durable| newest_entry(&space, number(nth), durable).unwrap();
        let of_one: Vec<_> = (0..=4).map(|durable| newest(1, durable)).collect();
        assert_eq!(of_one, [None, Some(0), Some(1), Some(1), Some(3)]);
        assert_eq!((newest(2, 2), newest(2, 3)), (None, Some(2)));
        for durable in 0..=4 {
            assert_eq!(log(&space, 0, 10, durable).unwrap().len() as u64, durable);
        }
    }

    #[test]
    fn a_gap_is_told() {
        for missing in 0..4 {
            let mut space = four_entries();
            space.remove(&layout::entry_key(missing));
            let said = log(&space, 0, 10, 4).unwrap_err().to_string();
            assert!(said.contains(&format!("the log entry {missing} is missing")), "{said}");
        }
    }
}
