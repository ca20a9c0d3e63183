//! Control proved by a text from the number: what the holder is shown, what
//! the gateway hands over, and who gets the token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use zhengming::store::{Claim, CodeCount, Store};

use crate::support::{ACCESS_NUMBER, Answer, GATEWAY_TOKEN, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";
const OTHER: &str = "+8613900139000";

impl World {
    async fn shows_phrase(&self, number: &str) -> Answer {
        let body = json!({ "number": number, "method": "send_sms" });
        self.client.post("/v1/verifications", "", &body).await
    }

    async fn stands(&self, started: &Answer) -> Value {
        self.client.get(&format!("/v1/verifications/{}", started.text("id")), "").await.ok(200).body
    }

    /// The gateway hands over what was sent from this number to ours, now.
    async fn hands_over(&self, from: &str, text: &str) -> Answer {
        self.hands_over_with(GATEWAY_TOKEN, &self.text(from, text)).await
    }

    async fn hands_over_with(&self, token: &str, body: &Value) -> Answer {
        self.client.post("/v1/sms/inbound", token, body).await
    }

    fn text(&self, from: &str, text: &str) -> Value {
        json!({ "from": from, "to": ACCESS_NUMBER, "text": text, "at": self.casework.now() })
    }

    async fn asks(&self, query: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let query = serde_urlencoded::to_string(query).unwrap();
        self.client.send(Method::GET, &format!("/v1/sms/inbound?{query}"), fields, None).await
    }
}

#[tokio::test]
async fn a_text_from_the_number_opens_it_once() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    assert_eq!(
        (&started["method"], &started["send_to"], &started["expires_at"]),
        (&json!("send_sms"), &json!(ACCESS_NUMBER), &json!("2026-11-23T03:10:00Z"))
    );
    let (service, phrase) =
        started.text("text").split_once(' ').map(|(a, b)| (a.to_owned(), b.len())).unwrap();
    assert_eq!((service.as_str(), phrase), ("正名", 8));
    assert_eq!(world.stands(&started).await, json!({ "status": "pending" }));

    world.advance(seconds(30));
    world.hands_over(NUMBER, &started.text("text")).await.ok(204);
    // To look at the head only is not to take.
    let path = format!("/v1/verifications/{}", started.text("id"));
    world.client.send(Method::HEAD, &path, &[], None).await.ok(200);
    let told = world.stands(&started).await;
    assert_eq!(
        (&told["status"], &told["number"], &told["expires_at"]),
        (&json!("confirmed"), &json!(NUMBER), &json!("2026-11-23T04:00:30Z"))
    );
    let token = told["token"].as_str().unwrap();
    assert_eq!(world.client.get("/v1/labels", token).await.ok(200)["number"], NUMBER);
    assert_eq!(world.stands(&started).await, json!({ "status": "confirmed" }));
    assert_eq!(world.messages_to(NUMBER), Vec::<String>::new(), "nothing is sent for it");
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_the_token() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    world.hands_over(NUMBER, &started.text("text")).await.ok(204);
    let told = futures_util::future::join_all((0..8).map(|_| world.stands(&started))).await;
    assert_eq!(told.iter().filter(|told| told.get("token").is_some()).count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_token_that_nobody_took_in_time_is_nobodys() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    world.hands_over(NUMBER, &started.text("text")).await.ok(204);
    world.advance(seconds(3_600));
    assert_eq!(world.stands(&started).await, json!({ "status": "confirmed" }));
}

#[tokio::test]
async fn a_text_is_taken_as_people_write_and_gateways_spell() {
    let world = World::new().await;
    for (from, style) in [
        ("+8613800138001", "{}"),
        ("8613800138002", "正名{}"),
        ("008613800138003", "【正名】 {} "),
        ("13800138004", "zhengming {}"),
    ] {
        let number = format!("+86{}", &from[from.len() - 11..]);
        let started = world.shows_phrase(&number).await.ok(201);
        let phrase = started.text("text").split_once(' ').unwrap().1.to_lowercase();
        world.hands_over(from, &style.replace("{}", &phrase)).await.ok(204);
        assert_eq!(world.stands(&started).await["number"], number, "{from}");
    }
}

#[tokio::test]
async fn kannel_asks_with_a_query() {
    let world = World::new().await;
    let basic = format!("Basic {}", STANDARD.encode(format!("kannel:{GATEWAY_TOKEN}")));
    let bearer = format!("Bearer {GATEWAY_TOKEN}");
    let now = world.casework.now().as_second().to_string();
    for (number, at, token, fields) in [
        ("+8613800138001", now.as_str(), Some(GATEWAY_TOKEN), None),
        ("+8613800138002", "2026-11-23 03:00:00", None, Some(basic.as_str())),
        ("+8613800138003", "2026-11-23T03:00:00Z", None, Some(bearer.as_str())),
    ] {
        let started = world.shows_phrase(number).await.ok(201);
        let text = started.text("text");
        let mut query = vec![("from", number), ("to", ACCESS_NUMBER), ("text", &text), ("at", at)];
        query.extend(token.map(|token| ("token", token)));
        let fields: Vec<_> = fields.map(|value| ("authorization", value)).into_iter().collect();
        let answer = world.asks(&query, &fields).await.ok(204);
        assert_eq!((answer.body, answer.headers.get("content-type")), (Value::Null, None));
        assert_eq!(world.stands(&started).await["number"], number);
    }
}

#[tokio::test]
async fn what_nobody_waits_for_changes_nothing_and_is_told_nothing() {
    let world = World::new().await;
    let (mine, theirs) = (world.shows_phrase(NUMBER).await.ok(201), world.shows_phrase(OTHER).await.ok(201));
    let (text, before) = (mine.text("text"), world.changes());
    // Another number, another's phrase, none at all; nobody's number.
    world.hands_over(OTHER, &text).await.ok(204);
    world.hands_over(NUMBER, &theirs.text("text")).await.ok(204);
    for words in ["", "正名", "退订", "正名 22222222", &"正名 ".repeat(2_000)] {
        world.hands_over(NUMBER, words).await.ok(204);
    }
    for from in ["", "10086", "BANK", "+14155550100", "anonymous\0"] {
        world.hands_over(from, &text).await.ok(204);
    }
    // To another number than ours; at another time.
    for (field, value) in [
        ("to", "10690001"),
        ("to", ""),
        ("at", "2026-11-23T02:58:59Z"),
        ("at", "2026-11-23T03:01:01Z"),
        ("at", "2025-11-23T03:00:00Z"),
    ] {
        let mut body = world.text(NUMBER, &text);
        body[field] = value.into();
        world.hands_over_with(GATEWAY_TOKEN, &body).await.ok(204);
    }
    assert_eq!(world.changes(), before);
    assert_eq!(world.stands(&mine).await, json!({ "status": "pending" }));
    // A phrase is not typed in, and neither is the code that it would have.
    let owner = zhengming::casework::actors::Owner::at_the_command_line();
    let code = world.casework.code_for(owner, mine.text("id").parse().unwrap());
    world.confirms(&mine.text("id"), &code).await.refused(422, "method_not_offered");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn handed_over_again_it_changes_nothing() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    let text = world.text(NUMBER, &started.text("text"));
    world.hands_over_with(GATEWAY_TOKEN, &text).await.ok(204);
    let before = world.changes();
    world.hands_over_with(GATEWAY_TOKEN, &text).await.ok(204);
    assert_eq!(world.changes(), before);
    assert!(world.stands(&started).await["token"].is_string());
    let before = world.changes();
    world.hands_over_with(GATEWAY_TOKEN, &text).await.ok(204);
    assert_eq!(world.changes(), before);
    assert_eq!(world.stands(&started).await, json!({ "status": "confirmed" }));
}

#[tokio::test]
async fn a_phrase_expires_and_is_forgotten() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    let phrase = started.text("text").split_once(' ').unwrap().1.parse::<String>().unwrap();
    world.advance(seconds(600));
    let before = world.changes();
    world.hands_over(NUMBER, &phrase).await.ok(204);
    assert_eq!(world.changes(), before);
    assert_eq!(world.stands(&started).await, json!({ "status": "spent" }));
    world.advance_days(2);
    while world.casework.purge().await.unwrap() {}
    let path = format!("/v1/verifications/{}", started.text("id"));
    world.client.get(&path, "").await.refused(404, "not_found");
    let store: &dyn Store = world.store.as_ref();
    let number = world.number(NUMBER);
    assert!(store.load::<CodeCount>(&number).await.unwrap().is_none());
    let read = zhengming::domain::phrase::Phrase::read(&phrase).unwrap();
    let claim = zhengming::casework::secret::Secret::new([7; 32]).phrase_claim(number, read);
    assert!(store.load::<Claim>(&claim).await.unwrap().is_none());
}

#[tokio::test]
async fn over_the_quota_the_answer_is_the_same_and_its_phrase_matches_nothing() {
    let world = World::new().await;
    for _ in 0..5 {
        world.shows_phrase(NUMBER).await.ok(201);
    }
    let sixth = world.shows_phrase(NUMBER).await.ok(201);
    let keys: Vec<_> = sixth.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["expires_at", "id", "method", "send_to", "text"]);
    world.hands_over(NUMBER, &sixth.text("text")).await.ok(204);
    assert_eq!(world.stands(&sixth).await, json!({ "status": "pending" }));
    // Codes have a quota of their own, and so has tomorrow.
    world.holder(NUMBER).await;
    world.advance_days(1);
    let next = world.shows_phrase(NUMBER).await.ok(201);
    world.hands_over(NUMBER, &next.text("text")).await.ok(204);
    assert!(world.stands(&next).await["token"].is_string());
}

#[tokio::test]
async fn only_the_gateway_hands_over() {
    let world = World::new().await;
    let started = world.shows_phrase(NUMBER).await.ok(201);
    let (text, before) = (world.text(NUMBER, &started.text("text")), world.changes());
    let holder = world.holder(OTHER).await.token;
    let cut = &GATEWAY_TOKEN[1..];
    for token in ["", " ", "x", cut, holder.as_str()] {
        world.hands_over_with(token, &text).await.refused(401, "unauthenticated");
        // Who may not speak does not learn what is wrong with the words.
        world.hands_over_with(token, &json!([])).await.refused(401, "unauthenticated");
        world.asks(&[("token", token), ("from", NUMBER)], &[]).await.refused(401, "unauthenticated");
    }
    let path = format!("/v1/sms/inbound?token={GATEWAY_TOKEN}");
    world.client.post(&path, "", &text).await.refused(401, "unauthenticated");
    let wrong = format!("Basic {}", STANDARD.encode(format!("{GATEWAY_TOKEN}:")));
    world.asks(&[("from", NUMBER)], &[("authorization", &wrong)]).await.refused(401, "unauthenticated");
    assert!(world.changes() > before, "only the other holder has changed something");
    assert_eq!(world.stands(&started).await, json!({ "status": "pending" }));
}

#[tokio::test]
async fn rubbish_is_refused_in_good_order() {
    let world = World::new().await;
    let fine = world.text(NUMBER, "正名");
    for (field, value, code) in [
        ("at", json!("yesterday"), "field_malformed"),
        ("at", json!(1795485239), "field_malformed"),
        ("from", json!(13800138000u64), "field_malformed"),
        ("text", Value::Null, "field_malformed"),
        ("smsc", json!("A"), "field_unknown"),
    ] {
        let mut body = fine.clone();
        body[field] = value;
        world.hands_over_with(GATEWAY_TOKEN, &body).await.refused(400, code);
    }
    world.hands_over_with(GATEWAY_TOKEN, &json!({})).await.refused(400, "body_malformed");
    let token = ("token", GATEWAY_TOKEN);
    world.asks(&[token], &[]).await.refused(400, "query_malformed");
    world.asks(&[token, token], &[]).await.refused(400, "query_malformed");
    let at = [token, ("from", NUMBER), ("to", ACCESS_NUMBER), ("text", "正名"), ("at", "%T")];
    world.asks(&at, &[]).await.refused(400, "field_malformed");
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn it_is_offered_where_texts_are_taken_to_numbers_that_send_them() {
    let world = World::new().await;
    for number in ["+861062345678", "+864001234567", "+8695588"] {
        world.shows_phrase(number).await.refused(422, "sms_unreachable");
    }
    let world = World::with(Setup { texting: false, ..Setup::default() }).await;
    world.shows_phrase(NUMBER).await.refused(422, "method_not_offered");
    for token in ["", GATEWAY_TOKEN] {
        let body = world.text(NUMBER, "正名");
        world.hands_over_with(token, &body).await.refused(401, "unauthenticated");
    }
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn the_service_is_named_in_the_holders_language() {
    let world = World::new().await;
    let body = json!({ "number": NUMBER, "method": "send_sms" });
    let fields = [("accept-language", "en")];
    let started = world.client.post_with("/v1/verifications", "", &fields, &body).await.ok(201);
    assert!(started.text("text").starts_with("Zhengming "));
    world.hands_over(NUMBER, &started.text("text")).await.ok(204);
    assert!(world.stands(&started).await["token"].is_string());
}
