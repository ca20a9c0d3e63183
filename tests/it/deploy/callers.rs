//! Who calls, under which name, and what they may reach.

use serde_json::json;

use super::gate::SOMEBODY;
use super::town::Town;
use crate::process::child::Process;
use crate::process::wire::{get, post};

const ELSEWHERE: &str = "127.0.2.1";

#[test]
fn pages_and_calls_come_through() {
    let town = Town::new();
    let page = town.gate.ask(&get("/").field("accept-language", "en")).ok(200);
    assert!(String::from_utf8_lossy(&page.body).contains("<html lang=\"en\""));
    assert!(page.field("set-cookie").unwrap().contains("; Secure"), "{}", page.head);
    assert_eq!(page.field("strict-transport-security"), Some("max-age=63072000"));
    assert_eq!(page.fields("server"), ["nginx"], "without its version");
    town.gate.ask(&get("/v1/challenge")).ok(200);
    let body = json!({ "number": "+861380013800", "method": "sms_code" });
    town.gate.ask(&post("/v1/verifications", &body)).refused(400, "number_malformed");
}

#[test]
fn rates_are_counted_by_the_callers_own_address() {
    let town = Town::with(&[("LIMITS__VERIFICATIONS_PER_ADDRESS_PER_HOUR", "2")]);
    let verify = post("/v1/verifications", &json!({ "number": "+8613800138001", "method": "sms_code" }));
    town.gate.ask(&verify).ok(201);
    town.gate.ask(&verify).ok(201);
    town.gate.ask(&verify).refused(429, "too_many_requests");
    let another =
        verify.clone().field("x-forwarded-for", "203.0.113.9").field("forwarded", "for=203.0.113.9");
    town.gate.ask(&another).refused(429, "too_many_requests");
    town.gate.ask_from(ELSEWHERE, &verify).ok(201);
}

#[test]
fn the_owners_ways_in_are_not_reachable() {
    let town = Town::new();
    for path in ["/healthz", "/readyz", "/metrics", "/owner/orders", "/owner/labels?provider=tencent"] {
        town.gate.ask(&get(path)).refused(404, "not_found");
        get(path).try_at(town.first().admin).unwrap();
    }
    let shipped = include_str!("../../../data/deploy/nginx.conf");
    assert!(!shipped.contains("9090"), "the admin listener has no upstream");
}

#[test]
fn paths_are_passed_on_as_they_were_sent() {
    let town = Town::new();
    for path in ["/feed/v1/./checkpoint", "/x/../feed/v1/key", "//feed/v1/key", "/feed/v1/%6Bey"] {
        let told = town.gate.told_from(SOMEBODY, &get(path)).ok(404);
        assert_eq!(told.field("x-cache-status").unwrap_or("MISS"), "MISS", "{path}");
    }
    town.gate.ask(&get("/feed/v1/key")).ok(200);
}

#[test]
fn without_tls_nothing_is_taken() {
    let town = Town::of_one(&[]);
    let said = |path: &str, more: &[&str]| town.gate.in_plain(path, more).done();
    let redirect = said("/docs?a=b", &[]);
    assert!(redirect.starts_with("HTTP/1.1 308 "), "{redirect}");
    assert!(redirect.contains("Location: https://corrections.test/docs?a=b\r\n"), "{redirect}");
    for more in [&["--header", "authorization: Bearer x"][..], &["--data", "a=b"]] {
        let refused = said("/v1/challenge", more);
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    }
}

#[test]
fn another_name_is_not_answered() {
    let town = Town::of_one(&[]);
    let mut command = town.gate.curl(SOMEBODY);
    command.args(["--insecure", &format!("https://127.0.0.1:{}/", town.gate.tls)]);
    let ended = Process::start(command, b"").ended();
    assert!(ended.code != Some(0) && ended.out.is_empty(), "{ended:?}");
}

#[test]
fn the_log_has_neither_paths_nor_addresses() {
    let town = Town::new();
    let key = town.provider_key();
    let asked = town.gate.ask(&get("/feed/v1/corrections/8613800138001?a=123456").bearer(&key));
    town.gate.ask(&get("/d/zmd_secret")).ok(404);
    let Town { nginx, folder, .. } = town;
    nginx.signal("QUIT");
    let said = nginx.ended();
    let log = std::fs::read_to_string(folder.path().join("access.log")).unwrap();
    for secret in ["8613800138001", "123456", "zmd_secret", &key[4..20], SOMEBODY, "/feed"] {
        assert!(!log.contains(secret) && !said.err.contains(secret), "{secret}: {log} {said:?}");
    }
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<serde_json::Value> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(lines[0]["request_id"], asked.field("x-request-id").unwrap());
    assert_eq!((&lines[0]["client"], &lines[0]["status"]), (&json!("127.0.1.0/24"), &json!(asked.status)));
}
