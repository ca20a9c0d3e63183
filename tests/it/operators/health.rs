//! How gateways are doing, where it is shown.

use zhengming::store::Role;

use crate::support::World;
use crate::support::service::TestService;

#[tokio::test]
async fn readyz_tells_and_is_ready_all_the_same() {
    let service = TestService::start().await;
    let health = service.app.casework.health();
    health.expect("operator:cmcc");
    health.failed("operator:cucc", "503", false);
    health.failed("lookup:tencent", "401", true);
    let ready = service.ask_admin("/readyz").await;
    assert_eq!(ready.status, 200);
    let gateways = ready.json()["gateways"].as_array().unwrap().clone();
    let shown: Vec<(&str, &str, Option<&str>)> = gateways
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["state"].as_str().unwrap(), one["why"].as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("lookup:tencent", "refused_us", Some("401")),
            ("operator:cmcc", "ok", None),
            ("operator:cucc", "failing", Some("503")),
            ("sms", "ok", None),
        ]
    );
    assert!(gateways.iter().all(|one| one["since"].as_str().unwrap().ends_with('Z')));
}

#[tokio::test]
async fn gateways_are_for_those_who_answer_for_the_service() {
    let world = World::new().await;
    for (name, role, may) in
        [("li-lei", Role::Moderator, false), ("han-mei", Role::Senior, true), ("lucy", Role::Admin, true)]
    {
        let answer = world.moderator(name, role).await.get("gateways").await;
        if may {
            assert_eq!(answer.ok(200).body.as_array().unwrap().len(), 2, "cmcc and sms");
        } else {
            answer.refused(403, "forbidden");
        }
    }
    world.client.get("/v1/moderation/gateways", "zms_x").await.refused(401, "unauthenticated");
}
