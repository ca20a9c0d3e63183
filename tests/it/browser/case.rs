//! A moderator's story: a case with a harm label and documents, decided by two
//! people, and by the keyboard alone.

use std::io::Cursor;

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use zhengming::store::Role;

use super::person::Person;
use crate::support::{Dispute, Moderator, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

impl Person<'_> {
    /// Whatever has the focus gets the keys.
    async fn keys(&self, keys: &str) {
        let mut typing = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            typing = typing.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.browser.perform_actions(typing).await.unwrap();
    }

    async fn sends_with_ctrl_enter(&self) {
        let (ctrl, enter) = (Key::Control.into(), Key::Enter.into());
        let chord = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: ctrl })
            .then(KeyAction::Down { value: enter })
            .then(KeyAction::Up { value: enter })
            .then(KeyAction::Up { value: ctrl });
        self.browser.perform_actions(chord).await.unwrap();
    }

    /// The id of what has the focus.
    async fn focused(&self) -> String {
        let id = self.browser.execute("return document.activeElement.id", Vec::new()).await.unwrap();
        id.as_str().unwrap_or_default().to_owned()
    }

    /// From control to control, until this one.
    async fn tabs_to(&self, id: &str) {
        for _ in 0..60 {
            if self.focused().await == id {
                return;
            }
            self.keys(&char::from(Key::Tab).to_string()).await;
        }
        panic!("{id} is not reached by the Tab key");
    }

    async fn value_of(&self, id: &str) -> String {
        let field = self.browser.find(Locator::Id(id)).await.unwrap();
        field.prop("value").await.unwrap().unwrap()
    }
}

/// A photograph of a document, as far as a picture of one shade is one.
fn paper(shade: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(RgbImage::from_pixel(480, 640, Rgb([shade; 3])));
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// No operator can say; fraud was reported, and documents were handed in.
async fn harm_case<'a>(world: &'a World, asker: &Moderator<'_>) -> Dispute<'a> {
    let fraud = json!({ "number": NUMBER, "kind": "category", "code": "54", "count": 37,
        "first_marked_on": "2022-03-05", "last_marked_on": "2024-08-17" });
    let shop = json!({ "number": NUMBER, "kind": "name", "name": "老王汽修(城北店)", "source": "business",
        "first_marked_on": "2023-06-01" });
    world.shows("tencent", &[fraud]).await;
    world.shows("dianhuabang", &[shop]).await;
    let body = json!({ "reason": "reassigned", "opened": "2025-03", "labels": [],
        "note": "刚买的号，总有人当我是修车的。" });
    let dispute = world.holder(NUMBER).await.files(body).await;
    let case = dispute.in_review_for("operator_unknown", asker).await;
    asker.decides(&case, "ask").await.ok(200);
    dispute.hands_in(&[&paper(230)]).await.ok(201);
    dispute
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_decide_by_the_keyboard_alone() {
    let world = World::with(Setup::default()).await;
    let asker = world.moderator("carol", Role::Moderator).await;
    for name in ["alice", "bob"] {
        world.moderator(name, Role::Moderator).await;
    }
    let dispute = harm_case(&world, &asker).await;
    let alice = Person::at_a_desk(&world, "zh-CN", "case").await;
    alice.logs_in("alice").await;
    alice.reads("领取下一件").await;
    alice.shoots("1-home").await;
    alice.keys("n").await;
    alice.reads("各家显示的标记").await;
    alice.shoots("2-case").await;
    alice.keys("a").await;
    alice.tabs_to("note").await;
    alice.keys("ink and stamp look right").await;
    assert_eq!(alice.value_of("public_note").await, "您提供的材料足以证明。");
    alice.shoots("3-decided").await;
    alice.sends_with_ctrl_enter().await;
    alice.reads("等第二位审核员确认").await;
    dispute.is("awaiting_second").await;
    // Not the second signature too.
    alice.keys("n").await;
    alice.reads("现在没有您可以处理的案件").await;
    alice.shoots("4-nothing").await;

    let bob = Person::at_a_desk(&world, "zh-CN", "case-second").await;
    bob.logs_in("bob").await;
    bob.reads("领取下一件").await;
    bob.keys("n").await;
    bob.reads("第一位审核员已同意").await;
    bob.reads("ink and stamp look right").await;
    bob.shoots("1-case").await;
    bob.keys("a").await;
    bob.sends_with_ctrl_enter().await;
    bob.reads("已通过").await;
    bob.shoots("2-done").await;
    dispute.is("corrected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_survives_news_and_the_end_of_a_session() {
    let world = World::with(Setup::default()).await;
    let asker = world.moderator("carol", Role::Moderator).await;
    world.moderator("alice", Role::Senior).await;
    let dispute = harm_case(&world, &asker).await;
    let alice = Person::at_a_desk(&world, "en-US,en", "case-stale").await;
    alice.opens("/console/login").await;
    alice.fills_in_login("alice").await;
    alice.presses("Log in").await;
    alice.reads("Take the next case").await;
    alice.keys("n").await;
    alice.reads("What providers show").await;
    alice.shoots("1-case").await;
    alice.keys("r").await;
    alice.types("note", "the stamp is of another shop").await;
    // Meanwhile the holder takes it back.
    dispute.withdraws().await.ok(200);
    alice.sends_with_ctrl_enter().await;
    alice.reads("The case has changed while you looked at it").await;
    alice.shoots("2-stale").await;
    let news = alice.browser.find_all(Locator::Css(".timeline .badge.wait")).await.unwrap();
    assert!(!news.is_empty(), "what is new is marked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_loses_nothing() {
    let world = World::with(Setup::default()).await;
    let asker = world.moderator("carol", Role::Moderator).await;
    world.moderator("alice", Role::Moderator).await;
    harm_case(&world, &asker).await;
    let alice = Person::at_a_desk(&world, "zh-CN", "case-session").await;
    alice.logs_in("alice").await;
    alice.reads("领取下一件").await;
    alice.keys("n").await;
    alice.reads("各家显示的标记").await;
    alice.keys("r").await;
    alice.types("note", "已打电话给营业厅").await;
    alice.browser.delete_cookie("zm_session").await.unwrap();
    alice.sends_with_ctrl_enter().await;
    alice.reads("审核员登录").await;
    alice.fills_in_login("alice").await;
    alice.presses("登录").await;
    alice.reads("提交前登录已过期").await;
    assert_eq!(alice.value_of("note").await, "已打电话给营业厅");
    let chosen = alice
        .browser
        .execute("return document.querySelector('[name=decision]:checked').value", Vec::new())
        .await
        .unwrap();
    assert_eq!(chosen, Value::from("refuse"));
    alice.shoots("1-back").await;
    // The lease runs out while it is looked at once more.
    world.clock.advance(seconds(16 * 60));
    alice.sends_with_ctrl_enter().await;
    alice.reads("领取已超时").await;
    alice.shoots("2-over").await;
    alice.opens("/console").await;
    alice.reads("领取下一件").await;
    alice.keys("n").await;
    alice.reads("各家显示的标记").await;
    alice.presses("交回队列").await;
    alice.reads("案件已交回队列").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_seen_on_a_phone_and_in_the_dark() {
    let world = World::with(Setup::default()).await;
    let asker = world.moderator("carol", Role::Moderator).await;
    world.moderator("alice", Role::Moderator).await;
    harm_case(&world, &asker).await;
    let alice = Person::on_a_phone(&world, "zh-CN", "case-phone").await;
    alice.logs_in("alice").await;
    alice.presses("领取下一件").await;
    alice.reads("各家显示的标记").await;
    alice.shoots("1-case").await;
    let alice = Person::at_a_desk(&world, "zh-CN", "case-dark").await;
    alice.browser.prefers_dark().await;
    alice.logs_in("alice").await;
    alice.presses("领取下一件").await;
    alice.reads("各家显示的标记").await;
    alice.shoots("1-case").await;
}
