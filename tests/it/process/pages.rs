//! Pages on the wire: what they weigh, what they keep to themselves, and that
//! a form is taken from the browser that it was given to, and from no other.

use super::child::Server;
use super::house::House;
use super::wire::{Reply, Request, get, request};

const FORM: &str = "application/x-www-form-urlencoded";
/// With all that it loads.
const PAGE_BYTES_MAX: usize = 60 * 1024;

/// A browser with our cookies.
struct Visitor<'a> {
    server: &'a Server,
    cookies: Vec<(String, String)>,
    page: String,
}

impl<'a> Visitor<'a> {
    fn opens(server: &'a Server, path: &str) -> Self {
        let mut visitor = Self { server, cookies: Vec::new(), page: String::new() };
        visitor.loads(path);
        visitor
    }

    fn loads(&mut self, path: &str) {
        let reply = self.with_cookies(get(path)).at(self.server.public).ok(200);
        self.keeps(&reply);
        self.page = String::from_utf8(reply.body).unwrap();
    }

    fn with_cookies(&self, call: Request) -> Request {
        if self.cookies.is_empty() {
            return call;
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        call.field("cookie", &pairs.join("; "))
    }

    fn keeps(&mut self, reply: &Reply) {
        for line in reply.fields("set-cookie") {
            assert!(line.contains("; HttpOnly; SameSite=Strict"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn token(&self) -> &str {
        let (_, rest) = self.page.split_once("name=\"form_token\" value=\"").unwrap();
        rest.split('"').next().unwrap()
    }

    fn form(&self, path: &str, fields: &str) -> Request {
        self.with_cookies(request("POST", path)).body(FORM, fields)
    }
}

#[test]
fn a_page_is_light_with_all_that_it_loads() {
    let house = House::new();
    let server = house.serve();
    let visitor = Visitor::opens(&server, "/");
    let loaded = visitor.page.split('"').filter(|text| text.starts_with("/assets/"));
    let mut bytes = visitor.page.len();
    for path in loaded.chain(["/assets/proof-of-work-worker.js"]) {
        bytes += get(path).at(server.public).ok(200).body.len();
    }
    assert!(bytes < PAGE_BYTES_MAX, "{bytes} bytes");
    assert!(!visitor.page.contains("http://") && !visitor.page.contains("https://"), "no other host");
}

#[test]
fn a_form_is_taken_from_the_browser_that_it_was_given_to() {
    let house = House::new();
    let server = house.serve();
    let mut visitor = Visitor::opens(&server, "/");
    let fields = format!("form_token={}&number=12&method=sms_code", visitor.token());

    let stranger = Visitor::opens(&server, "/");
    let stale = "number=12&method=sms_code";
    for call in [
        visitor.form("/", stale),
        stranger.form("/", &fields),
        request("POST", "/").body(FORM, fields.as_str()),
        visitor.form("/", &fields).field("sec-fetch-site", "cross-site"),
        visitor.form("/", &fields).field("sec-fetch-site", "same-site"),
    ] {
        let reply = call.at(server.public).ok(403);
        assert!(reply.field("content-type").unwrap().starts_with("text/html"));
    }

    // Taken, and sent back because of the number: what was typed is still there.
    let reply = visitor.form("/", &fields).field("sec-fetch-site", "same-origin").at(server.public).ok(303);
    assert_eq!(reply.field("location"), Some("/"));
    visitor.keeps(&reply);
    for _ in 0..2 {
        visitor.loads("/");
        assert!(visitor.page.contains("value=\"12\"") && visitor.page.contains("号码的格式不对"));
        assert!(visitor.page.contains("aria-invalid=\"true\""));
    }
}

#[test]
fn nothing_personal_opens_without_a_proof() {
    let house = House::new();
    let server = house.serve();
    for path in ["/code", "/file"] {
        assert_eq!(get(path).at(server.public).ok(303).field("location"), Some("/"), "{path}");
    }
    let unknown = "/d/00000000-0000-7000-8000-000000000000";
    for path in [unknown.to_owned(), format!("{unknown}?token=zmd_AAAA"), format!("{unknown}/receipt")] {
        let reply = get(&path).at(server.public).ok(401);
        assert_eq!(reply.field("cache-control"), Some("no-store"));
        assert_eq!(reply.field("referrer-policy"), Some("no-referrer"));
    }
}

#[test]
fn over_tls_cookies_never_travel_without_it() {
    let house = House::new();
    let mut command = house.command("serve");
    command.env("ZHENGMING_PUBLIC_URL", "https://labels.example.org");
    let server = Server::start(command);
    let reply = get("/").at(server.public).ok(200);
    let cookie = reply.field("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-zm_visitor=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[test]
fn the_language_is_asked_for_or_chosen() {
    let house = House::new();
    let server = house.serve();
    let english = get("/").field("accept-language", "en-GB,en;q=0.8").at(server.public).ok(200);
    assert!(String::from_utf8(english.body).unwrap().starts_with("<!doctype html>\n<html lang=\"en\">"));
    let mut visitor = Visitor::opens(&server, "/");
    assert!(visitor.page.contains("<html lang=\"zh-CN\">"));
    visitor.loads("/?lang=en");
    visitor.loads("/");
    assert!(visitor.page.contains("<html lang=\"en\">"), "it stays chosen");
}
