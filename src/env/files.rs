//! What files fail by, and how many there may be.

use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the machine is short of, where that is all: it may have it again at
/// any moment.
pub fn shortage(error: &io::Error) -> Option<&'static str> {
    match (error.kind(), Errno::from_io_error(error)) {
        (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, _) => Some("the disk is full"),
        (_, Some(Errno::MFILE | Errno::NFILE)) => Some("too many files are open"),
        _ => None,
    }
}

/// What may still be written to the disk that this lies on.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// How many files and connections the process may have open at once, after it
/// has asked for as many as it can get.
pub fn descriptors_max() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // `None` is no limit at all.
    (if raised.is_ok() { maximum } else { current }).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_had_again_is_a_shortage() {
        for (error, what) in [
            (Errno::NOSPC, Some("the disk is full")),
            (Errno::DQUOT, Some("the disk is full")),
            (Errno::MFILE, Some("too many files are open")),
            (Errno::NFILE, Some("too many files are open")),
            (Errno::IO, None),
            (Errno::ROFS, None),
        ] {
            assert_eq!(shortage(&io::Error::from(error)), what, "{error:?}");
        }
    }
}
