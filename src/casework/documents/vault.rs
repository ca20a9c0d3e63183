//! Where documents lie: `DISPUTE/DOCUMENT` in a folder of their own, each
//! sealed with XChaCha20-Poly1305 under a key derived from the service's
//! secret. Dispute and document are sealed in, so that a file in another's
//! place does not open.
//!
//! A file: `ZMD1`, 24 random bytes, the sealed bytes with their tag.
//!
//! | step | a crash after it leaves |
//! |---|---|
//! | the dispute's folder is made | an empty folder |
//! | `DOCUMENT.part` is written and synced | a part file |
//! | it is renamed, and both folders are synced | a whole file that no dispute names |
//! | the dispute that names it is committed | a document |
//! | (purge) the files are removed, the folder synced | a dispute that names what is gone: the task finds it again |
//! | (purge) the dispute says so | nothing |
//!
//! What no dispute names is swept: all of it at the start, later what is older
//! than any upload under way.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::casework::{Error, Result};
use crate::domain::id::{DisputeId, DocumentId};
use crate::domain::refusal::Refusal;
use crate::env::files;

const MAGIC: &[u8] = b"ZMD1";
pub(super) const NONCE_BYTES: usize = 24;
/// An upload holds a document in memory while it comes.
const UPLOADS_AT_ONCE_MAX: usize = 8;
/// A document that is decoded or drawn on takes many times its size.
const WORKS_AT_ONCE_MAX: usize = 2;

#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
    uploads: Arc<Semaphore>,
    works: Arc<Semaphore>,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub dispute: DisputeId,
    pub document: DocumentId,
}

/// A file that nobody was told of yet: gone when this is dropped.
#[derive(Debug)]
pub(super) struct Fresh(Option<PathBuf>);

impl Fresh {
    /// From here on a commit may name it; if none does, it is swept one day.
    pub(super) fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

impl Vault {
    /// Makes the folder, for its owner's eyes only.
    pub fn open(dir: &Path) -> io::Result<Self> {
        make_private_dir(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
            works: Arc::new(Semaphore::new(WORKS_AT_ONCE_MAX)),
        })
    }

    pub(super) fn place_to_upload(&self) -> Result<OwnedSemaphorePermit> {
        self.uploads.clone().try_acquire_owned().map_err(|_| Error::Busy("many documents are being uploaded"))
    }

    /// Heavy work beside the others, a little of it at once. Work that panics
    /// has met a document that its library cannot bear.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, Refusal> + Send + 'static,
    ) -> Result<T> {
        let place = self.works.clone().acquire_owned().await;
        let place = place.map_err(|_| Error::Busy("the service is stopping"))?;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        let unbearable = Refusal::DocumentUnreadable { why: "it is damaged" };
        Ok(done.await.unwrap_or(Err(unbearable))?)
    }

    pub(super) async fn put(
        &self,
        key: [u8; 32],
        nonce: [u8; NONCE_BYTES],
        place: Place,
        mut bytes: Vec<u8>,
    ) -> Result<Fresh> {
        let (root, dir, path) = (self.dir.clone(), self.dir_of(place.dispute), self.path_of(place));
        blocking(move || {
            seal(key, nonce, place, &mut bytes)?;
            make_private_dir(&dir)?;
            let part = path.with_extension("part");
            let mut fresh = Fresh(Some(part.clone()));
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
            file.write_all(&[MAGIC, &nonce].concat())?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            fresh.0 = Some(path);
            sync_dir(&dir)?;
            sync_dir(&root)?;
            Ok(fresh)
        })
        .await?
        .map_err(failed)
    }

    /// `None`: there is no such file. One that does not open is refused.
    pub(super) async fn read(&self, key: [u8; 32], place: Place) -> Result<Option<Vec<u8>>> {
        let path = self.path_of(place);
        let file = blocking(move || match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            file => file.map(Some),
        })
        .await?
        .map_err(failed)?;
        let Some(file) = file else { return Ok(None) };
        let opened = open(key, place, &file);
        if opened.is_none() {
            let Place { dispute, document } = place;
            tracing::error!(%dispute, %document, "a stored document does not open: its file was changed, or secret.key is another");
        }
        Ok(Some(opened.ok_or(Refusal::DocumentDamaged)?))
    }

    /// Removes all of a dispute's files; those already gone are fine.
    pub(super) async fn remove_all(&self, dispute: DisputeId) -> Result<()> {
        let (root, dir) = (self.dir.clone(), self.dir_of(dispute));
        blocking(move || match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => sync_dir(&root),
        })
        .await?
        .map_err(failed)
    }

    /// Every dispute that has a folder, with what lies in it.
    pub(super) async fn listed(&self) -> Result<Vec<(String, Vec<String>)>> {
        let root = self.dir.clone();
        blocking(move || {
            let names = names_in(&root)?;
            names
                .into_iter()
                .map(|name| names_in(&root.join(&name)).map(|files| (name, files)))
                .collect::<io::Result<_>>()
        })
        .await?
        .map_err(failed)
    }

    /// Removes a file that no dispute names, and its folder with the last one.
    pub(super) async fn sweep(&self, dispute: &str, file: Option<&str>) -> Result<()> {
        let dir = self.dir.join(dispute);
        let path = file.map(|file| dir.join(file));
        blocking(move || {
            if let Some(path) = path {
                fs::remove_file(path)?;
            }
            // One that is not empty stays.
            let _ = fs::remove_dir(dir);
            Ok(())
        })
        .await?
        .map_err(failed)
    }

    fn dir_of(&self, dispute: DisputeId) -> PathBuf {
        self.dir.join(dispute.to_string())
    }

    fn path_of(&self, place: Place) -> PathBuf {
        self.dir_of(place.dispute).join(place.document.to_string())
    }
}

fn seal(key: [u8; 32], nonce: [u8; NONCE_BYTES], place: Place, bytes: &mut Vec<u8>) -> io::Result<()> {
    let cipher = XChaCha20Poly1305::new(&Key::from(key));
    let sealed = cipher.encrypt_in_place(&XNonce::from(nonce), &place.sealed_in(), bytes);
    sealed.map_err(|_| ErrorKind::FileTooLarge.into())
}

fn open(key: [u8; 32], place: Place, file: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = file.strip_prefix(MAGIC)?.split_first_chunk::<NONCE_BYTES>()?;
    let mut bytes = sealed.to_vec();
    let cipher = XChaCha20Poly1305::new(&Key::from(key));
    cipher.decrypt_in_place(&XNonce::from(*nonce), &place.sealed_in(), &mut bytes).ok()?;
    Some(bytes)
}

impl Place {
    fn sealed_in(self) -> [u8; 32] {
        let mut both = [0; 32];
        both[..16].copy_from_slice(self.dispute.0.as_bytes());
        both[16..].copy_from_slice(self.document.0.as_bytes());
        both
    }
}

fn make_private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Names that are not text are not ours, nor is what lies beside the folders.
fn names_in(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    match fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        entries => {
            for entry in entries? {
                names.extend(entry?.file_name().into_string());
            }
        }
    }
    Ok(names)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Fatal(format!("documents: {error}")))
}

#[allow(clippy::needless_pass_by_value)]
fn failed(error: io::Error) -> Error {
    files::shortage(&error).map_or_else(|| Error::Fatal(format!("documents: {error}")), Error::Busy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
