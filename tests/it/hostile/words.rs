//! Words that mean more to a machine than to a reader: markup, statements,
//! formulas, and characters that make others read otherwise than they are.

use http::Method;
use serde_json::{Value, json};
use zhengming::casework::actors::Owner;
use zhengming::store::{Grant, Role};

use crate::support::company::{COMPANY, USCC};
use crate::support::desk::{Desk, Page};
use crate::support::{Answer, Dispute, Holder, Provider, World, seconds};

const NUMBER: &str = "+8613800138000";
const CONTACT: &str = "+8613800138009";
/// As long as a name may be; a page that has it raw is taken over.
const MARKUP: &str =
    "a\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}' OR 1=1;DROP TABLE x;--";
const SHOWN: &str = "&#60;script&#62;alert(1)&#60;/script&#62;&#60;img src=x onerror=alert(2)&#62;{{7*7}}";

/// No page is what somebody wrote, and this one shows it to be read.
#[track_caller]
fn shows(page: &Page, times: usize) {
    is_harmless(page);
    let found = page.body.matches(SHOWN).count();
    assert!(found >= times, "{found} times: {}", page.body);
}

#[track_caller]
fn is_harmless(page: &Page) {
    assert!(page.status < 500, "{}", page.head);
    for raw in ["<script>alert", "<img src=x", "\"'>", "49$", "{{49"] {
        assert!(!page.body.contains(raw), "{raw}: {}", page.body);
        assert!(!page.head.contains(raw), "{raw}: {}", page.head);
    }
}

async fn provider<'a>(world: &'a World, id: &str, name: &str) -> Provider<'a> {
    let (owner, grant) = (Owner::at_the_command_line(), Grant::Provider(id.parse().unwrap()));
    world.casework.issue_key(owner, grant, name).await.unwrap();
    world.provider(id).await
}

async fn filed<'a>(world: &'a World) -> Dispute<'a> {
    let labels = json!([{ "provider": "tencent", "name": MARKUP }]);
    let body = json!({ "reason": "name_mismatch", "labels": labels, "note": format!("{MARKUP}\n{MARKUP}") });
    world.holder(NUMBER).await.files(body).await
}

#[tokio::test]
async fn markup_is_shown_as_it_was_written_wherever_it_is_shown() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Admin).await;
    let bob = world.moderator("bob", Role::Admin).await;
    let (alice_at, bob_at) = (Desk::of(&world, &alice), Desk::of(&world, &bob));
    let tencent = provider(&world, "tencent", MARKUP).await;
    for label in [
        json!({ "number": NUMBER, "kind": "name", "name": MARKUP, "source": "unknown" }),
        json!({ "number": NUMBER, "kind": "category", "category": "fraud", "text": MARKUP, "source": "crowd" }),
    ] {
        assert_eq!(tencent.uploads(&label).await["accepted"], 1);
    }
    let holder = world.holder(NUMBER).await;
    let seen = holder.sees().await.ok(200);
    assert!(seen["labels"].as_array().unwrap().iter().any(|label| label["name"] == MARKUP));
    let here = Desk::with(&world, &format!("zm_holder={}", holder.token));
    shows(&here.opens("/file").await.ok(200), 2);

    let dispute = filed(&world).await;
    let case = alice.takes_next().await.ok(200);
    assert!(case.body.to_string().contains(&json!(MARKUP).to_string()), "{}", case.body);
    let place = format!("/console/disputes/{}", dispute.id);
    // The name and the label's, its text, and the note's two lines.
    shows(&alice_at.opens(&place).await.ok(200), 5);
    let decision = json!({ "decision": "refuse", "reason_code": "looked_at_it", "note": MARKUP,
        "public_note": MARKUP, "version": case["version"] });
    alice.post(&format!("disputes/{}/decision", dispute.id), &decision).await.ok(200);
    let told = dispute.look().await.ok(200);
    assert!(told["refusal"]["text"].as_str().unwrap().contains(MARKUP), "{}", told.body);
    world.advance(seconds(1));
    let fresh = dispute.with_fresh_token().await;
    let own = Desk::with(&world, &format!("zm_dispute={}", fresh.token));
    shows(&own.opens(&format!("/d/{}", dispute.id)).await.ok(200), 1);
    fresh.appeals(MARKUP).await.ok(200);
    bob.takes_next().await.ok(200);
    shows(&bob_at.opens(&place).await.ok(200), 7);

    tencent.acknowledges("received", &json!({ "software": MARKUP })).await;
    shows(&alice_at.opens("/console/providers/tencent").await.ok(200), 1);
    shows(&alice_at.opens("/console/keys").await.ok(200), 1);
    for path in ["/console", "/console/providers", "/console/queue", "/console/signatures", "/console/audit"]
    {
        is_harmless(&alice_at.opens(path).await.ok(200));
    }
    let messages = world.messages_to(NUMBER).concat();
    assert!(!messages.contains("script") && !messages.is_empty(), "{messages}");
}

#[tokio::test]
async fn markup_of_enterprises_and_of_reversals_is_shown_as_it_was_written() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Admin).await;
    let bob = world.moderator("bob", Role::Admin).await;
    let clerk = world.holder(CONTACT).await;
    let enterprise = json!({ "name": MARKUP, "uscc": USCC });
    let list = json!({ "reason": "reassigned", "enterprise": enterprise, "note": MARKUP,
        "numbers": ["+861062345678", MARKUP, "=1+1"] });
    let fields = [("idempotency-key", "list")];
    let filed = world.client.post_with("/v1/filings", &clerk.token, &fields, &list).await.ok(201);
    let own = Desk::with(&world, &format!("zm_filing={}", filed.text("token")));
    shows(&own.opens(&format!("/filings/{}", filed.text("id"))).await.ok(200), 1);

    world.cmcc_knows_new_holder(NUMBER);
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("corrected").await;
    world.publish().await;
    alice.post("corrections/0/revert", &json!({ "reason": MARKUP })).await.ok(202);
    let bob_at = Desk::of(&world, &bob);
    shows(&bob_at.opens("/console/signatures/reversals/0").await.ok(200), 1);
    shows(&bob_at.opens("/console/signatures").await.ok(200), 1);
}

/// What comes in by an address or a form and goes back on the page.
#[tokio::test]
async fn markup_that_is_sent_back_is_not_believed() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Admin).await;
    let desk = Desk::of(&world, &alice);
    let written: String = form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect();
    for field in ["actor", "action", "subject"] {
        shows(&desk.opens(&format!("/console/audit?{field}={written}")).await.ok(200), 1);
    }
    for path in [
        "/console/audit?from=",
        "/console/audit?before=",
        "/console/queue?status=",
        "/console/queue?flag=",
        "/console/queue?after=",
        "/console/signatures?after=",
        "/?lang=",
        "/docs?lang=",
        "/stats?",
        "/console/login?next=",
    ] {
        is_harmless(&desk.opens(&format!("{path}{written}")).await);
    }
    for (path, fields, page) in [
        ("/", "number=", "/"),
        ("/console/login", "password=x&totp=1&name=", "/console/login"),
        ("/console/keys", "kind=provider&id=x&name=", "/console/keys"),
        ("/console/team", "role=admin&name=", "/console/team"),
        ("/console/signatures/look", "number=", "/console/signatures"),
        ("/receipt", "receipt=", "/receipt"),
    ] {
        let sent = desk.posts(path, &format!("{fields}{written}")).await;
        is_harmless(&sent);
        let Some(cookie) = sent.field("set-cookie").and_then(|line| line.split(';').next()) else { continue };
        let with_draft = Desk::with(&world, &format!("zm_session={}; {cookie}", alice.token));
        is_harmless(&with_draft.opens(page).await);
    }
    let start = desk.posts("/", &format!("number={written}")).await.ok(303);
    let cookie = start.field("set-cookie").unwrap().split(';').next().unwrap();
    shows(&Desk::with(&world, cookie).opens("/").await.ok(200), 1);
}

/// In any text, and those that only a name may not have.
const ODD: [&str; 8] = [
    "老\u{202e}王",
    "老\u{2066}王",
    "老\u{200f}王",
    "老\u{2028}王",
    "老\0王",
    "老\u{85}王",
    "老\u{1b}[31m王",
    "老\u{300}\u{301}\u{302}\u{303}\u{304}王",
];
const UNSEEN: [&str; 5] = ["老\u{200b}王", "\u{feff}老王", "老\u{ad}王", "老\u{e0041}王", "老\u{3164}王"];

/// Each text that a caller can send, with a sender that puts it there.
async fn refused_everywhere(world: &World, holder: &Holder<'_>, text: &str, is_of_names_alone: bool) {
    let named = |name: &str| json!([{ "provider": "tencent", "name": name }]);
    let enterprise = |name: &str| json!({ "name": name, "uscc": USCC });
    let filing = |more: Value| {
        let mut body = json!({ "reason": "name_mismatch", "labels": named("老王") });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let mut bodies = vec![
        ("/v1/disputes", filing(json!({ "labels": named(text) }))),
        ("/v1/disputes", filing(json!({ "show": enterprise(text) }))),
        (
            "/v1/filings",
            json!({ "reason": "reassigned", "enterprise": enterprise(text), "numbers": [NUMBER] }),
        ),
    ];
    if !is_of_names_alone {
        bodies.push(("/v1/disputes", filing(json!({ "note": text }))));
        let list = json!({ "reason": "reassigned", "enterprise": enterprise(COMPANY), "numbers": [NUMBER], "note": text });
        bodies.push(("/v1/filings", list));
    }
    for (path, body) in bodies {
        let fields = [("idempotency-key", "odd")];
        let answer = world.client.post_with(path, &holder.token, &fields, &body).await;
        answer.refused(400, "field_malformed");
    }
    let tencent = world.provider("tencent").await;
    let line = |more: (&str, &str)| {
        let mut label = json!({ "number": NUMBER, "kind": "category", "category": "fraud" });
        label[more.0] = more.1.into();
        label
    };
    let mut name = line(("name", text));
    name["kind"] = "name".into();
    for (label, code) in [
        (name, "name_malformed"),
        (line(("text", text)), "text_malformed"),
        (line(("code", text)), "text_malformed"),
    ] {
        assert_eq!(tencent.uploads(&label).await["errors"], json!([{ "line": 1, "code": code }]), "{label}");
    }
}

async fn acknowledged(world: &World, more: Value) -> Answer {
    let key = world.provider("tencent").await.key;
    let bearer = format!("Bearer {key}");
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let mut body = json!({ "size": 0, "root": root, "stage": "received" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let fields = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.client.send(Method::PUT, "/feed/v1/ack", &fields, Some(body.to_string().into_bytes())).await
}

#[tokio::test]
async fn what_makes_a_text_read_otherwise_is_refused_in_each_of_them() {
    let world = World::new().await;
    let holder = world.holder(NUMBER).await;
    let before = holder.sees().await.ok(200)["labels"].clone();
    for text in ODD {
        refused_everywhere(&world, &holder, text, false).await;
        acknowledged(&world, json!({ "software": text })).await.refused(400, "field_malformed");
    }
    for text in UNSEEN {
        refused_everywhere(&world, &holder, text, true).await;
    }
    assert_eq!(holder.sees().await.ok(200)["labels"], before);

    let alice = world.moderator("alice", Role::Admin).await;
    let dispute = holder.files_reassigned("2025-03").await;
    let case = alice.takes_next().await.ok(200);
    for text in ODD {
        for field in ["note", "public_note"] {
            let mut decision =
                json!({ "decision": "refuse", "reason_code": "x", "version": case["version"] });
            decision[field] = text.into();
            let decided = alice.post(&format!("disputes/{}/decision", dispute.id), &decision).await;
            decided.refused(400, "field_malformed");
        }
        alice.post("corrections/0/revert", &json!({ "reason": text })).await.refused(400, "field_malformed");
        dispute.appeals(text).await.refused(400, "field_malformed");
    }
}

/// What merely looks like something else is something else.
#[tokio::test]
async fn look_alikes_are_others() {
    let world = World::new().await;
    for number in [
        "＋８６１３８００１３８０００",
        "+٨٦١٣٨٠٠١٣٨٠٠٠",
        "+86138OO138OOO",
        "+86 138 0013 8000",
        "8613800138000",
    ] {
        world.asks_for_code(number).await.refused(400, "number_malformed");
    }
    let holder = world.holder(NUMBER).await;
    for provider in ["tenсent", "ｔｅｎｃｅｎｔ", "Tencent", "tencent\u{200b}", "tencent ", "../tencent"]
    {
        let body =
            json!({ "reason": "reassigned", "opened": "2025-03", "labels": [{ "provider": provider }] });
        holder.sends_with_key("look-alike", &body).await.refused(400, "field_malformed");
    }
    for name in ["аlice", "ALICE", "alice\u{200d}", "alice ", "alice\0"] {
        let totp = "123456";
        world.logs_in(name, "correct horse battery", totp).await.refused(401, "login_wrong");
    }
}

/// The feed as CSV is opened by spreadsheets too.
#[tokio::test]
async fn no_name_that_is_published_is_a_formula() {
    let world = World::new().await;
    let holder = world.holder(CONTACT).await;
    for name in ["=1+1", "+1", "-1", "@SUM(A1)", "＝cmd", "＋1", "－1", "＠a"] {
        let show = json!({ "name": name, "uscc": USCC });
        let labels = json!([{ "provider": "tencent", "name": "老王" }]);
        let body = json!({ "reason": "name_mismatch", "labels": labels, "show": show });
        holder.sends_with_key("formula", &body).await.refused(400, "field_malformed");
        let list = json!({ "reason": "name_mismatch", "show_name": true, "enterprise": show,
            "numbers": ["+861062345678"], "labels": labels });
        let fields = [("idempotency-key", "formula")];
        world
            .client
            .post_with("/v1/filings", &holder.token, &fields, &list)
            .await
            .refused(400, "field_malformed");
    }
}
