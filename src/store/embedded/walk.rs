//! All keys in their order, once, as pieces; and whether the index entries are
//! those that the records make.
//!
//! That is known without looking anything up: what the records make is added
//! up, and what is found is taken away again, as digests that may come in any
//! order. What remains is nothing, or something is wrong with an index.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::correction::Entry;
use crate::store::embedded::layout::Kind;
use crate::store::embedded::past::Past;
use crate::store::embedded::plan::Counters;
use crate::store::embedded::{Space, index, layout};
use crate::store::{AuditLine, Extent, PAGE_RECORDS_MAX, Piece, Record, StoreError};

#[derive(Debug)]
pub struct Walk {
    past: Arc<Past>,
    extent: Extent,
    indexes: BTreeMap<u8, Difference>,
    is_over: bool,
}

/// Of what there should be and what there is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    count: i64,
    digests: u128,
}

impl Walk {
    /// `counters` are those of the moment at which `past` was opened.
    pub fn new(past: Arc<Past>, counters: &Counters) -> Self {
        let Counters { log_size, audit_size, audit_hash, commit: _ } = counters.clone();
        let extent = Extent { log_size, audit_size, audit_hash };
        Self { past, extent, indexes: BTreeMap::new(), is_over: false }
    }

    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    pub fn next(&mut self, space: &impl Space) -> Result<Vec<Piece>, StoreError> {
        while !self.is_over {
            let mut pieces = Vec::new();
            match self.past.page(space, PAGE_RECORDS_MAX)? {
                Some(pairs) => {
                    for (key, sealed) in pairs {
                        self.take(&key, &sealed, &mut pieces);
                    }
                }
                None => {
                    self.is_over = true;
                    pieces.extend(self.disagreements());
                }
            }
            if !pieces.is_empty() {
                return Ok(pieces);
            }
        }
        Ok(Vec::new())
    }

    fn take(&mut self, key: &[u8], sealed: &[u8], pieces: &mut Vec<Piece>) {
        let taken = match layout::kind(key) {
            Kind::Record => self.record(key, sealed).map(Some),
            Kind::Entry(seq) if seq < self.extent.log_size => self.entry(key, sealed, seq).map(Some),
            Kind::Audit(seq) if seq < self.extent.audit_size => audit(key, sealed, seq).map(Some),
            // Come since.
            Kind::Entry(_) | Kind::Audit(_) => Ok(None),
            Kind::Newest => layout::unseal(key, sealed).map(|seq| {
                self.differ(key[0], -1, &[key, seq].concat());
                None
            }),
            Kind::Index => layout::unseal(key, sealed).map(|_| {
                self.differ(key[0], -1, key);
                None
            }),
        };
        match taken {
            Ok(piece) => pieces.extend(piece),
            Err(error) => pieces.push(damage(error)),
        }
    }

    fn record(&mut self, key: &[u8], sealed: &[u8]) -> Result<Piece, StoreError> {
        let record: Record = layout::decode(key, sealed)?.value;
        if layout::record_key(&record.key()) != key {
            return Err(layout::fatal(key, "lies under another's key"));
        }
        for entry in index::entries(&record, key) {
            self.differ(entry[0], 1, &entry);
        }
        Ok(Piece::Record(Box::new(record)))
    }

    /// The newest entry of a number is the one that none supersedes.
    fn entry(&mut self, key: &[u8], sealed: &[u8], seq: u64) -> Result<Piece, StoreError> {
        let leaf = layout::unseal(key, sealed)?;
        let entry: Entry = serde_json::from_slice(leaf)
            .map_err(|error| layout::fatal(key, &format!("does not parse: {error}")))?;
        let newest = layout::newest_key(entry.number);
        let of = |seq: u64| [newest.as_slice(), &seq.to_be_bytes()].concat();
        self.differ(newest[0], 1, &of(seq));
        if let Some(superseded) = entry.supersedes {
            self.differ(newest[0], -1, &of(superseded));
        }
        Ok(Piece::Entry { seq, leaf: leaf.to_vec() })
    }

    fn differ(&mut self, kind: u8, count: i64, entry: &[u8]) {
        let digest: [u8; 32] = Sha256::digest(entry).into();
        let digest = digest.iter().take(16).fold(0, |all, byte| all << 8 | u128::from(*byte));
        let difference = self.indexes.entry(kind).or_default();
        difference.count += count;
        let digests = &mut difference.digests;
        *digests = if count > 0 { digests.wrapping_add(digest) } else { digests.wrapping_sub(digest) };
    }

    fn disagreements(&self) -> Vec<Piece> {
        let wrong = self.indexes.iter().filter(|(_, difference)| **difference != Difference::default());
        let said = wrong.map(|(kind, Difference { count, .. })| {
            let how = match count {
                0 => "has entries that the records do not make, and lacks others".to_owned(),
                1.. => format!("lacks {count} entries that the records make"),
                _ => format!("has {} entries that the records do not make", count.unsigned_abs()),
            };
            Piece::Damage(format!("the index of {} {how}", index::name(*kind)))
        });
        said.collect()
    }
}

fn audit(key: &[u8], sealed: &[u8], seq: u64) -> Result<Piece, StoreError> {
    let line: AuditLine = serde_json::from_slice(layout::unseal(key, sealed)?)
        .map_err(|error| layout::fatal(key, &format!("does not parse: {error}")))?;
    Ok(Piece::Audit { seq, line })
}

/// To whoever reads everything it is one thing among others that is damaged.
fn damage(error: StoreError) -> Piece {
    Piece::Damage(match error {
        StoreError::Fatal(what) => what,
        other => other.to_string(),
    })
}
