//! What becomes of messages: the gateway reports, whoever waits is told.

use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, GATEWAY_TOKEN, World};

const NUMBER: &str = "+8613800138000";

impl World {
    /// As Kannel reports, with what went out with the message.
    async fn kannel_reports(&self, id: &str, seal: &str, status: u8) -> Answer {
        let path = format!("/v1/sms/delivery?id={id}&seal={seal}&status={status}");
        self.client.send(Method::GET, &path, &[], None).await
    }

    async fn reports(&self, token: &str, body: &Value) -> Answer {
        self.client.post("/v1/sms/delivery", token, body).await
    }

    async fn delivery(&self, verification: &str) -> Value {
        self.client.get(&format!("/v1/verifications/{verification}"), "").await.ok(200)["delivery"].clone()
    }

    /// The ids of a verification and of its message, and the message's seal.
    async fn sends_code(&self) -> (String, String, String) {
        let id = self.asks_for_code(NUMBER).await.ok(201).text("id");
        assert_eq!(self.delivery(&id).await, Value::Null);
        self.work().await;
        let message = self.sent_to(NUMBER).pop().unwrap();
        (id, message.id, message.seal)
    }
}

#[tokio::test]
async fn whoever_waits_for_a_code_learns_that_it_came_or_will_not() {
    let world = World::new().await;
    for (reports, stands) in [
        (vec![8, 1], "delivered"),
        (vec![1, 8], "delivered"),
        (vec![16], "failed"),
        (vec![4, 8, 2, 1], "failed"),
    ] {
        let (id, message, seal) = world.sends_code().await;
        assert_eq!(world.delivery(&id).await, "accepted");
        for status in reports {
            world.kannel_reports(&message, &seal, status).await.ok(204);
        }
        assert_eq!(world.delivery(&id).await, stands);
        // A code that comes after all is as good as any.
        world.confirms(&id, &world.last_code(NUMBER)).await.ok(200);
        assert_eq!(world.delivery(&id).await, stands);
    }
}

#[tokio::test]
async fn a_gateway_of_ones_own_reports_with_its_token() {
    let world = World::new().await;
    let (id, message, _) = world.sends_code().await;
    let failed = json!({ "id": message, "status": "failed" });
    world.reports("x", &failed).await.refused(401, "unauthenticated");
    assert_eq!(world.delivery(&id).await, "accepted");
    world.reports(GATEWAY_TOKEN, &failed).await.ok(204);
    assert_eq!(world.delivery(&id).await, "failed");
    let before = world.changes();
    for id in ["", "code-", "code-7", "status-7", "code-0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f"] {
        world.reports(GATEWAY_TOKEN, &json!({ "id": id, "status": "failed" })).await.ok(204);
    }
    for status in ["lost", ""] {
        let body = json!({ "id": message, "status": status });
        world.reports(GATEWAY_TOKEN, &body).await.refused(400, "field_malformed");
    }
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn a_seal_is_good_for_its_message_alone() {
    let world = World::new().await;
    let (_, other, seal) = world.sends_code().await;
    let (id, message, _) = world.sends_code().await;
    let before = world.changes();
    for (id, seal) in [(message.as_str(), seal.as_str()), (&message, ""), (&message, "%00"), ("", &seal)] {
        world.kannel_reports(id, seal, 2).await.refused(401, "unauthenticated");
    }
    world.kannel_reports(&other, &seal, 3).await.refused(400, "field_malformed");
    world.client.send(Method::GET, "/v1/sms/delivery?id=1", &[], None).await.refused(400, "query_malformed");
    assert_eq!(world.changes(), before);
    assert_eq!(world.delivery(&id).await, "accepted");
}

/// Else one instance after the other would end while a database fails over.
#[tokio::test]
async fn a_store_that_leaves_a_claimed_task_unread_ends_nobody() {
    let world = World::new().await;
    world.asks_for_code(NUMBER).await.ok(201);
    let one_of_two = world.casework.clone().with_others(2);
    world.store.leave_after_change();
    one_of_two.work_off().await.unwrap();
    assert!(world.messages_to(NUMBER).is_empty());
    world.advance(SignedDuration::from_secs(30));
    one_of_two.work_off().await.unwrap();
    assert_eq!(world.messages_to(NUMBER).len(), 1);
}

#[tokio::test]
async fn a_code_does_not_wait_for_figures() {
    let world = World::new().await;
    world.store.slow_log_down();
    let (casework, stop) = (world.casework.clone(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    tokio::spawn(async move { casework.work(&stop).await });
    world.asks_for_code(NUMBER).await.ok(201);
    let sent = async {
        while world.messages_to(NUMBER).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), sent).await.unwrap();
}

/// However many wait for it.
#[tokio::test]
async fn a_gateway_that_stands_still_holds_up_no_decision() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    world.gateway_stands_still();
    for nth in 0..400 {
        world.asks_for_code(&format!("+86139{nth:08}")).await.ok(201);
    }
    let body = json!({ "reason": "reassigned", "opened": "2025-03" });
    let dispute = world.dispute(&holder.sends(&body).await.ok(201));
    dispute.is("checking").await;
    let (casework, stop) = (world.casework.clone(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    tokio::spawn(async move { casework.work(&stop).await });
    let decided = async {
        while dispute.look().await.ok(200)["status"] == "checking" {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), decided).await.unwrap();
}
