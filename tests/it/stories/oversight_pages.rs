//! The console's rooms of oversight on the wire: who may enter, what a form
//! does, and what is taken away.

use zhengming::store::{AuditDraft, AuditLine, Changeset, Role, Store};

use crate::support::World;
use crate::support::desk::{Desk, Page};

const NUMBER: &str = "+8613800138000";
const ROOMS: [&str; 3] = ["/console/queue", "/console/signatures", "/console/audit"];

async fn corrected(world: &World) {
    world.cmcc_knows_new_holder(NUMBER);
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("corrected").await;
}

#[tokio::test]
async fn each_room_opens_to_whom_it_may() {
    let world = World::new().await;
    let [alice, carol, root] = [("alice", Role::Moderator), ("carol", Role::Senior), ("root", Role::Admin)];
    let alice = world.moderator(alice.0, alice.1).await;
    let carol = world.moderator(carol.0, carol.1).await;
    let root = world.moderator(root.0, root.1).await;
    let nobody = Desk::with(&world, "zm_session=zms_AAAA");
    for path in ROOMS.iter().chain(&["/console/audit/export?format=csv", "/console/signatures/reversals/0"]) {
        nobody.opens(path).await.leads_to("/console/login");
    }
    let before = world.changes();
    for (moderator, opens) in
        [(&alice, [true, true, false]), (&carol, [true, true, false]), (&root, [true; 3])]
    {
        let desk = Desk::of(&world, moderator);
        for (room, opens) in ROOMS.iter().zip(opens) {
            let page = desk.opens(room).await.ok(if opens { 200 } else { 403 });
            assert_eq!(page.field("cache-control"), Some("no-store"));
            assert!(page.body.len() < 20_000 && page.body.contains("<html lang=\"zh-CN\">"));
            assert_eq!(page.body.contains("您没有权限打开这一页"), !opens);
            let named = page.body.contains("href=\"/console/audit\"");
            assert_eq!(named, opens && std::ptr::eq(moderator, &root), "only who may enter is led there");
        }
        let may = if std::ptr::eq(moderator, &root) { 200 } else { 403 };
        desk.opens("/console/audit/export?format=csv").await.ok(may);
    }
    assert_eq!(world.changes(), before + 1, "one export was noted");
    let desk = Desk::of(&world, &root);
    for path in ["/console/audit?before=x", "/console/audit?from=x", "/console/audit/export?format=pdf"] {
        let page = desk.opens(path).await.ok(400);
        assert!(page.body.contains("地址里的条件不对"), "{path}");
    }
    for path in ["/console/queue?flag=perhaps", "/console/queue?after=!", "/console/signatures?after=!"] {
        desk.opens(path).await.ok(400);
    }
    // A form's empty fields are no conditions.
    desk.opens("/console/queue?status=&flag=").await.ok(200);
    desk.opens("/console/audit?actor=&action=&subject=&from=&to=").await.ok(200);
}

#[tokio::test]
async fn a_reversal_is_signed_as_it_was_looked_at() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Senior).await;
    corrected(&world).await;
    let (alice, bob) = (Desk::of(&world, &alice), Desk::of(&world, &bob));
    let place = "/console/signatures/reversals/0";
    alice.posts("/console/signatures/look", "seq=%230").await.leads_to(place);
    alice.posts("/console/signatures/look", "number=13800138000").await.ok(403);
    bob.posts("/console/signatures/look", "number=138+0013+8000").await.leads_to(place);
    for fields in ["number=13800138009", "number=1", "seq=x", ""] {
        let page = bob.posts("/console/signatures/look", fields).await;
        assert!(page.field("set-cookie").unwrap().starts_with("zm_draft="), "{fields}");
        page.leads_to("/console/signatures");
    }
    let version = |page: &Page| {
        let (_, rest) = page.body.split_once("name=\"version\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let looked = version(&alice.opens(place).await.ok(200));
    let seen_before = version(&bob.opens(place).await.ok(200));
    let before = world.changes();
    for fields in [format!("version={looked}&reason=+"), "reason=why".to_owned(), format!("version={looked}")]
    {
        alice.posts(place, &fields).await.leads_to(place);
    }
    let stranger = alice.sends("POST", place, "", &format!("version={looked}&reason=why")).await;
    assert!(stranger.ok(403).body.contains("页面放得太久了"));
    assert_eq!(world.changes(), before);
    let fields = format!("version={looked}&reason=%E9%94%99%E4%BA%86%0D%0A%E7%AC%AC%E4%BA%8C%E8%A1%8C");
    alice.posts(place, &fields).await.leads_to("/console/signatures?done=reversal_begun");
    assert!(alice.opens("/console/signatures").await.body.contains("错了\n第二行"));
    alice.posts(place, &format!("version={looked}&as=second")).await.leads_to(place);
    bob.posts(place, &format!("version={seen_before}&reason=why")).await.leads_to(place);
    let seen = version(&bob.opens(place).await.ok(200));
    bob.posts(place, &format!("version={seen}&as=second"))
        .await
        .leads_to("/console/signatures?done=reversal_done");
    assert_eq!(world.service.feed.publish().await.unwrap(), 2);
    bob.opens(place).await.leads_to("/console/signatures");
    bob.posts(&format!("{place}/discard"), "").await.leads_to("/console/signatures");
}

#[tokio::test]
async fn what_is_taken_away_is_whole_and_no_spreadsheet_computes_it() {
    let world = World::new().await;
    let root = world.moderator("root", Role::Admin).await;
    corrected(&world).await;
    let draft = AuditDraft {
        at: world.casework.now(),
        actor: "provider:tencent".to_owned(),
        action: "=1+1".to_owned(),
        subject: "@x, \"y\"".to_owned(),
        digest: None,
    };
    world.store.commit(Changeset { audit: vec![draft], ..Changeset::default() }).await.unwrap();
    let lines = world.store.audit(0, 1_000).await.unwrap();
    let count = lines.len();
    let desk = Desk::of(&world, &root);
    let page = desk.opens("/console/audit/export?format=ndjson").await.ok(200);
    assert_eq!(page.field("content-type"), Some("application/x-ndjson"));
    let name = format!("attachment; filename=\"zhengming-audit-0-{count}.ndjson\"");
    assert_eq!(page.field("content-disposition"), Some(name.as_str()));
    assert_eq!(page.field("zhengming-next"), None, "that was all");
    let mut taken: Vec<AuditLine> =
        page.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    taken.reverse();
    assert_eq!(taken, lines);
    let page = desk.opens(&format!("/console/audit/export?format=csv&before={count}")).await.ok(200);
    let first: Vec<&str> = page.body.lines().take(2).collect();
    assert_eq!(first[0], "line,at,actor,action,subject,digest,hash");
    let (seq, hash) = (count - 1, &lines[count - 1].hash);
    let expected = format!("{seq},2026-11-23T03:00:00Z,provider:tencent,'=1+1,\"'@x, \"\"y\"\"\",,{hash}");
    assert_eq!(first[1], expected);
    assert_eq!(page.body.lines().count(), count + 1);
    let page = desk.opens("/console/audit/export?format=csv&action=audit_exported").await.ok(200);
    assert_eq!(page.body.lines().count(), 3, "both were noted");
}
