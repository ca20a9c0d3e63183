//! A phone whose browser runs no scripts. WebDriver finds and presses by
//! scripts of its own, which then do not run either: so the browser is driven
//! by its own protocol, by keys and touches.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::Url;

use super::Browser;

/// How often one looks for what a page is to show: each look is an answer of
/// the browser's, so this is some seconds.
const LOOKS_MAX: usize = 2_000;

pub struct Plain {
    browser: Browser,
}

#[derive(Debug)]
struct Command {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}

impl Plain {
    pub async fn phone(languages: &str) -> Self {
        let plain = Self { browser: Browser::phone(languages).await };
        plain.does("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        plain
    }

    pub async fn opens(&self, url: &str) {
        self.does("Page.navigate", json!({ "url": url })).await;
    }

    pub async fn reloads(&self) {
        self.does("Page.reload", json!({})).await;
    }

    /// Waits until the page says so.
    pub async fn reads(&self, words: &str) {
        for _ in 0..LOOKS_MAX {
            if self.html().await.contains(words) {
                return;
            }
        }
        panic!("{words} is not in {}", self.html().await);
    }

    /// Each key by itself; `\t` is the one that leads on.
    pub async fn types(&self, selector: &str, keys: &str) {
        let node = self.finds(selector).await;
        self.does("DOM.focus", json!({ "nodeId": node })).await;
        for key in keys.chars() {
            let pressed = match key {
                '\t' => json!({ "type": "keyDown", "key": "Tab", "windowsVirtualKeyCode": 9 }),
                other => json!({ "type": "keyDown", "text": other }),
            };
            self.does("Input.dispatchKeyEvent", pressed).await;
        }
    }

    pub async fn presses(&self, selector: &str) {
        let node = self.finds(selector).await;
        self.does("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": node })).await;
        let seen = self.does("DOM.getBoxModel", json!({ "nodeId": node })).await;
        // Four corners, clockwise from the upper left.
        let corner = |at: usize| seen["model"]["content"][at].as_f64().unwrap();
        let (x, y) = ((corner(0) + corner(4)) / 2.0, (corner(1) + corner(5)) / 2.0);
        for kind in ["mousePressed", "mouseReleased"] {
            let touch = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.does("Input.dispatchMouseEvent", touch).await;
        }
    }

    async fn finds(&self, selector: &str) -> u64 {
        for _ in 0..LOOKS_MAX {
            let root = self.root().await;
            let asked = json!({ "nodeId": root, "selector": selector });
            // The page may be gone by now, and the next one not yet here.
            let found = self.tries("DOM.querySelector", asked).await;
            if let Some(node @ 1..) = found.and_then(|found| found["nodeId"].as_u64()) {
                return node;
            }
        }
        panic!("{selector} is not in {}", self.html().await);
    }

    async fn html(&self) -> String {
        let root = self.root().await;
        let seen = self.tries("DOM.getOuterHTML", json!({ "nodeId": root })).await;
        seen.and_then(|seen| seen["outerHTML"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    async fn root(&self) -> u64 {
        let document = self.does("DOM.getDocument", json!({ "depth": 0 })).await;
        document["root"]["nodeId"].as_u64().unwrap()
    }

    async fn does(&self, name: &'static str, parameters: Value) -> Value {
        self.browser.issue_cmd(Command { name, parameters }).await.unwrap()
    }

    async fn tries(&self, name: &'static str, parameters: Value) -> Option<Value> {
        self.browser.issue_cmd(Command { name, parameters }).await.ok()
    }
}
