//! The folder of snapshots: names, drafts, and in which order files appear
//! and go. The table of what a crash leaves stands in the room's door.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::checks::{Checking, Checks, FileCheck};
use super::form::Form;
use crate::feed::Coding;
use crate::feed::checkpoint::decimal;
use crate::feed::note::NOTE_BYTES_MAX;

const DRAFT: &str = ".tmp";
const SUM: &str = "sum";
const CHECKS: &str = "checks";
const GONE: &str = "gone";
/// How often a draft looks whether the disk has room for it.
const ROOM_CHECK_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    disk_free_bytes_min: u64,
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Sizes of the snapshots.
    pub kept: BTreeSet<u64>,
    /// Sizes of those that were.
    pub gone: BTreeSet<u64>,
}

/// A file that is being written: a full disk ends it early, so that others
/// find room there, and unless it is put in its place it leaves nothing.
#[derive(Debug)]
pub struct Draft<F> {
    file: F,
    check: Checking,
    disk_free_bytes_min: u64,
    written: usize,
}

pub type NamedDraft = BufWriter<Draft<NamedTempFile>>;
pub type Drafts = Vec<(Form, Option<Coding>, NamedDraft)>;

impl Folder {
    /// Makes the folder, and removes from it what no snapshot needs.
    pub fn open(dir: &Path, disk_free_bytes_min: u64) -> io::Result<(Self, Inventory)> {
        fs::create_dir_all(dir)?;
        sync(&dir.join(".."))?;
        let folder = Self { dir: dir.to_owned(), disk_free_bytes_min };
        let mut inventory = Inventory::default();
        let mut forms = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(DRAFT) {
                fs::remove_file(&path)?;
            } else if let Some((size, kind)) = name.split_once('.')
                && let Some(size) = decimal(size)
            {
                match kind {
                    SUM => _ = inventory.kept.insert(size),
                    GONE => _ = inventory.gone.insert(size),
                    _ => forms.push(size),
                }
            }
        }
        for size in forms.into_iter().filter(|size| !inventory.kept.contains(size)) {
            folder.remove_forms(size)?;
        }
        Ok((folder, inventory))
    }

    pub fn path(&self, size: u64, form: Form, coding: Option<Coding>) -> PathBuf {
        self.named(size, &kind(form, coding))
    }

    fn named(&self, size: u64, kind: &str) -> PathBuf {
        self.dir.join(format!("{size}.{kind}"))
    }

    /// Whether all of a snapshot's files are there.
    pub fn is_whole(&self, size: u64) -> bool {
        paths(self, size).all(|path| path.is_file())
    }

    /// The signed sum, and when it was put there.
    pub fn sum(&self, size: u64) -> io::Result<(String, Timestamp)> {
        let path = self.named(size, SUM);
        let metadata = fs::metadata(&path)?;
        if metadata.len() > NOTE_BYTES_MAX as u64 {
            return Err(damaged("a sum of too many bytes"));
        }
        let at = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
        Ok((fs::read_to_string(path)?, at))
    }

    /// What the snapshot's files were when they were written.
    pub fn checks(&self, size: u64) -> io::Result<Checks> {
        let text = fs::read_to_string(self.named(size, CHECKS))?;
        Checks::parse(&text).ok_or_else(|| damaged("what its files were is not known"))
    }

    /// A file that shall get a name.
    pub fn draft(&self) -> io::Result<NamedDraft> {
        let file = tempfile::Builder::new().prefix("draft-").suffix(DRAFT).tempfile_in(&self.dir)?;
        Ok(BufWriter::new(Draft::new(file, self.disk_free_bytes_min)))
    }

    /// A file that never gets one, and is gone with its handle.
    pub fn scratch(&self) -> io::Result<BufWriter<Draft<File>>> {
        Ok(BufWriter::new(Draft::new(tempfile::tempfile_in(&self.dir)?, self.disk_free_bytes_min)))
    }

    /// Makes drafts a snapshot. Once this has returned well it is there for
    /// good; before the sum has its name it is not there at all.
    pub fn put(&self, size: u64, drafts: Drafts, sum: &str, at: Timestamp) -> io::Result<Checks> {
        self.try_put(size, drafts, sum, at).inspect_err(|_| {
            // What cannot be removed now is removed at the next start.
            let _ = self.discard(size);
        })
    }

    fn try_put(&self, size: u64, drafts: Drafts, sum: &str, at: Timestamp) -> io::Result<Checks> {
        let mut checks = Checks::default();
        for (form, coding, draft) in drafts {
            checks.add(kind(form, coding), self.name(draft, &self.path(size, form, coding))?);
        }
        let mut draft = self.draft()?;
        draft.write_all(checks.text().as_bytes())?;
        self.name(draft, &self.named(size, CHECKS))?;
        self.sync()?;
        let mut draft = self.draft()?;
        draft.write_all(sum.as_bytes())?;
        draft.flush()?;
        // The moment by the service's clock, which need not be the machine's.
        let at = SystemTime::try_from(at).map_err(io::Error::other)?;
        draft.get_ref().file.as_file().set_modified(at)?;
        self.name(draft, &self.named(size, SUM))?;
        self.sync()?;
        Ok(checks)
    }

    /// Removes a snapshot, its sum first, which becomes a mark that it was.
    pub fn retire(&self, size: u64) -> io::Result<()> {
        fs::rename(self.named(size, SUM), self.named(size, GONE))?;
        self.sync()?;
        self.remove_forms(size)
    }

    /// Removes a mark.
    pub fn forget(&self, size: u64) -> io::Result<()> {
        remove(&self.named(size, GONE))
    }

    /// Removes what has never been a snapshot of ours, or is one no longer.
    pub fn discard(&self, size: u64) -> io::Result<()> {
        remove(&self.named(size, SUM))?;
        self.sync()?;
        self.remove_forms(size)
    }

    fn remove_forms(&self, size: u64) -> io::Result<()> {
        remove(&self.named(size, CHECKS))?;
        paths(self, size).try_for_each(|path| remove(&path))
    }

    fn name(&self, draft: NamedDraft, path: &Path) -> io::Result<FileCheck> {
        let draft = draft.into_inner().map_err(io::IntoInnerError::into_error)?;
        draft.file.as_file().sync_all()?;
        draft.file.persist(path)?;
        Ok(draft.check.finish())
    }

    fn sync(&self) -> io::Result<()> {
        sync(&self.dir)
    }
}

/// Makes the names in a folder durable.
fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A file's name without its size.
pub fn kind(form: Form, coding: Option<Coding>) -> String {
    let suffix = match coding {
        None => "",
        Some(Coding::Zstd) => ".zst",
        Some(Coding::Gzip) => ".gz",
    };
    format!("{}{suffix}", form.name())
}

/// The disk has not kept what was written to it.
pub fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

fn paths(folder: &Folder, size: u64) -> impl Iterator<Item = PathBuf> {
    Form::ALL.into_iter().flat_map(move |form| {
        let codings = form.codings().iter().copied().map(Some);
        codings.chain([None]).map(move |coding| folder.path(size, form, coding))
    })
}

/// What is gone already is fine.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl<F> Draft<F> {
    fn new(file: F, disk_free_bytes_min: u64) -> Self {
        Self { file, check: Checking::default(), disk_free_bytes_min, written: ROOM_CHECK_BYTES }
    }

    pub fn into_file(self) -> F {
        self.file
    }
}

impl<F: Write + AsFd> Write for Draft<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= ROOM_CHECK_BYTES {
            let disk = rustix::fs::fstatvfs(&self.file)?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) < self.disk_free_bytes_min {
                return Err(io::Error::new(ErrorKind::StorageFull, "the disk is nearly full"));
            }
            self.written = 0;
        }
        let written = self.file.write(bytes)?;
        self.check.push(&bytes[..written]);
        self.written += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
