//! The system's dark colours, as a page is told of them.

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::json;
use url::{ParseError, Url};

use super::Browser;

/// Chromium's own protocol, through its driver.
#[derive(Debug)]
struct EmulateDark;

impl WebDriverCompatibleCommand for EmulateDark {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let features = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        (Method::POST, Some(command.to_string()))
    }
}

impl Browser {
    pub async fn prefers_dark(&self) {
        self.issue_cmd(EmulateDark).await.unwrap();
        let is_dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        assert_eq!(self.execute(is_dark, Vec::new()).await.unwrap(), json!(true));
    }
}
