//! The alerts and the dashboard, as Prometheus's own tool reads them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::child::{Ended, Process};

pub const ALERTS: &str = include_str!("../../../data/deploy/zhengming-alerts.yml");
pub const DASHBOARD: &str = include_str!("../../../data/deploy/grafana-dashboard.json");
const TRIALS: &str = include_str!("../../../fixtures/alerts.yml");

fn promtool(arguments: &[&str]) -> Ended {
    let mut command = Command::new("promtool");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    Process::start(command, b"").ended()
}

/// Of every rule: its name and what it looks at.
fn alerts() -> Vec<(String, String)> {
    let read: Value = serde_yaml_ng::from_str(ALERTS).unwrap();
    let rules = read["groups"][0]["rules"].as_array().unwrap();
    let text = |rule: &Value, field: &str| rule[field].as_str().unwrap().to_owned();
    rules.iter().map(|rule| (text(rule, "alert"), text(rule, "expr"))).collect()
}

fn queries() -> Vec<String> {
    let read: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = read["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prometheus_takes_the_rules_and_the_configuration() {
    promtool(&["check", "rules", "data/deploy/zhengming-alerts.yml"]).done();
    promtool(&["check", "config", "--syntax-only", "data/deploy/prometheus.yml"]).done();
    // And it would have said so.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.yml");
    fs::write(&path, ALERTS.replacen("sum by (job)", "sum by job", 1)).unwrap();
    assert_eq!(promtool(&["check", "rules", path.to_str().unwrap()]).code, Some(1));
}

#[test]
fn each_alert_is_quiet_while_all_is_well_and_fires_when_it_is_not() {
    promtool(&["test", "rules", "fixtures/alerts.yml"]).done();
    let trials: Value = serde_yaml_ng::from_str(TRIALS).unwrap();
    let mut tried = BTreeSet::new();
    for trial in trials["tests"].as_array().unwrap() {
        let looks = trial["alert_rule_test"].as_array().unwrap();
        let fires = |look: &&Value| look["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
        assert_eq!((looks.len(), looks.iter().filter(fires).count()), (2, 1), "{}", trial["name"]);
        assert!(looks.iter().all(|look| look["alertname"] == trial["name"]));
        tried.insert(trial["name"].as_str().unwrap().to_owned());
    }
    let all: Vec<String> = alerts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(tried.len(), all.len());
    assert_eq!(tried, all.into_iter().collect());
}

#[test]
fn prometheus_reads_every_query_of_the_dashboard() {
    let queries = queries();
    assert!(queries.len() > 40, "{}", queries.len());
    let rules: Vec<Value> = queries
        .iter()
        .zip(0..)
        .map(|(query, nth)| {
            let query = query.replace("$__rate_interval", "1m").replace("$job", "zhengming");
            assert!(!query.contains('$'), "{query}");
            json!({ "record": format!("query:{nth}"), "expr": query })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queries.yml");
    let written = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(&path, written.to_string()).unwrap();
    promtool(&["check", "rules", path.to_str().unwrap()]).done();
}

#[test]
fn panels_have_names_and_places_of_their_own() {
    let read: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = read["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    let titles: BTreeSet<&str> = panels.iter().map(|panel| panel["title"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), titles.len()), (panels.len(), panels.len()));
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for (x, y) in (0..at("w")).flat_map(|x| (0..at("h")).map(move |y| (x, y))) {
            assert!(taken.insert((at("x") + x, at("y") + y)), "{panel}");
        }
    }
}
