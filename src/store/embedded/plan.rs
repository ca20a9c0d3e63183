//! From a changeset to the writes that make it so, or to a no. Pure: the
//! engine's one writer plans against what it has applied so far, and applies
//! the plan as a whole.
//!
//! A record's version is the number of the commit that put it. Commit numbers
//! only grow, so a version never comes back, not even after a delete: who
//! read a record that was deleted and made anew meanwhile sees `Stale`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::correction::Entry;
use crate::domain::number::Number;
use crate::store::embedded::{Lookup, index, layout};
use crate::store::{AuditDraft, AuditLine, Changeset, Key, Put, Receipt, Record};
use crate::store::{StoreError, Versioned, leaf_of};

/// How far a database has come. Kept in it, written with every commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Changesets that changed something.
    pub commit: u64,
    pub log_size: u64,
    pub audit_size: u64,
    /// Of the last audit line.
    pub audit_hash: String,
}

/// By key; `None` deletes.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What to write, all or nothing.
#[derive(Debug)]
pub struct Plan {
    pub writes: Writes,
    pub counters: Counters,
    pub receipt: Receipt,
}

impl Counters {
    /// Of an empty database.
    pub fn new() -> Self {
        Self { commit: 0, log_size: 0, audit_size: 0, audit_hash: AuditLine::HASH_BEFORE_FIRST.to_owned() }
    }

    pub fn read(space: &impl Lookup) -> Result<Option<Self>, StoreError> {
        let Some(sealed) = space.get(layout::COUNTERS)? else { return Ok(None) };
        let json = layout::unseal(layout::COUNTERS, &sealed)?;
        let read = serde_json::from_slice(json);
        read.map(Some).map_err(|error| layout::fatal(layout::COUNTERS, &format!("does not parse: {error}")))
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

pub fn plan(space: &impl Lookup, counters: &Counters, changeset: &Changeset) -> Result<Plan, StoreError> {
    changeset.check()?;
    check_expectations(space, changeset)?;
    let mut planner = Planner {
        space,
        commit: counters.commit + 1,
        counters: counters.clone(),
        writes: BTreeMap::new(),
        newest: BTreeMap::new(),
    };
    for put in &changeset.puts {
        planner.put(put)?;
    }
    for (key, expected) in &changeset.deletes {
        planner.delete(key, *expected)?;
    }
    for entry in &changeset.entries {
        planner.append(entry)?;
    }
    for draft in &changeset.audit {
        planner.note(draft)?;
    }
    let first_seq = (!changeset.entries.is_empty()).then_some(counters.log_size);
    planner.finish(Receipt { first_seq })
}

fn check_expectations(space: &impl Lookup, changeset: &Changeset) -> Result<(), StoreError> {
    for (key, expected) in &changeset.expects {
        stored(space, &layout::record_key(key), *expected)?;
    }
    Ok(())
}

/// The record under a key, if it is the expected one.
fn stored(
    space: &impl Lookup,
    primary: &[u8],
    expected: u64,
) -> Result<Option<Versioned<Record>>, StoreError> {
    let sealed = space.get(primary)?;
    let stored = sealed.map(|sealed| layout::decode(primary, &sealed)).transpose()?;
    let version = stored.as_ref().map_or(0, |stored| stored.version);
    if version == expected { Ok(stored) } else { Err(StoreError::Stale) }
}

struct Planner<'a, S> {
    space: &'a S,
    commit: u64,
    counters: Counters,
    writes: Writes,
    /// Of the numbers that this changeset has entries for.
    newest: BTreeMap<Number, u64>,
}

impl<S: Lookup> Planner<'_, S> {
    fn put(&mut self, put: &Put) -> Result<(), StoreError> {
        let primary = layout::record_key(&put.record.key());
        let old = stored(self.space, &primary, put.expected)?;
        self.writes.insert(primary.clone(), Some(layout::encode(&primary, self.commit, &put.record)?));
        self.reindex(&primary, old.as_ref().map(|old| &old.value), Some(&put.record));
        Ok(())
    }

    fn delete(&mut self, key: &Key, expected: u64) -> Result<(), StoreError> {
        let primary = layout::record_key(key);
        if let Some(old) = stored(self.space, &primary, expected)? {
            self.reindex(&primary, Some(&old.value), None);
            self.writes.insert(primary, None);
        }
        Ok(())
    }

    fn reindex(&mut self, primary: &[u8], old: Option<&Record>, new: Option<&Record>) {
        let entries = |record: Option<&Record>| match record {
            Some(record) => index::entries(record, primary),
            None => Vec::new(),
        };
        let (old, new) = (entries(old), entries(new));
        let gone = old.iter().filter(|key| !new.contains(key)).map(|key| (key.clone(), None));
        let come = new.iter().filter(|key| !old.contains(key));
        let come = come.map(|key| (key.clone(), Some(layout::seal(key, primary))));
        self.writes.extend(gone.chain(come));
    }

    fn append(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let newest = match self.newest.get(&entry.number) {
            Some(seq) => Some(*seq),
            None => newest(self.space, entry.number)?,
        };
        if entry.supersedes != newest {
            return Err(StoreError::Stale);
        }
        let leaf = leaf_of(entry)?;
        let seq = self.counters.log_size;
        self.counters.log_size += 1;
        self.newest.insert(entry.number, seq);
        self.write(layout::entry_key(seq), &leaf);
        self.write(layout::newest_key(entry.number), &seq.to_be_bytes());
        Ok(())
    }

    fn note(&mut self, draft: &AuditDraft) -> Result<(), StoreError> {
        let line = draft.clone().chained(self.counters.audit_size, &self.counters.audit_hash);
        let json = line.to_json()?;
        self.write(layout::audit_key(line.seq), &json);
        self.counters.audit_size += 1;
        self.counters.audit_hash = line.hash;
        Ok(())
    }

    fn write(&mut self, key: Vec<u8>, rest: &[u8]) {
        let sealed = layout::seal(&key, rest);
        self.writes.insert(key, Some(sealed));
    }

    /// What changes nothing is no commit.
    fn finish(mut self, receipt: Receipt) -> Result<Plan, StoreError> {
        if !self.writes.is_empty() {
            self.counters.commit = self.commit;
            let json = serde_json::to_vec(&self.counters).expect("numbers and a string always serialize");
            self.write(layout::COUNTERS.to_vec(), &json);
        }
        Ok(Plan { writes: self.writes, counters: self.counters, receipt })
    }
}

/// The sequence number of a number's newest entry, durable or not.
pub fn newest(space: &impl Lookup, number: Number) -> Result<Option<u64>, StoreError> {
    let key = layout::newest_key(number);
    let Some(sealed) = space.get(&key)? else { return Ok(None) };
    let seq = layout::unseal(&key, &sealed)?;
    let seq = seq.try_into().map_err(|_| layout::fatal(&key, "is no sequence number"))?;
    Ok(Some(u64::from_be_bytes(seq)))
}
