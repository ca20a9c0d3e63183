//! `zhengming import`: labels and tenures, from a file and from standard
//! input, as CSV and as NDJSON, with a server running and without.

use std::fs;

use serde_json::Value;

use super::child::Ended;
use super::house::{House, only_word};
use super::wire::{Request, get};

const LABELS_CSV: &str = "number,kind,code,count,source,first_marked_on,last_marked_on\n\
    +8613800138001,category,55,23,crowd,2024-03-02,2024-11-18\n\
    13800138001,category,55,1,crowd,,\n\
    +8613900138003,category,9999,57,crowd,2025-02-03,2025-10-09\n";
const LABELS_NDJSON: &str = "{\"number\":\"+8613800138001\",\"kind\":\"name\",\"name\":\"某某外卖\"}\n{\n";
const TENURES_CSV: &str = "number,event,on\n\
    +8613800138001,disconnected,2024-11-20\n\
    +8613800138001,activated,2025-03-12\n\
    +8613800138001,activated,2999-01-01\n\
    +8618900138002,activated,2025-03-12\n\
    +8613800138001,vanished,2025-03-12\n";
const TENURES_NDJSON: &str = "{\"number\":\"+8613800138001\",\"event\":\"activated\",\"on\":\"2025-03-12\"}\n\
    {\"number\":\"+8613800138001\",\"event\":\"activated\",\"on\":\"2025-13-12\"}\n";

const LABELS: &str = "--provider tencent";
const TENURES: &str = "--operator cmcc";

/// The verb, what follows it, the input, what is printed; in this order.
const IMPORTS: [(&str, &str, &str, &str); 5] = [
    (
        "labels",
        LABELS,
        LABELS_CSV,
        "accepted 1, unchanged 0, rejected 2, corrections 0, held 0\n\
         line 3: number_malformed\nline 4: code_unknown\n",
    ),
    (
        "labels",
        LABELS,
        LABELS_NDJSON,
        "accepted 1, unchanged 0, rejected 1, corrections 0, held 0\nline 2: line_malformed\n",
    ),
    (
        "tenures",
        TENURES,
        TENURES_CSV,
        "accepted 2, unchanged 0, rejected 3, corrections 1, held 0\n\
         line 4: in_future\nline 5: not_your_number\nline 6: line_malformed\n",
    ),
    (
        "tenures",
        TENURES,
        TENURES_NDJSON,
        "accepted 0, unchanged 1, rejected 1, corrections 0, held 0\nline 2: date_malformed\n",
    ),
    ("tenures", TENURES, "", "accepted 0, unchanged 0, rejected 0, corrections 0, held 0\n"),
];

fn correction(key: &str) -> Request {
    get("/feed/v1/corrections/8613800138001").bearer(key)
}

/// Answered when an entry is published.
fn published(key: &str) -> Request {
    get("/feed/v1/corrections?wait=30").bearer(key)
}

/// Each input once from a file or from standard input.
fn import_all(house: &House, from_files: bool, run: &dyn Fn(&str, &str) -> Ended) {
    for (verb, whose, input, printed) in IMPORTS {
        let ended = if from_files {
            fs::write(house.path("delivered"), input).unwrap();
            run(&format!("import {verb} delivered {whose}"), "")
        } else {
            run(&format!("import {verb} - {whose}"), input)
        };
        assert_eq!(ended.done(), printed, "{verb} {input}");
    }
}

#[track_caller]
fn is_corrected(correction: &Value) {
    assert_eq!(
        (&correction["void_before"], &correction["reason"]),
        (&"2025-03-12".into(), &"released".into())
    );
}

#[test]
fn beside_a_server() {
    for from_files in [true, false] {
        let house = House::new();
        let server = house.serve();
        let run = |line: &str, input: &str| house.run_beside(server.admin, line, input);
        import_all(&house, from_files, &run);
        let key = only_word(&run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
        published(&key).at(server.public).ok(200);
        is_corrected(&correction(&key).at(server.public).ok(200).json());
    }
}

#[test]
fn without_a_server() {
    for from_files in [true, false] {
        let house = House::new();
        import_all(&house, from_files, &|line, input| house.run(line, input));
        let key = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
        let server = house.serve();
        is_corrected(&correction(&key).at(server.public).ok(200).json());
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let house = House::new();
    let err = house.run("import labels none.csv --provider tencent", "").failed();
    assert!(err.contains("none.csv: No such file"), "{err}");
    let server = house.serve();
    let headless = "+8613800138001,category,55\n";
    let beside = house.run_beside(server.admin, "import labels - --provider tencent", headless);
    let said = beside.failed();
    server.stopped();
    let alone = house.run("import labels - --provider tencent", headless).failed();
    let why = alone.lines().last().unwrap().strip_prefix("zhengming: ").unwrap().to_owned();
    assert!(said.contains(&why) && why.contains("column"), "{said} {why}");
}
