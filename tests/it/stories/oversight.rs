//! An eye on the work of all, over JSON: who may see what, what a reversal
//! would do, and what is looked for in the audit.

use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::casework::waiting::{WAITING_CASES_PER_PAGE, WaitingFilter};
use zhengming::domain::dispute::Flag;
use zhengming::store::Role;

use crate::support::{Dispute, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

/// A dispute that was approved by the rules: its entry is the log's first.
async fn corrected(world: &World) -> Dispute<'_> {
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    dispute
}

#[tokio::test]
async fn the_waiting_cases_are_listed_and_numbers_are_for_seniors() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let carol = world.moderator("carol", Role::Senior).await;
    assert_eq!(alice.get("queue/cases").await.ok(200).body, json!({ "cases": [], "next": null }));
    for nth in 0..3 {
        let number = format!("+861380013800{nth}");
        world.holder(&number).await.files_reassigned("2025-03").await.is("in_review").await;
    }
    let leased = alice.takes_next().await.ok(200);
    let before = world.changes();
    let cases = alice.get("queue/cases").await.ok(200)["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 3);
    let case = cases.iter().find(|case| case["id"] == leased["id"]).unwrap();
    assert_eq!((&case["leased_by"], &case["lease_until"]), (&json!("alice"), &json!("2026-11-23T03:15:00Z")));
    let free = cases.iter().find(|case| case["id"] != leased["id"]).unwrap();
    assert_eq!((&free["leased_by"], &free["status"]), (&Value::Null, &json!("in_review")));
    assert_eq!(
        (&free["age_days"], &free["overdue"], &free["due_on"]),
        (&json!(0), &json!(false), &json!("2026-11-30"))
    );
    assert_eq!(free["flags"], json!(["operator_unknown"]));
    assert!(cases.iter().all(|case| case["number"].as_str().unwrap().contains("****")));
    let shown = carol.get("queue/cases").await.ok(200);
    assert!(shown["cases"].as_array().unwrap().iter().all(|case| !case["number"].to_string().contains('*')));
    assert_eq!(world.changes(), before, "nobody was looked at");

    for (query, cases) in [("flag=operator_unknown", 3), ("flag=appeal", 0), ("status=awaiting_second", 0)] {
        let found = alice.get(&format!("queue/cases?{query}")).await.ok(200);
        assert_eq!(found["cases"].as_array().unwrap().len(), cases, "{query}");
    }
    for query in ["flag=perhaps", "status=", "after=!", "colour=red"] {
        alice.get(&format!("queue/cases?{query}")).await.refused(400, "query_malformed");
    }
}

#[tokio::test]
async fn a_long_queue_has_pages_that_meet() {
    let settings = Settings { cluster_filings_per_30_days: 0, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let count = 2 * WAITING_CASES_PER_PAGE + 5;
    for nth in 0..count {
        let number = format!("+86138001{nth:05}");
        world.holder(&number).await.files_reassigned("2025-03").await;
    }
    let alice = world.moderator("alice", Role::Moderator).await;
    let (mut seen, mut next) = (std::collections::BTreeSet::new(), String::new());
    for expected in [WAITING_CASES_PER_PAGE, WAITING_CASES_PER_PAGE, 5] {
        let page = alice.get(&format!("queue/cases{next}")).await.ok(200);
        let cases = page["cases"].as_array().unwrap();
        assert_eq!(cases.len(), expected);
        seen.extend(cases.iter().map(|case| case["id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(|next| format!("?after={next}")).unwrap_or_default();
    }
    assert_eq!((seen.len(), next), (count, String::new()));
    // Looked through to its end, for something that is nowhere.
    let actor = world.casework.moderator(&alice.token).await.unwrap();
    let appeals = WaitingFilter { flag: Some(Flag::Appeal), status: None };
    let found = world.casework.waiting_cases(&actor, appeals, None).await.unwrap();
    assert_eq!((found.cases.len(), found.next), (0, None));
}

#[tokio::test]
async fn a_reversal_is_looked_at_begun_seen_and_signed_by_another() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Senior).await;
    let dispute = corrected(&world).await;
    let none = json!({ "reversals": [], "next": null });
    assert_eq!(alice.get("reversals").await.ok(200).body, none);
    alice.get("reversals/1").await.refused(404, "not_found");
    let look = alice.get("reversals/0").await.ok(200);
    assert_eq!(look["number"], "+86138****8000");
    assert_eq!(look["ground"], json!({ "by": "dispute", "id": dispute.id }));
    assert_eq!(look["in_force"]["void_before"], "2025-01-30");
    assert_eq!(
        (&look["after"], &look["asked"], &look["may_sign"]),
        (&Value::Null, &Value::Null, &json!(true))
    );

    let signs = |version: &Value, reason: &str| json!({ "reason": reason, "version": version });
    let before = world.changes();
    let stale = signs(&json!(look["version"].as_u64().unwrap() - 1), "a wrong month");
    alice.post("corrections/0/revert", &stale).await.refused(409, "stale");
    assert_eq!(world.changes(), before);
    let body = signs(&look["version"], "a wrong month");
    alice.post("corrections/0/revert", &body).await.ok(202);
    alice.post("corrections/0/revert", &body).await.refused(403, "same_person");
    // Bob looked before alice had signed: his would be the second, unseen.
    bob.post("corrections/0/revert", &body).await.refused(409, "stale");
    dispute.is("corrected").await;

    let pending = alice.get("reversals").await.ok(200)["reversals"].clone();
    assert_eq!((&pending[0]["seq"], &pending[0]["may_sign"]), (&json!(0), &json!(false)));
    assert_eq!(pending[0]["number"], "+86138****8000");
    assert_eq!(pending[0]["asked"]["reason"], "a wrong month");
    let seen = bob.get("reversals").await.ok(200)["reversals"][0].clone();
    assert_eq!((&seen["number"], &seen["may_sign"]), (&json!(NUMBER), &json!(true)));
    let look = bob.get("reversals/0").await.ok(200);
    assert_eq!((&look["asked"]["by"], &look["may_sign"]), (&json!("alice"), &json!(true)));
    bob.post("corrections/0/revert", &signs(&look["version"], "so it is")).await.ok(200);
    dispute.is("reverted").await;
    assert_eq!(alice.get("reversals").await.ok(200).body, none);
    bob.get("reversals/0").await.refused(409, "not_in_force");
}

#[tokio::test]
async fn what_is_foreseen_is_what_comes() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Senior).await;
    corrected(&world).await;
    world.advance(seconds(60));
    let name = json!({ "number": NUMBER, "kind": "name", "name": "老王烧烤", "source": "business" });
    world.shows("baidu", &[name]).await;
    let labels = json!([{ "provider": "baidu", "name": "老王烧烤" }]);
    let body = json!({ "reason": "name_mismatch", "labels": labels });
    world.holder(NUMBER).await.files(body).await.is("corrected").await;

    let digits = NUMBER.trim_start_matches('+');
    let found = bob.get(&format!("numbers/{digits}/corrections")).await.ok(200);
    assert_eq!(found["standing"], json!([1, 0]));
    let look = bob.get("reversals/0").await.ok(200);
    assert_eq!((&look["others"], &look["strikes"]), (&json!([1]), &Value::Null));
    assert_eq!(look["in_force"]["void_before"], "2025-01-30");
    let why = json!({ "reason": "a wrong month" });
    alice.post("corrections/1/revert", &why).await.ok(202);
    assert_eq!(bob.get("reversals/0").await.ok(200)["strikes"], 1, "there is room for one");
    alice.post("corrections/0/revert", &why).await.ok(202);
    assert_eq!(bob.get("reversals").await["reversals"].as_array().unwrap().len(), 1);
    bob.post("corrections/0/revert", &why).await.ok(200);
    let after = world.client.get(&format!("/v1/moderation/numbers/{digits}/corrections"), &bob.token).await;
    assert_eq!(after["standing"], json!([1]));
    let (seq, leaf) = world.service.feed.correction_of(world.number(NUMBER)).await.unwrap().unwrap();
    let entry: Value = serde_json::from_slice(&leaf).unwrap();
    assert_eq!(seq, 2);
    for field in ["void_before", "name_action", "name", "name_until", "assurance"] {
        assert_eq!(entry[field], look["after"][field], "{field}");
    }
}

#[tokio::test]
async fn a_first_signature_is_struck_by_whoever_thinks_better_of_it() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let dispute = corrected(&world).await;
    let why = json!({ "reason": "a wrong month" });
    bob.post("reversals/0/discard", &json!({})).await.refused(404, "not_found");
    for striker in [&alice, &bob] {
        alice.post("corrections/0/revert", &why).await.ok(202);
        assert_eq!(striker.post("reversals/0/discard", &json!({})).await.ok(200)["status"], "discarded");
        assert_eq!(bob.get("reversals").await.ok(200)["reversals"], json!([]));
    }
    // Who signs next is the first again.
    bob.post("corrections/0/revert", &why).await.ok(202);
    dispute.is("corrected").await;
}

#[tokio::test]
async fn numbers_are_looked_up_by_seniors_and_each_look_is_noted() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let carol = world.moderator("carol", Role::Senior).await;
    let root = world.moderator("root", Role::Admin).await;
    corrected(&world).await;
    let before = world.changes();
    alice.get("numbers/8613800138000/corrections").await.refused(403, "forbidden");
    carol.get("numbers/x/corrections").await.refused(400, "number_malformed");
    assert_eq!(world.changes(), before);
    assert_eq!(carol.get("numbers/8613800138000/corrections").await.ok(200)["standing"], json!([0]));
    assert_eq!(carol.get("numbers/8613800138009/corrections").await.ok(200)["standing"], json!([]));
    carol.get("reversals/0").await.ok(200);
    let noted = root.get("audit/search?actor=moderator:carol&limit=3").await.ok(200);
    let lines: Vec<_> = noted["lines"].as_array().unwrap().iter().collect();
    let said = lines.iter().map(|line| (line["action"].as_str().unwrap(), line["subject"].as_str().unwrap()));
    let expected = [
        ("correction_looked_at", "entry:0"),
        ("number_looked_up", "number:+86138****8009"),
        ("number_looked_up", "number:+86138****8000"),
    ];
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_audit_is_searched_by_admins() {
    let world = World::new().await;
    let carol = world.moderator("carol", Role::Senior).await;
    let root = world.moderator("root", Role::Admin).await;
    carol.get("audit/search").await.refused(403, "forbidden");
    let dispute = corrected(&world).await;
    let subject = format!("dispute:{}", dispute.id);
    let found = root.get(&format!("audit/search?subject={subject}&limit=2")).await.ok(200);
    let lines = found["lines"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["action"]), (2, &json!("approved")), "the newest first");
    assert_eq!(found["chain_broken_at"], Value::Null);
    let (next, end) = (found["next"].as_u64().unwrap(), found["searched"]["to"].as_u64().unwrap());
    assert_eq!(lines[1]["seq"], next);
    let rest = root.get(&format!("audit/search?subject={subject}&before={next}")).await.ok(200);
    assert!(rest["lines"].as_array().unwrap().iter().any(|line| line["action"] == "filed"));
    assert_eq!((&rest["searched"], &rest["next"]), (&json!({ "from": 0, "to": next }), &Value::Null));
    let day = root.get("audit/search?from=2026-11-23&to=2026-11-23&limit=1000").await.ok(200);
    assert_eq!(day["lines"].as_array().unwrap().len() as u64, end);
    assert_eq!(root.get("audit/search?from=2026-11-24").await.ok(200)["lines"], json!([]));
    for query in ["from=yesterday", "limit=0", "limit=1001", "before=-1", "colour=red"] {
        root.get(&format!("audit/search?{query}")).await.refused(400, "query_malformed");
    }
}
