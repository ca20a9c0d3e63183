//! Somebody in front of a page of ours: what they type, press and read.

use fantoccini::Locator;
use serde_json::{Value, json};

use super::Browser;
use crate::support::World;

pub struct Person<'a> {
    pub world: &'a World,
    pub browser: Browser,
    /// Of their screenshots.
    name: &'static str,
}

const LOOKS_MAX: usize = 3;

impl<'a> Person<'a> {
    pub async fn on_a_phone(world: &'a World, languages: &str, name: &'static str) -> Self {
        Self { world, browser: Browser::phone(languages).await, name }
    }

    pub async fn at_a_desk(world: &'a World, languages: &str, name: &'static str) -> Self {
        Self { world, browser: Browser::desk(languages).await, name }
    }

    pub async fn opens(&self, path: &str) {
        self.browser.goto(&format!("http://{}{path}", self.world.client.address())).await.unwrap();
    }

    pub async fn types(&self, id: &str, text: &str) {
        self.browser.find(Locator::Id(id)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// For fields whose keys depend on the browser's language.
    pub async fn sets(&self, id: &str, value: &str) {
        let script = "document.getElementById(arguments[0]).value = arguments[1]";
        self.browser.execute(script, vec![json!(id), json!(value)]).await.unwrap();
    }

    pub async fn presses(&self, button: &str) {
        let found = format!("//button[contains(., '{button}')]");
        let button = self.browser.wait().for_element(Locator::XPath(&found)).await;
        button.unwrap().click().await.unwrap();
    }

    pub async fn presses_choice(&self, value: &str) {
        let found = format!("[value='{value}']");
        self.browser.find(Locator::Css(&found)).await.unwrap().click().await.unwrap();
    }

    /// Waits until the page says so. A look at a page that is just being left
    /// fails, and does not wait: it is taken again.
    pub async fn reads(&self, words: &str) {
        let found = format!("//*[contains(text(), '{words}')]");
        for _ in 0..LOOKS_MAX {
            if self.browser.wait().for_element(Locator::XPath(&found)).await.is_ok() {
                return;
            }
        }
        panic!("{words} is not in {}", self.browser.text().await);
    }

    /// A page that keeps itself up to date does so now.
    pub async fn comes_back(&self) {
        let script = "document.dispatchEvent(new Event('visibilitychange'))";
        self.browser.execute(script, Vec::new()).await.unwrap();
    }

    pub async fn shoots(&self, what: &str) {
        self.browser.shoot(&format!("{}-{what}", self.name)).await;
        let wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        let is_wide = self.browser.execute(wide, Vec::new()).await.unwrap();
        assert_eq!(is_wide, Value::Bool(false), "{what} is wider than the window");
    }
}
