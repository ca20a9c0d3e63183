//! What a service that runs shows under `/metrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;

use regex::Regex;
use serde_json::json;

use super::alerts::{ALERTS, DASHBOARD};
use crate::process::child::Server;
use crate::process::house::House;
use crate::process::people::People;
use crate::process::wire::{get, post, request};

const README: &str = include_str!("../../../README.md");
/// Far more than it takes.
const SCRAPES_MAX: u32 = 10_000;
const NUMBER: &str = "+8613800138001";
/// An operator that is asked, and does not answer; and a look-up.
const PARTNERS: &str = r#"
[[operators]]
id = "cmcc"
name = "中国移动"
gateway = "camara"
base_url = "http://127.0.0.1:1"
token_url = "http://127.0.0.1:1/token"
client_id = "zhengming"
client_secret_file = "cmcc.secret"

[[providers]]
id = "tencent"
lookup = "http"
lookup_url = "http://127.0.0.1:1/labels"
lookup_key_file = "tencent.key"
"#;

/// What appears with the worker's first turns.
const BY_THE_WORKER: [&str; 4] = [
    "zhengming_queue_disputes{",
    "zhengming_queue_overdue_disputes ",
    "zhengming_purge_last_success_timestamp_seconds ",
    "zhengming_tasks_total{task=\"send_code\",outcome=\"ok\"} ",
];

fn house() -> House {
    let house = House::new();
    house.keeps("cmcc.secret", "0123456789abcdef");
    house.keeps("tencent.key", "0123456789abcdef");
    let mut config = fs::File::options().append(true).open(house.path("zhengming.toml")).unwrap();
    config.write_all(PARTNERS.as_bytes()).unwrap();
    house
}

fn scraped(server: &Server) -> String {
    let reply = get("/metrics").at(server.admin).ok(200);
    assert_eq!(reply.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(reply.field("cache-control"), Some("no-store"));
    String::from_utf8(reply.body).unwrap()
}

/// Once the worker has done so much that these samples are there.
fn scraped_with(server: &Server, samples: &[&str]) -> String {
    for _ in 0..SCRAPES_MAX {
        let text = scraped(server);
        if samples.iter().all(|sample| text.lines().any(|line| line.starts_with(sample))) {
            return text;
        }
    }
    panic!("not all of {samples:?} in {}", scraped(server));
}

/// The families that it has, each with its type; its samples by name.
fn families(text: &str) -> BTreeMap<&str, &str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types: BTreeMap<&str, &str> = types.collect();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let of = |suffix: &str| name.strip_suffix(suffix).is_some_and(|name| types[name] == "histogram");
        let is_known = types.contains_key(name) || ["_bucket", "_sum", "_count"].into_iter().any(of);
        assert!(is_known, "{line}");
    }
    types
}

fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{sample} ")));
    line.unwrap_or_else(|| panic!("no {sample} in {text}")).parse().unwrap()
}

/// Names as rules and panels write them.
fn named(text: &str) -> BTreeSet<&str> {
    let pattern = Regex::new(r"\b(?:zhengming|process)_[a-z_]+\b").unwrap();
    pattern.find_iter(text).map(|found| found.as_str()).collect()
}

#[test]
fn everything_that_rules_and_dashboard_name_is_there() {
    let house = house();
    let server = house.serve();
    People::gather(&house, &server, NUMBER);
    let text = scraped_with(&server, &BY_THE_WORKER);
    get("/metrics").at(server.public).refused(404, "not_found");
    let families = families(&text);
    let samples: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .collect();
    for (what, names) in [("rules", named(ALERTS)), ("dashboard", named(DASHBOARD))] {
        assert!(names.len() > 15, "{what}: {names:?}");
        let missing: Vec<&&str> = names.iter().filter(|name| !samples.contains(**name)).collect();
        assert!(missing.is_empty(), "{what} name what is not there: {missing:?} in {text}");
    }
    // The README's table has all of them, with their types, and no others.
    let row = Regex::new(r"(?m)^\| `((?:zhengming|process)_[a-z_]+)` \| (\w+) \|").unwrap();
    let told: BTreeMap<&str, &str> =
        row.captures_iter(README).map(|row| row.extract::<2>().1.into()).collect();
    assert_eq!(told, families);
}

#[test]
fn what_happens_is_counted_and_nobody_is_named() {
    let house = house();
    let server = house.serve();
    let people = People::gather(&house, &server, NUMBER);
    let before = scraped(&server);
    let at = server.public;
    get("/feed/v1/corrections/8613800138001").bearer(&people.provider).at(at);
    get(&format!("/v1/disputes/{}", people.dispute)).bearer(&people.claimant).at(at).ok(200);
    get("/8613800138001").at(at).ok(404);
    get(&format!("/{}", people.provider)).at(at).ok(404);
    request("ZHANGSAN", "/v1/challenge").at(at).ok(405);
    post("/v1/verifications", &json!({ "number": NUMBER, "method": "sms_code" })).at(at).ok(201);
    house.phone.code(NUMBER).unwrap();
    let sent = "zhengming_sms_total{outcome=\"sent\"} 2";
    let after = scraped_with(&server, &[&BY_THE_WORKER[..], &[sent]].concat());
    let rose = |sample: &str, by: f64| {
        let was = before.lines().find_map(|line| line.strip_prefix(&format!("{sample} ")));
        let was: f64 = was.map_or(0.0, |was| was.parse().unwrap());
        assert_eq!(value(&after, sample) - was, by, "{sample}: {before}\n{after}");
    };
    let requests = |route: &str, method: &str, status: u16| {
        format!("zhengming_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}")
    };
    rose(&requests("/v1/disputes/{id}", "GET", 200), 1.0);
    rose(&requests("unrouted", "GET", 404), 2.0);
    rose(&requests("/v1/challenge", "other", 405), 1.0);
    rose("zhengming_http_request_duration_seconds_count{route=\"/v1/verifications\"}", 1.0);
    assert!(value(&after, "zhengming_store_commits_total{outcome=\"ok\"}") > 0.0);
    assert!(value(&after, "zhengming_store_flush_duration_seconds_count") > 0.0);
    assert!(value(&after, "zhengming_purge_runs_total{outcome=\"ok\"}") >= 1.0);
    assert_eq!(
        value(&after, "zhengming_circuit_breaker_state{gateway=\"operator:cmcc\",state=\"closed\"}"),
        1.0
    );
    assert_eq!(value(&after, "zhengming_gateway_state{gateway=\"sms\",state=\"ok\"}"), 1.0);
    for secret in
        [&people.provider, &people.claimant, &people.dispute, &people.holder, &NUMBER[1..].to_owned()]
    {
        assert!(!after.contains(secret.as_str()), "{secret} in {after}");
    }
    assert!(!after.contains("ZHANGSAN"), "{after}");
}

#[test]
fn readyz_says_how_far_the_store_and_the_log_have_come() {
    let house = house();
    let server = house.serve();
    People::gather(&house, &server, NUMBER);
    let ready = get("/readyz").at(server.admin).ok(200).json();
    assert_eq!(
        (&ready["ready"], &ready["store"], &ready["feed"]),
        (&json!(true), &json!("ok"), &json!("ok"))
    );
    assert!(ready["high_water_mark"]["commit"].as_u64() > Some(0), "{ready}");
    assert!(ready["checkpoint_age_s"].is_u64() && ready["unpublished_entries"].is_u64(), "{ready}");
}
