//! Files that hold a secret, for their owner's eyes only: keys of our own, and
//! what partners gave us.
//!
//! A key of our own is written beside its place, synced, and put there by a rename that
//! never replaces. So a crash leaves no file or a whole one (and perhaps a
//! hidden remnant), and of two processes that race both get the first one's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::env::entropy::Entropy;

#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}: not a regular file")]
    NotAFile { path: PathBuf },
    #[error("{path}: others than its owner may use it (mode {mode:03o}); run: chmod {want:03o} {path}")]
    Exposed { path: PathBuf, mode: u32, want: u32 },
    #[error("{path}: {found} bytes where {wanted} belong; restore it from a copy, it cannot be made again")]
    WrongLength { path: PathBuf, found: u64, wanted: usize },
}

/// Reads the `N` bytes of the file, or makes it of random ones if there is
/// none. Its folder must exist.
pub fn read_or_create<const N: usize>(
    path: &Path,
    entropy: &dyn Entropy,
) -> Result<[u8; N], SecretFileError> {
    let secret = match read(path)? {
        Some(secret) => secret,
        None => create(path, entropy)?,
    };
    // Also for a file that was found: whoever made it may have died before.
    sync_folder(path).map_err(|source| SecretFileError::Io { path: path.into(), source })?;
    Ok(secret)
}

fn read<const N: usize>(path: &Path) -> Result<Option<[u8; N]>, SecretFileError> {
    let io = |source| SecretFileError::Io { path: path.into(), source };
    // Asked before opening, since opening a pipe would wait for its writer.
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
        Ok(found) if !found.is_file() => return Err(SecretFileError::NotAFile { path: path.into() }),
        Ok(_) => {}
    }
    let mut file = File::open(path).map_err(io)?;
    must_not_be_for(0o077, path, &file)?;
    let found = file.metadata().map_err(io)?.len();
    if found != N as u64 {
        return Err(SecretFileError::WrongLength { path: path.into(), found, wanted: N });
    }
    let mut secret = [0; N];
    file.read_exact(&mut secret).map_err(io)?;
    Ok(Some(secret))
}

/// The text of a file that an administrator made. The service's group may read
/// it, as where root owns it, and nobody else may do anything with it.
pub fn read_text(path: &Path) -> Result<String, SecretFileError> {
    let io = |source| SecretFileError::Io { path: path.into(), source };
    let mut file = File::open(path).map_err(io)?;
    must_not_be_for(FOR_OTHERS, path, &file)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// The same of a file that was read already, and turned out to hold a secret.
pub fn must_be_private(path: &Path) -> Result<(), SecretFileError> {
    let file = File::open(path).map_err(|source| SecretFileError::Io { path: path.into(), source })?;
    must_not_be_for(FOR_OTHERS, path, &file)
}

/// A new file of such a text. A crash leaves a part of it.
pub fn write_text(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// No reading by others, and no writing by anybody but the owner.
const FOR_OTHERS: u32 = 0o027;

fn must_not_be_for(forbidden: u32, path: &Path, file: &File) -> Result<(), SecretFileError> {
    let metadata = file.metadata().map_err(|source| SecretFileError::Io { path: path.into(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & forbidden == 0 {
        return Ok(());
    }
    Err(SecretFileError::Exposed { path: path.into(), mode, want: mode & !forbidden })
}

fn create<const N: usize>(path: &Path, entropy: &dyn Entropy) -> Result<[u8; N], SecretFileError> {
    let io = |source| SecretFileError::Io { path: path.into(), source };
    let mut secret = [0; N];
    entropy.fill(&mut secret);

    let mut file = tempfile::Builder::new()
        .prefix(".zhengming-secret-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder(path))
        .map_err(io)?;
    file.write_all(&secret).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(secret),
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| io(ErrorKind::NotFound.into()))
        }
        Err(failed) => Err(io(failed.error)),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::env::entropy::{OsEntropy, SeededEntropy};

    fn put(path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_made_once_and_read_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let made = read_or_create::<32>(&path, &SeededEntropy::new(1)).unwrap();
        let read = read_or_create::<32>(&path, &SeededEntropy::new(2)).unwrap();
        assert_eq!(made, read);
        assert_ne!(made, [0; 32]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no remnant is left");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        for mode in [0o640, 0o604, 0o620, 0o644] {
            put(&path, &[7; 32], mode);
            let said = read_or_create::<32>(&path, &OsEntropy).unwrap_err().to_string();
            assert!(said.contains(&format!("mode {mode:03o}")) && said.contains("chmod 600"), "{said}");
        }
        put(&path, &[7; 32], 0o400);
        assert_eq!(read_or_create::<32>(&path, &OsEntropy).unwrap(), [7; 32]);
    }

    #[test]
    fn a_partners_secret_is_for_the_owner_and_a_group_that_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sms.token");
        for (mode, want) in [(0o644, "640"), (0o444, "440"), (0o660, "640"), (0o602, "600"), (0o666, "640")] {
            put(&path, b"a token", mode);
            let said = read_text(&path).unwrap_err().to_string();
            assert_eq!(said, must_be_private(&path).unwrap_err().to_string());
            assert!(said.contains(&format!("mode {mode:03o}")) && said.contains(&format!("chmod {want} ")));
        }
        for mode in [0o600, 0o400, 0o640, 0o440] {
            put(&path, b"a token", mode);
            assert_eq!(read_text(&path).unwrap(), "a token");
            must_be_private(&path).unwrap();
        }
    }

    #[test]
    fn a_file_of_another_length_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        for length in [0, 31, 33] {
            put(&path, &vec![7; length], 0o600);
            let error = read_or_create::<32>(&path, &OsEntropy).unwrap_err();
            assert!(error.to_string().contains(&format!("{length} bytes where 32 belong")), "{error}");
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    }

    #[test]
    fn a_folder_in_its_place_and_a_missing_folder_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_or_create::<32>(folder.path(), &OsEntropy).unwrap_err();
        assert!(matches!(error, SecretFileError::NotAFile { .. }), "{error}");
        let error = read_or_create::<32>(&folder.path().join("no/secret.key"), &OsEntropy).unwrap_err();
        assert!(error.to_string().contains("no/secret.key: "), "{error}");
    }

    #[test]
    fn those_who_race_all_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let start = Barrier::new(8);
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|seed| {
                    let (path, start) = (&path, &start);
                    scope.spawn(move || {
                        start.wait();
                        read_or_create::<32>(path, &SeededEntropy::new(seed)).unwrap()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_loser_of_a_race_takes_the_winners_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        put(&path, &[9; 32], 0o600);
        assert_eq!(create::<32>(&path, &OsEntropy).unwrap(), [9; 32]);
    }
}
