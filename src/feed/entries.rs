//! The log's entries on disk, so that pages, bundles and snapshots are read
//! from front to back, whatever the store is.
//!
//! Two files that are only ever appended to. Like the hashes they follow from
//! the log, and a crash leaves them shorter or torn; whoever reads an entry
//! compares it with its hash, and asks the store where they differ.
//!
//! ```text
//! entries        leaf, leaf, ...
//! entries.index  end u64, for each
//! ```

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::feed::files;

const INDEX_BYTES: u64 = 8;

#[derive(Debug)]
pub struct Entries {
    leaves: File,
    index: File,
    /// Readers see what was appended once it is written.
    count: AtomicU64,
}

impl Entries {
    /// Takes over the first `count` of what is there, or fewer; none where the
    /// last of them is not the one that `is_last` knows.
    pub fn open(dir: &Path, count: u64, is_last: impl Fn(u64, &[u8]) -> bool) -> io::Result<Self> {
        let (leaves, index) = (files::open(dir, "entries")?, files::open(dir, "entries.index")?);
        let count = count.min(index.metadata()?.len() / INDEX_BYTES);
        let entries = Self { leaves, index, count: AtomicU64::new(count) };
        if let Some(last) = count.checked_sub(1)
            && !entries.read(last, count).is_ok_and(|leaves| is_last(last, &leaves[0]))
        {
            tracing::info!(dir = %dir.display(), "the log's entries are damaged; making them anew");
            entries.count.store(0, Ordering::Relaxed);
        }
        entries.index.set_len(entries.count() * INDEX_BYTES)?;
        entries.leaves.set_len(entries.end_of(entries.count())?)?;
        Ok(entries)
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// One caller at a time.
    pub fn append(&self, leaves: &[Vec<u8>]) -> io::Result<()> {
        let (count, begin) = (self.count(), self.end_of(self.count())?);
        let mut end = begin;
        let ends = leaves.iter().flat_map(|leaf| {
            end += leaf.len() as u64;
            end.to_be_bytes()
        });
        self.index.write_all_at(&ends.collect::<Vec<u8>>(), count * INDEX_BYTES)?;
        self.leaves.write_all_at(&leaves.concat(), begin)?;
        self.count.store(count + leaves.len() as u64, Ordering::Release);
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        self.leaves.sync_data()?;
        self.index.sync_data()
    }

    /// Those from `first` up to `end`, which are there.
    pub fn read(&self, first: u64, end: u64) -> io::Result<Vec<Vec<u8>>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "an entry ends before it begins");
        let begin = self.end_of(first)?;
        let mut ends = vec![0; ((end - first) * INDEX_BYTES) as usize];
        self.index.read_exact_at(&mut ends, first * INDEX_BYTES)?;
        let ends: Vec<u64> = ends
            .chunks_exact(INDEX_BYTES as usize)
            .map(|end| u64::from_be_bytes(end.try_into().expect("a chunk has as many bytes")))
            .collect();
        let there = self.leaves.metadata()?.len();
        let length = ends.last().map_or(Some(0), |last| last.checked_sub(begin));
        let length = length.filter(|length| begin + length <= there).ok_or_else(damaged)?;
        let mut bytes = vec![0; length as usize];
        self.leaves.read_exact_at(&mut bytes, begin)?;
        let mut at = begin;
        let mut leaves = Vec::with_capacity(ends.len());
        for end in ends {
            let leaf = at.checked_sub(begin).zip(end.checked_sub(begin));
            let leaf = leaf.and_then(|(from, to)| bytes.get(from as usize..to as usize));
            leaves.push(leaf.ok_or_else(damaged)?.to_vec());
            at = end;
        }
        Ok(leaves)
    }

    /// Where the first `count` of them end.
    fn end_of(&self, count: u64) -> io::Result<u64> {
        let Some(last) = count.checked_sub(1) else { return Ok(0) };
        let mut end = [0; INDEX_BYTES as usize];
        self.index.read_exact_at(&mut end, last * INDEX_BYTES)?;
        Ok(u64::from_be_bytes(end))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn leaf(seq: u64) -> Vec<u8> {
        vec![seq as u8; seq as usize % 5]
    }

    fn is_right(seq: u64, found: &[u8]) -> bool {
        found == leaf(seq)
    }

    fn filled(dir: &Path, to: u64) -> Entries {
        let entries = Entries::open(dir, to, is_right).unwrap();
        let leaves: Vec<_> = (entries.count()..to).map(leaf).collect();
        leaves.chunks(7).for_each(|leaves| entries.append(leaves).unwrap());
        assert_eq!(entries.read(0, to).unwrap(), (0..to).map(leaf).collect::<Vec<_>>());
        entries
    }

    #[test]
    fn any_stretch_is_what_was_appended() {
        let dir = tempfile::tempdir().unwrap();
        let entries = filled(dir.path(), 40);
        for first in 0..40 {
            for end in first..=40 {
                assert_eq!(entries.read(first, end).unwrap(), (first..end).map(leaf).collect::<Vec<_>>());
            }
        }
    }

    /// What is beyond is taken back, and what a crash has torn is made anew.
    #[test]
    fn whatever_is_left_grows_to_the_same() {
        let whole = tempfile::tempdir().unwrap();
        filled(whole.path(), 40);
        let read = |name: &str| std::fs::read(whole.path().join(name)).unwrap();
        let (leaves, index) = (read("entries"), read("entries.index"));
        let cuts = (0..=leaves.len()).map(|cut| (cut, index.len()));
        for (leaves_cut, index_cut) in cuts.chain((0..=index.len()).map(|cut| (leaves.len(), cut))) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("entries"), &leaves[..leaves_cut]).unwrap();
            std::fs::write(dir.path().join("entries.index"), &index[..index_cut]).unwrap();
            assert!(Entries::open(dir.path(), 30, is_right).unwrap().count() <= 30);
            filled(dir.path(), 40);
            assert_eq!(std::fs::read(dir.path().join("entries")).unwrap(), leaves);
            assert_eq!(std::fs::read(dir.path().join("entries.index")).unwrap(), index);
        }
    }

    #[test]
    fn a_damaged_index_is_an_error_and_no_more() {
        for at in 0..320 {
            let dir = tempfile::tempdir().unwrap();
            let entries = filled(dir.path(), 40);
            entries.index.write_all_at(&[0xff], at).unwrap();
            for first in 0..40 {
                let _ = entries.read(first, 40);
            }
            drop(entries);
            // As if it had been removed.
            Entries::open(dir.path(), 0, is_right).unwrap();
            filled(dir.path(), 40);
        }
    }
}
