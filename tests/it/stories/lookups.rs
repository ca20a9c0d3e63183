//! Providers that are asked what they show: by a holder who looks, and again
//! after they said that they serve a correction.

use std::sync::Arc;

use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zhengming::casework::lookups::AskedProvider;
use zhengming::gateway::lookup::http::HttpLookUp;
use zhengming::store::{Listing, Role, Store, Task, TaskKind};

use crate::support::audit::whole_chain;
use crate::support::{Dispute, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";
const DIGITS: &str = "8613800138000";

/// A provider's machine that answers look-ups.
struct Desk {
    id: &'static str,
    server: MockServer,
}

impl Desk {
    async fn of(id: &'static str, labels: Value) -> Self {
        let desk = Self { id, server: MockServer::start().await };
        desk.says(ResponseTemplate::new(200).set_body_json(labels)).await;
        desk
    }

    async fn says(&self, answer: ResponseTemplate) {
        self.server.reset().await;
        Mock::given(method("GET"))
            .and(path(format!("/shown/{DIGITS}")))
            .and(header("authorization", "Bearer k1"))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    async fn shows(&self, labels: Value) {
        self.says(ResponseTemplate::new(200).set_body_json(labels)).await;
    }

    /// Since it last changed what it says.
    async fn asked(&self) -> usize {
        self.server.received_requests().await.unwrap().len()
    }

    fn asked_by(&self) -> AskedProvider {
        let id: zhengming::domain::id::ProviderId = self.id.parse().unwrap();
        let api = HttpLookUp::new(id.clone(), &format!("{}/shown", self.server.uri()), "k1").unwrap();
        AskedProvider { id, api: Arc::new(api) }
    }
}

async fn world(desks: &[&Desk]) -> World {
    let lookups = desks.iter().map(|desk| desk.asked_by()).collect();
    World::with(Setup { lookups, ..Setup::default() }).await
}

fn old_mark() -> Value {
    json!([{ "kind": "category", "category": "express", "source": "crowd", "text": "快递送餐", "count": 20,
             "first_marked_on": "2023-06-01", "last_marked_on": "2024-01-01" }])
}

/// Corrected because of what the look-up showed, and served.
async fn corrected_and_served<'a>(world: &'a World, provider: &str) -> Dispute<'a> {
    world.cmcc_knows_new_holder(NUMBER);
    let holder = world.holder(NUMBER).await;
    holder.sees().await.ok(200);
    let dispute = holder.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    world.provider(provider).await.acknowledges("serving", &json!({})).await;
    dispute
}

async fn status_at(dispute: &Dispute<'_>, provider: &str) -> String {
    let view = dispute.look().await.ok(200);
    let all = view["providers"].as_array().unwrap();
    let one = all.iter().find(|one| one["provider"] == provider).unwrap();
    one["status"].as_str().unwrap().to_owned()
}

async fn probe_of(world: &World, dispute: &Dispute<'_>, provider: &str) -> Option<Task> {
    let kind = TaskKind::Probe { dispute: dispute.id.parse().unwrap(), provider: provider.parse().unwrap() };
    let store: &dyn Store = world.store.as_ref();
    store.load::<Task>(&kind).await.unwrap().map(|task| task.value)
}

#[tokio::test]
async fn a_holder_sees_what_providers_show_now() {
    let tencent = Desk::of("tencent", old_mark()).await;
    let baidu = Desk::of(
        "baidu",
        json!([{ "kind": "category", "code": "8" }, { "kind": "name", "name": "老王烧烤" }]),
    )
    .await;
    let sogou = Desk::of("sogou", json!({ "error": "no" })).await;
    let qihoo = Desk::of("qihoo360", json!([])).await;
    let world = world(&[&tencent, &baidu, &sogou, &qihoo]).await;
    let mut gone = old_mark()[0].clone();
    gone["number"] = json!(NUMBER);
    world.shows("qihoo360", std::slice::from_ref(&gone)).await;
    world.shows("sogou", &[gone]).await;
    let holder = world.holder(NUMBER).await;
    let seen = holder.sees().await.ok(200);
    assert_eq!(seen["missing"], json!([{ "provider": "sogou", "why": "malformed" }]));
    let label = |nth: usize| {
        let label = &seen["labels"][nth];
        (label["provider"].as_str().unwrap(), label["text"].as_str().unwrap())
    };
    // What is not known now is shown as it was.
    assert_eq!(
        [0, 1, 2, 3].map(label),
        [("baidu", "快递送餐"), ("baidu", "老王烧烤"), ("sogou", "快递送餐"), ("tencent", "快递送餐")]
    );
    assert_eq!(seen["labels"].as_array().unwrap().len(), 4);
    assert_eq!(seen["labels"][0]["category"], "express");
    assert_eq!(seen["labels"][3]["observed_at"], "2026-11-23T03:00:00Z");

    holder.sees().await.ok(200);
    assert_eq!((tencent.asked().await, sogou.asked().await), (1, 2), "an answer is kept, a failure is not");
    world.advance(seconds(300));
    tencent.says(ResponseTemplate::new(503)).await;
    let seen = holder.sees().await.ok(200);
    assert_eq!(
        seen["missing"],
        json!([{ "provider": "tencent", "why": "unavailable" }, { "provider": "sogou", "why": "malformed" }])
    );
}

#[tokio::test]
async fn nobody_is_asked_before_control_is_proved() {
    let tencent = Desk::of("tencent", old_mark()).await;
    let world = world(&[&tencent]).await;
    let provider = world.provider("tencent").await;
    world.asks_for_code(NUMBER).await.ok(201);
    world.client.get("/v1/labels", "zmh_nobodys").await.refused(401, "unauthenticated");
    world.client.get("/v1/labels", &provider.key).await.refused(401, "unauthenticated");
    assert_eq!(tencent.asked().await, 0);
}

#[tokio::test]
async fn a_label_that_a_look_up_shows_is_corrected_on_arrival() {
    let tencent = Desk::of("tencent", old_mark()).await;
    let world = world(&[&tencent]).await;
    world
        .pushes("cmcc", &[(NUMBER, "disconnected", "2024-12-01"), (NUMBER, "activated", "2025-03-15")])
        .await;
    let holder = world.holder(NUMBER).await;
    holder.sees().await.ok(200);
    let seen = holder.sees().await.ok(200);
    assert_eq!(seen["correction"]["void_before"], "2025-03-15");
    assert_eq!(seen["tenure_began_on"], "2025-03-15");
    let lines = whole_chain(world.store.as_ref()).await;
    let told: Vec<_> = lines.iter().rev().take(2).map(|line| line.draft.action.as_str()).collect();
    assert_eq!(told, ["labels_looked_up", "corrected_on_arrival"]);
}

#[tokio::test]
async fn a_corrected_label_is_looked_for_after_a_week_and_a_month() {
    let tencent = Desk::of("tencent", old_mark()).await;
    let world = world(&[&tencent]).await;
    let dispute = corrected_and_served(&world, "tencent").await;
    assert_eq!(tencent.asked().await, 1);
    world.advance(seconds(7 * 86_400 - 1));
    world.work().await;
    assert_eq!((tencent.asked().await, status_at(&dispute, "tencent").await.as_str()), (1, "serving"));
    world.advance(seconds(1));
    world.work().await;
    assert_eq!(tencent.asked().await, 2);
    let dispute = dispute.with_fresh_token().await;
    assert_eq!(status_at(&dispute, "tencent").await, "regressed");
    let alice = world.moderator("alice", Role::Moderator).await;
    let again = alice.get("regressed").await.ok(200);
    assert_eq!(
        (&again["regressed"][0]["provider"], &again["regressed"][0]["number"]),
        (&json!("tencent"), &json!(NUMBER))
    );

    // It is told, and hides it.
    tencent.shows(json!([])).await;
    world.advance_days(22);
    world.work().await;
    assert_eq!(tencent.asked().await, 0);
    world.advance_days(1);
    world.work().await;
    assert_eq!(tencent.asked().await, 1);
    let dispute = dispute.with_fresh_token().await;
    assert_eq!(status_at(&dispute, "tencent").await, "serving");
    assert_eq!(probe_of(&world, &dispute, "tencent").await, None, "twice is enough");
}

#[tokio::test]
async fn a_cleared_name_that_comes_back_is_noticed() {
    let name = json!([{ "kind": "name", "name": "老王烧烤", "source": "business" }]);
    let tencent = Desk::of("tencent", name).await;
    let world = world(&[&tencent]).await;
    world.cmcc_knows(NUMBER, &[("present", "2020-03-15", None)]);
    let body =
        json!({ "reason": "name_mismatch", "labels": [{ "provider": "tencent", "name": "老王烧烤" }] });
    let holder = world.holder(NUMBER).await;
    holder.sees().await.ok(200);
    let dispute = holder.files(body).await;
    dispute.is("corrected").await;
    world.provider("tencent").await.acknowledges("serving", &json!({})).await;
    world.advance_days(7);
    world.work().await;
    let dispute = dispute.with_fresh_token().await;
    assert_eq!(status_at(&dispute, "tencent").await, "regressed");
}

#[tokio::test]
async fn a_probe_is_found_again_after_a_restart() {
    let tencent = Desk::of("tencent", old_mark()).await;
    let before = world(&[&tencent]).await;
    let dispute = corrected_and_served(&before, "tencent").await;
    before.advance_days(7);
    tencent.says(ResponseTemplate::new(500)).await;
    before.work().await;
    let task = probe_of(&before, &dispute, "tencent").await.unwrap();
    assert_eq!((tencent.asked().await, task.attempts), (1, 1), "put off with back-off");

    tencent.shows(old_mark()).await;
    let setup = Setup { lookups: vec![tencent.asked_by()], store: before.store.clone(), ..Setup::default() };
    let after = World::with(setup).await;
    after.clock.set(task.run_at);
    after.work().await;
    assert_eq!(tencent.asked().await, 1);
    let alice = after.moderator("alice", Role::Moderator).await;
    assert_eq!(alice.get("regressed").await.ok(200)["regressed"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_is_probed_for_ever() {
    let (tencent, baidu) = (Desk::of("tencent", old_mark()).await, Desk::of("baidu", old_mark()).await);
    let world = world(&[&tencent, &baidu]).await;
    // Serves nothing: it is waited for, a week at a time.
    let dispute = corrected_and_served(&world, "sogou").await;
    for _ in 0..25 {
        assert!(probe_of(&world, &dispute, "tencent").await.is_some());
        world.advance_days(7);
        world.work().await;
    }
    world.advance_days(7);
    world.work().await;
    assert_eq!((tencent.asked().await, baidu.asked().await), (1, 1));
    assert_eq!(probe_of(&world, &dispute, "tencent").await, None);
    let listing = Listing::TasksDue { until: jiff::Timestamp::MAX };
    let store: &dyn Store = world.store.as_ref();
    assert_eq!(store.page::<Task>(&listing, None, 10).await.unwrap().0, []);
}

#[tokio::test]
async fn what_is_taken_back_or_refused_is_not_probed() {
    let (tencent, baidu) = (Desk::of("tencent", old_mark()).await, Desk::of("baidu", old_mark()).await);
    let world = world(&[&tencent, &baidu]).await;
    let dispute = corrected_and_served(&world, "tencent").await;
    let refused = json!({ "refused": [{ "seq": 0, "code": "no_dated_reports" }] });
    world.provider("baidu").await.acknowledges("serving", &refused).await;
    world.advance_days(7);
    world.work().await;
    assert_eq!((tencent.asked().await, baidu.asked().await), (2, 1));
    assert_eq!(probe_of(&world, &dispute, "baidu").await, None);
    assert!(probe_of(&world, &dispute, "tencent").await.is_some());
    let why = json!({ "reason": "the operator was wrong" });
    for (name, status) in [("alice", 202), ("bob", 200)] {
        let moderator = world.moderator(name, Role::Moderator).await;
        moderator.post("corrections/0/revert", &why).await.ok(status);
    }
    world.advance_days(30);
    world.work().await;
    assert_eq!(tencent.asked().await, 2);
    assert_eq!(probe_of(&world, &dispute, "tencent").await, None);
}
