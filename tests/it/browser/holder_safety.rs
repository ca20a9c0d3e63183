//! What could go wrong on a holder's phone: no scripts, impatience, the back
//! button, a link in a message, codes that are too old, and other sites.

use fantoccini::Locator;
use serde_json::{Value, json};

use super::INSECURE_HOST;
use super::person::Person;
use super::plain::Plain;
use crate::support::{PUBLIC_URL, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

impl Person<'_> {
    async fn is_at(&self, path: &str) {
        assert_eq!(self.browser.current_url().await.unwrap().path(), path);
    }

    /// By the SMS that comes, up to the screen that follows.
    async fn proves_by_code(&self) {
        self.types("number", "138 0013 8000").await;
        self.presses("下一步").await;
        self.browser.wait().for_element(Locator::Id("code")).await.unwrap();
        self.world.work().await;
        self.types("code", &self.world.last_code(NUMBER)).await;
        self.presses("确认").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_files_without_scripts() {
    let world = World::with(Setup::default()).await;
    world.cmcc_knows_new_holder(NUMBER);
    let phone = Plain::phone("zh-CN").await;
    phone.opens(&format!("http://{}/", world.client.address())).await;
    phone.types("#number", "138 0013 8000").await;
    phone.presses("main button").await;
    phone.reads("短信里的验证码").await;
    world.work().await;
    phone.types("#code", &world.last_code(NUMBER)).await;
    phone.presses("main button").await;
    phone.types("#opened", "March\t2025").await;
    phone.presses("form.filing button").await;
    phone.reads("正在向运营商核实").await;
    world.work().await;
    world.publish().await;
    phone.reloads().await;
    phone.reads("已更正").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impatience_files_once() {
    let world = World::with(Setup::default()).await;
    world.cmcc_knows_new_holder(NUMBER);
    let phone = Person::on_a_phone(&world, "zh-CN", "holder-impatient").await;
    phone.opens("/").await;
    phone.proves_by_code().await;
    phone.browser.wait().for_element(Locator::Css("form.filing")).await.unwrap();
    phone.sets("opened", "2025-03").await;
    // The same form twice, as fast as a page can.
    let twice = "const [done] = arguments;
        const form = document.querySelector('form.filing');
        const send = () => fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
        Promise.all([send(), send()]).then((both) => done(both.map((one) => one.url)));";
    let places = phone.browser.execute_async(twice, Vec::new()).await.unwrap();
    let [one, other] = [&places[0], &places[1]].map(|url| url.as_str().unwrap().to_owned());
    assert_eq!(one, other, "both lead to the one dispute");
    assert!(one.contains("/d/"), "{one}");
    // Back from the dispute, and forward by sending the old page once more.
    phone.presses("提交").await;
    phone.reads("正在向运营商核实").await;
    phone.browser.back().await.unwrap();
    phone.browser.wait().for_element(Locator::Css("form.filing")).await.unwrap();
    phone.sets("opened", "2025-03").await;
    phone.presses("提交").await;
    phone.reads("已有一件同类申诉").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_in_a_message_asks_for_a_proof_and_comes_back() {
    let world = World::with(Setup::default()).await;
    world.cmcc_knows(NUMBER, &[("甲", "2019-01-01", None)]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    dispute.is("refused").await;
    world.work().await;
    let told = world.messages_to(NUMBER).pop().unwrap();
    let (_, link) = told.rsplit_once(PUBLIC_URL).expect("the message says where to look");
    assert_eq!(link, format!("/d/{}", dispute.id), "and opens nothing by itself");
    let phone = Person::on_a_phone(&world, "zh-CN", "holder-link").await;
    phone.opens(link).await;
    phone.reads("请先验证号码").await;
    phone.shoots("1-prove").await;
    phone.browser.find(Locator::Css("main a.button")).await.unwrap().click().await.unwrap();
    phone.reads("会回到刚才的页面").await;
    phone.shoots("2-start").await;
    phone.proves_by_code().await;
    phone.reads("未获通过").await;
    phone.is_at(link).await;
    phone.shoots("3-refused").await;
    // Whoever never filed it is asked in the same words.
    let stranger = Person::on_a_phone(&world, "zh-CN", "holder-stranger").await;
    stranger.opens("/d/00000000-0000-7000-8000-000000000000").await;
    stranger.reads("请先验证号码").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_too_old_or_guessed_begins_anew() {
    let world = World::with(Setup::default()).await;
    let phone = Person::on_a_phone(&world, "zh-CN", "holder-code").await;
    phone.opens("/").await;
    phone.types("number", "138 0013 8000").await;
    phone.presses("下一步").await;
    phone.browser.wait().for_element(Locator::Id("code")).await.unwrap();
    world.work().await;
    let code = world.last_code(NUMBER);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in ["4", "3"] {
        phone.types("code", wrong).await;
        phone.presses("确认").await;
        phone.reads(&format!("还可以再试 {left} 次")).await;
    }
    phone.shoots("1-wrong").await;
    world.clock.advance(seconds(11 * 60));
    phone.types("code", &code).await;
    phone.presses("确认").await;
    phone.reads("这次验证已失效").await;
    phone.is_at("/").await;
    phone.shoots("2-too-old").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_get_nothing() {
    let world = World::with(Setup::default()).await;
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    let phone = Person::on_a_phone(&world, "zh-CN", "holder-theft").await;
    phone.opens(&format!("/d/{}?token={}", dispute.id, dispute.token)).await;
    phone.reads("经过").await;
    phone.is_at(&format!("/d/{}", dispute.id)).await;
    let run = async |script: &str| phone.browser.execute(script, Vec::new()).await.unwrap();
    assert_eq!(run("return document.cookie").await, "", "no script reads a cookie");
    assert_eq!(
        run("return performance.getEntriesByType('navigation')[0].name.includes('zmd_')").await,
        json!(false)
    );

    // The same service under another name is another site to the browser.
    let port = world.client.address().port();
    phone.browser.goto(&format!("http://{INSECURE_HOST}:{port}/")).await.unwrap();
    let ours = format!("http://127.0.0.1:{port}/d/{}", dispute.id);
    let frame = "const [url, done] = arguments; const frame = document.createElement('iframe');
        frame.src = url; frame.onload = frame.onerror = () => done('tried'); document.body.append(frame);
        setTimeout(() => done('refused'), 3000);";
    let _ = phone.browser.execute_async(frame, vec![Value::from(ours.clone())]).await.unwrap();
    let seen =
        run("try { return document.querySelector('iframe').contentDocument?.body.innerText ?? 'closed' } \
        catch { return 'closed' }")
        .await;
    assert_eq!(seen, "closed", "nobody frames our pages");
    let read = "const [url, done] = arguments;
        fetch(url, { credentials: 'include' }).then((r) => r.text()).then(done, () => done('blocked'));";
    let read = phone.browser.execute_async(read, vec![Value::from(ours.clone())]).await.unwrap();
    assert_eq!(read, "blocked", "nobody reads them from elsewhere");
    // A form on another site that posts to ours comes without cookies: to us
    // it is a stranger's.
    let post =
        "const form = document.createElement('form'); form.method = 'POST'; form.action = arguments[0];
        document.body.append(form); form.submit();";
    let _ = phone.browser.execute(post, vec![Value::from(format!("{ours}/withdraw"))]).await;
    phone.reads("新号码").await;
    dispute.is("in_review").await;
}
