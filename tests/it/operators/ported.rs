//! Ported numbers, and ranges of virtual operators.

use super::wire::Door;
use super::{Ends, NEW_HOLDER, NUMBER, TIMEOUT_MS, clock, ends, knows, pushed, world};
use crate::support::day;

const ANOTHER: &str = "+8613800138001";
/// In a range of vno-cmcc.
const VIRTUAL: &str = "+8617031380000";

struct Row {
    tale: &'static str,
    /// Who knows the number.
    knows: &'static str,
    follows_ports: bool,
    /// By whom, of which number, what, and when.
    lines: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// How often cmcc and cucc are asked.
    asked: (usize, usize),
    ends: Ends,
}

/// The registry speaks, though not of this number.
const SPEAKS: (&str, &str, &str, &str) = ("registry", ANOTHER, "ported_out", "2026-11-20");

const TABLE: [Row; 9] = [
    Row {
        tale: "the home operator, which follows ports",
        knows: "cmcc",
        follows_ports: true,
        lines: &[],
        asked: (3, 0),
        ends: Ends::VoidBefore("2025-01-30"),
    },
    Row {
        tale: "the home operator, which does not, and no registry",
        knows: "cmcc",
        follows_ports: false,
        lines: &[],
        asked: (1, 0),
        ends: Ends::Review("ported"),
    },
    Row {
        tale: "the home operator, and a registry that tells of no port",
        knows: "cmcc",
        follows_ports: false,
        lines: &[SPEAKS],
        asked: (3, 0),
        ends: Ends::VoidBefore("2025-01-30"),
    },
    Row {
        tale: "another operator answers, which follows ports",
        knows: "cucc",
        follows_ports: true,
        lines: &[],
        asked: (1, 3),
        ends: Ends::VoidBefore("2025-01-30"),
    },
    Row {
        tale: "another operator answers, so it is ported, whatever the registry does not say",
        knows: "cucc",
        follows_ports: false,
        lines: &[SPEAKS],
        asked: (1, 1),
        ends: Ends::Review("ported"),
    },
    Row {
        tale: "ported long ago: the registry names who serves it, and that one is asked first",
        knows: "cucc",
        follows_ports: false,
        lines: &[
            ("registry", NUMBER, "ported_out", "2021-06-01"),
            ("cucc", NUMBER, "ported_in", "2021-06-01"),
            SPEAKS,
        ],
        asked: (0, 3),
        ends: Ends::VoidBefore("2025-01-30"),
    },
    Row {
        tale: "ported within the rest before the window",
        knows: "cucc",
        follows_ports: false,
        lines: &[
            ("registry", NUMBER, "ported_out", "2024-12-15"),
            ("cucc", NUMBER, "ported_in", "2024-12-15"),
            SPEAKS,
        ],
        asked: (0, 1),
        ends: Ends::Review("ported"),
    },
    Row {
        tale: "ported within the rest, and the answers follow ports",
        knows: "cucc",
        follows_ports: true,
        lines: &[
            ("registry", NUMBER, "ported_out", "2024-12-15"),
            ("cucc", NUMBER, "ported_in", "2024-12-15"),
            SPEAKS,
        ],
        asked: (0, 3),
        ends: Ends::VoidBefore("2025-01-30"),
    },
    Row {
        tale: "nobody knows it",
        knows: "nobody",
        follows_ports: true,
        lines: &[SPEAKS],
        asked: (1, 1),
        ends: Ends::Review("operator_unknown"),
    },
];

#[tokio::test]
async fn who_is_asked_and_whose_answers_count() {
    for row in TABLE {
        println!("{}", row.tale);
        let clock = clock();
        let cmcc = Door::open(&clock, day("2000-01-01")).await;
        let cucc = Door::open(&clock, day("2000-01-01")).await;
        let operators = vec![
            cucc.asked("cucc", row.follows_ports, TIMEOUT_MS),
            cmcc.asked("cmcc", row.follows_ports, TIMEOUT_MS),
        ];
        let world = world(&clock, operators).await;
        match row.knows {
            "cmcc" => knows(&cmcc, &world, NUMBER, NEW_HOLDER),
            "cucc" => knows(&cucc, &world, NUMBER, NEW_HOLDER),
            _ => {}
        }
        for (operator, number, event, on) in row.lines {
            pushed(&world, operator, &[(number, event, on)]).await;
        }
        let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
        ends(&world, &dispute, NUMBER, row.ends).await;
        assert_eq!((cmcc.correlators().len(), cucc.correlators().len()), row.asked);
    }
}

#[tokio::test]
async fn of_a_virtual_operators_number_only_that_operator_is_asked() {
    for (has_api, outcome) in
        [(true, Ends::VoidBefore("2025-01-30")), (false, Ends::Review("operator_unknown"))]
    {
        let clock = clock();
        let host = Door::open(&clock, day("2000-01-01")).await;
        let own = Door::open(&clock, day("2000-01-01")).await;
        let mut operators = vec![host.asked("cmcc", true, TIMEOUT_MS)];
        if has_api {
            operators.push(own.asked("vno-cmcc", true, TIMEOUT_MS));
        }
        let world = world(&clock, operators).await;
        knows(&host, &world, VIRTUAL, NEW_HOLDER);
        knows(&own, &world, VIRTUAL, NEW_HOLDER);
        let dispute = world.holder(VIRTUAL).await.files_reassigned("2025-03").await;
        ends(&world, &dispute, VIRTUAL, outcome).await;
        assert_eq!(host.correlators().len(), 0, "the carrying network knows only its own contracts");
    }
}
