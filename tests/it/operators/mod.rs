//! Operators' answers from end to end: a holder files over HTTP, the operator
//! is asked over HTTP, and what comes of it is read out of the feed with a
//! provider's key.
//!
//! A row of a table says its tale, so that one that fails is known.
#![allow(clippy::print_stdout)]

mod aliyun;
mod behaviour;
mod correlators;
mod definitions;
mod health;
mod ledger;
mod names;
mod outages;
mod ported;
mod reassigned;
mod wire;

use http::Method;
use serde_json::{Value, json};
use zhengming::casework::AskedOperator;
use zhengming::casework::actors::Owner;
use zhengming::cli::demo::stand_in::Contract;
use zhengming::domain::uscc::Uscc;
use zhengming::env::clock::MockClock;
use zhengming::store::{Grant, Role};

use crate::support::{Answer, Dispute, Setup, World, day};
use wire::Door;

const NUMBER: &str = "+8613800138000";
/// For an answer over loopback, and no more than that.
const TIMEOUT_MS: u64 = 20_000;

/// How a dispute ends.
#[derive(Debug, Clone, Copy)]
enum Ends {
    VoidBefore(&'static str),
    Clears,
    Sets(&'static str),
    Refused(&'static str),
    Review(&'static str),
    /// To be asked again tomorrow.
    AskedAgain,
}

fn clock() -> MockClock {
    Setup::default().clock
}

async fn world(clock: &MockClock, operators: Vec<AskedOperator>) -> World {
    World::with(Setup { clock: clock.clone(), operators: Some(operators), ..Setup::default() }).await
}

/// Holder, first day, and the day on which the number was given up.
type Contracts = &'static [(&'static str, &'static str, Option<&'static str>)];

const NEW_HOLDER: Contracts =
    &[("former", "2019-05-01", Some("2024-12-01")), ("present", "2025-03-15", None)];

fn knows(door: &Door, world: &World, number: &str, contracts: Contracts) {
    let contract = |(holder, from, until): &(&str, &str, Option<&str>)| Contract {
        holder: (*holder).to_owned(),
        name: (*holder).to_owned(),
        uscc: None,
        from: day(from),
        until: until.map(day),
    };
    door.stand_in().set(world.number(number), contracts.iter().map(contract).collect());
}

fn knows_company(door: &Door, world: &World, name: &str, uscc: Option<&str>) {
    let contract = Contract {
        holder: name.to_owned(),
        name: name.to_owned(),
        uscc: uscc.map(|uscc| Uscc::parse(uscc).unwrap()),
        from: day("2020-01-01"),
        until: None,
    };
    door.stand_in().set(world.number(NUMBER), vec![contract]);
}

/// What the feed has for a number, by a provider's key.
async fn in_feed(world: &World, number: &str) -> Answer {
    let provider = world.provider("tencent").await;
    world.client.get(&format!("/feed/v1/corrections/{}", number.trim_start_matches('+')), &provider.key).await
}

async fn ends(world: &World, dispute: &Dispute<'_>, number: &str, ends: Ends) {
    let view = dispute.look().await.ok(200);
    let entry = in_feed(world, number).await;
    let corrected = |name_action: &str| {
        assert_eq!(view["status"], "corrected", "{}", view.body);
        assert_eq!((&entry["number"], &entry["name_action"]), (&json!(number), &json!(name_action)));
        assert_eq!((&entry["assurance"], &entry["withdrawn"]), (&json!("operator"), &json!(false)));
        assert_eq!(entry["seq"], view["correction"]["seq"]);
    };
    match ends {
        Ends::VoidBefore(day) => {
            corrected("keep");
            assert_eq!((&entry["void_before"], &entry["reason"]), (&json!(day), &json!("reassigned")));
        }
        Ends::Clears => {
            corrected("clear");
            assert_eq!((&entry["void_before"], &entry["reason"]), (&Value::Null, &json!("name_mismatch")));
        }
        Ends::Sets(name) => {
            corrected("set");
            assert_eq!((&entry["name"], &entry["name_until"]), (&json!(name), &json!("2027-02-21")));
        }
        Ends::Refused(code) => {
            assert_eq!((&view["status"], &view["refusal"]["code"]), (&json!("refused"), &json!(code)));
            entry.refused(404, "not_found");
        }
        Ends::Review(flag) => {
            assert_eq!(view["status"], "in_review", "{}", view.body);
            assert_eq!(case(world, dispute).await["flags"], json!([flag]));
            entry.refused(404, "not_found");
        }
        Ends::AskedAgain => {
            assert_eq!(view["status"], "checking");
            assert_eq!(view["timeline"].as_array().unwrap().last().unwrap()["event"], "asking_again");
            entry.refused(404, "not_found");
        }
    }
}

/// As moderators see it.
async fn case(world: &World, dispute: &Dispute<'_>) -> Answer {
    let name = format!("senior-{}", world.changes());
    let senior = world.moderator(&name, Role::Senior).await;
    senior.looks_at(&dispute.id).await.ok(200)
}

/// Every answer is kept with its source, time and the name of its exchange.
async fn keeps_evidence(world: &World, dispute: &Dispute<'_>, source: &str, correlators: &[String]) {
    let case = case(world, dispute).await;
    let evidence = case["evidence"].as_array().unwrap();
    let kept: Vec<&str> = evidence.iter().map(|one| one["correlator"].as_str().unwrap()).collect();
    assert_eq!(kept, correlators);
    for one in evidence {
        assert_eq!((&one["source"], &one["at"]), (&json!(source), &json!("2026-11-23T03:00:00Z")));
    }
}

/// Tenure lines as an operator pushes them.
async fn pushed(world: &World, operator: &str, lines: &[(&str, &str, &str)]) -> Answer {
    let grant = Grant::Operator(operator.parse().unwrap());
    let (_, key) = world.casework.issue_key(Owner::at_the_command_line(), grant, operator).await.unwrap();
    let line = |(number, event, on): &(&str, &str, &str)| {
        json!({ "number": number, "event": event, "on": on }).to_string() + "\n"
    };
    let body: String = lines.iter().map(line).collect();
    let bearer = format!("Bearer {key}");
    let fields = [("authorization", bearer.as_str()), ("content-type", "application/x-ndjson")];
    let tally =
        world.client.send(Method::POST, "/v1/tenures", &fields, Some(body.into_bytes())).await.ok(200);
    assert_eq!(tally["rejected"], 0, "{}", tally.body);
    tally
}
