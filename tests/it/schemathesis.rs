//! Requests that schemathesis makes up out of `/openapi.json`, sent to the
//! program itself with every kind of credential: none is answered by a 5xx, by
//! what is not described, or by a 2xx to what is described as wrong.
//!
//! `tests/schemathesis/run` sends more of them than usual.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use zhengming::http::docs::openapi;

use crate::process::cast::Cast;
use crate::process::house::House;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/schemathesis/bin/schemathesis");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis");
/// For each call and phase.
const EXAMPLES: u64 = 3;
const SEED: u64 = 1;

#[test]
#[allow(clippy::print_stdout)]
fn what_is_made_up_from_the_description_is_answered_as_described() {
    let house = House::new();
    let cast = Cast::gather(&house);
    fs::write(house.path("cast.json"), cast.told().to_string()).unwrap();
    let (examples, seed) = (from_environment("EXAMPLES", EXAMPLES), from_environment("SEED", SEED));
    let output = Command::new(PROGRAM)
        .args(["--config-file", &format!("{FOLDER}/schemathesis.toml")])
        .args(["run", &format!("http://{}/openapi.json", cast.server.public)])
        .args(["--max-examples", &examples.to_string(), "--seed", &seed.to_string()])
        // Its own notes and caches go where everything else goes.
        .current_dir(house.path(""))
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", FOLDER)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ZHENGMING_CAST", house.path("cast.json"))
        .env("ZHENGMING_TALLY", house.path("tally.json"))
        .output()
        .expect("it is installed: see tests/all");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    println!("{}", line(&tally(&house.path("tally.json")), &said));
    assert!(output.status.success(), "seed {seed}:\n{said}");
    assert_eq!(tally(&house.path("tally.json")).into_keys().collect::<BTreeSet<_>>(), operations());
    cast.server.stands();
}

fn from_environment(name: &str, usual: u64) -> u64 {
    let told = std::env::var(format!("ZHENGMING_SCHEMATHESIS_{name}")).ok();
    told.map_or(usual, |told| told.parse().unwrap())
}

/// By call, how often each status was answered.
type Tally = BTreeMap<String, BTreeMap<String, u64>>;

fn tally(path: &Path) -> Tally {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// All but the one that describes them.
fn operations() -> BTreeSet<String> {
    let paths = openapi::document()["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let names = operations.filter_map(|operation| operation["operationId"].as_str());
    names.filter(|name| *name != "getOpenApi").map(str::to_owned).collect()
}

/// Calls, cases and failures, and how they were answered.
fn line(tally: &Tally, said: &str) -> String {
    let of_class = |statuses: &BTreeMap<String, u64>, class: &str| -> u64 {
        statuses.iter().filter(|(status, _)| status.starts_with(class)).map(|(_, count)| count).sum()
    };
    let classes = ["2", "3", "4", "5"].map(|class| {
        let count: u64 = tally.values().map(|statuses| of_class(statuses, class)).sum();
        format!("{class}xx {count}")
    });
    let cases: u64 = tally.values().flat_map(BTreeMap::values).sum();
    let taken = tally.values().filter(|statuses| of_class(statuses, "2") > 0).count();
    let failures = Regex::new(r"found (\d+) unique failure").unwrap();
    let failures = failures.captures(said).map_or("0", |found| found.get(1).unwrap().as_str());
    let (operations, classes) = (tally.len(), classes.join(", "));
    format!(
        "{operations} operations ({taken} of them answered 2xx), {cases} requests: {classes}; {failures} failures"
    )
}
