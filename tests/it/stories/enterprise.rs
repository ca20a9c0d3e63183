//! Enterprises that file lists: for landlines, for many numbers at once.

mod lists;
mod privacy;
mod renewals;

use http::Method;
use serde_json::{Value, json};

use crate::support::company::{COMPANY, USCC, came_to_company, is_anothers, is_companys};
use crate::support::{Answer, Dispute, Holder, World};

/// Of the clerk, who has it in hand.
const CONTACT: &str = "+8613800138000";
const LANDLINE: &str = "+861062345678";
fn landline(nth: usize) -> String {
    format!("+861062340{nth:03}")
}

fn list(reason: &str, numbers: &[&str], more: Value) -> Value {
    let enterprise = json!({ "name": COMPANY, "uscc": USCC });
    let mut body = json!({ "reason": reason, "enterprise": enterprise, "numbers": numbers });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

impl Holder<'_> {
    async fn lists(&self, world: &World, body: &Value) -> Answer {
        let key = format!("list-{}", world.changes());
        self.lists_with_key(world, &key, body).await
    }

    async fn lists_with_key(&self, world: &World, key: &str, body: &Value) -> Answer {
        world.client.post_with("/v1/filings", &self.token, &[("idempotency-key", key)], body).await
    }

    async fn lists_csv(&self, world: &World, query: &str, csv: &str) -> Answer {
        let (bearer, key) = (format!("Bearer {}", self.token), format!("list-{}", world.changes()));
        let fields =
            [("authorization", bearer.as_str()), ("content-type", "text/csv"), ("idempotency-key", &key)];
        let path = format!("/v1/filings?{query}");
        world.client.send(Method::POST, &path, &fields, Some(csv.as_bytes().to_vec())).await
    }
}

/// Files one number and lets the worker do what it can.
async fn files_one<'a>(world: &'a World, number: &str, reason: &str, more: Value) -> Dispute<'a> {
    let clerk = world.holder(CONTACT).await;
    let filed = clerk.lists(world, &list(reason, &[number], more)).await.ok(201);
    assert_eq!((&filed["accepted"], &filed["rejected"]), (&json!(1), &json!([])), "{}", filed.body);
    world.work().await;
    dispute_of(world, &filed, 0)
}

fn dispute_of<'a>(world: &'a World, filed: &Answer, nth: usize) -> Dispute<'a> {
    let mut one = filed.clone();
    one.body = filed["disputes"][nth].clone();
    world.dispute(&one)
}

async fn looks_at(world: &World, filed: &Answer) -> Answer {
    world.client.get(&format!("/v1/filings/{}", filed.text("id")), &filed.text("token")).await
}

async fn is_shown(world: &World, provider: &str, number: &str, name: &str) {
    let label = json!({ "number": number, "kind": "name", "name": name, "source": "business" });
    assert_eq!(world.shows(provider, &[label]).await.accepted, 1);
}
