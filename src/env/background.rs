//! Work that may take as long as it likes, behind all that somebody waits for.

use std::io;
use std::thread;

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::sync::oneshot;

/// The system's lowest priority.
const NICE: i32 = 19;

/// Runs it on a thread of its own, which gets what the others leave.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    let thread = thread::Builder::new().name("background".to_owned());
    thread.spawn(move || {
        // Linux keeps it for each thread. Where it is refused, the work is done
        // all the same.
        let _ = setpriority_process(Some(gettid()), NICE);
        // Whoever has gone away does not need it.
        let _ = done.send(work());
    })?;
    result.await.map_err(|_| io::Error::other("it panicked"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn the_work_is_behind_all_others_and_its_thread_alone() {
        let mine = || getpriority_process(Some(gettid())).unwrap();
        let before = mine();
        assert_eq!(run(mine).await.unwrap(), NICE);
        assert_eq!(mine(), before);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let failed = run(|| panic!("as a test does")).await;
        assert!(failed.is_err());
    }
}
