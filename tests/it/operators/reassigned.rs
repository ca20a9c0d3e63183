//! Every row of the decision table for `reassigned`.

use serde_json::json;

use super::wire::Door;
use super::{Contracts, Ends, NEW_HOLDER, NUMBER, TIMEOUT_MS, clock, ends, keeps_evidence, knows, world};
use crate::support::day;

struct Row {
    tale: &'static str,
    contracts: Contracts,
    /// The operator's records begin then.
    records_from: &'static str,
    opened: &'static str,
    harm_marked_on: Option<&'static str>,
    questions: usize,
    ends: Ends,
}

const PLAIN: Row = Row {
    tale: "yes, yes, yes",
    contracts: NEW_HOLDER,
    records_from: "2000-01-01",
    opened: "2025-03",
    harm_marked_on: None,
    questions: 3,
    ends: Ends::VoidBefore("2025-01-30"),
};

const TABLE: [Row; 15] = [
    PLAIN,
    Row {
        tale: "a day makes a narrow window",
        opened: "2025-03-15",
        ends: Ends::VoidBefore("2025-03-15"),
        ..PLAIN
    },
    Row {
        tale: "the month before still has the day in its window",
        opened: "2025-02",
        ends: Ends::VoidBefore("2024-12-30"),
        ..PLAIN
    },
    Row {
        tale: "no: opened later than one thinks",
        opened: "2024-08",
        questions: 1,
        ends: Ends::Refused("not_held_since"),
        ..PLAIN
    },
    Row {
        tale: "no: a wrong day, too early",
        opened: "2025-03-12",
        questions: 1,
        ends: Ends::Refused("not_held_since"),
        ..PLAIN
    },
    Row {
        tale: "yes, no: a wrong day, too late",
        opened: "2025-03-17",
        questions: 2,
        ends: Ends::Refused("no_change_of_holder"),
        ..PLAIN
    },
    Row {
        tale: "yes, no: a holder from the beginning",
        contracts: &[("present", "2019-05-01", None)],
        questions: 2,
        ends: Ends::Refused("no_change_of_holder"),
        ..PLAIN
    },
    Row {
        tale: "yes, yes, no: a reinstatement within the rest",
        contracts: &[("same", "2019-05-01", Some("2025-01-20")), ("same", "2025-03-01", None)],
        ends: Ends::Review("reinstatement"),
        ..PLAIN
    },
    Row {
        tale: "unknown: the operator does not know the number",
        contracts: &[],
        questions: 1,
        ends: Ends::Review("operator_unknown"),
        ..PLAIN
    },
    Row {
        tale: "yes, unknown: out of the operator's range",
        records_from: "2025-02-01",
        questions: 2,
        ends: Ends::Review("operator_unknown"),
        ..PLAIN
    },
    Row {
        tale: "yes, yes, unknown: out of the operator's range",
        records_from: "2024-12-01",
        ends: Ends::Review("operator_unknown"),
        ..PLAIN
    },
    Row {
        tale: "harm reported from a number at rest",
        harm_marked_on: Some("2025-02-10"),
        // Seven more tell on which of ninety days it changed hands.
        questions: 3 + 7,
        ends: Ends::Review("harm_at_rest"),
        ..PLAIN
    },
    Row {
        tale: "harm reported since it changed hands",
        harm_marked_on: Some("2025-04-10"),
        questions: 3 + 7,
        ..PLAIN
    },
    Row {
        tale: "no within the operators' lag",
        contracts: &[("present", "2019-05-01", None)],
        opened: "2026-11",
        questions: 2,
        ends: Ends::AskedAgain,
        ..PLAIN
    },
    Row {
        tale: "unknown within the operators' lag",
        contracts: &[],
        opened: "2026-11",
        questions: 1,
        ends: Ends::AskedAgain,
        ..PLAIN
    },
];

#[tokio::test]
async fn every_row_from_the_holder_to_the_feed() {
    for row in TABLE {
        println!("{}", row.tale);
        let clock = clock();
        let door = Door::open(&clock, day(row.records_from)).await;
        let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
        knows(&door, &world, NUMBER, row.contracts);
        if let Some(on) = row.harm_marked_on {
            let baidu = world.provider("baidu").await;
            let fraud = json!({ "number": NUMBER, "kind": "category", "category": "fraud", "source": "crowd",
                "count": 12, "first_marked_on": on, "last_marked_on": on });
            assert_eq!(baidu.uploads(&fraud).await["accepted"], 1);
        }
        let dispute = world.holder(NUMBER).await.files_reassigned(row.opened).await;
        ends(&world, &dispute, NUMBER, row.ends).await;
        let correlators = door.correlators();
        assert_eq!(correlators.len(), row.questions, "nothing is asked that is not needed");
        if !matches!(row.ends, Ends::AskedAgain) {
            keeps_evidence(&world, &dispute, "cmcc", &correlators).await;
        }
    }
}

#[tokio::test]
async fn a_number_opened_within_the_lag_is_decided_when_the_operator_has_published_it() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    // Given out on the 18th, told on the 25th.
    knows(&door, &world, NUMBER, &[("former", "2019-05-01", Some("2026-08-01"))]);
    let dispute = world.holder(NUMBER).await.files_reassigned("2026-11-18").await;
    for asked in 1..3 {
        assert_eq!(door.correlators().len(), asked, "once a day");
        ends(&world, &dispute, NUMBER, Ends::AskedAgain).await;
        world.advance_days(1);
        world.work().await;
    }
    knows(
        &door,
        &world,
        NUMBER,
        &[("former", "2019-05-01", Some("2026-08-01")), ("present", "2026-11-18", None)],
    );
    world.advance_days(1);
    world.work().await;
    ends(&world, &dispute, NUMBER, Ends::VoidBefore("2026-11-18")).await;
}
