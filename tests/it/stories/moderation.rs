//! Moderators at work: leases, decisions, seconds, and the audit.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zhengming::casework::Settings;
use zhengming::domain::progress::Stage;
use zhengming::store::Role;

use crate::support::{Dispute, Moderator, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

#[tokio::test]
async fn a_decision_sent_twice_is_taken_once() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "refuse").await.ok(200)["status"], "refused");
    let before = world.changes();
    assert_eq!(alice.decides(&case, "refuse").await.ok(200)["status"], "refused");
    alice.decides(&case, "approve").await.refused(409, "stale");
    world.advance(seconds(15 * 60));
    alice.decides(&case, "refuse").await.refused(409, "stale");
    assert_eq!(world.changes(), before, "and nothing is written for it");
    let view = dispute.is("refused").await;
    let told = view["timeline"].as_array().unwrap().iter().filter(|one| one["event"] == "refused");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn next_hands_out_a_lease_and_nobody_else_sees_the_case() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let carol = world.moderator("carol", Role::Senior).await;
    alice.takes_next().await.ok(204);
    let dispute = in_review(&world).await;
    let queue = alice.get("queue").await.ok(200);
    assert_eq!(
        (&queue["by_status"], &queue["by_age_days"]),
        (&json!({ "in_review": 1 }), &json!({ "0": 1 }))
    );
    assert_eq!(queue["by_flag"], json!({ "operator_unknown": 1 }));
    assert_eq!(queue["oldest_due_on"], "2026-11-30");

    let case = alice.takes_next().await.ok(200);
    assert_eq!(case["lease_until"], "2026-11-23T03:15:00Z");
    assert_eq!((&case["number"], &case["opened"]), (&json!(NUMBER), &json!("2025-03")));
    assert_eq!(alice.takes_next().await.ok(200)["version"], case["version"], "the one in hand comes first");
    alice.looks_at(&dispute.id).await.ok(200);
    bob.takes_next().await.ok(204);
    let before = world.changes();
    bob.looks_at(&dispute.id).await.refused(403, "forbidden");
    bob.decides(&case, "approve").await.refused(403, "lease_missing");
    let release = format!("disputes/{}/release", dispute.id);
    bob.post(&release, &json!({})).await.refused(403, "lease_missing");
    carol.decides(&case, "approve").await.refused(403, "lease_missing");
    assert_eq!(world.changes(), before);
    carol.looks_at(&dispute.id).await.ok(200);
    assert_eq!(world.changes(), before + 1, "a senior's look is logged");

    alice.post(&release, &json!({})).await.ok(204);
    bob.takes_next().await.ok(200);
    world.advance(seconds(15 * 60));
    alice.takes_next().await.ok(200);
    dispute.is("in_review").await;
}

#[tokio::test]
async fn a_decision_at_an_older_version_is_stale() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    world.advance(seconds(15 * 60));
    let again = alice.takes_next().await.ok(200);
    assert_ne!(again["version"], case["version"]);
    let before = world.changes();
    alice.decides(&case, "approve").await.refused(409, "stale");
    assert_eq!(world.changes(), before);
    dispute.withdraws().await.ok(200);
    alice.decides(&again, "approve").await.refused(409, "stale");
    dispute.is("withdrawn").await;
}

#[tokio::test]
async fn malformed_decisions_change_nothing() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    let path = format!("disputes/{}/decision", dispute.id);
    let before = world.changes();
    let with = |field: &str, value: Value| {
        let mut body = json!({ "decision": "refuse", "reason_code": "x", "version": case["version"] });
        body[field] = value;
        body
    };
    for (body, code) in [
        (json!({}), "body_malformed"),
        (with("decision", json!("perhaps")), "field_malformed"),
        (with("reason_code", json!("")), "field_malformed"),
        (with("reason_code", json!("Not A Slug")), "field_malformed"),
        (with("reason_code", json!("x".repeat(41))), "field_malformed"),
        (with("note", json!("x".repeat(501))), "field_malformed"),
        (with("public_note", json!("a\u{7}b")), "field_malformed"),
        (with("version", json!("1")), "field_malformed"),
        (with("version", json!(-1)), "field_malformed"),
        (with("force", json!(true)), "field_unknown"),
    ] {
        alice.post(&path, &body).await.refused(400, code);
    }
    assert_eq!(world.changes(), before);
    alice.post(&path, &with("reason_code", json!("x".repeat(40)))).await.ok(200);
}

#[tokio::test]
async fn documents_that_do_not_come_in_time_end_the_case() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "ask").await.ok(200)["status"], "needs_evidence");
    world.work().await;
    assert!(world.messages_to(NUMBER).last().unwrap().contains("补充材料"));
    let view = dispute.is("needs_evidence").await;
    let asked = view["timeline"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned();
    assert!(asked.contains("2026-12-08") && asked.ends_with("给您的说明"), "{asked}");
    world.advance_days(15);
    world.work().await;
    dispute.is("needs_evidence").await;
    world.advance_days(1);
    world.work().await;
    dispute.refused_with("evidence_lapsed").await;
}

#[tokio::test]
async fn an_approval_on_old_answers_asks_again() {
    let world = World::new().await;
    world.cmcc_knows(NUMBER, &[("same", "2019-05-01", Some("2025-01-20")), ("same", "2025-03-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    world.advance_days(2);
    let alice = world.moderator("alice", Role::Moderator).await;
    let case = alice.takes_next().await.ok(200);
    let asked = world.cmcc.asked_count();
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "checking");
    world.work().await;
    assert_eq!(world.cmcc.asked_count(), asked + 3);
    dispute.is("in_review").await;
    let case = alice.takes_next().await.ok(200);
    // Against an operator's "no", so a second one signs.
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    let bob = world.moderator("bob", Role::Moderator).await;
    let case = bob.takes_next().await.ok(200);
    assert_eq!(bob.decides(&case, "refuse").await.ok(200)["status"], "in_review");
}

#[tokio::test]
async fn documents_against_a_charge_of_harm_need_two_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let fraud = json!({ "number": NUMBER, "kind": "category", "category": "fraud", "source": "crowd",
        "first_marked_on": "2023-01-01", "last_marked_on": "2023-02-01" });
    world.shows("baidu", &[fraud]).await;
    in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(case["labels"][0]["category"], "fraud");
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    // The lease is over with the first signature.
    let before = world.changes();
    alice.decides(&case, "approve").await.refused(403, "same_person");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn of_approvals_by_one_person_some_are_looked_at_again() {
    let settings = Settings { approvals_per_second_look: 2, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let (mut drawn, mut alone) = (0, 0);
    for at in 0..16 {
        world.holder(&format!("+861380{at:02}38000")).await.files_reassigned("2025-03").await;
        world.work().await;
        let case = alice.takes_next().await.ok(200);
        match alice.decides(&case, "approve").await.ok(200)["status"].as_str() {
            Some("awaiting_second") => {
                drawn += 1;
                let case = bob.takes_next().await.ok(200);
                assert_eq!(bob.decides(&case, "approve").await.ok(200)["status"], "corrected");
            }
            Some("corrected") => alone += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(drawn > 0 && alone > 0, "{drawn} of {}", drawn + alone);
}

#[tokio::test]
async fn a_correction_is_taken_back_by_two_people() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    let why = json!({ "reason": "the operator was wrong" });
    let before = world.changes();
    alice.post("corrections/1/revert", &why).await.refused(404, "not_found");
    alice.post("corrections/x/revert", &why).await.refused(404, "not_found");
    alice.post("corrections/0/revert", &json!({})).await.refused(400, "body_malformed");
    alice.post("corrections/0/revert", &json!({ "reason": " " })).await.refused(400, "field_malformed");
    assert_eq!(world.changes(), before);

    assert_eq!(alice.post("corrections/0/revert", &why).await.ok(202)["status"], "awaiting_second");
    dispute.is("corrected").await;
    let before = world.changes();
    alice.post("corrections/0/revert", &why).await.refused(403, "same_person");
    assert_eq!(world.changes(), before);
    world.advance(seconds(60));
    assert_eq!(bob.post("corrections/0/revert", &why).await.ok(200)["status"], "reverted");
    let view = dispute.is("reverted").await;
    assert_eq!(view.body.get("correction"), None);
    assert!(!view.body.to_string().contains("the operator was wrong"));
    assert_eq!(view["providers"], json!([]));
    world.work().await;
    assert!(world.messages_to(NUMBER).last().unwrap().contains("撤回"));
    assert_eq!(world.service.feed.publish().await.unwrap(), 2);

    let before = world.changes();
    bob.post("corrections/0/revert", &why).await.refused(409, "not_in_force");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn of_two_corrections_in_one_second_the_named_one_is_taken_back() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    world.cmcc_knows_new_holder(NUMBER);
    let name = json!({ "number": NUMBER, "kind": "name", "name": "老王烧烤", "source": "business" });
    world.shows("baidu", &[name]).await;
    let holder = world.holder(NUMBER).await;
    let mark = holder.files_reassigned("2025-03").await;
    let labels = json!([{ "provider": "baidu", "name": "老王烧烤" }]);
    let name = holder.files(json!({ "reason": "name_mismatch", "labels": labels })).await;
    assert_eq!(name.is("corrected").await["correction"]["seq"], 1);
    let why = json!({ "reason": "the operator was wrong" });
    world.acknowledges("baidu", Stage::Applied, &[(0, "no_dated_reports")]).await;
    assert_eq!(mark.look().await["providers"][0]["status"], "refused_by_provider");
    assert_eq!(name.look().await["providers"][0]["status"], "applied");
    alice.post("corrections/0/revert", &why).await.ok(202);
    bob.post("corrections/0/revert", &why).await.ok(200);
    mark.is("reverted").await;
    let correction = name.is("corrected").await["correction"].clone();
    assert_eq!((&correction["void_before"], &correction["name_action"]), (&Value::Null, &json!("clear")));
    // What took it back stands for no decision.
    alice.post("corrections/2/revert", &why).await.refused(409, "not_in_force");
}

#[tokio::test]
async fn what_an_operator_releases_beyond_its_limit_waits_for_two_people() {
    let settings = Settings {
        releases_per_operator_per_day: 1,
        publish_all_releases: true,
        ..Setup::default().settings
    };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let pushes = async |first: &str, second: &str| {
        let lines = [first, second]
            .map(|number| [(number, "disconnected", "2024-12-01"), (number, "activated", "2025-03-15")]);
        world.pushes("cmcc", &lines.concat()).await
    };
    let tally = pushes("+8613800138001", "+8613800138002").await;
    assert_eq!((tally.accepted, tally.held, tally.corrections), (3, 1, 1));
    let held = alice.get("batches").await.ok(200);
    let batch = held["batches"][0].clone();
    assert_eq!((&batch["operator"], &batch["held"]), (&json!("cmcc"), &json!(1)));
    let path = format!("batches/{}/release", batch["id"].as_str().unwrap());
    assert_eq!(alice.post(&path, &json!({})).await.ok(202)["status"], "awaiting_second");
    let before = world.changes();
    alice.post(&path, &json!({})).await.refused(403, "same_person");
    assert_eq!(world.changes(), before);
    assert_eq!(world.service.feed.publish().await.unwrap(), 1);
    assert_eq!(bob.post(&path, &json!({})).await.ok(200)["status"], "released");
    assert_eq!(world.service.feed.publish().await.unwrap(), 2);
    assert_eq!(bob.get("batches").await.ok(200)["batches"], json!([]));
    bob.post(&path, &json!({})).await.refused(409, "wrong_state");

    let tally = pushes("+8613800138003", "+8613800138004").await;
    assert_eq!((tally.accepted, tally.held), (2, 2), "the day's release is used up");
    let batch = alice.get("batches").await["batches"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("batches/{batch}/discard");
    bob.post(&path, &json!({})).await.ok(202);
    assert_eq!(alice.post(&path, &json!({})).await.ok(200)["status"], "discarded");
    assert_eq!(world.service.feed.publish().await.unwrap(), 2);
}

#[tokio::test]
async fn the_audit_is_a_chain_for_admins() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Senior).await;
    let root = world.moderator("root", Role::Admin).await;
    in_review(&world).await;
    alice.get("audit").await.refused(403, "forbidden");
    let all = root.get("audit?after=0").await.ok(200);
    let lines = all["lines"].as_array().unwrap();
    assert_eq!(all["next"], lines.len());
    let mut hash = "0".repeat(64);
    for (seq, line) in lines.iter().enumerate() {
        assert_eq!(line["seq"], seq);
        let mut draft = line.as_object().unwrap().clone();
        draft.remove("seq");
        let said = draft.remove("hash").unwrap();
        // Fields in the order in which they are hashed.
        let order = ["at", "actor", "action", "subject", "digest"];
        let fields: Vec<String> = order
            .iter()
            .filter_map(|name| draft.get(*name).map(|value| format!("\"{name}\":{value}")))
            .collect();
        let json = format!("{{{}}}", fields.join(","));
        let digest = Sha256::new().chain_update(&hash).chain_update(json).finalize();
        hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(said, hash);
    }
    assert!(lines.iter().any(|line| line["action"] == "filed" && line["actor"] == "holder"));
    assert!(!all.body.to_string().contains("13800138000"));
    let rest = root.get(&format!("audit?after={}", lines.len() - 1)).await.ok(200);
    assert_eq!(rest["lines"].as_array().unwrap().len(), 1);
    let none = root.get(&format!("audit?after={}", lines.len())).await.ok(200);
    assert_eq!((&none["lines"], &none["next"]), (&json!([]), &all["next"]));
    root.get("audit?after=x").await.refused(400, "query_malformed");
    root.get("audit?from=0").await.refused(400, "query_malformed");
}

#[tokio::test]
async fn history_is_there_when_a_case_comes_again() {
    let world = World::new().await;
    let alice: Moderator<'_> = world.moderator("alice", Role::Moderator).await;
    let first = in_review(&world).await;
    first.withdraws().await.ok(200);
    in_review(&world).await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(case["history"][0]["id"], first.id.as_str());
    assert_eq!(case["history"][0]["status"], "withdrawn");
}

/// A dispute of which the operator knows nothing.
async fn in_review(world: &World) -> Dispute<'_> {
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("in_review").await;
    dispute
}
