//! How long documents are kept, and what becomes of them when something dies.

use std::fs;
use std::path::PathBuf;

use zhengming::casework::Error;
use zhengming::domain::refusal::Refusal;
use zhengming::store::Role;

use super::{NUMBER, asked, files_in, ids, jpeg, png};
use crate::support::{Dispute, Moderator, World, seconds};

const HALF_A_DAY: i64 = 12 * 3_600;

async fn given<'a>(world: &'a World, alice: &Moderator<'_>) -> (Dispute<'a>, String) {
    let dispute = asked(world, alice).await;
    let id = ids(&dispute.hands_in(&[&jpeg(9)]).await.ok(201)).remove(0);
    (dispute, id)
}

/// Thirty days less a moment, and that moment.
async fn thirty_days(world: &World) {
    world.advance_days(29);
    world.advance(seconds(24 * 3_600 - 1));
    world.work().await;
    assert_eq!(files_in(world), 1, "not yet");
    world.advance(seconds(1));
    world.work().await;
}

async fn is_purged(world: &World, dispute: &Dispute<'_>) {
    assert_eq!(fs::read_dir(world.documents_dir()).unwrap().count(), 0);
    let view = dispute.look().await.ok(200);
    let document = &view["documents"][0];
    assert!(document["purged_at"].is_string() && document["bytes"].is_u64(), "{document}");
    assert_eq!(view["timeline"].as_array().unwrap().last().unwrap()["event"], "documents_purged");
}

#[tokio::test]
async fn a_closed_disputes_documents_are_deleted_after_thirty_days() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let (dispute, id) = given(&world, &alice).await;
    let case = alice.takes_next().await.ok(200);
    alice.decides(&case, "approve").await.ok(200);
    thirty_days(&world).await;
    is_purged(&world, &dispute).await;
    dispute.is("corrected").await;
    let carol = world.moderator("carol", Role::Senior).await;
    let (status, _, body) = carol.opens(&dispute.id, &id).await;
    assert_eq!(status, 410, "{}", String::from_utf8_lossy(&body));
    world.advance_days(400);
    world.work().await;
    is_purged(&world, &dispute).await;
}

#[tokio::test]
async fn so_are_those_of_one_that_was_withdrawn_or_ended_by_the_next_holder() {
    for by_next_holder in [false, true] {
        let world = World::new().await;
        let alice = world.moderator("alice", Role::Moderator).await;
        let (dispute, _) = given(&world, &alice).await;
        if by_next_holder {
            world.advance_days(2);
            world.pushes("cmcc", &[(NUMBER, "transferred", "2026-11-24")]).await;
            dispute.look().await.refused(401, "unauthenticated");
        } else {
            dispute.withdraws().await.ok(200);
        }
        thirty_days(&world).await;
        assert_eq!(fs::read_dir(world.documents_dir()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn an_appeal_keeps_them() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let (dispute, id) = given(&world, &alice).await;
    let case = alice.takes_next().await.ok(200);
    alice.decides(&case, "refuse").await.ok(200);
    world.advance_days(29);
    world.work().await;
    let fresh = dispute.with_fresh_token().await;
    fresh.appeals("they are clear enough").await.ok(200);
    world.advance_days(20);
    world.work().await;
    assert_eq!(files_in(&world), 1);
    let bob = world.moderator("bob", Role::Moderator).await;
    let case = bob.takes_next().await.ok(200);
    assert_eq!(bob.opens(&dispute.id, &id).await.0, 200);
    bob.decides(&case, "refuse").await.ok(200);
    thirty_days(&world).await;
    is_purged(&world, &fresh).await;
}

#[tokio::test]
async fn what_no_dispute_names_is_swept_and_the_rest_stays() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let (dispute, id) = given(&world, &alice).await;
    let own = world.documents_dir().join(&dispute.id);
    // As a crash leaves them: before the rename, before the commit, before anything.
    let orphan = "019ab000-0000-7000-8000-000000000000";
    let nobodys = world.documents_dir().join(orphan);
    fs::create_dir(&nobodys).unwrap();
    fs::create_dir(world.documents_dir().join("019ab001-0000-7000-8000-000000000000")).unwrap();
    for path in [own.join(orphan), own.join(format!("{orphan}.part")), nobodys.join(orphan)] {
        fs::write(path, "half of it").unwrap();
    }
    world.restarted([7; 32]).sweep_documents().await.unwrap();
    let left: Vec<PathBuf> =
        fs::read_dir(world.documents_dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [own]);
    assert_eq!(files_in(&world), 1);
    alice.takes_next().await.ok(200);
    assert_eq!(alice.opens(&dispute.id, &id).await.0, 200);
}

#[tokio::test]
async fn a_restart_reads_them_and_another_key_says_so() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let (dispute, id) = given(&world, &alice).await;
    alice.takes_next().await.ok(200);
    let actor = world.casework.moderator(&alice.token).await.unwrap();
    let (dispute_id, id_read) = (dispute.id.parse().unwrap(), id.parse().unwrap());
    let shown = world.restarted([7; 32]).show_document(&actor, dispute_id, id_read).await.unwrap();
    assert!(shown.bytes.starts_with(b"\xff\xd8"));
    let refused = world.restarted([8; 32]).show_document(&actor, dispute_id, id_read).await.unwrap_err();
    assert_eq!(refused, Error::Refused(Refusal::DocumentDamaged));
    assert!(refused.to_string().contains("another secret key"), "{refused}");
}

#[tokio::test]
async fn a_file_in_anothers_place_is_noticed() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let both = ids(&dispute.hands_in(&[&jpeg(1), &png(2)]).await.ok(201));
    let folder = world.documents_dir().join(&dispute.id);
    fs::copy(folder.join(&both[0]), folder.join(&both[1])).unwrap();
    alice.takes_next().await.ok(200);
    assert_eq!(alice.opens(&dispute.id, &both[0]).await.0, 200);
    let (status, _, body) = alice.opens(&dispute.id, &both[1]).await;
    let said = String::from_utf8(body).unwrap();
    assert!(status == 410 && said.contains("document_damaged"), "{said}");
    fs::remove_file(folder.join(&both[0])).unwrap();
    let (status, _, body) = alice.opens(&dispute.id, &both[0]).await;
    let said = String::from_utf8(body).unwrap();
    assert!(status == 410 && said.contains("missing"), "{said}");
}

#[tokio::test]
async fn in_time_is_in_time() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    world.advance_days(15);
    world.advance(seconds(HALF_A_DAY));
    world.work().await;
    dispute.hands_in(&[&jpeg(1)]).await.ok(201);
    world.advance_days(3);
    world.work().await;
    dispute.is("in_review").await;
    // Asked for once more, and not given: the case ends, and what was given goes with it.
    let alice = world.moderator("alice-2", Role::Moderator).await;
    let case = alice.takes_next().await.ok(200);
    alice.decides(&case, "ask").await.ok(200);
    world.advance_days(16);
    world.work().await;
    dispute.refused_with("evidence_lapsed").await;
    world.advance_days(30);
    world.work().await;
    assert_eq!(files_in(&world), 0);
}
