//! A database in fresh files: the same to everybody who asks, without what was
//! deleted; and cut short anywhere it is the old one or the fresh one, whole.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use zhengming::cli::Failed;
use zhengming::cli::copies::rewrite::{Sizes, rewritten};
use zhengming::store::sled::rewrite::rewritten_at;
use zhengming::store::sled::{SledOptions, SledStore};
use zhengming::store::{Changeset, Claim, Put, Record, StoreError};

use super::{Any, nothing, played, signed};
use crate::store::engines::sled_options;
use crate::store::sled::below;
use crate::store::twins::look;
use crate::support::audit::whole_chain;
use crate::support::files::{copy, holds};
use crate::support::records::{at, audit, claim};

const SEED: u64 = 3;

fn opened(options: &SledOptions) -> Any {
    Arc::new(SledStore::open(options).unwrap())
}

async fn rewrite(options: &SledOptions) -> Result<Sizes, Failed> {
    rewritten(options, at(9), &nothing).await
}

fn in_folder(dir: &Path) -> SledOptions {
    SledOptions { disk_free_bytes_min: 0, ..SledOptions::new(dir.join("db"), dir.join("mark")) }
}

fn beside(options: &SledOptions) -> PathBuf {
    options.dir.with_file_name("db.rewriting")
}

/// A database with a history, closed.
async fn database(seed: u64) -> (TempDir, SledOptions) {
    let dir = tempfile::tempdir().unwrap();
    let options = sled_options(&dir);
    played(&opened(&options), seed, 200).await;
    (dir, options)
}

#[tokio::test]
async fn every_answer_stays_and_it_goes_on_as_it_was() {
    let (_dir, options) = database(71).await;
    let store = opened(&options);
    let mut changeset = Changeset::default();
    changeset.put_new(claim("before", 1));
    store.commit(changeset).await.unwrap();
    let read = store.load::<Claim>(&"before".to_owned()).await.unwrap().unwrap();
    let (seen, chain) = (look(&*store, SEED).await, whole_chain(&*store).await);
    let log = store.log(0, 10_000).await.unwrap();
    let checkpoint = signed(&store).await;
    drop(store);
    let mark = fs::read(&options.mark_path).unwrap();

    rewrite(&options).await.unwrap();
    assert_eq!(rewritten_at(&options.dir), Some(at(9)));
    assert!(!beside(&options).exists());
    let store = opened(&options);
    assert_eq!(look(&*store, SEED).await, seen);
    assert_eq!(whole_chain(&*store).await, chain);
    assert_eq!(store.log(0, 10_000).await.unwrap(), log, "byte for byte");
    assert_eq!(signed(&store).await, checkpoint);
    assert_ne!(fs::read(&options.mark_path).unwrap(), mark, "a mark that goes on");
    // Versions are what they were: who has read a record may replace it, once.
    let put = || Changeset {
        puts: vec![Put { record: Record::Claim(claim("before", 2)), expected: read.version }],
        ..Changeset::default()
    };
    store.commit(put()).await.unwrap();
    assert_eq!(store.commit(put()).await, Err(StoreError::Stale));
    drop(store);
    played(&opened(&options), 72, 20).await;
}

/// Claims with a word that is nowhere else.
async fn claims(store: &Any, word: &str, count: u64) {
    for first in (0..count).step_by(100) {
        let mut changeset = Changeset::default();
        for nth in first..(first + 100).min(count) {
            changeset.put_new(claim(&format!("{word}-{nth}"), format!("{word} {}", "x".repeat(400))));
        }
        changeset.audit.push(audit(first));
        store.commit(changeset).await.unwrap();
    }
}

async fn forget(store: &Any, word: &str, count: u64) {
    for nth in 0..count {
        let found = store.load::<Claim>(&format!("{word}-{nth}")).await.unwrap().unwrap();
        let mut changeset = Changeset::default();
        changeset.delete(&found);
        store.commit(changeset).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_deleted_is_in_no_file_any_more_and_takes_no_room() {
    let (dir, options) = database(73).await;
    let room = dir.path();
    let store = opened(&options);
    claims(&store, "secret-of-somebody", 3_000).await;
    claims(&store, "kept-for-ever", 50).await;
    forget(&store, "secret-of-somebody", 3_000).await;
    let seen = look(&*store, SEED).await;
    drop(store);
    // sled says that it is gone, and its files have it.
    assert!(holds(room, b"secret-of-somebody"));
    let sizes = rewrite(&options).await.unwrap();
    assert!(!holds(room, b"secret-of-somebody") && holds(room, b"kept-for-ever"));
    assert!(sizes.after * 2 < sizes.before, "{sizes:?}");
    let store = opened(&options);
    assert_eq!(look(&*store, SEED).await, seen);
    drop(store);
    let again = rewrite(&options).await.unwrap();
    assert_eq!(again.before, sizes.after, "nothing was left beside it");
    assert!(again.after <= again.before, "{again:?}");
}

const DIR: &str = "ZHENGMING_TEST_REWRITE_DIR";
const STEP: &str = "ZHENGMING_TEST_REWRITE_STEP";
/// What is said at the beginning of each step.
const STEPS: [&str; 5] = ["reading", "copying", "reading again", "changing places", "removing the old one"];

/// Kills a process that rewrites the database when it is at a step.
fn killed_at(step: &str, dir: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "copies::rewriting::child", "--nocapture", "--test-threads=1"])
        .envs([(DIR, dir.as_os_str()), (STEP, step.as_ref())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let came = lines.into_iter().any(|line| line == format!("at {step}"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(came, "it never came to {step}");
}

/// No test of its own: it rewrites as far as it is told, and waits to be killed.
#[tokio::test]
async fn child() {
    let (Some(dir), Some(step)) = (std::env::var_os(DIR), std::env::var_os(STEP)) else { return };
    let told = |what: &'static str, _: u64, _: u64| {
        if step == what {
            writeln!(std::io::stdout().lock(), "\nat {what}").unwrap();
            loop {
                std::thread::park();
            }
        }
    };
    rewritten(&in_folder(dir.as_ref()), at(9), &told).await.unwrap();
}

#[tokio::test]
async fn killed_at_any_step_it_is_one_of_the_two_and_whole() {
    let (from, options) = database(74).await;
    let store = opened(&options);
    claims(&store, "secret-of-somebody", 300).await;
    forget(&store, "secret-of-somebody", 300).await;
    let seen = look(&*store, SEED).await;
    drop(store);
    for step in STEPS {
        let dir = tempfile::tempdir().unwrap();
        copy(from.path(), dir.path());
        killed_at(step, dir.path());
        let options = in_folder(dir.path());
        let is_fresh = rewritten_at(&options.dir).is_some();
        assert_eq!(is_fresh, step == "removing the old one", "{step}");
        assert_eq!(beside(&options).exists(), step != "reading", "{step}");
        let again = tempfile::tempdir().unwrap();
        copy(dir.path(), again.path());
        // The next start finds a whole one, and takes away the other.
        let store = opened(&options);
        assert_eq!(look(&*store, SEED).await, seen, "{step}");
        drop(store);
        assert!(!beside(&options).exists(), "{step}");
        assert_eq!(holds(dir.path(), b"secret-of-somebody"), !is_fresh, "{step}");
        // And so does the next rewriting.
        let options = in_folder(again.path());
        rewrite(&options).await.unwrap();
        assert!(!beside(&options).exists() && !holds(again.path(), b"secret-of-somebody"), "{step}");
        assert_eq!(look(&*opened(&options), SEED).await, seen, "{step}");
    }
}

#[tokio::test]
async fn whatever_lies_beside_it_is_never_looked_at() {
    let (_dir, options) = database(75).await;
    let seen = look(&*opened(&options), SEED).await;
    for leftover in [&[][..], &["conf"], &["db", "blobs/7"]] {
        for name in leftover {
            let path = beside(&options).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a part of something").unwrap();
        }
        fs::create_dir_all(beside(&options)).unwrap();
        assert_eq!(look(&*opened(&options), SEED).await, seen);
        assert!(!beside(&options).exists());
    }
}

#[tokio::test]
async fn one_that_does_not_hold_together_is_left_alone() {
    let (_dir, options) = database(76).await;
    let db = below(&options.dir);
    let line = db.scan_prefix([0x22]).keys().next().unwrap().unwrap();
    db.remove(line).unwrap();
    db.flush().unwrap();
    drop(db);
    let refused = rewrite(&options).await.unwrap_err().to_string();
    assert!(refused.contains("the audit line 0 is missing"), "{refused}");
    assert!(!beside(&options).exists() && rewritten_at(&options.dir).is_none());
}

#[tokio::test]
async fn one_that_somebody_has_open_is_left_alone() {
    let (_dir, options) = database(77).await;
    let store = opened(&options);
    let hasty = SledOptions { lock_wait: Duration::ZERO, ..options.clone() };
    let refused = rewrite(&hasty).await.unwrap_err().to_string();
    assert!(refused.contains("in use by another process"), "{refused}");
    look(&*store, SEED).await;
}

#[tokio::test]
async fn without_room_for_a_second_one_nothing_is_begun() {
    let (_dir, options) = database(78).await;
    let greedy = SledOptions { disk_free_bytes_min: u64::MAX, ..options.clone() };
    let refused = rewrite(&greedy).await.unwrap_err().to_string();
    assert!(refused.contains("a second database") && refused.contains("MiB free"), "{refused}");
    assert!(!beside(&options).exists());
}

/// Its place is where it lies, whatever leads there.
#[tokio::test]
async fn behind_a_link_the_link_stays() {
    let (dir, options) = database(79).await;
    let seen = look(&*opened(&options), SEED).await;
    let link = dir.path().join("elsewhere");
    symlink(&options.dir, &link).unwrap();
    let linked = SledOptions { dir: link.clone(), ..options.clone() };
    rewrite(&linked).await.unwrap();
    assert!(link.is_symlink() && rewritten_at(&options.dir).is_some());
    assert_eq!(look(&*opened(&linked), SEED).await, seen);
}
