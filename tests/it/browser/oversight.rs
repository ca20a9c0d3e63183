//! The console's eye on the work of all: the queue, signatures, the audit.

use fantoccini::Locator;
use serde_json::json;
use zhengming::casework::Settings;
use zhengming::store::{AuditDraft, Changeset, Role, Store};

use super::person::Person;
use crate::support::{PASSWORD, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

/// Releases of two numbers, of which one is held.
async fn with_a_held_batch() -> World {
    let settings = Settings {
        releases_per_operator_per_day: 1,
        publish_all_releases: true,
        ..Setup::default().settings
    };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let lines = ["+8613800138001", "+8613800138002"]
        .map(|number| [(number, "disconnected", "2024-12-01"), (number, "activated", "2025-03-15")]);
    assert_eq!(world.pushes("cmcc", &lines.concat()).await.held, 1);
    world
}

/// Cases of several kinds: to be reviewed, in hand, due, and with one signature.
async fn with_cases(world: &World) {
    let alice = world.moderator("alice", Role::Moderator).await;
    let fraud = json!({ "number": NUMBER, "kind": "category", "category": "fraud", "source": "crowd",
        "first_marked_on": "2023-01-01", "last_marked_on": "2023-02-01" });
    world.shows("baidu", &[fraud]).await;
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("in_review").await;
    let case = alice.takes_next().await.ok(200);
    assert_eq!(alice.decides(&case, "approve").await.ok(200)["status"], "awaiting_second");
    world.advance_days(8);
    for nth in 1..4 {
        let number = format!("+861380013800{nth}");
        world.holder(&number).await.files_reassigned("2025-03").await.is("in_review").await;
    }
    // The session that she has is over.
    world.advance(seconds(60));
    let session = world.logs_in("alice", PASSWORD, &world.totp("alice").await).await.ok(200);
    world.client.post("/v1/moderation/next", &session.text("token"), &json!({})).await.ok(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_senior_oversees_the_queue() {
    let world = World::with(Setup::default()).await;
    world.moderator("carol", Role::Senior).await;
    let carol = Person::at_a_desk(&world, "zh-CN", "console-queue").await;
    carol.logs_in("carol").await;
    carol.reads("等待审核").await;
    carol.opens("/console/queue").await;
    carol.reads("没有等待的案件").await;
    carol.shoots("1-empty").await;
    with_cases(&world).await;
    carol.logs_in("carol").await;
    carol.reads("等待审核").await;
    carol.opens("/console/queue").await;
    carol.reads("没有运营商能够回答").await;
    carol.reads("超期").await;
    carol.reads(NUMBER).await;
    carol.shoots("2-all").await;
    carol.follows("只看待第二人").await;
    carol.reads("全部").await;
    assert_eq!(carol.rows().await, 1);
    carol.shoots("3-seconds").await;
    carol.opens("/console/queue?flag=appeal").await;
    carol.reads("没有符合条件的案件").await;
    carol.shoots("4-none-like-that").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_sees_the_queue_on_a_phone_without_whole_numbers() {
    let world = World::with(Setup::default()).await;
    with_cases(&world).await;
    world.moderator("dan", Role::Moderator).await;
    let dan = Person::on_a_phone(&world, "en-US,en", "console-queue-phone").await;
    dan.logs_in_in_english("dan").await;
    dan.opens("/console/queue").await;
    dan.reads("No operator could answer").await;
    dan.reads("+86138****8000").await;
    assert!(!dan.browser.text().await.contains("13800138"), "numbers are masked");
    dan.shoots("1").await;
    dan.scrolls_to("table.stack").await;
    dan.shoots("1-list").await;
    assert!(dan.browser.find(Locator::Css("table.stack a")).await.is_err(), "nobody picks a case");
    dan.opens("/console/audit").await;
    dan.reads("This page is not open to you").await;
    dan.shoots("2-not-theirs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_take_a_correction_back() {
    let world = World::with(Setup::default()).await;
    world.moderator("alice", Role::Moderator).await;
    world.moderator("bob", Role::Senior).await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    let alice = Person::at_a_desk(&world, "zh-CN", "console-reversal").await;
    alice.logs_in("alice").await;
    alice.reads("等待审核").await;
    alice.opens("/console/signatures").await;
    alice.reads("没有等待签名的撤销").await;
    alice.reads("没有暂扣的批次").await;
    alice.shoots("1-nothing").await;
    for (seq, said) in [("7", "没有找到生效的更正"), ("x", "有一项填写的格式不对")] {
        alice.sets("seq", seq).await;
        alice.presses("查看").await;
        alice.reads(said).await;
    }
    alice.shoots("2-wrong").await;
    alice.sets("seq", "0").await;
    alice.presses("查看").await;
    alice.reads("撤销会带来什么").await;
    alice.reads("2025-01-30 以前的标记作废").await;
    alice.reads("不再有更正").await;
    alice.reads("+86138****8000").await;
    alice.shoots("3-look").await;
    alice.types("reason", "运营商来函说明\n查询有误").await;
    alice.presses("签名（第一位）").await;
    alice.reads("已签名。另一位审核员签名后").await;
    alice.reads("等另一位审核员").await;
    alice.shoots("4-begun").await;
    alice.follows("查看").await;
    alice.reads("您已签名，还需要另一位审核员签名").await;
    alice.shoots("5-not-twice").await;
    dispute.is("corrected").await;

    let bob = Person::at_a_desk(&world, "en-US,en", "console-reversal-en").await;
    bob.browser.prefers_dark().await;
    bob.logs_in_in_english("bob").await;
    bob.opens("/console/signatures").await;
    bob.reads("Waits for you").await;
    bob.shoots("1-waits").await;
    bob.types("number", "138 0013 8000").await;
    bob.presses("Look it up").await;
    bob.reads("The first moderator").await;
    bob.reads(NUMBER).await;
    bob.shoots("2-look").await;
    bob.presses("Sign and take it back").await;
    bob.reads("the correction is taken back").await;
    bob.reads("No reversal waits").await;
    bob.shoots("3-done").await;
    dispute.is("reverted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_release_what_is_held() {
    let world = with_a_held_batch().await;
    world.moderator("alice", Role::Moderator).await;
    world.moderator("bob", Role::Moderator).await;
    let desk = Person::at_a_desk(&world, "zh-CN", "console-batches").await;
    desk.logs_in("alice").await;
    desk.reads("等待审核").await;
    desk.opens("/console/signatures").await;
    desk.reads("cmcc").await;
    desk.shoots("1-held").await;
    desk.presses("放行").await;
    desk.reads("已签名放行").await;
    desk.reads("您已签名").await;
    desk.shoots("2-begun").await;
    assert_eq!(world.service.feed.publish().await.unwrap(), 1);
    desk.presses("退出").await;
    desk.reads("审核员登录").await;
    desk.logs_in("bob").await;
    desk.reads("等待审核").await;
    desk.opens("/console/signatures").await;
    desk.reads("第二位签名").await;
    desk.shoots("3-second").await;
    desk.presses("放行").await;
    desk.reads("暂扣的行正在发布").await;
    desk.reads("没有暂扣的批次").await;
    assert_eq!(world.service.feed.publish().await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_reads_the_audit() {
    let world = World::with(Setup::default()).await;
    world.moderator("root", Role::Admin).await;
    with_cases(&world).await;
    let root = Person::at_a_desk(&world, "zh-CN", "console-audit").await;
    root.logs_in("root").await;
    root.reads("等待审核").await;
    root.opens("/console/audit").await;
    root.reads("哈希链已逐行重算").await;
    root.shoots("1-all").await;
    root.types("actor", "moderator:alice").await;
    root.types("action", "approved_once").await;
    root.presses("查找").await;
    root.reads("哈希链已逐行重算").await;
    assert_eq!(root.rows().await, 1);
    root.shoots("2-narrowed").await;
    root.opens("/console/audit?from=2026-11-25&to=2026-11-26").await;
    root.reads("没有符合条件的行").await;
    root.shoots("3-none").await;
    for _ in 0..100 {
        let line = AuditDraft {
            at: world.casework.now(),
            actor: "provider:tencent".to_owned(),
            action: "number_recycling_checked".to_owned(),
            subject: "number:+86138****8000".to_owned(),
            digest: None,
        };
        let changeset = Changeset { audit: vec![line; 220], ..Changeset::default() };
        world.store.commit(changeset).await.unwrap();
    }
    root.opens("/console/audit?action=approved_once").await;
    root.reads("继续往前查").await;
    root.shoots("4-search-on").await;
    root.follows("继续往前查").await;
    root.reads("哈希链已逐行重算").await;
    assert_eq!(root.rows().await, 1);
    let phone = Person::on_a_phone(&world, "en-US,en", "console-audit-phone").await;
    phone.logs_in_in_english("root").await;
    phone.opens("/console/audit?subject=dispute").await;
    phone.reads("The chain was recomputed").await;
    phone.shoots("1").await;
}

impl Person<'_> {
    async fn logs_in_in_english(&self, name: &str) {
        self.world.clock.advance(seconds(30));
        self.opens("/console/login").await;
        self.sets("name", name).await;
        self.types("password", PASSWORD).await;
        self.types("totp", &self.world.totp(name).await).await;
        self.presses("Log in").await;
        self.reads("Waiting").await;
    }

    async fn follows(&self, link: &str) {
        let found = format!("//main//a[contains(., '{link}')]");
        self.browser.find(Locator::XPath(&found)).await.unwrap().click().await.unwrap();
    }

    async fn scrolls_to(&self, selector: &str) {
        let script = "document.querySelector(arguments[0]).scrollIntoView()";
        self.browser.execute(script, vec![json!(selector)]).await.unwrap();
    }

    /// Of the list.
    async fn rows(&self) -> usize {
        self.browser.find_all(Locator::Css("table.stack tbody tr")).await.unwrap().len()
    }
}
