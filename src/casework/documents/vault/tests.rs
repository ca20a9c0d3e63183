use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const KEY: [u8; 32] = [1; 32];
const NONCE: [u8; NONCE_BYTES] = [2; NONCE_BYTES];

fn place(nth: u128) -> Place {
    Place { dispute: DisputeId(Uuid::from_u128(7)), document: DocumentId(Uuid::from_u128(nth)) }
}

async fn with_one() -> (TempDir, Vault, Fresh) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(&dir.path().join("documents")).unwrap();
    let fresh = vault.put(KEY, NONCE, place(1), b"what it says".to_vec()).await.unwrap();
    (dir, vault, fresh)
}

fn damaged() -> Result<Option<Vec<u8>>> {
    Err(Refusal::DocumentDamaged.into())
}

#[tokio::test]
async fn what_is_put_is_read_and_lies_there_sealed() {
    let (_dir, vault, _fresh) = with_one().await;
    assert_eq!(vault.read(KEY, place(1)).await, Ok(Some(b"what it says".to_vec())));
    assert_eq!(vault.read(KEY, place(2)).await, Ok(None));
    let path = vault.path_of(place(1));
    let file = fs::read(&path).unwrap();
    assert!(memchr::memmem::find(&file, b"says").is_none());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap()), mode(&vault.dir)), (0o600, 0o700, 0o700));
    assert_eq!(names_in(path.parent().unwrap()).unwrap().len(), 1, "no part is left");
    let again = Vault::open(&vault.dir).unwrap();
    assert!(again.read(KEY, place(1)).await.unwrap().is_some(), "also after a restart");
}

#[tokio::test]
async fn every_changed_bit_is_noticed() {
    let (_dir, vault, _fresh) = with_one().await;
    let path = vault.path_of(place(1));
    let file = fs::read(&path).unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(vault.read(KEY, place(1)).await, damaged(), "byte {at}");
        fs::write(&path, &file[..at]).unwrap();
        assert_eq!(vault.read(KEY, place(1)).await, damaged(), "cut at {at}");
    }
}

#[tokio::test]
async fn a_file_opens_in_its_own_place_with_its_own_key_only() {
    let (_dir, vault, _fresh) = with_one().await;
    assert_eq!(vault.read([9; 32], place(1)).await, damaged());
    fs::copy(vault.path_of(place(1)), vault.path_of(place(2))).unwrap();
    assert_eq!(vault.read(KEY, place(2)).await, damaged());
    let elsewhere = Place { dispute: DisputeId(Uuid::from_u128(8)), ..place(1) };
    fs::create_dir(vault.dir_of(elsewhere.dispute)).unwrap();
    fs::copy(vault.path_of(place(1)), vault.path_of(elsewhere)).unwrap();
    assert_eq!(vault.read(KEY, elsewhere).await, damaged());
}

#[tokio::test]
async fn what_nobody_was_told_of_goes_when_it_is_dropped() {
    let (_dir, vault, fresh) = with_one().await;
    drop(fresh);
    assert_eq!(vault.read(KEY, place(1)).await, Ok(None));
    vault.put(KEY, NONCE, place(1), Vec::new()).await.unwrap().leave();
    assert_eq!(vault.read(KEY, place(1)).await, Ok(Some(Vec::new())));
    vault.remove_all(place(1).dispute).await.unwrap();
    assert_eq!(vault.listed().await, Ok(Vec::new()));
    vault.remove_all(place(1).dispute).await.unwrap();
}

#[tokio::test]
async fn work_that_panics_is_a_refusal_and_gives_its_place_back() {
    let (_dir, vault, _fresh) = with_one().await;
    for _ in 0..2 * WORKS_AT_ONCE_MAX {
        // Past the hook, which would tell of a failed test.
        let worked = vault.work::<()>(|| std::panic::resume_unwind(Box::new(()))).await;
        assert!(matches!(worked, Err(Error::Refused(Refusal::DocumentUnreadable { .. }))), "{worked:?}");
    }
    assert_eq!(vault.work(|| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn so_many_uploads_at_once() {
    let (_dir, vault, _fresh) = with_one().await;
    let places: Vec<_> = (0..UPLOADS_AT_ONCE_MAX).map(|_| vault.place_to_upload().unwrap()).collect();
    assert!(matches!(vault.place_to_upload(), Err(Error::Busy(_))));
    drop(places);
    drop(vault.place_to_upload().unwrap());
}
