//! The same decisions out of lines that operators push, with no API to ask.

use serde_json::{Value, json};

use super::{Ends, NUMBER, case, clock, ends, pushed, world};

struct Row {
    tale: &'static str,
    /// By whom, what, and when.
    lines: &'static [(&'static str, &'static str, &'static str)],
    opened: Option<&'static str>,
    ends: Ends,
}

const TABLE: [Row; 9] = [
    Row {
        tale: "rested and given out: nothing need be remembered",
        lines: &[("cmcc", "disconnected", "2024-12-01"), ("cmcc", "activated", "2025-03-15")],
        opened: None,
        ends: Ends::VoidBefore("2025-03-15"),
    },
    Row {
        tale: "what the holder remembers yields to what the ledger knows",
        lines: &[("cmcc", "disconnected", "2024-12-01"), ("cmcc", "activated", "2025-03-15")],
        opened: Some("2025-05"),
        ends: Ends::VoidBefore("2025-03-15"),
    },
    Row {
        tale: "ninety days are the rest",
        lines: &[("cmcc", "disconnected", "2024-12-15"), ("cmcc", "activated", "2025-03-15")],
        opened: None,
        ends: Ends::VoidBefore("2025-03-15"),
    },
    Row {
        tale: "eighty-nine are not",
        lines: &[("cmcc", "disconnected", "2024-12-16"), ("cmcc", "activated", "2025-03-15")],
        opened: Some("2025-03"),
        ends: Ends::Review("operator_unknown"),
    },
    Row {
        tale: "a beginning without an end before it",
        lines: &[("cmcc", "activated", "2025-03-15")],
        opened: Some("2025-03"),
        ends: Ends::Review("operator_unknown"),
    },
    Row {
        tale: "a transfer has no rest",
        lines: &[("cmcc", "activated", "2019-05-01"), ("cmcc", "transferred", "2025-03-15")],
        opened: Some("2025-03"),
        ends: Ends::Review("operator_unknown"),
    },
    Row {
        tale: "nobody's by the ledger, and somebody has it in hand",
        lines: &[("cmcc", "activated", "2019-05-01"), ("cmcc", "disconnected", "2024-12-01")],
        opened: Some("2025-03"),
        ends: Ends::Review("ledger_late"),
    },
    Row {
        tale: "a port is no end of a tenure",
        lines: &[
            ("cmcc", "disconnected", "2024-12-01"),
            ("cmcc", "activated", "2025-03-15"),
            ("registry", "ported_out", "2026-01-10"),
            ("cucc", "ported_in", "2026-01-10"),
        ],
        opened: None,
        ends: Ends::VoidBefore("2025-03-15"),
    },
    Row {
        tale: "no lines at all",
        lines: &[],
        opened: Some("2025-03"),
        ends: Ends::Review("operator_unknown"),
    },
];

#[tokio::test]
async fn every_row_from_the_operators_lines_to_the_feed() {
    for row in TABLE {
        println!("{}", row.tale);
        let world = world(&clock(), Vec::new()).await;
        for (operator, event, on) in row.lines {
            pushed(&world, operator, &[(NUMBER, event, on)]).await;
        }
        let opened = row.opened.map_or(Value::Null, Value::from);
        let body = json!({ "reason": "reassigned", "opened": opened, "labels": [] });
        let dispute = world.holder(NUMBER).await.files(body).await;
        ends(&world, &dispute, NUMBER, row.ends).await;
        if let Ends::VoidBefore(_) = row.ends {
            let case = case(&world, &dispute).await;
            let evidence = case["evidence"].as_array().unwrap();
            assert_eq!(evidence.len(), 3);
            assert!(evidence.iter().all(|one| one["source"] == "cmcc" && one["answer"] == "yes"));
            assert!(evidence[0]["detail"].as_str().unwrap().starts_with("ledger: disconnected "));
        }
    }
}
