//! `kill -9` in the midst of writing: all that was acknowledged is there,
//! nothing is there by halves.
//!
//! The child is this test binary, told by the environment to write until it
//! is killed. It is killed after so many acknowledgements were read from it,
//! not after so much time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::future::join_all;
use tempfile::TempDir;
use zhengming::domain::correction::Entry;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{Changeset, Claim, LOG_ENTRIES_MAX, Store, StoreError, Versioned};

use crate::support::audit::whole_chain;
use crate::support::dice::Dice;
use crate::support::records::{audit, claim, entry, number};

const DIR: &str = "ZHENGMING_TEST_CRASH_DIR";
const FOLDERS: u64 = 5;
const ROUNDS: u64 = 10;
const WRITERS: u64 = 8;

fn options(dir: &std::path::Path) -> SledOptions {
    SledOptions { disk_free_bytes_min: 0, ..SledOptions::new(dir.join("db"), dir.join("mark")) }
}

/// An acknowledged write: whose, its how-manieth, and its entry's number.
type Ack = (u64, u64, u64);

#[tokio::test]
async fn what_was_acknowledged_survives_being_killed() {
    let mut dice = Dice::new(9);
    for _ in 0..FOLDERS {
        let dir = tempfile::tempdir().unwrap();
        let mut acked = Vec::new();
        for _ in 0..ROUNDS {
            let after = 1 + dice.roll(120);
            let more = run_and_kill(&dir, usize::try_from(after).unwrap());
            assert!(more.len() as u64 >= after);
            acked.extend(more);
            check(&dir, &acked).await;
        }
    }
}

fn run_and_kill(dir: &TempDir, after: usize) -> Vec<Ack> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::child", "--nocapture", "--test-threads=1"])
        .env(DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acks = lines.filter_map(|line| {
        let mut words = line.strip_prefix("ack ")?.split(' ').map(|word| word.parse().ok());
        Some((words.next()??, words.next()??, words.next()??))
    });
    let mut acked: Vec<Ack> = acks.by_ref().take(after).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts as well.
    acked.extend(acks);
    acked
}

async fn check(dir: &TempDir, acked: &[Ack]) {
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options(dir.path())).unwrap());
    let store = &store;
    let value = |name: String| async move {
        store.load::<Claim>(&name).await.unwrap().map(|found| found.value.value)
    };
    let size = *store.log_size().borrow();
    let leaves = store.log(0, LOG_ENTRIES_MAX).await.unwrap();
    assert_eq!(leaves.len() as u64, size, "no gap");
    let salts: Vec<String> =
        leaves.iter().map(|leaf| serde_json::from_slice::<Entry>(leaf).unwrap().salt).collect();
    for (writer, nth, seq) in acked {
        let salt = format!("{writer}-{nth}");
        assert_eq!(salts[usize::try_from(*seq).unwrap()], salt, "the entry is where it was said to be");
        assert_eq!(value(format!("written-{salt}")).await, Some("x".to_owned()));
    }
    // Not by halves: all parts of each writer's changesets go equally far.
    let mut all = 0;
    for writer in 0..WRITERS {
        let done: u64 = value(format!("progress-{writer}")).await.map_or(0, |done| done.parse().unwrap());
        for nth in 1..=done {
            assert!(value(format!("written-{writer}-{nth}")).await.is_some());
        }
        assert_eq!(value(format!("written-{writer}-{}", done + 1)).await, None);
        let newest = store.newest_entry(number(writer)).await.unwrap();
        let last = salts.iter().rposition(|salt| salt.starts_with(&format!("{writer}-")));
        assert_eq!(newest, last.map(|last| last as u64));
        all += done;
    }
    assert_eq!(size, all);
    assert_eq!(whole_chain(&**store).await.len() as u64, all);
    let shared: u64 = value("shared".to_owned()).await.map_or(0, |sum| sum.parse().unwrap());
    let of_sharers = salts.iter().filter(|salt| salt.starts_with("0-") || salt.starts_with("1-")).count();
    assert_eq!(shared, of_sharers as u64, "no increment lost, none twice");
}

/// No test of its own: it writes until it is killed, if it is told where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&options(dir.as_ref())).unwrap());
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write_on(Arc::clone(&store), writer)));
    join_all(writers).await.into_iter().for_each(Result::unwrap);
}

async fn write_on(store: Arc<dyn Store>, writer: u64) {
    let read = |name: String| {
        let store = &store;
        async move {
            let found = store.load::<Claim>(&name).await.unwrap();
            found.unwrap_or_else(|| Versioned::new(claim(&name, 0)))
        }
    };
    let counted = |mut claim: Versioned<Claim>| {
        claim.value.value = (claim.value.value.parse::<u64>().unwrap() + 1).to_string();
        claim
    };
    loop {
        let progress = counted(read(format!("progress-{writer}")).await);
        let salt = format!("{writer}-{}", progress.value.value);
        let mut changeset = Changeset::default();
        changeset.put_new(claim(&format!("written-{salt}"), "x"));
        if writer < 2 {
            changeset.put(counted(read("shared".to_owned()).await));
        }
        let newest = store.newest_entry(number(writer)).await.unwrap();
        changeset.entries.push(entry(number(writer), newest, &salt));
        changeset.audit.push(audit(&salt));
        let nth = progress.value.value.clone();
        changeset.put(progress);
        match store.commit(changeset).await {
            Ok(receipt) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "ack {writer} {nth} {}", receipt.first_seq.unwrap()).unwrap();
            }
            Err(error) => assert_eq!(error, StoreError::Stale),
        }
    }
}
