//! A holder's story on a phone, in both languages: three screens, and then the
//! dispute's own page.

use fantoccini::Locator;
use serde_json::json;
use zhengming::store::Role;

use super::person::Person;
use crate::support::{Setup, World};

const NUMBER: &str = "+8613800138000";

impl Person<'_> {
    /// Up to the third screen.
    async fn proves(&self, next: &str, confirm: &str) {
        self.types("number", "138 0013 8000").await;
        self.presses(next).await;
        self.browser.wait().for_element(Locator::Id("code")).await.unwrap();
        self.world.work().await;
        self.shoots("2-code").await;
        self.types("code", &self.world.last_code(NUMBER)).await;
        self.presses(confirm).await;
        self.browser.wait().for_element(Locator::Css("form.filing")).await.unwrap();
    }
}

fn with_work() -> Setup {
    let mut setup = Setup::default();
    setup.settings.altcha_max_number = 5_000;
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_files_and_follows_in_chinese() {
    let world = World::with(with_work()).await;
    world.cmcc_knows_new_holder(NUMBER);
    let express = json!({ "number": NUMBER, "kind": "category", "code": "55", "count": 12,
        "first_marked_on": "2023-06-01" });
    world.shows("tencent", &[express]).await;
    let phone = Person::on_a_phone(&world, "zh-CN", "holder-zh").await;
    phone.opens("/").await;
    phone.reads("新号码").await;
    phone.shoots("1-start").await;
    phone.proves("下一步", "确认").await;
    phone.reads("快递送餐").await;
    phone.shoots("3-file").await;

    // What was typed survives an error, and a reload of what it led to.
    phone.types("opened", "").await;
    phone.presses("提交").await;
    phone.reads("请填写大致月份").await;
    phone.shoots("3-file-error").await;
    phone.browser.refresh().await.unwrap();
    phone.reads("请填写大致月份").await;

    phone.sets("opened", "2025-03").await;
    phone.presses("提交").await;
    phone.reads("正在向运营商核实").await;
    phone.shoots("4-checking").await;
    world.work().await;
    world.publish().await;
    // The page finds out by itself.
    phone.comes_back().await;
    phone.reads("已更正").await;
    phone.reads("2025-01-30").await;
    phone.shoots("5-corrected").await;
    assert!(!phone.browser.current_url().await.unwrap().as_str().contains("zm"), "no token in the address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_is_refused_and_told_why_in_english() {
    let world = World::with(with_work()).await;
    world.cmcc_knows(NUMBER, &[("甲", "2019-01-01", None)]);
    let phone = Person::on_a_phone(&world, "en-US,en", "holder-en").await;
    phone.opens("/").await;
    phone.reads("Your number carries").await;
    phone.shoots("1-start").await;
    phone.proves("Next", "Confirm").await;
    phone.shoots("3-file").await;
    phone.sets("opened", "2025-03").await;
    phone.presses("File").await;
    phone.reads("We are asking the operator").await;
    world.work().await;
    phone.browser.refresh().await.unwrap();
    phone.reads("Not granted").await;
    phone.shoots("4-refused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opens_the_dispute_and_documents_are_handed_in() {
    let world = World::with(Setup::default()).await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let case = dispute.in_review_for("operator_unknown", &alice).await;
    alice.decides(&case, "ask").await.ok(200);

    let phone = Person::on_a_phone(&world, "zh-CN", "holder-documents").await;
    phone.opens(&format!("/d/{}?token={}", dispute.id, dispute.token)).await;
    phone.reads("需要您补充材料").await;
    assert!(!phone.browser.current_url().await.unwrap().as_str().contains("token"), "it has moved");
    phone.shoots("1-asked").await;

    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("rubbish.pdf", b"not a document".to_vec()),
        ("page.png", phone.browser.screenshot().await.unwrap()),
    ];
    for (name, bytes) in &files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    phone.types("file", dir.path().join("rubbish.pdf").to_str().unwrap()).await;
    phone.presses("提交材料").await;
    phone.reads("只接受").await;
    phone.shoots("2-refused").await;
    phone.types("file", dir.path().join("page.png").to_str().unwrap()).await;
    phone.presses("提交材料").await;
    phone.reads("已收到材料").await;
    phone.reads("审核员正在处理").await;
    phone.shoots("3-given").await;
    assert_eq!(alice.takes_next().await.ok(200)["documents"][0]["kind"], "png");
}
