//! The figures and the receipt's page on a phone, in both languages.

use fantoccini::Locator;
use serde_json::{Value, json};
use zhengming::env::clock::Clock;

use super::Browser;
use crate::support::{World, half_year};

const NUMBER: &str = "+8613800138000";

struct Phone<'a> {
    world: &'a World,
    browser: Browser,
}

impl<'a> Phone<'a> {
    async fn with(world: &'a World, languages: &str) -> Self {
        Self { world, browser: Browser::phone(languages).await }
    }

    async fn opens(&self, path: &str) {
        self.browser.goto(&format!("http://{}{path}", self.world.client.address())).await.unwrap();
    }

    /// From the top, and then from so many pixels below it.
    async fn shoots(&self, name: &str, from: &[u32]) {
        for top in from {
            let script = "window.scrollTo(0, arguments[0])";
            self.browser.execute(script, vec![json!(top)]).await.unwrap();
            self.browser.shoot(&format!("{name}-{top}")).await;
        }
        let wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        let is_wide = self.browser.execute(wide, Vec::new()).await.unwrap();
        assert_eq!(is_wide, Value::Bool(false), "{name} is wider than the phone");
    }

    /// Waits until the page says so.
    async fn reads(&self, words: &str) {
        let found = format!("//*[contains(text(), '{words}')]");
        let waiting = self.browser.wait().for_element(Locator::XPath(&found));
        assert!(waiting.await.is_ok(), "{words} is not in {}", self.browser.text().await);
    }

    async fn checks(&self, text: &str, button: &str) {
        // Keys that are sent one by one take their time.
        let script = "document.getElementById('text').value = arguments[0]";
        self.browser.execute(script, vec![json!(text)]).await.unwrap();
        let found = format!("//button[contains(., '{button}')]");
        self.browser.find(Locator::XPath(&found)).await.unwrap().click().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_the_figures_of_half_a_year() {
    let world = World::new().await;
    half_year::happened(&*world.store, world.clock.now()).await;
    while world.casework.count_figures().await.unwrap() {}
    for (languages, name, words) in [
        ("zh-CN", "stats-zh", ["每周的申诉和决定", "腾讯", "未通过的原因", "少于 10"]),
        ("en-US,en", "stats-en", ["week by week", "腾讯", "Why disputes were refused", "fewer than 10"]),
    ] {
        let phone = Phone::with(&world, languages).await;
        phone.opens("/stats").await;
        for words in words {
            phone.reads(words).await;
        }
        phone.shoots(name, &[0, 1_400]).await;
        for summary in phone.browser.find_all(Locator::Css("summary")).await.unwrap() {
            summary.click().await.unwrap();
        }
        phone.shoots(&format!("{name}-tables"), &[600, 2_000]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_service_has_no_figures_to_show() {
    let world = World::new().await;
    for (languages, name, words) in
        [("zh-CN", "stats-empty-zh", "还没有可以公布的数字"), ("en", "stats-empty-en", "nothing to show yet")]
    {
        let phone = Phone::with(&world, languages).await;
        phone.opens("/stats").await;
        phone.reads(words).await;
        phone.shoots(name, &[0]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_receipt_can_check_it() {
    let world = World::new().await;
    world.cmcc_knows_new_holder(NUMBER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("corrected").await;
    let (status, _, receipt) =
        world.client.download(&format!("/v1/disputes/{}/receipt", dispute.id), &dispute.token).await;
    assert_eq!(status, 200);
    let receipt = String::from_utf8(receipt).unwrap();
    for (languages, name, button, [genuine, wrong, rubbish]) in [
        ("zh-CN", "receipt-zh", "核对", ["回执是真的", "日志的这个位置没有这一条", "这不是回执"]),
        ("en", "receipt-en", "Check", ["is genuine", "does not have this entry", "is no receipt"]),
    ] {
        let phone = Phone::with(&world, languages).await;
        phone.opens("/receipt").await;
        phone.shoots(&format!("{name}-1-form"), &[0]).await;
        phone.checks("你好", button).await;
        phone.reads(rubbish).await;
        phone.shoots(&format!("{name}-2-rubbish"), &[0]).await;
        let forged = receipt.replacen("extra eyJ2IjoxLC", "extra eyJ2IjoyLC", 1);
        assert_ne!(forged, receipt);
        phone.checks(&forged, button).await;
        phone.reads(wrong).await;
        phone.shoots(&format!("{name}-3-forged"), &[0]).await;
        phone.checks(&receipt, button).await;
        phone.reads(genuine).await;
        phone.reads("2025-01-30").await;
        phone.shoots(&format!("{name}-4-genuine"), &[0]).await;
    }
}
