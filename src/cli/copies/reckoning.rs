//! What everything amounts to, and whether it holds together: read once, piece
//! by piece, in the order in which a store gives it.
//!
//! Records are added up in a way that does not depend on their order, so that
//! one store's sum is another's if they hold the same. The newest entry of
//! each number is kept in memory, some 32 bytes for each number in the log.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::correction::Entry;
use crate::domain::hex::hex;
use crate::domain::number::Number;
use crate::feed::merkle::{Frontier, Hash, empty_root, leaf_hash};
use crate::store::{AuditLine, Extent, LogHead, Piece, Record};

/// How many problems are told; the others are counted.
const PROBLEMS_TOLD_MAX: usize = 20;

/// What a store holds, in numbers and digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub records: BTreeMap<String, KindTotal>,
    pub log: LogTotal,
    pub audit: AuditTotal,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindTotal {
    pub count: u64,
    /// The sum of the SHA-256 of each record's line, as two numbers of 128 bits
    /// that overflow, in hex.
    pub sum: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTotal {
    pub size: u64,
    /// The Merkle root of all of it, in hex.
    pub root: String,
    /// The newest signed checkpoint.
    pub head: Option<HeadTotal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadTotal {
    pub verifier: String,
    pub size: u64,
    pub root: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditTotal {
    pub size: u64,
    /// Of the last line.
    pub hash: String,
}

/// What was found wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    pub told: Vec<String>,
    pub others: u64,
}

#[derive(Debug, Default)]
pub struct Reckoning {
    kinds: BTreeMap<String, (u64, Sum)>,
    head: Option<LogHead>,
    log: Log,
    audit: Audit,
    problems: Problems,
}

#[derive(Debug, Default)]
struct Sum([u128; 2]);

#[derive(Debug, Default)]
struct Log {
    /// The number that comes next.
    next: u64,
    tree: Frontier,
    /// An entry is missing, so that the tree is none.
    has_gap: bool,
    newest: HashMap<Number, u64>,
}

#[derive(Debug, Default)]
struct Audit {
    next: u64,
    /// `None` behind a gap: the next line cannot be held against it.
    hash: Option<String>,
}

impl Problems {
    pub fn note(&mut self, what: String) {
        if self.told.len() < PROBLEMS_TOLD_MAX {
            self.told.push(what);
        } else {
            self.others += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// One a line.
    pub fn text(&self) -> String {
        let mut text = self.told.join("\n");
        if self.others > 0 {
            text.push_str(&format!("\nand {} more", self.others));
        }
        text
    }
}

impl Reckoning {
    pub fn new() -> Self {
        let mut new = Self::default();
        new.audit.hash = Some(AuditLine::HASH_BEFORE_FIRST.to_owned());
        new
    }

    /// `line` is the piece's in a part.
    pub fn take(&mut self, piece: &Piece, line: &[u8]) {
        match piece {
            Piece::Record(record) => self.record(record, line),
            Piece::Entry { seq, leaf } => self.entry(*seq, leaf),
            Piece::Audit { seq, line } => self.line(*seq, line),
            Piece::Damage(what) => self.problems.note(what.clone()),
        }
    }

    fn record(&mut self, record: &Record, line: &[u8]) {
        let (count, sum) = self.kinds.entry(kind_of(line)).or_default();
        *count += 1;
        sum.add(Sha256::digest(line).into());
        if let Record::LogHead(head) = record {
            self.head = Some(head.clone());
            self.look_at_head();
        }
    }

    fn entry(&mut self, seq: u64, leaf: &[u8]) {
        if seq != self.log.next {
            self.problems.note(missing("log entry", self.log.next..seq));
            self.log.has_gap = true;
        }
        self.log.next = seq + 1;
        self.log.tree.push(leaf_hash(leaf));
        self.look_at_head();
        let entry: Entry = match serde_json::from_slice(leaf) {
            Ok(entry) => entry,
            Err(error) => return self.problems.note(format!("the log entry {seq} does not parse: {error}")),
        };
        if entry.leaf() != leaf {
            self.problems.note(format!("the log entry {seq} is not written as entries are"));
        }
        let before = self.log.newest.insert(entry.number, seq);
        if entry.supersedes != before {
            let told = |seq: Option<u64>| seq.map_or("nothing".to_owned(), |seq| format!("entry {seq}"));
            let (says, should) = (told(entry.supersedes), told(before));
            self.problems.note(format!("the log entry {seq} supersedes {says}, and should {should}"));
        }
    }

    /// The root that was signed is that of the entries under it.
    fn look_at_head(&mut self) {
        let Some(head) = &self.head else { return };
        if head.size != self.log.tree.size() || self.log.has_gap {
            return;
        }
        if head.root != root(&self.log.tree) {
            self.problems.note(format!(
                "the log head is signed for {} entries and the root {}, and these entries have the root {}",
                head.size,
                hex(&head.root),
                hex(&root(&self.log.tree))
            ));
        }
    }

    fn line(&mut self, seq: u64, line: &AuditLine) {
        if seq != self.audit.next {
            self.problems.note(missing("audit line", self.audit.next..seq));
            self.audit.hash = None;
        }
        self.audit.next = seq + 1;
        if let Some(before) = &self.audit.hash
            && line.draft.clone().chained(seq, before) != *line
        {
            self.problems.note(format!(
                "the audit line {seq} does not follow from the one before it: it was changed, or that one was"
            ));
        }
        self.audit.hash = Some(line.hash.clone());
    }

    /// `extent`: how far the store itself says that it has come.
    pub fn finish(mut self, extent: &Extent) -> (Total, Problems) {
        if self.log.next < extent.log_size {
            self.problems.note(missing("log entry", self.log.next..extent.log_size));
        }
        if self.audit.next < extent.audit_size {
            self.problems.note(missing("audit line", self.audit.next..extent.audit_size));
        } else if self.audit.hash.as_ref().is_some_and(|hash| *hash != extent.audit_hash) {
            self.problems.note("the last audit line has another hash than the store knows of".to_owned());
        }
        if let Some(head) = self.head.as_ref().filter(|head| head.size > self.log.next) {
            let (signed, size) = (head.size, self.log.next);
            self.problems.note(format!("the log head is signed for {signed} entries, and there are {size}"));
        }
        let kinds = self.kinds.into_iter();
        let records =
            kinds.map(|(kind, (count, sum))| (kind, KindTotal { count, sum: sum.text() })).collect();
        let head = self.head.map(|head| HeadTotal {
            verifier: head.verifier,
            size: head.size,
            root: hex(&head.root),
        });
        let log = LogTotal { size: self.log.next, root: hex(&root(&self.log.tree)), head };
        let audit = AuditTotal { size: self.audit.next, hash: self.audit.hash.unwrap_or_default() };
        (Total { records, log, audit }, self.problems)
    }
}

impl Total {
    /// What of `self`'s is otherwise in the other; `None`: nothing.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let kinds = self.records.keys().chain(other.records.keys());
        let kind = kinds.into_iter().find(|kind| self.records.get(*kind) != other.records.get(*kind));
        if let Some(kind) = kind {
            let count = |total: &Self| total.records.get(kind).map_or(0, |total| total.count);
            return Some(format!("records of the kind {kind}: {} and {}", count(self), count(other)));
        }
        let log =
            (self.log != other.log).then(|| format!("the log: {} and {}", self.log.size, other.log.size));
        let audit = || format!("the audit: {} and {}", self.audit.size, other.audit.size);
        log.or_else(|| (self.audit != other.audit).then(audit))
    }

    pub fn extent(&self) -> Extent {
        Extent { log_size: self.log.size, audit_size: self.audit.size, audit_hash: self.audit.hash.clone() }
    }
}

impl Sum {
    fn add(&mut self, digest: [u8; 32]) {
        for (sum, half) in self.0.iter_mut().zip(digest.chunks_exact(16)) {
            let half = half.iter().fold(0, |all, byte| all << 8 | u128::from(*byte));
            *sum = sum.wrapping_add(half);
        }
    }

    fn text(&self) -> String {
        format!("{:032x}{:032x}", self.0[0], self.0[1])
    }
}

/// The line is `{"kind":"…",…`.
fn kind_of(line: &[u8]) -> String {
    let kind = line.split(|byte| *byte == b'"').nth(3).unwrap_or_default();
    String::from_utf8_lossy(kind).into_owned()
}

fn missing(what: &str, range: std::ops::Range<u64>) -> String {
    match range.end.saturating_sub(range.start) {
        0 | 1 => format!("the {what} {} is missing", range.start),
        _ => format!("the {what} {} is missing, and those up to {}", range.start, range.end - 1),
    }
}

fn root(tree: &Frontier) -> Hash {
    if tree.size() == 0 { empty_root() } else { tree.root() }
}
