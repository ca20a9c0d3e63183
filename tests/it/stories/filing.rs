//! Filing: what is taken, and what is refused without a trace.

use serde_json::{Value, json};

use crate::support::{Holder, World};

const NUMBER: &str = "+8613800138000";
const USCC: &str = "91350211M000100Y46";

#[tokio::test]
async fn a_filing_is_answered_with_its_place_and_its_due_date() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03-01", "contact": "+8613900139000",
        "labels": [{ "provider": "tencent", "category": "express" }], "note": "第一行\n第二行" });
    let filed = holder.sends(&body).await.ok(201);
    let id = filed.text("id");
    assert_eq!(filed.headers["location"], format!("/v1/disputes/{id}"));
    assert_eq!(filed.headers["cache-control"], "no-store");
    assert!(filed.text("token").starts_with("zmd_"));
    // Five working days after a Monday.
    assert_eq!((&filed["status"], &filed["due_on"]), (&json!("checking"), &json!("2026-11-30")));
    let view = world.dispute(&filed).look().await.ok(200);
    assert_eq!(view["number"], NUMBER);
    assert_eq!((&view["filed_at"], &view["overdue"]), (&json!("2026-11-23T03:00:00Z"), &json!(false)));
    assert_eq!(
        view["providers"],
        json!([{ "provider": "tencent", "provider_name": "腾讯手机管家",
        "status": "pending", "at": "2026-11-23T03:00:00Z" }])
    );
    assert_eq!(
        view["timeline"],
        json!([{ "at": "2026-11-23T03:00:00Z", "event": "filed",
        "text": "已收到您的申诉。" }])
    );
    assert_eq!((view.body.get("refusal"), view.body.get("correction")), (None, None));
    assert!(world.messages_to("+8613900139000").is_empty(), "not before it is verified");
}

#[tokio::test]
async fn the_same_view_speaks_english() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let dispute = holder.files_reassigned("2025-03").await;
    let fields = [("authorization", &*format!("Bearer {}", dispute.token)), ("accept-language", "en")];
    let path = format!("/v1/disputes/{}", dispute.id);
    let view = world.client.send(http::Method::GET, &path, &fields, None).await.ok(200);
    assert_eq!(view["timeline"][0]["text"], "We have your dispute.");
}

#[tokio::test]
async fn malformed_filings_are_refused_and_leave_no_trace() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let labels = |label: Value| json!({ "reason": "reassigned", "opened": "2025-03", "labels": [label] });
    let show = |show: Value| json!({ "reason": "name_mismatch", "labels": [], "show": show });
    let with = |field: &str, value: Value| {
        let mut body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
        body[field] = value;
        body
    };
    let malformed = "field_malformed";
    for (body, status, code) in [
        (json!({}), 400, "body_malformed"),
        (json!(null), 400, "body_malformed"),
        (json!("reassigned"), 400, "body_malformed"),
        (with("reason", json!("revenge")), 400, malformed),
        (with("reason", json!(1)), 400, malformed),
        (with("opened", json!(202503)), 400, malformed),
        (with("opened", json!("2025-3")), 400, malformed),
        (with("opened", json!("2025-13")), 400, malformed),
        (with("opened", json!("2025-02-29")), 400, malformed),
        (with("opened", json!("2025-02-30")), 400, malformed),
        (with("opened", json!("1987-10")), 400, malformed),
        (with("opened", json!("2026-12")), 400, malformed),
        (with("opened", json!("2026-11-24")), 400, malformed),
        (with("opened", json!("2025年3月")), 400, malformed),
        (with("opened", json!(null)), 422, "opened_needed"),
        (with("labels", json!({})), 400, malformed),
        (with("labels", json!([7])), 400, malformed),
        (with("labels", json!(vec![json!({ "provider": "tencent" }); 21])), 400, malformed),
        (with("note", json!("字".repeat(501))), 400, malformed),
        (with("note", json!("a\tb")), 400, malformed),
        (with("note", json!("a\u{0}b")), 400, malformed),
        (with("note", json!(["a"])), 400, malformed),
        (with("contact", json!("13900139000")), 400, "number_malformed"),
        (with("contact", json!("+14155550100")), 422, "number_unsupported"),
        (with("show", json!({ "name": "某某", "uscc": USCC })), 400, "field_unknown"),
        (with("priority", json!("high")), 400, "field_unknown"),
        (with("number", json!(NUMBER)), 400, "field_unknown"),
        (labels(json!({ "category": "express" })), 400, malformed),
        (labels(json!({ "provider": "Tencent!" })), 400, malformed),
        (labels(json!({ "provider": "tencent", "category": "nonsense" })), 400, malformed),
        (labels(json!({ "provider": "tencent", "name": "" })), 400, malformed),
        (labels(json!({ "provider": "tencent", "name": "\u{202e}gnol" })), 400, malformed),
        (labels(json!({ "provider": "tencent", "name": "名".repeat(121) })), 400, malformed),
        (labels(json!({ "provider": "tencent", "colour": "red" })), 400, "field_unknown"),
        (json!({ "reason": "name_mismatch", "opened": "2025-03", "labels": [] }), 400, "field_unknown"),
        (json!({ "reason": "name_mismatch" }), 422, "label_needed"),
        (json!({ "reason": "name_mismatch", "labels": [{ "provider": "baidu" }] }), 422, "label_needed"),
        (show(json!({ "name": "某某" })), 400, malformed),
        (show(json!({ "name": "  ", "uscc": USCC })), 400, malformed),
        (show(json!({ "name": "某某", "uscc": "91350211M000100Y43" })), 422, "uscc_wrong"),
        (show(json!({ "name": "某某", "uscc": "" })), 422, "uscc_wrong"),
        (show(json!({ "name": "某某", "uscc": USCC, "logo": "" })), 400, "field_unknown"),
    ] {
        let before = world.changes();
        let answer = holder.sends_with_key("k", &body).await;
        assert_eq!((answer.status, answer["code"].as_str()), (status, Some(code)), "{body} {}", answer.body);
        assert_eq!(world.changes(), before, "{body}");
    }
    assert_eq!(world.client.get("/v1/disputes", &holder.token).await.ok(200)["disputes"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_what_was_sent_is_not_repeated() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03",
        "labels": [{ "provider": "baidu" }, { "provider": "tencent", "category": "张三的秘密" }] });
    let answer = holder.sends_with_key("k", &body).await.refused(400, "field_malformed");
    assert_eq!(answer["field"], "labels[1].category");
    assert!(!answer.body.to_string().contains("张三"));
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_and_leave_no_trace() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let before = world.changes();
    let json = [("content-type", "application/json")];
    sends_raw(&holder, &world, &json, b"{\"reason\":").await.refused(400, "body_malformed");
    sends_raw(&holder, &world, &json, b"{} {}").await.refused(400, "body_malformed");
    sends_raw(&holder, &world, &json, b"{\"note\":\"\xff\xfe\"}").await.refused(400, "body_malformed");
    sends_raw(&holder, &world, &json, "[".repeat(9_000).as_bytes()).await.refused(400, "body_malformed");
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(40_000));
    sends_raw(&holder, &world, &json, long.as_bytes()).await.refused(413, "body_too_large");
    sends_raw(&holder, &world, &[], b"{}").await.refused(415, "media_type_unsupported");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    sends_raw(&holder, &world, &form, b"reason=reassigned").await.refused(415, "media_type_unsupported");
    let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
    sends_raw(&holder, &world, &packed, b"{}").await.refused(415, "encoding_unsupported");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn half_a_body_is_none() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let before = world.changes();
    let whole = r#"{"reason":"reassigned","opened":"2025-03","labels":[]}"#;
    let head = |framing: &str| {
        format!(
            "POST /v1/disputes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n",
            holder.token
        )
    };
    // Complete JSON, but less than was announced.
    let by_length = format!("{}{whole}", head("Content-Length: 500"));
    let chunked = format!("{}{:x}\r\n{whole}\r\n", head("Transfer-Encoding: chunked"), whole.len());
    for request in [by_length, chunked] {
        let answer = world.client.bytes(request.as_bytes()).await;
        assert!(!answer.contains("201"), "{answer}");
        assert_eq!(world.changes(), before);
    }
    let none = head("X-Nothing: 1");
    assert!(world.client.bytes(none.as_bytes()).await.starts_with("HTTP/1.1 411 "));
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn a_filing_has_a_key_of_its_own() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let before = world.changes();
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
    world.client.post("/v1/disputes", &holder.token, &body).await.refused(400, "idempotency_key_missing");
    for key in [&"k".repeat(256), "with space", "中文"] {
        let answer = holder.sends_with_key(key, &body).await.refused(400, "field_malformed");
        assert_eq!(answer["field"], "Idempotency-Key");
    }
    assert_eq!(world.changes(), before);
    holder.sends_with_key(&"k".repeat(255), &body).await.ok(201);
}

#[tokio::test]
async fn the_same_filing_again_is_the_same_answer() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
    let first = holder.sends_with_key("k", &body).await.ok(201);
    world.work().await;
    let before = world.changes();
    let again = holder.sends_with_key("k", &body).await.ok(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.headers["location"], first.headers["location"]);

    let other = json!({ "reason": "reassigned", "opened": "2025-04", "labels": [] });
    holder.sends_with_key("k", &other).await.refused(422, "idempotency_key_reused");
    assert_eq!(world.changes(), before);
    // A key belongs to its number.
    world.holder("+8613800138001").await.sends_with_key("k", &other).await.ok(201);
}

#[tokio::test]
async fn a_number_has_one_open_dispute_for_a_reason() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let dispute = holder.files_reassigned("2025-03").await;
    dispute.is("in_review").await;
    let before = world.changes();
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
    holder.sends(&body).await.refused(409, "dispute_open");
    assert_eq!(world.changes(), before);
    let other = json!({ "reason": "name_mismatch", "labels": [{ "provider": "baidu", "name": "老王" }] });
    holder.sends(&other).await.ok(201);
    dispute.withdraws().await.ok(200);
    holder.sends(&body).await.ok(201);
}

#[tokio::test]
async fn filings_are_counted_for_ninety_days() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    for _ in 0..4 {
        holder.files_reassigned("2025-03").await.withdraws().await.ok(200);
    }
    let before = world.changes();
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [] });
    holder.sends(&body).await.refused(422, "filings_exhausted");
    assert_eq!(world.changes(), before);
    let other = json!({ "reason": "name_mismatch", "labels": [{ "provider": "baidu", "name": "老王" }] });
    holder.sends(&other).await.ok(201);
    world.advance_days(91);
    world.holder(NUMBER).await.sends(&body).await.ok(201);
}

async fn sends_raw(
    holder: &Holder<'_>,
    world: &World,
    fields: &[(&str, &str)],
    body: &[u8],
) -> crate::support::Answer {
    let bearer = format!("Bearer {}", holder.token);
    let mut all = vec![("authorization", bearer.as_str()), ("idempotency-key", "k")];
    all.extend(fields);
    world.client.send(http::Method::POST, "/v1/disputes", &all, Some(body.to_vec())).await
}
