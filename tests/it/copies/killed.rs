//! An import that is cut short at any of its commits: the store is refused
//! until the same copy is in it whole.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::watch;
use zhengming::cli::copies::copy::Copy;
use zhengming::cli::copies::fill::fill;
use zhengming::cli::copies::must_be_whole;
use zhengming::domain::number::Number;
use zhengming::store::memory::MemoryStore;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record};
use zhengming::store::{Store, StoreError, Versioned};

use super::{Any, a_copy, import, nothing};
use crate::store::twins::look;

/// Ends once: before a commit, or after it and without a word.
#[derive(Debug)]
struct Dying {
    inner: MemoryStore,
    /// How many commits go well before that.
    commits_left: AtomicUsize,
    dies_after: bool,
    has_died: AtomicBool,
}

impl Dying {
    fn new(commits_left: usize, dies_after: bool) -> Self {
        let commits_left = AtomicUsize::new(commits_left);
        Self { inner: MemoryStore::new(), commits_left, dies_after, has_died: AtomicBool::new(false) }
    }

    /// Whether it is this commit.
    fn dies(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        let is_now = self.commits_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err();
        is_now && !self.has_died.swap(true, Ordering::SeqCst)
    }
}

#[async_trait]
impl Store for Dying {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, of: &Listing, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        self.inner.list(of, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.log(after, limit).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.inner.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.inner.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.inner.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.inner.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        match (self.dies(), self.dies_after) {
            (true, true) => self.inner.commit(changeset).await.and(Err(StoreError::Unsure)),
            (true, false) => Err(StoreError::Busy("a test")),
            (false, _) => self.inner.commit(changeset).await,
        }
    }
}

#[tokio::test]
async fn cut_short_at_each_commit_it_is_gone_on_with() {
    let (from, dir) = a_copy(21, 320).await;
    let (_, other) = a_copy(22, 10).await;
    let mut cuts = 0;
    'cuts: for at in 0.. {
        for dies_after in [false, true] {
            let to = Dying::new(at, dies_after);
            let done = import(dir.path(), &to).await;
            if !to.has_died.load(Ordering::SeqCst) {
                done.unwrap();
                break 'cuts;
            }
            let said = done.unwrap_err().to_string();
            assert!(said.contains("run it again"), "{said}");
            cuts += 1;
            let is_marked = must_be_whole(&to).await.is_err();
            let was_begun = at > 0 || dies_after;
            // What ends after its last commit was done, and could not say so.
            let is_done = was_begun && !is_marked;
            assert!(!is_done || dies_after, "{at}");
            if is_marked {
                let said = import(other.path(), &to).await.unwrap_err().to_string();
                assert!(said.contains("another copy"), "{said}");
                import(dir.path(), &to).await.unwrap();
            } else if !is_done {
                import(dir.path(), &to).await.unwrap();
            }
            must_be_whole(&to).await.unwrap();
            assert_eq!(look(&*from, 2).await, look(&to, 2).await, "{at} {dies_after}");
        }
    }
    assert!(cuts > 12, "{cuts}");
}

const DIR: &str = "ZHENGMING_TEST_IMPORT_DIR";
const COPY: &str = "ZHENGMING_TEST_IMPORT_COPY";

fn sled_at(dir: &Path) -> SledStore {
    let mut options = SledOptions::new(dir.join("db"), dir.join("mark"));
    (options.disk_free_bytes_min, options.refill) = (0, true);
    SledStore::open(&options).unwrap()
}

#[tokio::test]
async fn killed_in_the_middle_it_is_gone_on_with() {
    let (from, copy) = a_copy(23, 700).await;
    for after in [1, 3, 4] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "copies::killed::child", "--nocapture", "--test-threads=1"])
            .envs([(DIR, dir.path()), (COPY, copy.path())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let written = lines.filter(|line| line.starts_with("writing ")).take(after).count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(written, after);
        let to: Any = Arc::new(sled_at(dir.path()));
        let said = must_be_whole(&*to).await.unwrap_err().to_string();
        assert!(said.contains("half filled"), "{said}");
        import(copy.path(), &*to).await.unwrap();
        must_be_whole(&*to).await.unwrap();
        assert_eq!(look(&*from, 2).await, look(&*to, 2).await);
    }
}

/// No test of its own: it imports until it is killed, if it is told what. It
/// waits to be killed at its last word.
#[tokio::test]
async fn child() {
    let (Some(dir), Some(copy)) = (std::env::var_os(DIR), std::env::var_os(COPY)) else { return };
    let copy = Copy::open(copy.as_ref()).unwrap();
    let store = sled_at(dir.as_ref());
    let told = |what: &'static str, done: u64, _: u64| {
        writeln!(std::io::stdout().lock(), "{what} {done}").unwrap();
        if what == "reading again" {
            loop {
                std::thread::park();
            }
        }
    };
    copy.verify(&nothing).unwrap();
    fill(&copy, &store, &told).await.unwrap();
}
