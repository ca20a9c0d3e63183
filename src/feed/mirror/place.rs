//! The folder of a mirror: one mirror at a time works in it, and files are
//! written on threads that may wait for a disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::output::{Format, Output};

const LOCK: &str = "mirror.lock";
const EVIDENCE: &str = "forked.txt";

#[derive(Debug)]
pub struct Place {
    dir: PathBuf,
    format: Format,
    verifier: String,
    /// The lock is held as long as the file is open, and dies with the process.
    _lock: File,
    /// Opened when it is needed, and again after every error: so what puts in
    /// order what a crash has left is also what is done about an error.
    output: Arc<Mutex<Option<Box<dyn Output>>>>,
}

impl Place {
    pub fn take(dir: &Path, format: Format, verifier: String) -> Result<Self, MirrorError> {
        let locked = (|| {
            fs::create_dir_all(dir)?;
            let file = File::options().create(true).append(true).open(dir.join(LOCK))?;
            match file.try_lock() {
                Ok(()) => Ok(Some(file)),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(error)) => Err(error),
            }
        })();
        let lock = locked.map_err(|error| MirrorError::io(dir, &error))?;
        let lock = lock.ok_or_else(|| MirrorError::InUse { dir: dir.to_owned() })?;
        Ok(Self { dir: dir.to_owned(), format, verifier, _lock: lock, output: Arc::default() })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Works on the output. Once begun it is ended, even where nobody waits.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Output) -> Result<T, MirrorError> + Send + 'static,
    ) -> Result<T, MirrorError> {
        let (dir, format, verifier) = (self.dir.clone(), self.format, self.verifier.clone());
        let output = self.output.clone();
        let worked = tokio::task::spawn_blocking(move || {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            let opened = match output.take() {
                Some(opened) => Ok(opened),
                None => format.open(&dir),
            };
            let mut opened = opened?;
            if let Some(state) = opened.state().filter(|state| state.verifier != verifier) {
                let theirs = state.verifier.clone();
                return Err(MirrorError::OtherLog { dir, theirs, ours: verifier });
            }
            let done = work(opened.as_mut())?;
            *output = Some(opened);
            Ok(done)
        });
        worked.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
    }

    /// Keeps two signed statements of which one must be a lie.
    pub fn keep_evidence(&self, ours: &str, theirs: &str) -> Result<PathBuf, MirrorError> {
        let path = self.dir.join(EVIDENCE);
        let text = format!("What we had, and hold to be true:\n\n{ours}\nWhat the log says now:\n\n{theirs}");
        fs::write(&path, text).map_err(|error| MirrorError::io(&path, &error))?;
        Ok(path)
    }
}
