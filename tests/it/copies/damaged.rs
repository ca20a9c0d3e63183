//! What is not a whole copy of a known kind is refused before anything is
//! written, with words that say what is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zhengming::store::Store;
use zhengming::store::memory::MemoryStore;

use super::{Any, a_copy, export, import};
use crate::store::engines;
use crate::support::files::copy;

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap()
}

fn part(dir: &Path, holds: &str) -> PathBuf {
    let manifest = manifest(dir);
    let parts = manifest["parts"].as_array().unwrap();
    let file = parts.iter().find(|part| part["holds"] == holds).unwrap()["file"].as_str().unwrap();
    dir.join(file)
}

/// What an import of a changed copy says. Nothing was written.
async fn said(dir: &Path, change: impl FnOnce(&Path)) -> String {
    let changed = tempfile::tempdir().unwrap();
    let changed = changed.path().join("copy");
    copy(dir, &changed);
    change(&changed);
    let to = MemoryStore::new();
    let said = import(&changed, &to).await.unwrap_err().to_string();
    let mut everything = to.everything().await.unwrap();
    assert!(everything.next().await.unwrap().is_empty(), "nothing was written: {said}");
    said
}

/// Changes the manifest alone.
fn with_manifest(dir: &Path, change: impl FnOnce(&mut Value)) {
    let mut manifest = manifest(dir);
    change(&mut manifest);
    fs::write(dir.join("manifest.json"), manifest.to_string()).unwrap();
}

#[tokio::test]
async fn a_damaged_part_is_refused_by_name() {
    let (_, dir) = a_copy(31, 60).await;
    for holds in ["records", "log", "audit"] {
        let file = part(dir.path(), holds).file_name().unwrap().to_string_lossy().into_owned();
        let flipped = said(dir.path(), |dir| {
            let mut bytes = fs::read(dir.join(&file)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(dir.join(&file), bytes).unwrap();
        });
        let flipped = flipped.await;
        assert!(flipped.contains(&file) && flipped.contains("is damaged"), "{flipped}");
        let cut = said(dir.path(), |dir| {
            let bytes = fs::read(dir.join(&file)).unwrap();
            fs::write(dir.join(&file), &bytes[..bytes.len() - 1]).unwrap();
        });
        assert!(cut.await.contains("is damaged"));
        let gone = said(dir.path(), |dir| fs::remove_file(dir.join(&file)).unwrap()).await;
        assert!(gone.contains(&file), "{gone}");
    }
}

#[tokio::test]
async fn a_copy_without_its_manifest_was_cut_short() {
    let (_, dir) = a_copy(32, 20).await;
    let cut = said(dir.path(), |dir| fs::remove_file(dir.join("manifest.json")).unwrap()).await;
    assert!(cut.contains("cut short"), "{cut}");
}

#[tokio::test]
async fn other_formats_are_refused() {
    let (_, dir) = a_copy(33, 20).await;
    let later = said(dir.path(), |dir| with_manifest(dir, |it| it["version"] = json!(2))).await;
    assert!(later.contains("version 2") && later.contains("knows 1"), "{later}");
    let other = said(dir.path(), |dir| with_manifest(dir, |it| it["format"] = json!("tar"))).await;
    assert!(other.contains("no format of a copy"), "{other}");
    let outside = |it: &mut Value| it["parts"][0]["file"] = json!("../secret.key");
    let outside = said(dir.path(), |dir| with_manifest(dir, outside)).await;
    assert!(outside.contains("is not in the folder"), "{outside}");
}

/// Somebody edits a line and writes the right checksum into the manifest.
#[tokio::test]
async fn lines_that_do_not_hold_together_are_refused() {
    let (store, _) = a_copy(34, 60).await;
    let dir = tempfile::tempdir().unwrap();
    let plain = zhengming::cli::copies::export::Shape { is_plain: true, ..super::small() };
    export(&*store, dir.path(), &plain).await.unwrap();
    let edited = |holds: &'static str, from: &'static str, to: &'static str| {
        said(dir.path(), move |dir| {
            let path = part(dir, holds);
            let text = fs::read_to_string(&path).unwrap().replacen(from, to, 1);
            fs::write(&path, &text).unwrap();
            let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            with_manifest(dir, |it| {
                let parts = it["parts"].as_array_mut().unwrap();
                let part = parts.iter_mut().find(|part| part["file"] == file.as_str()).unwrap();
                part["sha256"] = json!(digest);
                part["bytes"] = json!(text.len());
            });
        })
    };
    let audit = edited("audit", "\"actor\":\"", "\"actor\":\"x").await;
    assert!(audit.contains("the audit line 0 does not follow"), "{audit}");
    let log = edited("log", "\"salt\":\"", "\"salt\":\"x").await;
    assert!(log.contains("signed for") && log.contains("have the root"), "{log}");
    let record = edited("records", "\"record\":{", "\"record\":{\"x\":1,").await;
    assert!(record.contains("do not hold what the manifest says"), "{record}");
    let record = edited("records", "\"kind\":\"", "\"kind\":\"x").await;
    assert!(record.contains("line 0 of"), "{record}");
}

#[tokio::test]
async fn a_folder_that_holds_something_is_left_alone() {
    let (_, dir) = a_copy(35, 20).await;
    let to: Any = engines::memory().await.store.clone();
    import(dir.path(), &*to).await.unwrap();
    let again = export(&*to, dir.path(), &super::small()).await.unwrap_err().to_string();
    assert!(again.contains("is not empty"), "{again}");
}
