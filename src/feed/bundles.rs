//! The log's full entry bundles, compressed once and kept on disk.
//!
//! For each coding two files that are only ever appended to: the bundles, one
//! behind the other, and where each of them ends with its checksum. Like the
//! hashes they follow from the log, and a crash leaves them shorter or torn;
//! `open` goes back to the last bundle that is whole, and a damaged one is not
//! read: whoever asks then makes it anew from the log.
//!
//! ```text
//! bundles-zstd        frame, frame, ...
//! bundles-zstd.index  end u64 | CRC-32 of the frame u32, for each
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::feed::files;

/// Entries and the two bytes before each of them.
pub fn bundle(leaves: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leaves.iter().map(|leaf| leaf.len() + 2).sum());
    for leaf in leaves {
        let length = u16::try_from(leaf.len()).expect("an entry has at most 1,024 bytes");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    bytes
}

/// How a bundle may be coded, named as HTTP names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    Zstd,
    Gzip,
}

impl Coding {
    pub const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The same bytes for the same input.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }

    /// Of a frame that was read back whole.
    pub fn decompress(self, frame: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Zstd => zstd::Decoder::new(frame)?.take(BUNDLE_BYTES_MAX).read_to_end(&mut bytes)?,
            Self::Gzip => GzDecoder::new(frame).take(BUNDLE_BYTES_MAX).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

/// Salts do not compress, so that more effort brings nothing.
const ZSTD_LEVEL: i32 = 3;
const INDEX_BYTES: u64 = 12;

/// The full bundles of a log in one coding.
#[derive(Debug)]
pub struct Bundles {
    coding: Coding,
    frames: File,
    index: File,
    count: AtomicU64,
}

impl Bundles {
    /// Takes over the first `count` of what is there, or fewer.
    pub fn open(dir: &Path, coding: Coding, count: u64) -> io::Result<Self> {
        let frames = files::open(dir, &format!("bundles-{}", coding.name()))?;
        let index = files::open(dir, &format!("bundles-{}.index", coding.name()))?;
        let count = count.min(index.metadata()?.len() / INDEX_BYTES);
        let bundles = Self { coding, frames, index, count: AtomicU64::new(count) };
        while bundles.count() > 0 && bundles.read(bundles.count() - 1)?.is_none() {
            bundles.count.fetch_sub(1, Ordering::Relaxed);
        }
        bundles.index.set_len(bundles.count() * INDEX_BYTES)?;
        bundles.frames.set_len(bundles.end()?)?;
        Ok(bundles)
    }

    pub fn coding(&self) -> Coding {
        self.coding
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// One caller at a time.
    pub fn append(&self, bundle: &[u8]) -> io::Result<()> {
        let frame = self.coding.compress(bundle)?;
        let (count, begin) = (self.count(), self.end()?);
        self.frames.write_all_at(&frame, begin)?;
        let mut place = (begin + frame.len() as u64).to_be_bytes().to_vec();
        place.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        self.index.write_all_at(&place, count * INDEX_BYTES)?;
        self.count.store(count + 1, Ordering::Release);
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        self.frames.sync_data()?;
        self.index.sync_data()
    }

    /// A bundle as it was compressed; `None` where there is none, or not whole.
    pub fn read(&self, nth: u64) -> io::Result<Option<Vec<u8>>> {
        if nth >= self.count() {
            return Ok(None);
        }
        let begin = if nth == 0 { 0 } else { self.place(nth - 1)?.0 };
        let (end, crc) = self.place(nth)?;
        let length = end.checked_sub(begin).filter(|length| (1..=FRAME_BYTES_MAX).contains(length));
        let Some(length) = length else { return Ok(None) };
        let mut frame = vec![0; length as usize];
        match self.frames.read_exact_at(&mut frame, begin) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            done => done?,
        }
        Ok((crc32fast::hash(&frame) == crc).then_some(frame))
    }

    fn end(&self) -> io::Result<u64> {
        let count = self.count();
        if count == 0 { Ok(0) } else { Ok(self.place(count - 1)?.0) }
    }

    /// Where a frame ends, and its checksum.
    fn place(&self, nth: u64) -> io::Result<(u64, u32)> {
        let mut place = [0; INDEX_BYTES as usize];
        self.index.read_exact_at(&mut place, nth * INDEX_BYTES)?;
        let (end, crc) = place.split_first_chunk().expect("twelve bytes begin with eight");
        let crc = crc.try_into().expect("and end with four");
        Ok((u64::from_be_bytes(*end), u32::from_be_bytes(crc)))
    }
}

/// More than 256 entries of 1,024 bytes.
const BUNDLE_BYTES_MAX: u64 = 1 << 19;
/// Rubbish in the index must not be taken for a length: no frame is as long,
/// not even one that did not compress. Nor zeroes: none is empty, although the
/// checksum of nothing is zero too.
const FRAME_BYTES_MAX: u64 = 2 * BUNDLE_BYTES_MAX;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plain(nth: u64) -> Vec<u8> {
        bundle(&(0..256).map(|seq| format!("entry {}", nth * 256 + seq).into_bytes()).collect::<Vec<_>>())
    }

    fn filled(dir: &Path, coding: Coding, count: u64) -> Bundles {
        let bundles = Bundles::open(dir, coding, count).unwrap();
        for nth in bundles.count()..count {
            bundles.append(&plain(nth)).unwrap();
        }
        bundles
    }

    #[test]
    fn two_bytes_tell_an_entrys_length() {
        assert_eq!(bundle(&[b"abc".to_vec(), b"".to_vec(), vec![7; 258]])[..9], *b"\0\x03abc\0\0\x01\x02");
        assert!(bundle(&[]).is_empty());
    }

    #[test]
    fn what_is_kept_is_what_anybody_decompresses() {
        let dir = tempfile::tempdir().unwrap();
        let (zstd, gzip) = (filled(dir.path(), Coding::Zstd, 3), filled(dir.path(), Coding::Gzip, 3));
        for nth in 0..3 {
            let frame = zstd.read(nth).unwrap().unwrap();
            assert_eq!(Coding::Zstd.decompress(&frame).unwrap(), plain(nth));
            let frame = gzip.read(nth).unwrap().unwrap();
            assert_eq!(Coding::Gzip.decompress(&frame).unwrap(), plain(nth));
        }
        assert_eq!(zstd.read(3).unwrap(), None);
    }

    /// However far a crash cut the files, opening goes back to a whole bundle,
    /// and what is appended again makes the same files.
    #[test]
    fn a_torn_end_is_made_anew() {
        let whole = tempfile::tempdir().unwrap();
        filled(whole.path(), Coding::Zstd, 4).sync().unwrap();
        let read = |name: &str| std::fs::read(whole.path().join(name)).unwrap();
        let (frames, index) = (read("bundles-zstd"), read("bundles-zstd.index"));
        let cuts = (0..frames.len()).step_by(7).map(|cut| (cut, index.len()));
        for (frames_cut, index_cut) in cuts.chain((0..index.len()).map(|cut| (frames.len(), cut))) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("bundles-zstd"), &frames[..frames_cut]).unwrap();
            std::fs::write(dir.path().join("bundles-zstd.index"), &index[..index_cut]).unwrap();
            assert!(Bundles::open(dir.path(), Coding::Zstd, 4).unwrap().count() < 4);
            filled(dir.path(), Coding::Zstd, 4);
            assert_eq!(std::fs::read(dir.path().join("bundles-zstd")).unwrap(), frames);
            assert_eq!(std::fs::read(dir.path().join("bundles-zstd.index")).unwrap(), index);
        }
    }

    #[test]
    fn damage_is_not_served() {
        let dir = tempfile::tempdir().unwrap();
        let bundles = filled(dir.path(), Coding::Zstd, 2);
        bundles.frames.write_all_at(b"x", 9).unwrap();
        assert_eq!(bundles.read(0).unwrap(), None);
        assert!(bundles.read(1).unwrap().is_some());
    }

    /// What power loss may leave of a file that was made longer.
    #[test]
    fn zeroes_are_no_bundles() {
        for zeroed in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let bundles = filled(dir.path(), Coding::Gzip, 4);
            let from = zeroed * INDEX_BYTES;
            bundles.index.write_all_at(&vec![0; (4 * INDEX_BYTES - from) as usize], from).unwrap();
            let reopened = Bundles::open(dir.path(), Coding::Gzip, 4).unwrap();
            assert_eq!(reopened.count(), zeroed);
        }
    }
}
