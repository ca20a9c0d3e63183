//! Pages for everybody: the figures, and the page that checks receipts.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::feed::note::NoteSigner;

use crate::support::records::number;
use crate::support::service::{Answered, TestService, answered, now};
use crate::support::{day, half_year};

/// With all that it loads, which is the style alone.
const PAGE_BYTES_MAX: usize = 60 * 1024;

async fn stats(service: &TestService, query: &str) -> Answered {
    let answer = answered(service.request(Method::GET, &format!("/stats{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

#[tokio::test]
async fn the_figures_are_everybodys_and_may_be_kept() {
    let service = TestService::start().await;
    let page = stats(&service, "").await;
    assert_eq!(page.header("cache-control"), "public, max-age=300");
    assert_eq!(page.header("vary"), "Accept-Language, Cookie");
    assert!(page.headers.get(SET_COOKIE).is_none() && !page.body.contains("form_token"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    // Who chooses a language is given a cookie, on a page that nobody keeps.
    let chosen = stats(&service, "?lang=en").await;
    assert_eq!(chosen.header("cache-control"), "no-store");
    assert!(chosen.headers.get_all(SET_COOKIE).iter().any(|line| line.as_bytes().starts_with(b"zm_lang=en")));
    assert!(chosen.body.contains("<html lang=\"en\">"));
    let told = answered(service.request(Method::POST, "/stats")).await;
    assert_eq!(told.status, 405);
}

#[tokio::test]
async fn a_new_service_says_that_there_is_nothing_to_show() {
    let service = TestService::start().await;
    let empty = stats(&service, "").await.body;
    assert!(empty.contains("还没有可以公布的数字") && !empty.contains("<svg"), "{empty}");
}

#[tokio::test]
async fn half_a_year_is_told_in_tens() {
    let service = TestService::start().await;
    half_year::happened(&*service.store, now()).await;
    while service.app.casework.count_figures().await.unwrap() {}
    let page = stats(&service, "?lang=en").await.body;
    for words in ["Disputes filed", "became yours later", "腾讯", "fewer than 10", "<svg", "</table>"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("style="), "no inline style");
    let style = answered(service.request(Method::GET, "/assets/style.css")).await.body;
    assert!(page.len() + style.len() < PAGE_BYTES_MAX, "{} bytes", page.len() + style.len());
    // Every cell of every table, and every tile: none of 1 to 9.
    let cells = page.split("<td>").skip(1).chain(page.split("<dd>").skip(1));
    let counts =
        cells.filter_map(|cell| cell.split('<').next().unwrap().replace(',', "").parse::<u64>().ok());
    let counts: Vec<u64> = counts.collect();
    assert!(counts.len() > 40 && counts.iter().all(|count| count % 10 == 0), "{counts:?}");
}

/// Somebody with the page before them.
struct Checker<'a> {
    service: &'a TestService,
    cookie: String,
    token: String,
}

impl<'a> Checker<'a> {
    async fn opens(service: &'a TestService) -> Self {
        let page = answered(service.request(Method::GET, "/receipt")).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
        Self { service, cookie, token: rest.split('"').next().unwrap().to_owned() }
    }

    async fn sends(&self, text: &str, file: &[u8]) -> Answered {
        self.sends_with(&self.token, text, file).await
    }

    async fn sends_with(&self, token: &str, text: &str, file: &[u8]) -> Answered {
        let mut body = Vec::new();
        for (name, value) in [("form_token", token.as_bytes()), ("text", text.as_bytes()), ("file", file)] {
            let head = format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend([head.as_bytes(), value, b"\r\n"].concat());
        }
        body.extend(b"--limit--\r\n");
        let request = self.service.request(Method::POST, "/receipt").header(COOKIE, &self.cookie);
        answered(request.header(CONTENT_TYPE, "multipart/form-data; boundary=limit").body(body)).await
    }

    /// What the page says is wrong.
    async fn is_refused(&self, status: u16, text: &str, words: &str) {
        let answer = self.sends(text, b"").await;
        assert_eq!((answer.status, answer.header("cache-control")), (status, "no-store"), "{}", answer.body);
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains(words), "{}", answer.body);
        assert!(!answer.body.contains("回执是真的"), "{words}");
    }
}

fn correction(nth: u64) -> Entry {
    let in_force = InForce {
        void_before: Some(day("2025-01-30")),
        name_action: NameAction::Set,
        name: Some("<厦门> & 科技".to_owned()),
        name_until: Some(day("2027-02-21")),
        assurance: Assurance::Operator,
    };
    Entry::new(number(138_000), Some(in_force), EntryReason::Reassigned, None, now(), nth.to_string())
}

async fn published(service: &TestService) -> String {
    service.publish(correction(0)).await;
    service.publish(Entry { number: number(7), ..correction(1) }).await;
    service.app.feed.receipt(0).await.unwrap().to_string()
}

#[tokio::test]
async fn a_genuine_receipt_says_what_it_proves_and_nothing_else() {
    let service = TestService::start().await;
    let receipt = published(&service).await;
    let checker = Checker::opens(&service).await;
    let pasted = format!("\r\n  {}\r\n\r\n", receipt.trim_end().replace('\n', "\r\n"));
    for (text, file) in [(pasted.as_str(), ""), ("", receipt.as_str()), ("what was typed", &receipt)] {
        let answer = checker.sends(text, file.as_bytes()).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        for words in [
            "回执是真的",
            "2025-01-30",
            "&#60;厦门&#62; &#38; 科技",
            "2027-02-21",
            "localhost/feed",
            "共 2 条",
        ] {
            assert!(answer.body.contains(words), "{words} in {}", answer.body);
        }
        assert!(answer.body.contains(&number(138_000).masked()), "{}", answer.body);
        assert!(!answer.body.contains(&number(138_000).to_string()[3..]), "masked: {}", answer.body);
        assert!(answer.body.contains(text.trim().split("\r\n").next().unwrap()), "it is still there");
        assert!(answer.body.contains(&service.app.feed.verifier().name().to_owned()));
    }
    // A newer entry of the number makes no difference to what is shown.
    let before = checker.sends(&receipt, b"").await.body;
    service.publish(Entry { supersedes: Some(0), ..correction(2) }).await;
    assert_eq!(checker.sends(&receipt, b"").await.body, before);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_receipt_is_said_in_a_sentence() {
    let service = TestService::start().await;
    let receipt = published(&service).await;
    let checker = Checker::opens(&service).await;
    checker.is_refused(422, " \r\n ", "请粘贴回执").await;
    checker.is_refused(200, "<script>你好", "这不是回执").await;
    let kept = checker.sends("<script>你好", b"").await.body;
    assert!(kept.contains("&#60;script&#62;你好</textarea>"), "{kept}");
    checker.is_refused(200, &receipt[..receipt.len() / 2], "不完整").await;
    checker
        .is_refused(200, &receipt.replacen("localhost/feed", "elsewhere/<b>", 1), "elsewhere/&#60;b&#62;")
        .await;
    checker.is_refused(200, &receipt.replacen("index 0", "index 1", 1), "日志的这个位置没有这一条").await;
    checker.is_refused(200, &receipt.replacen("\n2\n", "\n3\n", 1), "签名不对").await;
    let stranger = NoteSigner::new("localhost/feed", &[8; 32]).unwrap();
    let (proof, _) = receipt.split_once("\n\n").unwrap();
    let forged = format!("{proof}\n\n{}", service.app.feed.newest().checkpoint.sign(&stranger));
    checker.is_refused(200, &forged, "不是用我们的密钥签的").await;
    checker.is_refused(413, &"x".repeat(80 * 1024), "72 KiB").await;
    let binary = checker.sends("", &[0xff; 500]).await;
    assert!(binary.status == 200 && binary.body.contains("这不是回执"));
    for bytes in [80 * 1024, 2 * 1024 * 1024] {
        let large = checker.sends("", &vec![b'x'; bytes]).await;
        assert!(large.status == 413 && large.body.contains("72 KiB"), "{bytes}: {}", large.body);
    }
    let stale = checker.sends_with("AAAA", &receipt, b"").await;
    assert_eq!(stale.status, 403);
}
