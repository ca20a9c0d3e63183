//! The rooms of those who run the service: an admin issues and replaces a key,
//! and takes somebody into the team.

use fantoccini::Locator;
use serde_json::json;
use zhengming::domain::progress::Stage;
use zhengming::store::Role;

use super::person::Person;
use crate::support::{Setup, World, seconds};

const NUMBER: &str = "+8613800138000";
const DAY_S: i64 = 86_400;

impl Person<'_> {
    async fn reads_from(&self, selector: &str) -> String {
        self.browser.find(Locator::Css(selector)).await.unwrap().text().await.unwrap()
    }

    async fn unfolds(&self, summary: &str) {
        let found = format!("//summary[contains(., '{summary}')]");
        self.browser.find(Locator::XPath(&found)).await.unwrap().click().await.unwrap();
    }

    async fn opens_the_feed(&self, key: &str) -> u16 {
        self.world.client.get("/feed/v1/corrections?after=0", key).await.status
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_issued_replaced_with_an_overlap_and_revoked() {
    let world = World::with(Setup::default()).await;
    world.moderator("root", Role::Admin).await;
    let root = Person::at_a_desk(&world, "zh-CN", "keys").await;
    root.logs_in("root").await;
    root.reads("领取下一件").await;
    root.opens("/console/keys").await;
    root.reads("还没有密钥").await;
    root.unfolds("签发密钥").await;
    root.types("id", "Not A Slug").await;
    root.types("name", "北京机房").await;
    root.presses("签发").await;
    root.reads("有一项填写的格式不对").await;
    root.shoots("1-wrong").await;
    root.sets("id", "tencent").await;
    root.presses("签发").await;
    root.reads("只显示这一次").await;
    root.shoots("2-issued").await;
    let old = root.reads_from(".secret code").await;
    assert_eq!(root.opens_the_feed(&old).await, 200);
    root.browser.refresh().await.unwrap();
    assert!(!root.browser.text().await.contains("zmp_"), "it was shown for that once");

    root.unfolds("更换").await;
    root.presses("签发新的").await;
    root.reads("只显示这一次").await;
    let new = root.reads_from(".secret code").await;
    root.reads("有效至").await;
    root.shoots("3-rotated").await;
    assert_eq!((root.opens_the_feed(&old).await, root.opens_the_feed(&new).await), (200, 200));
    world.advance_days(15);
    assert_eq!((root.opens_the_feed(&old).await, root.opens_the_feed(&new).await), (401, 200));

    root.logs_in("root").await;
    root.opens("/console/keys").await;
    root.reads("已到期").await;
    root.unfolds("吊销").await;
    root.browser.find(Locator::Css("input[name=sure]")).await.unwrap().click().await.unwrap();
    root.presses("吊销").await;
    root.reads("密钥已吊销").await;
    root.shoots("4-revoked").await;
    assert_eq!(root.opens_the_feed(&new).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_joins_the_team_and_leaves_it() {
    let world = World::with(Setup::default()).await;
    world.moderator("root", Role::Admin).await;
    let root = Person::at_a_desk(&world, "en-US,en", "team").await;
    root.opens("/console/login").await;
    root.fills_in_login("root").await;
    root.presses("Log in").await;
    root.reads("Take the next case").await;
    root.opens("/console/team").await;
    root.unfolds("Add somebody").await;
    root.types("name", "alice").await;
    root.presses("Add").await;
    root.reads("shown for this once").await;
    root.shoots("1-added").await;
    let password = root.reads_from("#password").await;
    let uri = root.reads_from("#otpauth").await;
    assert!(uri.starts_with("otpauth://totp/Zhengming:alice?secret="), "{uri}");

    let alice = Person::on_a_phone(&world, "zh-CN", "team-alice").await;
    alice.opens("/console/login").await;
    world.clock.advance(seconds(30));
    alice.types("name", "alice").await;
    alice.types("password", &password).await;
    alice.types("totp", &world.totp("alice").await).await;
    alice.presses("登录").await;
    alice.reads("领取下一件").await;
    alice.opens("/console/team").await;
    alice.reads("您没有权限打开这一页").await;
    alice.opens("/console/me").await;
    alice.reads("换密码").await;
    alice.shoots("1-account").await;
    world.clock.advance(seconds(30));
    alice.types("old", &password).await;
    alice.types("new", "a passphrase of my own").await;
    alice.types("totp", &world.totp("alice").await).await;
    alice.presses("更换并重新登录").await;
    alice.reads("审核员登录").await;
    world.clock.advance(seconds(30));
    alice.sets("name", "alice").await;
    alice.types("password", "a passphrase of my own").await;
    alice.types("totp", &world.totp("alice").await).await;
    alice.presses("登录").await;
    alice.reads("领取下一件").await;

    root.opens("/console/team").await;
    root.presses("Disable").await;
    root.reads("The account is disabled").await;
    root.shoots("2-disabled").await;
    alice.opens("/console").await;
    alice.reads("审核员登录").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_and_gateways_are_seen() {
    let world = World::with(Setup::default()).await;
    world.moderator("root", Role::Admin).await;
    for provider in ["tencent", "baidu"] {
        world.provider(provider).await;
    }
    world.cmcc_knows_new_holder(NUMBER);
    let express = json!({ "number": NUMBER, "kind": "category", "code": "55", "count": 12,
        "first_marked_on": "2023-06-01" });
    world.shows("tencent", &[express]).await;
    world.holder(NUMBER).await.files_reassigned("2025-03").await.is("corrected").await;
    world.publish().await;
    world.acknowledges("tencent", Stage::Serving, &[(0, "no_dated_reports")]).await;
    world.clock.advance(seconds(2 * DAY_S));
    let root = Person::at_a_desk(&world, "zh-CN", "running").await;
    root.browser.prefers_dark().await;
    root.logs_in("root").await;
    root.reads("领取下一件").await;
    root.opens("/console/providers").await;
    root.reads("滞后").await;
    root.shoots("1-providers-dark").await;
    root.browser.find(Locator::LinkText("腾讯手机管家")).await.unwrap().click().await.unwrap();
    root.reads("no_dated_reports").await;
    root.shoots("2-provider-dark").await;
    root.opens("/console/gateways").await;
    root.reads("正常").await;
    root.shoots("3-gateways-dark").await;
    let phone = Person::on_a_phone(&world, "zh-CN", "running-phone").await;
    phone.logs_in("root").await;
    phone.reads("领取下一件").await;
    phone.opens("/console/providers").await;
    phone.reads("滞后").await;
    phone.shoots("1-providers").await;
}
