//! The proof of work as a page does it, under the policy of our pages.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use fantoccini::Locator;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;
use warp::Filter;
use warp::reply::Response;
use zhengming::casework::Settings;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::LimitsConfig;
use zhengming::http::service;

use super::{Browser, INSECURE_HOST};
use crate::support::service::{TestService, answered, settings};

const FORM: &str = r#"<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>form</title>
<script type="module" src="/assets/proof-of-work.js"></script>
<form method="post" action="/test/form" data-proof-of-work>
<input name="number" value="+8613800138000">
<progress data-proof-progress hidden></progress>
<p data-proof-hint aria-live="polite" data-working="正在计算" data-done="好了" data-failed="请再试一次"></p>
<button>发送验证码</button></form>"#;

/// The service, and beside it a page that uses its script.
struct Site {
    service: TestService,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Site {
    async fn with(settings: Settings) -> Self {
        let limits = LimitsConfig { requests_per_address_per_second: 0, ..LimitsConfig::default() };
        let service = TestService::with(settings, &limits).await;
        let form = warp::path!("test" / "form").and(warp::get()).map(|| page(FORM));
        let sent = warp::path!("test" / "form").and(warp::post()).and(warp::body::form()).map(
            |fields: BTreeMap<String, String>| {
                let fields = serde_json::to_string(&fields).unwrap();
                page(&format!("<!doctype html><title>sent</title><output>{fields}</output>"))
            },
        );
        let routes = form.or(sent).unify().or(service::routes(&service.app)).unify().boxed();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let ids = Arc::new(|| Uuid::from_u128(7));
        let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes);
        tokio::spawn(server.serve(listener, stop.clone()));
        Self { service, address, _stop: stop.drop_guard() }
    }

    /// A code is asked for with this solution.
    async fn starts(&self, altcha: &str) -> (u16, Value) {
        let body = json!({ "number": "+8613800138000", "method": "sms_code", "altcha": altcha });
        let request = self.service.request(http::Method::POST, "/v1/verifications");
        let answer = answered(request.header(CONTENT_TYPE, "application/json").body(body.to_string())).await;
        (answer.status, answer.json())
    }
}

fn page(html: &str) -> Response {
    let mut response = Response::new(html.to_owned().into());
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, "text/html; charset=utf-8".parse().unwrap());
    fields.insert(CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'".parse().unwrap());
    response
}

/// Sends the form at once, without waiting for the proof; what it sent.
async fn sent(browser: &Browser, host: &str, port: u16) -> BTreeMap<String, String> {
    browser.goto(&format!("http://{host}:{port}/test/form")).await.unwrap();
    let secure = browser.execute("return isSecureContext && crypto.subtle !== undefined", vec![]).await;
    assert_eq!(secure.unwrap(), json!(host != INSECURE_HOST));
    browser.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    let output = browser.wait().for_element(Locator::Css("output")).await.unwrap();
    serde_json::from_str(&output.text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_sent_with_its_proof_and_the_proof_is_good_once() {
    let site = Site::with(Settings { altcha_max_number: 20_000, ..settings() }).await;
    let browser = Browser::start().await;
    for host in ["127.0.0.1", INSECURE_HOST] {
        let fields = sent(&browser, host, site.address.port()).await;
        assert_eq!(fields["number"], "+8613800138000");
        let (status, started) = site.starts(&fields["altcha"]).await;
        assert_eq!((status, &started["method"]), (201, &json!("sms_code")), "{started}");
        let (status, refused) = site.starts(&fields["altcha"]).await;
        assert_eq!((status, &refused["code"]), (422, &json!("proof_of_work")));
    }
    // Whoever comes back to the page does not send the old one again.
    let first = sent(&browser, "127.0.0.1", site.address.port()).await;
    browser.back().await.unwrap();
    browser.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    let output = browser.wait().for_element(Locator::Css("output")).await.unwrap();
    let second: BTreeMap<String, String> = serde_json::from_str(&output.text().await.unwrap()).unwrap();
    assert_ne!(first["altcha"], second["altcha"]);
    assert_eq!(site.starts(&second["altcha"]).await.0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_told_how_it_goes() {
    let site = Site::with(Settings { altcha_max_number: 50_000, ..settings() }).await;
    let browser = Browser::start().await;
    browser.goto(&format!("http://{}/test/form", site.address)).await.unwrap();
    let seen = browser
        .execute_async(
            "const [done] = arguments;
            const form = document.querySelector('form');
            const hint = form.querySelector('[data-proof-hint]');
            const seen = [];
            new MutationObserver(() => {
                seen.push([form.dataset.proof, hint.textContent, form.querySelector('progress').hidden]);
                if (form.dataset.proof !== 'working') done(seen);
            }).observe(hint, { childList: true });
            form.querySelector('input').focus();",
            vec![],
        )
        .await
        .unwrap();
    // Told when progress is shown, and when it is over.
    let told = seen.as_array().unwrap();
    assert_eq!(told[0], json!(["working", "正在计算", false]));
    assert_eq!(told.last().unwrap(), &json!(["done", "好了", true]));
    let field = browser.find(Locator::Css("input[name=altcha]")).await.unwrap();
    let altcha = field.prop("value").await.unwrap().unwrap();
    assert_eq!(site.starts(&altcha).await.0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_challenge_nothing_is_sent_and_that_is_told() {
    let site = Site::with(Settings { altcha_max_number: 20_000, ..settings() }).await;
    let browser = Browser::start().await;
    browser.goto(&format!("http://{}/test/form", site.address)).await.unwrap();
    let told = browser
        .execute_async(
            "const [done] = arguments;
            const hint = document.querySelector('[data-proof-hint]');
            window.fetch = () => Promise.reject(new TypeError('no network'));
            new MutationObserver(() => {
                if (hint.textContent === hint.dataset.failed) done(document.title);
            }).observe(hint, { childList: true });
            document.querySelector('form').requestSubmit();",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(told, json!("form"), "it is still there");
}

/// Salts of every length about the ends of blocks, and numbers of all lengths.
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_hashes_as_everybody_does() {
    let site = Site::with(settings()).await;
    let browser = Browser::start().await;
    browser.goto(&format!("http://{}/test/form", site.address)).await.unwrap();
    let mut salts: Vec<String> =
        (0..140).map(|length| "abcdefg".chars().cycle().take(length).collect()).collect();
    salts.extend(["盐".to_owned(), "é".repeat(31)]);
    let question = |(nth, salt): (usize, &String)| {
        let number = [0, 7, 42, 999, 1_000, 12_345][nth % 6];
        let digest = Sha256::digest(format!("{salt}{number}"));
        let challenge: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "salt": salt, "challenge": challenge, "maxnumber": number })
    };
    let questions: Vec<Value> = salts.iter().enumerate().map(question).collect();
    let mut expected: Vec<Value> = questions.iter().map(|question| question["maxnumber"].clone()).collect();
    let mut asked = questions.clone();
    // One step short of the number: there is no answer.
    asked.push(json!({ "salt": "a", "challenge": questions[1]["challenge"], "maxnumber": 6 }));
    expected.push(Value::Null);
    let found = browser
        .execute_async(
            "const [questions, done] = arguments;
            const answer = (question) => new Promise((resolve) => {
                const worker = new Worker('/assets/proof-of-work-worker.js');
                worker.onmessage = ({ data }) => {
                    if (data.number === undefined) return;
                    worker.terminate();
                    resolve(data.number);
                };
                worker.postMessage(question);
            });
            (async () => {
                const found = [];
                for (const question of questions) found.push(await answer(question));
                done(found);
            })();",
            vec![json!(asked)],
        )
        .await
        .unwrap();
    assert_eq!(found, json!(expected));
}
