//! Filling an empty store out of a copy.
//!
//! Each changeset takes some lines of the copy and, in a mark beside them, how
//! many lines are in and of which copy. So a crash leaves a store that holds
//! exactly the lines that its mark says, and the same copy is gone on with from
//! there. Whatever else opens a store with such a mark refuses it
//! (`must_be_whole`).
//!
//! The log's head comes last, then everything is read again and held against
//! the manifest, and only then the mark goes. A crash leaves
//!
//! 1. before the first changeset: an empty store;
//! 2. between two of them, before the head, before the mark goes: a marked store;
//! 3. after that: the store.

use crate::cli::Failed;
use crate::cli::copies::Progress;
use crate::cli::copies::copy::{Copy, Numbered};
use crate::cli::copies::source::Source;
use crate::domain::correction::Entry;
use crate::store::{CHANGES_PER_SET_MAX, Changeset, Claim, LogHead, Piece, Record, Store, Versioned};

/// The mark's name; its value is the copy's digest and how many lines are in.
const MARK: &str = "store-import";
/// One change of a set is the mark's.
const LINES_PER_SET_MAX: usize = CHANGES_PER_SET_MAX - 1;

/// Refuses a store that is half filled.
pub async fn must_be_whole(store: &dyn Store) -> Result<(), Failed> {
    match mark(store).await? {
        None => Ok(()),
        Some(_) => Err(Failed::because("the store is half filled: an import of a copy was cut short").hint(
            "finish it: run the same `zhengming store import` again; or empty the store and begin anew",
        )),
    }
}

/// It is no part of what a store holds.
pub fn is_mark(piece: &Piece) -> bool {
    matches!(piece, Piece::Record(record) if matches!(&**record, Record::Claim(claim) if claim.name == MARK))
}

/// Takes all of the copy, which was verified, into the store.
pub async fn fill(copy: &Copy, store: &dyn Store, progress: Progress<'_>) -> Result<(), Failed> {
    let mut filling = Filling::begin(copy, store).await?;
    let total = copy.manifest.lines();
    let mut head = None;
    // The head is looked for in all of it: it is among the records.
    for numbered in copy.lines() {
        let Numbered { number, piece, .. } = numbered?;
        if let Piece::Record(record) = &piece
            && let Record::LogHead(found) = &**record
        {
            head = Some(found.clone());
        }
        if number < filling.lines {
            continue;
        }
        filling.add(piece)?;
        if filling.is_full() {
            filling.commit().await?;
            progress("writing", filling.lines, total);
        }
    }
    filling.commit().await?;
    filling.put_head(head).await?;
    hold_against_manifest(copy, store, progress).await?;
    filling.finish().await
}

struct Filling<'a> {
    store: &'a dyn Store,
    digest: &'a str,
    mark: Versioned<Claim>,
    /// How many lines of the copy are in.
    lines: u64,
    /// What is committed next, and how many lines it is.
    changes: Changeset,
    waiting: u64,
}

impl<'a> Filling<'a> {
    async fn begin(copy: &'a Copy, store: &'a dyn Store) -> Result<Self, Failed> {
        let digest = &copy.digest;
        let (mark, lines) = match mark(store).await? {
            Some(mark) => {
                let (of, lines) = read_mark(&mark.value.value)?;
                if of != *digest {
                    return Err(Failed::because("the store is half filled from another copy than this one")
                        .hint("go on with that copy, or empty the store and begin anew"));
                }
                (mark, lines)
            }
            None => {
                must_be_empty(store).await?;
                let value = written_mark(digest, 0);
                (Versioned::new(Claim { name: MARK.to_owned(), value, expires_at: None }), 0)
            }
        };
        let changes = Changeset::default();
        let mut filling = Self { store, digest, mark, lines, changes, waiting: 0 };
        if filling.mark.version == 0 {
            filling.write().await?;
        }
        Ok(filling)
    }

    fn add(&mut self, piece: Piece) -> Result<(), Failed> {
        self.waiting += 1;
        match piece {
            Piece::Record(record) => match *record {
                Record::LogHead(_) => {}
                record => self.changes.puts.push(crate::store::Put { record, expected: 0 }),
            },
            Piece::Entry { seq, leaf } => {
                let entry: Entry = serde_json::from_slice(&leaf)
                    .map_err(|error| Failed::new(&format!("the log entry {seq}"), &error))?;
                self.changes.entries.push(entry);
            }
            Piece::Audit { line, .. } => self.changes.audit.push(line.draft),
            Piece::Damage(what) => return Err(Failed::because(&what)),
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.waiting >= LINES_PER_SET_MAX as u64
    }

    async fn commit(&mut self) -> Result<(), Failed> {
        if self.waiting == 0 {
            return Ok(());
        }
        self.lines += std::mem::take(&mut self.waiting);
        self.mark.value.value = written_mark(self.digest, self.lines);
        self.write().await
    }

    /// What waits, and the mark as it is to be.
    async fn write(&mut self) -> Result<(), Failed> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.put(self.mark.clone());
        self.store.commit(changes).await.map_err(|error| cut_short(&error))?;
        let mark = mark(self.store).await?;
        self.mark = mark.ok_or_else(|| Failed::because("somebody else has changed the store meanwhile"))?;
        Ok(())
    }

    /// From here on it is known what was signed.
    async fn put_head(&mut self, head: Option<LogHead>) -> Result<(), Failed> {
        let known = self.store.load::<LogHead>(&()).await.map_err(|error| cut_short(&error))?;
        if let (Some(head), None) = (head, known) {
            self.changes.put_new(head);
            self.write().await?;
        }
        Ok(())
    }

    async fn finish(self) -> Result<(), Failed> {
        let mut changes = Changeset::default();
        changes.delete(&self.mark);
        self.store.commit(changes).await.map_err(|error| cut_short(&error))?;
        Ok(())
    }
}

async fn mark(store: &dyn Store) -> Result<Option<Versioned<Claim>>, Failed> {
    store.load::<Claim>(&MARK.to_owned()).await.map_err(|error| Failed::new("the store", &error))
}

fn written_mark(digest: &str, lines: u64) -> String {
    format!("{digest} {lines}")
}

fn read_mark(value: &str) -> Result<(String, u64), Failed> {
    let read = value.split_once(' ').and_then(|(of, lines)| Some((of.to_owned(), lines.parse().ok()?)));
    read.ok_or_else(|| Failed::because("the store is half filled, and does not say from what"))
}

async fn must_be_empty(store: &dyn Store) -> Result<(), Failed> {
    let mut source = Source::of_store(store).await?;
    let holds_nothing = source.next().await?.is_empty();
    if holds_nothing && source.extent().log_size == 0 && source.extent().audit_size == 0 {
        return Ok(());
    }
    Err(Failed::because("the store holds something already: a copy is taken into an empty one only"))
}

/// The store's own words about what it holds now are those of the manifest.
async fn hold_against_manifest(copy: &Copy, store: &dyn Store, progress: Progress<'_>) -> Result<(), Failed> {
    let mut source = Source::of_store(store).await?;
    let told = |_: &Piece, done| progress("reading again", done, copy.manifest.lines());
    let (found, problems) = source.reckon(told).await?;
    if !problems.is_empty() {
        let why = format!("what was written does not hold together:\n{}", problems.text());
        return Err(Failed::because(&why));
    }
    match copy.manifest.total.difference(&found) {
        None => Ok(()),
        Some(what) => Err(Failed::because(&format!("the store does not hold what the copy does; {what}"))),
    }
}

fn cut_short(error: &dyn std::error::Error) -> Failed {
    Failed::new("the import was cut short", error).hint("run it again: it goes on where it was")
}

impl std::fmt::Debug for Filling<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filling").field("lines", &self.lines).finish_non_exhaustive()
    }
}
