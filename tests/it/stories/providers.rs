//! What providers make of corrections: acknowledged, refused, and brought back;
//! as holders and moderators see it.

use http::Method;
use serde_json::{Value, json};
use zhengming::cli::demo::stand_in::Contract;
use zhengming::domain::label::{Label, LabelKind};
use zhengming::domain::uscc::Uscc;
use zhengming::store::{Role, Store, Versioned};

use crate::support::{Answer, Dispute, Provider, World, day, seconds};

const NUMBER: &str = "+8613800138000";
const ANOTHER: &str = "+8613800138001";

fn mark(number: &str, first_marked_on: &str, count: u64) -> Value {
    json!({ "number": number, "kind": "category", "category": "express", "source": "crowd", "count": count,
        "first_marked_on": first_marked_on })
}

fn old_mark(number: &str) -> Value {
    mark(number, "2023-06-01", 20)
}

fn none(number: &str) -> Value {
    json!({ "number": number, "kind": "category", "category": "none" })
}

/// A dispute that is corrected, of marks from before 15 March 2025.
async fn corrected<'a>(world: &'a World, number: &str) -> Dispute<'a> {
    world.cmcc_knows_new_holder(number);
    let dispute = world.holder(number).await.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    dispute
}

async fn serves(provider: &Provider<'_>) {
    provider.acknowledges("serving", &json!({})).await;
}

async fn status_at(dispute: &Dispute<'_>, provider: &str) -> String {
    let view = dispute.look().await.ok(200);
    let all = view["providers"].as_array().unwrap();
    let one = all.iter().find(|one| one["provider"] == provider).unwrap();
    one["status"].as_str().unwrap().to_owned()
}

async fn label_of(world: &World, number: &str, provider: &str) -> Versioned<Label> {
    let key = (world.number(number), provider.parse().unwrap(), LabelKind::Category);
    let store: &dyn Store = world.store.as_ref();
    store.load::<Label>(&key).await.unwrap().unwrap()
}

#[tokio::test]
async fn entries_are_counted_for_all_who_keep_step_with_one_look() {
    let world = World::new().await;
    corrected(&world, NUMBER).await;
    for id in ["tencent", "baidu", "sogou"] {
        serves(&world.provider(id).await).await;
    }
    let before = world.store.log_reads();
    world.casework.count_figures().await.unwrap();
    assert_eq!(world.store.log_reads(), before + 1);
}

#[tokio::test]
async fn the_timeline_tells_what_happened_at_each_provider() {
    let world = World::new().await;
    let (tencent, sogou) = (world.provider("tencent").await, world.provider("sogou").await);
    tencent.uploads(&old_mark(NUMBER)).await;
    sogou.uploads(&old_mark(NUMBER)).await;
    let dispute = corrected(&world, NUMBER).await;
    let minute = async || world.advance(seconds(60));
    minute().await;
    tencent.acknowledges("received", &json!({})).await;
    minute().await;
    let refused = json!({ "refused": [{ "seq": 0, "code": "batch_only", "text": "只在月底更新" }] });
    sogou.acknowledges("serving", &refused).await;
    minute().await;
    serves(&tencent).await;
    minute().await;
    tencent.uploads(&old_mark(NUMBER)).await;

    let view = dispute.look().await.ok(200);
    let timeline: Vec<(&str, &str, &str)> = view["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["at"], &one["event"], &one["provider"]))
        .map(|(at, event, of)| (at.as_str().unwrap(), event.as_str().unwrap(), of.as_str().unwrap_or("")))
        .filter(|(_, event, _)| *event != "operator_answered")
        .collect();
    assert_eq!(
        timeline,
        [
            ("2026-11-23T03:00:00Z", "filed", ""),
            ("2026-11-23T03:00:00Z", "approved", ""),
            ("2026-11-23T03:00:00Z", "published", ""),
            ("2026-11-23T03:01:00Z", "received", "tencent"),
            ("2026-11-23T03:02:00Z", "provider_refused", "sogou"),
            ("2026-11-23T03:03:00Z", "serving", "tencent"),
            ("2026-11-23T03:04:00Z", "regressed", "tencent"),
        ]
    );
    let texts: Vec<&str> =
        view["timeline"].as_array().unwrap().iter().rev().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts[..5],
        [
            "腾讯手机管家又显示了旧的标记，我们已记录下来。",
            "腾讯手机管家已按更正显示您的号码。",
            "搜狗号码通没有采用这条更正（batch_only）：只在月底更新",
            "腾讯手机管家已收到更正。",
            "更正已发布，各标记服务商会陆续更新。",
        ]
    );
    let statuses: Vec<_> =
        view["providers"].as_array().unwrap().iter().map(|one| (&one["status"], &one["at"])).collect();
    assert_eq!(
        statuses,
        [
            (&json!("refused_by_provider"), &json!("2026-11-23T03:02:00Z")),
            (&json!("regressed"), &json!("2026-11-23T03:04:00Z")),
        ]
    );
    let bearer = format!("Bearer {}", dispute.token);
    let fields = [("authorization", bearer.as_str()), ("accept-language", "en")];
    let path = format!("/v1/disputes/{}", dispute.id);
    let view = world.client.send(Method::GET, &path, &fields, None).await.ok(200);
    let last = view["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], "腾讯手机管家 shows the old marks again; we have taken note of it.");
}

#[tokio::test]
async fn a_label_regresses_once_it_is_seen_after_serving() {
    let world = World::new().await;
    let tencent = world.provider("tencent").await;
    tencent.uploads(&old_mark(NUMBER)).await;
    let dispute = corrected(&world, NUMBER).await;
    world.advance(seconds(60));
    tencent.uploads(&old_mark(NUMBER)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "published", "it has not said that it serves");
    tencent.acknowledges("applied", &json!({})).await;
    world.advance(seconds(60));
    tencent.uploads(&old_mark(NUMBER)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "applied");
    serves(&tencent).await;
    tencent.uploads(&old_mark(NUMBER)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "serving", "seen in the same moment");

    world.advance(seconds(60));
    let told = tencent.uploads(&old_mark(NUMBER)).await;
    assert_eq!((&told["accepted"], &told["unchanged"]), (&json!(0), &json!(1)));
    assert_eq!(status_at(&dispute, "tencent").await, "regressed");
    // Newer marks of the present holder take its place.
    tencent.uploads(&mark(NUMBER, "2025-09-01", 2)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "not_covered");
    tencent.uploads(&old_mark(NUMBER)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "regressed");
    tencent.uploads(&none(NUMBER)).await;
    assert_eq!(status_at(&dispute, "tencent").await, "serving");
}

#[tokio::test]
async fn seen_again_on_the_same_day_is_no_news() {
    let world = World::new().await;
    let tencent = world.provider("tencent").await;
    tencent.uploads(&old_mark(NUMBER)).await;
    let first = label_of(&world, NUMBER, "tencent").await;
    for hours in [1, 12] {
        world.clock.set(format!("2026-11-23T{:02}:59:59Z", hours + 3).parse().unwrap());
        tencent.uploads(&old_mark(NUMBER)).await;
        assert_eq!(label_of(&world, NUMBER, "tencent").await, first);
    }
    // The night has passed in Shanghai.
    world.clock.set("2026-11-23T16:00:00Z".parse().unwrap());
    tencent.uploads(&old_mark(NUMBER)).await;
    let second = label_of(&world, NUMBER, "tencent").await;
    assert_eq!(second.value.observed_at, world.casework.now());
    tencent.uploads(&mark(NUMBER, "2023-06-01", 21)).await;
    assert_ne!(label_of(&world, NUMBER, "tencent").await.version, second.version, "one more");
}

#[tokio::test]
async fn moderators_see_how_far_behind_each_provider_is() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let tencent = world.provider("tencent").await;
    world.provider("baidu").await;
    let cmcc = zhengming::store::Grant::Operator("cmcc".parse().unwrap());
    let owner = zhengming::casework::actors::Owner::at_the_command_line();
    world.casework.issue_key(owner, cmcc, "x").await.unwrap();
    tencent.uploads(&old_mark(NUMBER)).await;
    corrected(&world, NUMBER).await;
    world.advance(seconds(60));
    let said = json!({ "software": "pull 1.0", "refused": [{ "seq": 0, "code": "no_dated_reports" }] });
    tencent.acknowledges("serving", &said).await;
    world.advance(seconds(60));
    corrected(&world, ANOTHER).await;
    tencent.acknowledges("received", &json!({})).await;
    world.advance(seconds(600));
    tencent.uploads(&none(NUMBER)).await;
    world.advance(seconds(60));
    let answer = alice.get("providers").await.ok(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(
        answer.body,
        json!([
            { "provider": "baidu", "provider_name": "百度号码认证", "received": 0, "applied": 0, "serving": 0,
              "entries_behind": 2, "seconds_behind": 780, "last_seen_at": null, "software": null,
              "refused": 0, "regressed": 0 },
            { "provider": "tencent", "provider_name": "腾讯手机管家", "received": 2, "applied": 1, "serving": 1,
              "entries_behind": 1, "seconds_behind": 660, "last_seen_at": "2026-11-23T03:12:00Z",
              "software": "pull 1.0", "refused": 1, "regressed": 0 },
        ])
    );
    serves(&tencent).await;
    let answer = alice.get("providers").await.ok(200);
    assert_eq!(
        (&answer.body[1]["entries_behind"], &answer.body[1]["seconds_behind"]),
        (&json!(0), &json!(0))
    );
    world.client.get("/v1/moderation/providers", &tencent.key).await.refused(401, "unauthenticated");
    world.client.get("/v1/moderation/regressed", &tencent.key).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn moderators_see_what_has_come_back_until_it_is_gone() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let (tencent, baidu) = (world.provider("tencent").await, world.provider("baidu").await);
    corrected(&world, NUMBER).await;
    corrected(&world, ANOTHER).await;
    serves(&tencent).await;
    serves(&baidu).await;
    world.advance(seconds(60));
    tencent.uploads(&old_mark(ANOTHER)).await;
    tencent.uploads(&old_mark(NUMBER)).await;
    tencent.uploads(&mark("+8613800138002", "2023-06-01", 1)).await;
    baidu.uploads(&old_mark(ANOTHER)).await;

    let whole = alice.get("regressed").await.ok(200);
    assert_eq!(
        whole["regressed"][0],
        json!({ "provider": "baidu", "provider_name": "百度号码认证", "number": ANOTHER, "kind": "category",
            "text": "快递送餐", "seq": 1, "regressed_at": "2026-11-23T03:01:00Z",
            "observed_at": "2026-11-23T03:01:00Z" })
    );
    assert_eq!(which(&whole), [("baidu", ANOTHER), ("tencent", NUMBER), ("tencent", ANOTHER)]);
    assert_eq!(whole["next"], Value::Null);
    let first = alice.get("regressed?limit=2").await.ok(200);
    assert_eq!(which(&first), [("baidu", ANOTHER), ("tencent", NUMBER)]);
    let rest = alice.get(&format!("regressed?limit=2&after={}", first.text("next"))).await.ok(200);
    assert_eq!((which(&rest), &rest["next"]), (vec![("tencent", ANOTHER)], &Value::Null));
    let theirs = alice.get("regressed?provider=tencent").await.ok(200);
    assert_eq!(which(&theirs), [("tencent", NUMBER), ("tencent", ANOTHER)]);
    for query in ["limit=0", "limit=1001", "after=%20", "provider=A", "sort=at"] {
        alice.get(&format!("regressed?{query}")).await.refused(400, "query_malformed");
    }
    let counts = alice.get("providers").await.ok(200);
    assert_eq!((&counts.body[0]["regressed"], &counts.body[1]["regressed"]), (&json!(1), &json!(2)));

    // A provider is told of its own.
    let digest =
        async |query: &str| world.client.get(&format!("/feed/v1/regressed{query}"), &tencent.key).await;
    assert_eq!(which(&digest("").await.ok(200)), [("tencent", NUMBER), ("tencent", ANOTHER)]);
    let first = digest("?limit=1").await.ok(200);
    let rest = digest(&format!("?after={}", first.text("next"))).await.ok(200);
    assert_eq!((which(&first), which(&rest)), (vec![("tencent", NUMBER)], vec![("tencent", ANOTHER)]));
    assert_eq!(which(&digest("?provider=baidu").await.ok(200)), []);
    digest("?limit=0").await.refused(400, "query_malformed");

    tencent.uploads(&none(ANOTHER)).await;
    assert_eq!(which(&digest("").await.ok(200)), [("tencent", NUMBER)]);
    // What two people take back was no fault.
    let bob = world.moderator("bob", Role::Moderator).await;
    let why = json!({ "reason": "the operator was wrong" });
    alice.post("corrections/1/revert", &why).await.ok(202);
    bob.post("corrections/1/revert", &why).await.ok(200);
    assert_eq!(which(&alice.get("regressed").await.ok(200)), [("tencent", NUMBER)]);
    world.advance(seconds(60));
    baidu.uploads(&old_mark(ANOTHER)).await;
    assert_eq!(which(&alice.get("regressed").await.ok(200)), [("tencent", NUMBER)]);
}

#[tokio::test]
async fn what_is_taken_back_keeps_its_story() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let tencent = world.provider("tencent").await;
    tencent.uploads(&old_mark(NUMBER)).await;
    let dispute = corrected(&world, NUMBER).await;
    world.advance(seconds(60));
    tencent.acknowledges("applied", &json!({})).await;
    world.advance(seconds(60));
    let why = json!({ "reason": "the operator was wrong" });
    alice.post("corrections/0/revert", &why).await.ok(202);
    bob.post("corrections/0/revert", &why).await.ok(200);
    world.advance(seconds(60));
    serves(&tencent).await;
    let view = dispute.is("reverted").await;
    let timeline = view["timeline"].as_array().unwrap();
    let events: Vec<_> = timeline.iter().rev().map(|one| one["event"].as_str().unwrap()).take(4).collect();
    assert_eq!(events, ["reverted", "applied", "published", "approved"]);
    assert_eq!(view["providers"][0]["status"], "pending");
}

#[tokio::test]
async fn the_right_name_is_no_regression() {
    let world = World::new().await;
    let company = "厦门某某科技有限公司";
    world.cmcc.set(
        world.number(NUMBER),
        vec![Contract {
            holder: company.to_owned(),
            name: company.to_owned(),
            uscc: Some(Uscc::parse("91350211M000100Y46").unwrap()),
            from: day("2020-01-01"),
            until: None,
        }],
    );
    let tencent = world.provider("tencent").await;
    let name = |name| json!({ "number": NUMBER, "kind": "name", "name": name, "source": "business" });
    tencent.uploads(&name("老王烧烤")).await;
    let body = json!({ "reason": "name_mismatch", "labels": [{ "provider": "tencent", "name": "老王烧烤" }],
        "show": { "name": company, "uscc": "91350211M000100Y46" } });
    let dispute = world.holder(NUMBER).await.files(body).await;
    dispute.is("corrected").await;
    serves(&tencent).await;
    world.advance(seconds(60));
    tencent.uploads(&old_mark(NUMBER)).await;
    tencent.uploads(&name("厦门某某科技")).await;
    assert_eq!(status_at(&dispute, "tencent").await, "serving");
    tencent.uploads(&name("老王烧烤")).await;
    assert_eq!(status_at(&dispute, "tencent").await, "regressed");
}

fn which(answer: &Answer) -> Vec<(&str, &str)> {
    let all = answer["regressed"].as_array().unwrap().iter();
    all.map(|one| (one["provider"].as_str().unwrap(), one["number"].as_str().unwrap())).collect()
}
