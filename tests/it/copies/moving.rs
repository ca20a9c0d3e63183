//! From each engine to each: every answer is the same afterwards.

use std::sync::Arc;

use zhengming::cli::copies::export::Shape;

use super::{Any, export, import, played, signed, small};
use crate::store::engines::{self, Engine};
use crate::store::twins::look;
use crate::support::audit::whole_chain;

async fn moves(from: Engine, to: Engine, seed: u64) {
    let (from, to): (&Any, &Any) = (&from, &to);
    played(from, seed, 150).await;
    let dir = tempfile::tempdir().unwrap();
    let shape = Shape { is_plain: seed.is_multiple_of(2), ..small() };
    let manifest = export(&**from, dir.path(), &shape).await.unwrap();
    assert!(manifest.parts.len() > 5, "{manifest:#?}");
    import(dir.path(), &**to).await.unwrap();
    for seed in 0..5 {
        assert_eq!(look(&**from, seed).await, look(&**to, seed).await);
    }
    let size = *from.log_size().borrow();
    assert!(size > 0 && *to.log_size().borrow() == size);
    let all = usize::try_from(size).unwrap();
    assert_eq!(from.log(0, all).await.unwrap(), to.log(0, all).await.unwrap(), "byte for byte");
    assert_eq!(whole_chain(&**from).await, whole_chain(&**to).await);
    assert_eq!(signed(from).await, signed(to).await, "the same checkpoint for the same size");
    // A copy of the other one amounts to the same.
    let again = tempfile::tempdir().unwrap();
    let of_the_other = export(&**to, again.path(), &small()).await.unwrap();
    assert_eq!(of_the_other.total, manifest.total);
    // And it goes on as a store does.
    played(to, seed + 1, 20).await;
}

#[tokio::test]
async fn from_memory_to_sled_and_back() {
    moves(engines::memory().await, engines::sled().await, 1).await;
    moves(engines::sled().await, engines::memory().await, 2).await;
}

#[tokio::test]
async fn from_sled_to_postgres() {
    moves(engines::sled().await, engines::postgres().await, 3).await;
}

#[tokio::test]
async fn from_postgres_to_sled() {
    moves(engines::postgres().await, engines::sled().await, 4).await;
}

#[tokio::test]
async fn to_another_of_the_same_kind() {
    moves(engines::sled().await, engines::sled().await, 5).await;
    moves(engines::postgres().await, engines::postgres().await, 6).await;
}

#[tokio::test]
async fn an_empty_store_moves_too() {
    let (from, to) = (engines::memory().await, engines::sled().await);
    let dir = tempfile::tempdir().unwrap();
    let manifest = export(&*from.store, dir.path(), &small()).await.unwrap();
    assert_eq!(manifest.parts, []);
    import(dir.path(), &*to.store).await.unwrap();
    assert_eq!(look(&*from.store, 1).await, look(&*to.store, 1).await);
}

/// Two services of one secret are two stores of one history: they are not mixed.
#[tokio::test]
async fn what_holds_something_is_left_alone() {
    for to in [engines::memory().await, engines::sled().await, engines::postgres().await] {
        let (_, dir) = super::a_copy(7, 30).await;
        let to: &Any = &to;
        played(to, 8, 3).await;
        let before = look(&**to, 1).await;
        let said = import(dir.path(), &**to).await.unwrap_err().to_string();
        assert!(said.contains("holds something already"), "{said}");
        assert_eq!(look(&**to, 1).await, before);
    }
}

#[tokio::test]
async fn a_copy_is_taken_once() {
    let (_, dir) = super::a_copy(9, 30).await;
    let to: Any = Arc::clone(&engines::memory().await.store);
    import(dir.path(), &*to).await.unwrap();
    let said = import(dir.path(), &*to).await.unwrap_err().to_string();
    assert!(said.contains("holds something already"), "{said}");
    zhengming::cli::copies::must_be_whole(&*to).await.unwrap();
}
