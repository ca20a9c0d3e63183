//! Documents: asked for, handed in, looked at, decided on, and forgotten.

mod bodies;
mod kept;

use image::ImageFormat;
use serde_json::{Value, json};
use zhengming::store::Role;

use crate::support::pictures::picture;
use crate::support::{Answer, Dispute, Moderator, World};

const NUMBER: &str = "+8613800138000";

pub fn jpeg(shade: u8) -> Vec<u8> {
    picture(ImageFormat::Jpeg, shade)
}

fn png(shade: u8) -> Vec<u8> {
    picture(ImageFormat::Png, shade)
}

/// One page, written by hand.
fn pdf() -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        "<</Length 12>>stream\n0 0 9 9 re f\nendstream",
    ];
    let mut text = String::from("%PDF-1.4\n");
    let mut table = String::from("xref\n0 5\n0000000000 65535 f \n");
    for (nth, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", text.len());
        text += &format!("{} 0 obj\n{object}\nendobj\n", nth + 1);
    }
    let at = text.len();
    format!("{text}{table}trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n{at}\n%%EOF").into_bytes()
}

/// A dispute of which the operator knows nothing, and a moderator has asked.
pub async fn asked<'a>(world: &'a World, moderator: &Moderator<'_>) -> Dispute<'a> {
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let case = dispute.in_review_for("operator_unknown", moderator).await;
    moderator.decides(&case, "ask").await.ok(200);
    dispute.is("needs_evidence").await;
    dispute
}

fn ids(answer: &Answer) -> Vec<String> {
    let documents = answer["documents"].as_array().unwrap();
    documents.iter().map(|document| document["id"].as_str().unwrap().to_owned()).collect()
}

pub fn files_in(world: &World) -> usize {
    let folders = std::fs::read_dir(world.documents_dir()).unwrap();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn documents_are_asked_for_given_looked_at_and_decided_on_by_two() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let fraud = json!({ "number": NUMBER, "kind": "category", "category": "fraud", "source": "crowd",
        "first_marked_on": "2023-01-01", "last_marked_on": "2023-02-01" });
    world.shows("baidu", &[fraud]).await;
    let dispute = asked(&world, &alice).await;
    let asked = dispute.look().await["timeline"].as_array().unwrap().last().unwrap()["text"].clone();
    for told in ["2026-12-08", "涂黑", "运营商印章", "30 天"] {
        assert!(asked.as_str().unwrap().contains(told), "{asked}");
    }

    let handed = dispute.hands_in(&[&jpeg(200), &png(100), &pdf()]).await.ok(201);
    assert_eq!(handed["status"], "in_review");
    let kinds: Vec<&Value> =
        handed["documents"].as_array().unwrap().iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["jpeg", "png", "pdf"]);
    assert_eq!(handed.headers["cache-control"], "no-store");
    let view = dispute.is("in_review").await;
    assert_eq!(view["documents"], handed["documents"]);
    assert_eq!(view["timeline"].as_array().unwrap().last().unwrap()["event"], "documents_given");

    let case = alice.takes_next().await.ok(200);
    assert_eq!(case["documents"], handed["documents"]);
    for (id, (kind, beginning)) in ids(&handed).iter().zip([
        ("image/jpeg", &b"\xff\xd8\xff"[..]),
        ("image/png", b"\x89PNG"),
        ("application/pdf", b"%PDF-"),
    ]) {
        let (status, headers, bytes) = alice.opens(&dispute.id, id).await;
        assert_eq!((status, &headers["content-type"]), (200, &http::HeaderValue::from_static(kind)));
        assert!(bytes.starts_with(beginning));
    }
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    dispute.hands_in(&[&jpeg(1)]).await.refused(409, "wrong_state");
    let case = bob.takes_next().await.ok(200);
    assert_eq!(bob.opens(&dispute.id, &ids(&case)[0]).await.0, 200);
    assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
    let view = dispute.is("corrected").await;
    assert_eq!(view["correction"]["assurance"], "document");
    dispute.hands_in(&[&jpeg(1)]).await.refused(409, "wrong_state");
}

#[tokio::test]
async fn without_harm_one_person_decides_on_documents() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    dispute.hands_in(&[&jpeg(7)]).await.ok(201);
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "corrected");
    assert_eq!(dispute.is("corrected").await["correction"]["assurance"], "document");
}

#[tokio::test]
async fn more_may_follow_until_it_is_decided_and_the_same_again_is_the_same() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = asked(&world, &alice).await;
    let first = dispute.hands_in(&[&jpeg(1)]).await.ok(201);
    let again = dispute.hands_in(&[&jpeg(1)]).await.ok(200);
    assert_eq!(ids(&again), ids(&first));
    let both = dispute.hands_in(&[&jpeg(1), &jpeg(2), &jpeg(2)]).await.ok(201);
    assert_eq!((both["documents"].as_array().unwrap().len(), &ids(&both)[0]), (2, &ids(&first)[0]));
    assert_eq!(files_in(&world), 2);

    // Who has begun to decide sees what came in between before deciding.
    let case = alice.takes_next().await.ok(200);
    dispute.hands_in(&[&png(3)]).await.ok(201);
    alice.decides(&case, "approve").await.refused(409, "stale");
    let case = alice.looks_at(&dispute.id).await.ok(200);
    assert_eq!(ids(&case).len(), 3);

    dispute.hands_in(&[&jpeg(4), &jpeg(5), &jpeg(6), &jpeg(7)]).await.refused(422, "documents_too_many");
    assert_eq!((ids(&dispute.look().await).len(), files_in(&world)), (3, 3), "all of them or none");
    dispute.hands_in(&[&jpeg(4), &jpeg(5), &jpeg(6)]).await.ok(201);
    dispute.hands_in(&[&jpeg(1)]).await.ok(200);
    dispute.hands_in(&[&jpeg(8)]).await.refused(422, "documents_too_many");
}

#[tokio::test]
async fn nobody_hands_in_what_was_not_asked_for() {
    let world = World::new().await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("in_review").await;
    let before = world.changes();
    dispute.hands_in(&[&jpeg(1)]).await.refused(409, "wrong_state");
    let mut stranger = dispute;
    stranger.token = "zmd_AAAA".to_owned();
    stranger.hands_in(&[&jpeg(1)]).await.refused(401, "unauthenticated");
    assert_eq!((world.changes(), files_in(&world)), (before, 0));
}

#[tokio::test]
async fn only_who_has_the_case_in_hand_opens_a_document() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let carol = world.moderator("carol", Role::Senior).await;
    let dispute = asked(&world, &alice).await;
    let id = ids(&dispute.hands_in(&[&jpeg(9)]).await.ok(201)).remove(0);
    let problem = |(status, _, body): (u16, http::HeaderMap, Vec<u8>)| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, body["code"].as_str().unwrap().to_owned())
    };
    // Alice asked for it, but does not have the case now.
    for moderator in [&alice, &bob] {
        assert_eq!(problem(moderator.opens(&dispute.id, &id).await), (403, "forbidden".to_owned()));
    }
    let path = format!("/v1/moderation/disputes/{}/documents/{id}", dispute.id);
    let holders = world.client.download(&path, &dispute.token).await;
    assert_eq!(problem(holders), (401, "unauthenticated".to_owned()));

    bob.takes_next().await.ok(200);
    let (status, headers, shown) = bob.opens(&dispute.id, &id).await;
    assert_eq!(status, 200);
    for (field, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("content-disposition", format!("inline; filename=\"{id}.jpg\"").as_str()),
    ] {
        assert_eq!(headers[field], value);
    }
    assert_eq!(problem(alice.opens(&dispute.id, &id).await).0, 403);
    let (status, _, seen_by_senior) = carol.opens(&dispute.id, &id).await;
    assert_eq!(status, 200, "a senior sees any, and that is logged");
    assert_ne!(shown, seen_by_senior, "each has their own name across it");
    let plain = image::load_from_memory(&jpeg(9)).unwrap().into_rgb8();
    let marked = image::load_from_memory(&shown).unwrap().into_rgb8();
    let changed = plain.pixels().zip(marked.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 30).count();
    assert!(changed > 100, "{changed}");

    let lines = crate::support::audit::whole_chain(world.store.as_ref()).await;
    let looks = |actor: &str, action: &str| {
        let theirs = lines.iter().filter(|line| line.draft.actor == actor && line.draft.action == action);
        theirs.map(|line| line.draft.subject.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(looks("moderator:bob", "document_seen"), [format!("document:{id}")]);
    assert_eq!(looks("moderator:carol", "document_seen"), [format!("document:{id}")]);
    assert_eq!(looks("moderator:carol", "looked_at"), [format!("dispute:{}", dispute.id)]);
    assert_eq!(looks("moderator:alice", "document_seen"), Vec::<&str>::new());

    for wrong in ["00000000-0000-7000-8000-000000000000", "x", dispute.id.as_str()] {
        assert_eq!(problem(bob.opens(&dispute.id, wrong).await), (404, "not_found".to_owned()));
    }
}
