//! Operators that contradict each other, row by row of the rule in
//! `domain::tenure`: who is believed, and that nothing wrong is published.

use serde_json::{Value, json};
use zhengming::domain::number::Number;
use zhengming::domain::number_file::NumberFile;
use zhengming::domain::tenure::ProvenTenure;
use zhengming::store::Store;

use super::{A, NDJSON, TENURES, Town, accepted, line, mark, release, told};
use crate::support::service::answered;

const REST_DAYS: i32 = 90;
/// A number that the plan gives to nobody.
const NOBODYS: u64 = 8_616_800_138_000;

/// cmcc, to whom 138… belongs; cucc; the porting registry.
struct Rivals {
    town: Town,
    cucc: String,
    registry: String,
}

impl Rivals {
    async fn new() -> Self {
        let town = Town::new().await;
        let cucc = town.service.operator_key("cucc").await;
        let registry = town.service.operator_key("registry").await;
        town.labels(&mark(A, "2024-05-01")).await;
        Self { town, cucc, registry }
    }

    async fn says(&self, who: &str, body: &str) -> Value {
        let key = match who {
            "cmcc" => &self.town.cmcc,
            "cucc" => &self.cucc,
            _ => &self.registry,
        };
        accepted(&answered(self.town.upload(TENURES, key, NDJSON, body)).await)
    }

    async fn proven(&self, digits: u64) -> Option<ProvenTenure> {
        let store: &dyn Store = self.town.service.store.as_ref();
        let number = Number::from_digits(digits).unwrap();
        store.load::<NumberFile>(&number).await.unwrap().unwrap().value.ledger.proven(REST_DAYS)
    }

    async fn audited(&self, action: &str) -> Vec<String> {
        let lines = self.town.service.store.audit(0, 1_000).await.unwrap();
        let lines = lines.into_iter().filter(|line| line.draft.action == action);
        lines.map(|line| line.draft.subject).collect()
    }
}

fn refused(code: &str) -> Value {
    json!({ "accepted": 0, "unchanged": 0, "rejected": 1, "corrections": 0, "held": 0,
            "errors": [{ "line": 1, "code": code }] })
}

#[tokio::test]
async fn of_two_activations_the_serving_operators_counts() {
    for order in [["cmcc", "cucc"], ["cucc", "cmcc"]] {
        let rivals = Rivals::new().await;
        for who in order {
            let on = if who == "cmcc" { "2025-03-01" } else { "2025-03-03" };
            let said = rivals.says(who, &line(A, "activated", on)).await;
            let expected = if who == "cmcc" { told(1, 0, 0, 0, 0) } else { refused("not_your_number") };
            assert_eq!(said, expected, "{who}");
        }
        assert!(rivals.town.feed().await.is_empty());
    }
    // Where the plan knows nobody: the first to speak.
    let rivals = Rivals::new().await;
    assert_eq!(rivals.says("cucc", &line(NOBODYS, "activated", "2025-03-01")).await, told(1, 0, 0, 0, 0));
    let late = line(NOBODYS, "disconnected", "2024-11-01");
    assert_eq!(rivals.says("cmcc", &late).await, refused("not_your_number"));
    assert_eq!(rivals.proven(NOBODYS).await, None);
}

#[tokio::test]
async fn an_end_by_one_and_a_beginning_by_another_make_no_tenure() {
    for (ends, begins) in [("cmcc", "cucc"), ("cucc", "cmcc")] {
        for begun_on in ["2024-11-03", "2025-03-01"] {
            let rivals = Rivals::new().await;
            rivals.says(ends, &line(A, "disconnected", "2024-11-01")).await;
            rivals.says(begins, &line(A, "activated", begun_on)).await;
            assert_eq!(rivals.proven(A).await, None);
            assert!(rivals.town.feed().await.is_empty());
        }
    }
}

#[tokio::test]
async fn after_a_port_the_former_operator_speaks_only_of_its_days() {
    let rivals = Rivals::new().await;
    assert_eq!(rivals.says("registry", &line(A, "ported_out", "2025-01-01")).await, told(1, 0, 0, 0, 0));
    let goes_on = line(A, "activated", "2025-03-01");
    assert_eq!(rivals.says("cmcc", &goes_on).await, refused("not_your_number"));
    // Late lines of the days when it served are taken.
    assert_eq!(rivals.says("cmcc", &line(A, "disconnected", "2024-11-01")).await, told(1, 0, 0, 0, 0));
    assert_eq!(rivals.says("cucc", &goes_on).await, refused("not_your_number"), "it has not arrived");
    assert_eq!(rivals.says("cucc", &line(A, "ported_in", "2025-01-02")).await, told(1, 0, 0, 0, 0));
    assert_eq!(rivals.says("cmcc", &goes_on).await, refused("not_your_number"));
    assert!(rivals.town.feed().await.is_empty());
    // The rest began at one operator and ended at the other.
    assert_eq!(rivals.says("cucc", &goes_on).await, told(1, 0, 0, 1, 0));
    assert_eq!(rivals.town.feed().await[0]["void_before"], "2025-03-01");
}

#[tokio::test]
async fn a_port_told_late_leaves_nothing_proven_and_names_the_correction() {
    let rivals = Rivals::new().await;
    assert_eq!(rivals.says("cmcc", &release(A)).await, told(2, 0, 0, 1, 0));
    assert!(rivals.proven(A).await.is_some());
    assert_eq!(rivals.says("registry", &line(A, "ported_out", "2024-10-01")).await, told(1, 0, 0, 0, 0));
    assert_eq!(rivals.proven(A).await, None, "nobody knows who holds it");
    assert_eq!(rivals.audited("correction_in_doubt").await, ["correction:0"]);
    // A label that comes later is not corrected by it, nothing is said twice.
    assert_eq!(rivals.says("cmcc", &release(A)).await, told(0, 2, 0, 0, 0));
    rivals.town.labels(&mark(A, "2023-05-01")).await;
    assert_eq!(rivals.town.feed().await.len(), 1);
    // The one where it arrived tells what it knows, and that is believed.
    let arrived = line(A, "ported_in", "2024-10-01") + &line(A, "disconnected", "2025-06-01");
    assert_eq!(rivals.says("cucc", &arrived).await, told(2, 0, 0, 0, 0));
    assert_eq!(rivals.proven(A).await, None);
    assert_eq!(rivals.audited("correction_in_doubt").await, ["correction:0"]);
    let next = line(A, "activated", "2025-12-01");
    assert_eq!(rivals.says("cucc", &next).await, told(1, 0, 0, 1, 0));
    assert_eq!(rivals.town.feed().await[1]["void_before"], "2025-12-01");
}

#[tokio::test]
async fn the_first_to_tell_of_an_arrival_is_believed() {
    let rivals = Rivals::new().await;
    rivals.says("registry", &line(A, "ported_out", "2024-10-01")).await;
    let ctcc = rivals.town.service.operator_key("ctcc").await;
    assert_eq!(rivals.says("cucc", &line(A, "ported_in", "2024-10-03")).await, told(1, 0, 0, 0, 0));
    let other = answered(rivals.town.upload(TENURES, &ctcc, NDJSON, &line(A, "ported_in", "2024-10-01")));
    assert_eq!(accepted(&other.await), refused("not_your_number"));
}

#[tokio::test]
async fn two_things_said_of_one_day_prove_nothing() {
    for order in [["activated", "disconnected"], ["disconnected", "activated"]] {
        let rivals = Rivals::new().await;
        rivals.says("cmcc", &line(A, "disconnected", "2024-11-01")).await;
        let both = order.map(|event| line(A, event, "2025-03-01")).concat();
        let said = rivals.says("cmcc", &both).await;
        assert_eq!((&said["accepted"], &said["errors"][0]["code"]), (&json!(1), &json!("contradicts")));
        assert_eq!(rivals.proven(A).await, None);
        assert!(rivals.town.feed().await.is_empty());
        let again = rivals.says("cmcc", &both).await;
        assert_eq!((&again["unchanged"], &again["errors"]), (&json!(1), &said["errors"]));
    }
}
