//! Uploads are staged in plain files before anything of them is applied, so
//! that a half-sent one changes nothing, and a crash in the middle of applying
//! a whole one finds the rest again.
//!
//! Where several instances share the folder nobody's start removes anything of
//! the others: what is left over goes a day after it began (`remove_older`).
//!
//! | file | a crash leaves |
//! |---|---|
//! | `ID.part`, `ID.N.part` | rubbish: nobody was told of it; removed at the next start |
//! | `ID.lines` | a whole upload: applied on, if a batch names it, else removed at the next start |
//! | `labels-ID.lines` | labels of which some were applied: the provider, who got no answer, sends them again; removed at the next start |
//! | `ID.held` | lines kept back for two people; some of them twice, which changes nothing |

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, SeekFrom};

use crate::casework::{Error, Result};
use crate::domain::id::made_before;
use crate::env::files;

/// Each time that it is empty or full, a file changes threads.
const BUFFER_BYTES: usize = 64 * 1024;

/// Begins the names of uploads that no batch names: nobody goes on with them
/// after a crash.
pub(super) const UNNAMED: &str = "labels-";

#[derive(Debug, Clone)]
pub struct Staging {
    dir: PathBuf,
}

/// A good line of an upload: where it stood and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged<T> {
    pub line: u64,
    pub said: T,
}

/// Staged lines, read one after the other.
#[derive(Debug)]
pub(super) struct StagedLines {
    name: String,
    reader: BufReader<File>,
    offset: u64,
    line: Vec<u8>,
}

/// An upload that is still coming in. Dropped unfinished, it leaves a part
/// file that the next start removes.
#[derive(Debug)]
pub(super) struct Incoming {
    file: BufWriter<File>,
    part: PathBuf,
    whole: PathBuf,
    dir: PathBuf,
    finished: bool,
}

impl Staging {
    /// Prepares the folder: makes it, and removes what nobody comes back for.
    pub fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".part") || name.starts_with(UNNAMED) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// The same folder, in which other instances may be at work.
    pub fn open_shared(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    pub(super) async fn receive(&self, name: &str) -> Result<Incoming> {
        let part = self.dir.join(format!("{name}.part"));
        let whole = self.dir.join(format!("{name}.lines"));
        let file = File::create_new(&part).await.map_err(failed)?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Incoming { file, part, whole, dir: self.dir.clone(), finished: false })
    }

    /// The lines of an upload, or those of it that are held, from an offset on.
    pub(super) async fn read(&self, name: &str, held: bool, from: u64) -> Result<StagedLines> {
        StagedLines::open(&self.path(name, held), from).await
    }

    /// Keeps lines back, durably.
    pub(super) async fn hold<T: Serialize>(&self, name: &str, lines: &[Staged<T>]) -> Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(self.path(name, true)).await;
        let mut file = BufWriter::new(file.map_err(failed)?);
        for line in lines {
            write_line(&mut file, line).await?;
        }
        file.flush().await.map_err(failed)?;
        file.get_ref().sync_all().await.map_err(failed)?;
        sync_dir(&self.dir).await
    }

    /// Removes an upload's files; those already gone are fine.
    pub(super) async fn remove(&self, name: &str, held: bool) -> Result<()> {
        match fs::remove_file(self.path(name, held)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Removes the uploads that are not among these.
    pub(super) async fn keep_only(&self, open: &BTreeSet<String>) -> Result<()> {
        let mut entries = fs::read_dir(&self.dir).await.map_err(failed)?;
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let path = entry.path();
            let is_upload =
                path.extension().is_some_and(|extension| extension == "lines" || extension == "held");
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if is_upload && !open.contains(name) {
                fs::remove_file(&path).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes what began before `end`, by the time in its id, and is of none of
    /// these.
    pub(super) async fn remove_older(&self, open: &BTreeSet<String>, end: Timestamp) -> Result<()> {
        let mut entries = fs::read_dir(&self.dir).await.map_err(failed)?;
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let file = entry.file_name();
            let name = file.to_str().unwrap_or_default().trim_start_matches(UNNAMED);
            let Some((name, _)) = name.split_once('.') else { continue };
            let is_old = name.parse().is_ok_and(|id| made_before(id, end));
            if is_old && !open.contains(name) {
                match fs::remove_file(entry.path()).await {
                    // Another instance was faster.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed.map_err(failed)?,
                }
            }
        }
        Ok(())
    }

    fn path(&self, name: &str, held: bool) -> PathBuf {
        self.dir.join(format!("{name}.{}", if held { "held" } else { "lines" }))
    }
}

impl Incoming {
    pub(super) async fn push<T: Serialize>(&mut self, staged: &Staged<T>) -> Result<()> {
        write_line(&mut self.file, staged).await
    }

    /// Ends a part that is read again before the upload is whole. What was
    /// written is not yet durable, and gone when the part is.
    pub(super) async fn reread(&mut self) -> Result<StagedLines> {
        self.file.flush().await.map_err(failed)?;
        StagedLines::open(&self.part, 0).await
    }

    /// Makes the upload whole and durable.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.file.flush().await.map_err(failed)?;
        self.file.get_ref().sync_all().await.map_err(failed)?;
        fs::rename(&self.part, &self.whole).await.map_err(failed)?;
        self.finished = true;
        sync_dir(&self.dir).await
    }
}

impl StagedLines {
    async fn open(path: &Path, from: u64) -> Result<Self> {
        let name = path.display().to_string();
        let mut file = File::open(path).await.map_err(failed)?;
        file.seek(SeekFrom::Start(from)).await.map_err(failed)?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self { name, reader, offset: from, line: Vec::new() })
    }

    /// The next line and the offset behind it.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<(Staged<T>, u64)>> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line).await.map_err(failed)?;
        if read == 0 {
            return Ok(None);
        }
        self.offset += read as u64;
        let staged = serde_json::from_slice(&self.line);
        let staged = staged.map_err(|error| Error::Fatal(format!("staged upload {}: {error}", self.name)))?;
        Ok(Some((staged, self.offset)))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed at the next start.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

async fn write_line<T: Serialize>(file: &mut BufWriter<File>, line: &Staged<T>) -> Result<()> {
    let mut bytes = serde_json::to_vec(line).expect("numbers, dates and strings always serialize");
    bytes.push(b'\n');
    file.write_all(&bytes).await.map_err(failed)
}

/// Makes a rename or a new file in the folder survive power loss.
async fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).await.map_err(failed)?.sync_all().await.map_err(failed)
}

#[allow(clippy::needless_pass_by_value)]
fn failed(error: io::Error) -> Error {
    files::shortage(&error).map_or_else(|| Error::Fatal(format!("staging: {error}")), Error::Busy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_start_removes_what_nobody_comes_back_for() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1.part", "1.lines", "1.held", "labels-2.part", "labels-2.lines"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        Staging::open(dir.path()).unwrap();
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let mut left: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["1.held", "1.lines"]);
    }
}
