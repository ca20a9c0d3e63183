//! Two files that change together, the data and the state that tells what it
//! stands for, though only one can be renamed at a time.
//!
//! The state names the digest of the data that it belongs to. Both are written
//! beside their places and synced; then the data is renamed, and then the
//! state. Whatever a crash leaves, the digest tells which state is that of the
//! data: the present one, or the next, whose renaming is then made up for.
//!
//! ```text
//! corrections.csv        corrections.csv.next
//! mirror-state.json      mirror-state.json.next
//! ```

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::state::State;

const STATE: &str = "mirror-state.json";
const STATE_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub struct Swap {
    dir: PathBuf,
    data_name: &'static str,
    kept: Option<Kept>,
}

/// The state as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub state: State,
    pub data: Digested,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    pub bytes: u64,
    pub sha256: String,
}

impl Swap {
    /// Finishes or takes back what was under way. Data that fits no state
    /// counts as none.
    pub fn open(dir: &Path, data_name: &'static str) -> Result<Self, MirrorError> {
        let mut swap = Self { dir: dir.to_owned(), data_name, kept: None };
        let data = match File::open(swap.data()) {
            Ok(file) => {
                let mut file = Digesting::new(BufReader::new(file));
                io::copy(&mut file, &mut io::sink()).map_err(|error| swap.failed(&error))?;
                Some(file.digested())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(swap.failed(&error)),
        };
        let fits = |kept: &Kept| Some(&kept.data) == data.as_ref();
        if let Some(next) = swap.read(&swap.next_of(STATE))?.filter(fits) {
            swap.rename(STATE)?;
            swap.kept = Some(next);
        } else {
            swap.kept = swap.read(&swap.dir.join(STATE))?.filter(fits);
        }
        if data.is_some() && swap.kept.is_none() {
            let error = MirrorError::Damaged { path: swap.data() };
            tracing::warn!(%error, "starting over");
        }
        for name in [swap.data_name, STATE] {
            match fs::remove_file(swap.next_of(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                done => done.map_err(|error| swap.failed(&error))?,
            }
        }
        Ok(swap)
    }

    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    pub fn data(&self) -> PathBuf {
        self.dir.join(self.data_name)
    }

    /// The data that will follow.
    pub fn next(&self) -> Result<Digesting<BufWriter<File>>, MirrorError> {
        let file = File::create(self.next_of(self.data_name)).map_err(|error| self.failed(&error))?;
        Ok(Digesting::new(BufWriter::new(file)))
    }

    /// Puts it in its place, with what it stands for.
    pub fn put(&mut self, next: Digesting<BufWriter<File>>, state: State) -> Result<(), MirrorError> {
        let data = next.digested();
        let file = next.inner.into_inner().map_err(|error| self.failed(error.error()))?;
        file.sync_all().map_err(|error| self.failed(&error))?;
        let kept = Kept { state, data };
        self.write_next_state(&kept)?;
        self.rename(self.data_name)?;
        self.rename(STATE)?;
        self.kept = Some(kept);
        Ok(())
    }

    /// The same data, and something new to know of it.
    pub fn put_state(&mut self, state: State) -> Result<(), MirrorError> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let kept = Kept { state, data: kept.data.clone() };
        self.write_next_state(&kept)?;
        self.rename(STATE)?;
        self.kept = Some(kept);
        Ok(())
    }

    pub fn failed(&self, error: &io::Error) -> MirrorError {
        MirrorError::io(&self.data(), error)
    }

    fn write_next_state(&self, kept: &Kept) -> Result<(), MirrorError> {
        let json = serde_json::to_vec_pretty(kept).expect("strings and numbers always serialize");
        let written = (|| {
            let mut file = File::create(self.next_of(STATE))?;
            file.write_all(&json)?;
            file.sync_all()
        })();
        written.map_err(|error| self.failed(&error))
    }

    /// Durable before anything that follows.
    fn rename(&self, name: &str) -> Result<(), MirrorError> {
        let renamed = (|| {
            fs::rename(self.next_of(name), self.dir.join(name))?;
            File::open(&self.dir)?.sync_all()
        })();
        renamed.map_err(|error| self.failed(&error))
    }

    /// Rubbish is no state.
    fn read(&self, path: &Path) -> Result<Option<Kept>, MirrorError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| self.failed(&error))?,
        };
        let mut json = Vec::new();
        file.take(STATE_BYTES_MAX).read_to_end(&mut json).map_err(|error| self.failed(&error))?;
        Ok(serde_json::from_slice(&json).ok())
    }

    fn next_of(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.next"))
    }
}

/// Reads or writes, and digests what passes through.
pub struct Digesting<T> {
    inner: T,
    sha256: Sha256,
    bytes: u64,
}

impl<T> Digesting<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, sha256: Sha256::new(), bytes: 0 }
    }

    pub fn digested(&self) -> Digested {
        Digested { bytes: self.bytes, sha256: hex(&self.sha256.clone().finalize()) }
    }

    fn digest(&mut self, passed: &[u8]) {
        self.sha256.update(passed);
        self.bytes += passed.len() as u64;
    }
}

impl<T: Read> Read for Digesting<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.digest(&into[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Digesting<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
