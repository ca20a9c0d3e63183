//! Uploads are staged in plain files before anything of them is applied, so
//! that a half-sent one changes nothing, and a crash in the middle of applying
//! a whole one finds the rest again.
//!
//! | file | a crash leaves |
//! |---|---|
//! | `ID.part` | rubbish: nobody was told of it; removed at the next start |
//! | `ID.lines` | a whole upload, or one that no batch names yet: removed with its batch |
//! | `labels-ID.lines` | labels of which some were applied: the provider, who got no answer, sends them again; removed at the next start |
//! | `ID.held` | lines kept back for two people; some of them twice, which changes nothing |

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, SeekFrom};

use crate::casework::{Error, Result};
use crate::domain::lines::LineError;

/// Begins the names of uploads that no batch names: nobody goes on with them
/// after a crash.
pub(super) const UNNAMED: &str = "labels-";

#[derive(Debug, Clone)]
pub struct Staging {
    dir: PathBuf,
}

/// A line of an upload as read: what it says, or why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged<T> {
    pub line: u64,
    pub said: std::result::Result<T, LineError>,
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

    pub(super) async fn receive(&self, name: &str) -> Result<Incoming> {
        let part = self.dir.join(format!("{name}.part"));
        let whole = self.dir.join(format!("{name}.lines"));
        let file = BufWriter::new(File::create_new(&part).await.map_err(failed)?);
        Ok(Incoming { file, part, whole, dir: self.dir.clone(), finished: false })
    }

    /// At most `lines_max` lines from an offset on, each with the offset
    /// behind it.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        held: bool,
        from: u64,
        lines_max: usize,
    ) -> Result<Vec<(Staged<T>, u64)>> {
        let mut file = File::open(self.path(name, held)).await.map_err(failed)?;
        file.seek(SeekFrom::Start(from)).await.map_err(failed)?;
        let mut reader = BufReader::new(file);
        let (mut lines, mut offset, mut line) = (Vec::new(), from, Vec::new());
        while lines.len() < lines_max {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).await.map_err(failed)?;
            if read == 0 {
                break;
            }
            offset += read as u64;
            let staged = serde_json::from_slice(&line);
            lines.push((
                staged.map_err(|error| Error::Fatal(format!("staged upload {name}: {error}")))?,
                offset,
            ));
        }
        Ok(lines)
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

    fn path(&self, name: &str, held: bool) -> PathBuf {
        self.dir.join(format!("{name}.{}", if held { "held" } else { "lines" }))
    }
}

impl Incoming {
    pub(super) async fn push<T: Serialize>(
        &mut self,
        line: u64,
        said: std::result::Result<T, LineError>,
    ) -> Result<()> {
        write_line(&mut self.file, &Staged { line, said }).await
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
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Busy("the disk is full"),
        _ => Error::Fatal(format!("staging: {error}")),
    }
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
