//! Pages in a real browser: Chromium, driven over WebDriver.

mod case;
mod console;
mod dark;
mod docs;
mod holder;
mod holder_safety;
mod lists;
mod oversight;
mod person;
mod plain;
mod proof_of_work;
mod public;
mod running;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// A name that leads here. What comes from it is no secure context, as a page
/// without TLS is none.
pub const INSECURE_HOST: &str = "zhengming.test";

/// One window of a browser of its own; both are gone when it is dropped.
pub struct Browser {
    client: Client,
    session: String,
    port: u16,
    driver: Child,
}

/// Where screenshots go, for people to look at.
const SHOTS_DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/pages");

/// Those that the READMEs show, by the names that they have there.
const SHOWN: [(&str, &str); 2] = [("holder-zh-5-corrected", "holder.png"), ("case-2-case", "console.png")];
/// They are drawn anew where this variable is set, and no other run changes them.
const DRAW_ANEW: &str = "ZHENGMING_DRAW_PAGES";
const SHOWN_DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pages");

/// The accessibility checker, as tests/all installs it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/node_modules/axe-core/axe.min.js");

/// Each rule that is broken (WCAG 2.2 AA and best practice), how badly, where.
const AUDIT: &str = "const [done] = arguments;
    axe.run().then(({ violations }) => done(violations.map(({ id, impact, help, nodes }) =>
        [id, impact, help, nodes.map(({ html, failureSummary }) => [html, failureSummary])])))
        .catch((error) => done([String(error)]));";

/// What the page came to with all that it loaded, and from where. What it
/// fetched since, and documents of a case, are not of the page.
const LOADED: &str = "
    const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ initiatorType }) => !['fetch', 'img'].includes(initiatorType));
    return [parts.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
        [...new Set(parts.map(({ name }) => new URL(name).origin))].filter((one) => one !== location.origin)]";

/// People pay for what they load, and wait for it.
const PAGE_BYTES_MAX: u64 = 60 * 1024;
const DRIVERS_MAX: usize = 3;

fn phone() -> Value {
    json!({ "width": 360, "height": 1_500, "pixelRatio": 1.5, "touch": true })
}

impl Browser {
    pub async fn start() -> Self {
        Self::start_with("zh-CN", None).await
    }

    /// As wide as a small phone, and long enough to see a whole page.
    pub async fn phone(languages: &str) -> Self {
        Self::start_with(languages, Some(json!({ "deviceMetrics": phone() }))).await
    }

    /// A window at a desk.
    pub async fn desk(languages: &str) -> Self {
        let metrics =
            json!({ "width": 1_280, "height": 1_100, "pixelRatio": 1, "touch": false, "mobile": false });
        Self::start_with(languages, Some(json!({ "deviceMetrics": metrics }))).await
    }

    /// Writes what is in the window now, and looks what it weighs and whether
    /// somebody who cannot see it, or has no mouse, would be kept out.
    pub async fn shoot(&self, name: &str) {
        std::fs::create_dir_all(SHOTS_DIR).unwrap();
        std::fs::write(format!("{SHOTS_DIR}/{name}.png"), self.screenshot().await.unwrap()).unwrap();
        self.draw_anew(name).await;
        let loaded = self.execute(LOADED, Vec::new()).await.unwrap();
        assert!(loaded[0].as_u64().unwrap() < PAGE_BYTES_MAX, "{name}: {} bytes", loaded[0]);
        assert_eq!(loaded[1], json!([]), "{name} loads from other hosts");
        let axe = std::fs::read_to_string(AXE).expect("axe-core is installed: see tests/all");
        self.execute(&axe, Vec::new()).await.unwrap();
        let found = self.execute_async(AUDIT, Vec::new()).await.unwrap();
        assert_eq!(found, json!([]), "{name}: barriers, each with where it is");
    }

    /// As long as the page is, and no longer.
    async fn draw_anew(&self, name: &str) {
        let shown = SHOWN.iter().find(|(shot, _)| *shot == name);
        let Some((_, file)) = shown.filter(|_| std::env::var_os(DRAW_ANEW).is_some()) else { return };
        let page = self.find(fantoccini::Locator::Css("body")).await.unwrap().screenshot().await.unwrap();
        std::fs::create_dir_all(SHOWN_DIR).unwrap();
        std::fs::write(format!("{SHOWN_DIR}/{file}"), page).unwrap();
    }

    /// All that a person reads.
    pub async fn text(&self) -> String {
        self.find(fantoccini::Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    async fn start_with(languages: &str, emulation: Option<Value>) -> Self {
        let (driver, port) = driver();
        let mut options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                format!("--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1"),
            ],
            "prefs": { "intl.accept_languages": languages },
        });
        if let Some(emulation) = emulation {
            options["mobileEmulation"] = emulation;
        }
        let wanted = json!({ "goog:chromeOptions": options });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted.as_object().unwrap().clone());
        let connected = builder.connect(&format!("http://127.0.0.1:{port}")).await;
        let client = connected.expect("chromium is installed: see tests/all");
        let session = client.session_id().await.unwrap().unwrap();
        Self { client, session, port, driver }
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with its session, and not with itself.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        if let Ok(mut wire) = TcpStream::connect(address) {
            let head = format!("DELETE /session/{} HTTP/1.1\r\nHost: {address}\r\n\r\n", self.session);
            let _ = wire.write_all(head.as_bytes());
            let _ = BufReader::new(wire).read_line(&mut String::new());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// It chooses a port for IPv4 and wants the same for IPv6, where somebody else
/// may have it: then it ends, and another one may have better luck.
fn driver() -> (Child, u16) {
    for _ in 0..DRIVERS_MAX {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver is installed: see tests/all");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        // "ChromeDriver was started successfully on port 41235."
        let port = lines.find_map(|line| line.split_once("on port ")?.1.strip_suffix('.')?.parse().ok());
        if let Some(port) = port {
            // It goes on to speak, and must not wait for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return (driver, port);
        }
        driver.wait().unwrap();
    }
    panic!("chromedriver does not say its port");
}
