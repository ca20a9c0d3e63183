//! What nginx keeps, and what it must not.

use super::gate::SOMEBODY;
use super::town::Town;
use crate::process::wire::{Reply, get};

const TILE: &str = "/feed/v1/tile/0/000.p/1";
const BUNDLE: &str = "/feed/v1/tile/entries/000.p/1";

fn cached(reply: &Reply) -> &str {
    reply.field("x-cache-status").unwrap_or("none")
}

#[test]
fn a_tile_is_fetched_once() {
    let mut town = Town::new();
    town.release(&town.operator_key(), 1);
    let first = town.gate.told_from(SOMEBODY, &get(TILE)).ok(200);
    assert_eq!((cached(&first), first.body.len()), ("MISS", 32));
    // With a key, with a cookie, with any query: it is the same tile.
    let with_more = get(&format!("{TILE}?a=b")).bearer("zmp_x").field("cookie", "a=b");
    let kept = |request| town.gate.told_from(SOMEBODY, request).ok(200);
    for again in [kept(&get(TILE)), kept(&with_more)] {
        assert_eq!((cached(&again), &again.body), ("HIT", &first.body));
        assert_eq!(again.field("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(["ratelimit", "ratelimit-policy"].iter().all(|own| again.field(own).is_none()));
        assert!(again.field("strict-transport-security").is_some());
    }
    let known = get(TILE).field("if-none-match", first.field("etag").unwrap());
    town.gate.told_from(SOMEBODY, &known).ok(304);

    // Nobody has to be there any more.
    town.first = None;
    town.second = None;
    assert_eq!(town.gate.told_from(SOMEBODY, &get(TILE)).ok(200).body, first.body);
}

#[test]
fn a_tile_that_is_not_there_yet_is_asked_for_again() {
    let town = Town::new();
    let operator = town.operator_key();
    town.gate.ask(&get(TILE)).refused(404, "not_found");
    town.release(&operator, 1);
    let there = town.gate.told_from(SOMEBODY, &get(TILE)).ok(200);
    assert_eq!(cached(&there), "MISS");
}

#[test]
fn a_checkpoint_is_kept_for_a_second_and_assets_for_longer() {
    let town = Town::new();
    let had = |path: &str| town.gate.told_from(SOMEBODY, &get(path)).ok(200);
    let checkpoint = || had("/feed/v1/checkpoint");
    assert_eq!(cached(&checkpoint()), "MISS");
    let again = checkpoint();
    assert!(["HIT", "EXPIRED", "REVALIDATED"].contains(&cached(&again)), "{}", again.head);
    for (path, kept) in [("/feed/v1/key", "HIT"), ("/assets/style.css", "HIT"), ("/stats", "none")] {
        had(path);
        assert_eq!(cached(&had(path)), kept, "{path}");
    }
}

#[test]
fn what_needs_a_key_is_never_kept() {
    let town = Town::new();
    town.release(&town.operator_key(), 1);
    let key = town.provider_key();
    // A snapshot's file is made in the background: its place is asked for only.
    for path in [BUNDLE, "/feed/v1/corrections", "/feed/v1/corrections/8613800000001", "/feed/v1/snapshot"] {
        for _ in 0..2 {
            let had = town.gate.ask(&get(path).bearer(&key));
            assert_ne!(had.status, 401, "{path}");
            assert_eq!(cached(&had), "none", "{path}");
        }
        town.gate.ask(&get(path)).refused(401, "unauthenticated");
        town.gate.ask(&get(path).bearer("zmp_x")).refused(401, "unauthenticated");
    }
    let bundle = town.gate.ask(&get(BUNDLE).bearer(&key)).ok(200);
    assert!(bundle.field("cache-control").unwrap().starts_with("private, "), "{}", bundle.head);
}
