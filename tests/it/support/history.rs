//! What a store should hold after random commits, kept beside it.

use std::collections::BTreeMap;

use zhengming::store::{AuditDraft, AuditLine, Changeset, Extent, Key, Piece, Put, Record, Store, Stored};

use crate::support::dice::Dice;
use crate::support::records::{any, audit, claim, entry, number};

#[derive(Debug, Clone, Default)]
pub struct History {
    pub records: BTreeMap<Key, Record>,
    pub leaves: Vec<Vec<u8>>,
    pub audit: Vec<AuditDraft>,
}

/// Records of every kind put and deleted, entries, audit lines.
pub async fn random_changeset(dice: &mut Dice, store: &dyn Store) -> Changeset {
    let mut changeset = Changeset::default();
    let mut changed = BTreeMap::new();
    for _ in 0..dice.roll(8) {
        let record = any(dice);
        changed.insert(record.key(), record);
    }
    for (key, record) in changed {
        let expected = store.get(&key).await.unwrap().map_or(0, |found| found.version);
        match dice.roll(4) {
            0 if expected > 0 => changeset.deletes.push((key, expected)),
            _ => changeset.puts.push(Put { record, expected }),
        }
    }
    let mut newest = BTreeMap::new();
    let size = *store.log_size().borrow();
    for nth in 0..dice.roll(4) {
        let of = number(dice.roll(9));
        let known = store.newest_entry(of).await.unwrap();
        let supersedes = newest.insert(of, size + nth).or(known);
        changeset.entries.push(entry(of, supersedes, dice.next()));
    }
    changeset.audit = (0..dice.roll(4)).map(|_| audit(dice.next())).collect();
    changeset
}

impl History {
    pub async fn play(&mut self, store: &dyn Store, changeset: Changeset) {
        for put in &changeset.puts {
            self.records.insert(put.record.key(), put.record.clone());
        }
        for (key, _) in &changeset.deletes {
            self.records.remove(key);
        }
        self.leaves.extend(changeset.entries.iter().map(zhengming::domain::correction::Entry::leaf));
        self.audit.extend(changeset.audit.iter().cloned());
        store.commit(changeset).await.unwrap();
    }

    /// Claims that were put beside it.
    pub fn filled(&mut self, name: &str, count: usize) {
        for nth in 0..count {
            let record = claim(&format!("{name}-{nth:05}"), 0).into_record();
            self.records.insert(record.key(), record);
        }
    }

    /// These pieces are all of it, each once and in order.
    #[track_caller]
    pub fn is(&self, extent: &Extent, pieces: &[Piece]) {
        let mut records = BTreeMap::new();
        let mut kinds = Vec::new();
        let (mut leaves, mut lines) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Record(record) => {
                    assert!(leaves.is_empty() && lines.is_empty(), "records come first");
                    kinds.push(kind(record));
                    let before = records.insert(record.key(), (**record).clone());
                    assert_eq!(before, None, "each once");
                }
                Piece::Entry { seq, leaf } => {
                    assert!(lines.is_empty(), "entries come before audit lines");
                    assert_eq!(*seq, leaves.len() as u64);
                    leaves.push(leaf.clone());
                }
                Piece::Audit { seq, line } => {
                    assert_eq!(*seq, lines.len() as u64);
                    lines.push(line.clone());
                }
                Piece::Damage(what) => panic!("{what}"),
            }
        }
        kinds.dedup();
        let runs = kinds.len();
        kinds.sort();
        kinds.dedup();
        assert_eq!(runs, kinds.len(), "kind by kind");
        assert!(records == self.records, "{records:#?}\n{:#?}", self.records);
        assert_eq!(leaves, self.leaves);
        let chain = chained(&self.audit);
        assert_eq!(lines, chain);
        let hash = chain.last().map_or("0".repeat(64), |line| line.hash.clone());
        let expected =
            Extent { log_size: leaves.len() as u64, audit_size: chain.len() as u64, audit_hash: hash };
        assert_eq!(*extent, expected);
    }
}

pub fn chained(drafts: &[AuditDraft]) -> Vec<AuditLine> {
    let mut hash = AuditLine::HASH_BEFORE_FIRST.to_owned();
    let lines = (0..).zip(drafts).map(|(seq, draft)| {
        let line = draft.clone().chained(seq, &hash);
        hash.clone_from(&line.hash);
        line
    });
    lines.collect()
}

fn kind(record: &Record) -> String {
    serde_json::to_value(record).unwrap()["kind"].as_str().unwrap().to_owned()
}
