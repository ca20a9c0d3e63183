//! Operators' lines.

use serde_json::{Value, json};
use zhengming::casework::Settings;
use zhengming::store::BatchState;

use super::{A, B, CSV, LABELS, NDJSON, TENURES, Town, accepted, line, mark, release, told};
use crate::support::service::{answered, settings};

/// Out of another operator's range.
const CTCC: u64 = 8_613_300_133_000;

#[tokio::test]
async fn lines_are_taken_once() {
    let town = Town::new().await;
    let body = release(A) + &release(B);
    assert_eq!(town.tenures(&body).await, told(4, 0, 0, 0, 0));
    assert_eq!(town.tenures(&body).await, told(0, 4, 0, 0, 0));
    let csv = "on,number,event\n2024-11-01,+8613800138000,disconnected\r\n2026-01-01,+8613800138000,transferred\r\n";
    let answer = answered(town.upload(TENURES, &town.cmcc, CSV, csv)).await;
    assert_eq!(accepted(&answer), told(1, 1, 0, 0, 0));
    assert_eq!(town.tenures("\n").await, told(0, 0, 0, 0, 0));
    assert_eq!(town.staged_files(), 0);
}

#[tokio::test]
async fn a_bad_line_costs_only_itself() {
    let town = Town::new().await;
    let body = [
        "\u{feff}".to_owned() + &line(A, "disconnected", "2024-11-01"),
        line(A, "activated", "2024-11-01"),
        "\r\n".to_owned(),
        line(86_138, "activated", "2025-03-01"),
        line(B, "activated", "2025-3-1"),
        line(B, "activated", "2026-11-24"),
        line(CTCC, "activated", "2025-03-01"),
        line(B, "moved", "2025-03-01"),
        "not json\n".to_owned(),
        line(B, "activated", "2025-03-01").replace('}', ",\"x\":1}"),
        format!("{{\"number\":\"{}\"}}\n", "1".repeat(5_000)),
        line(B, "activated", "2026-11-23").trim_end().to_owned(),
    ];
    let answer = town.tenures(&body.concat()).await;
    let errors: Vec<(u64, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["line"].as_u64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            (2, "contradicts"),
            (4, "number_malformed"),
            (5, "date_malformed"),
            (6, "in_future"),
            (7, "not_your_number"),
            (8, "line_malformed"),
            (9, "line_malformed"),
            (10, "line_malformed"),
            (11, "line_too_long"),
        ]
    );
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(9)));

    let csv = "\u{feff}number,event,on\n\n+8613800138000,disconnected\n+8613800138000,activated,2025-03-01\n";
    let answer = accepted(&answered(town.upload(TENURES, &town.cmcc, CSV, csv)).await);
    assert_eq!(answer["errors"], json!([{ "line": 3, "code": "line_malformed" }]));
    assert_eq!(answer["accepted"], 1);
}

#[tokio::test]
async fn only_the_first_hundred_errors_are_told() {
    let town = Town::new().await;
    let answer = town.tenures(&"x\n".repeat(250)).await;
    assert_eq!(answer["rejected"], 250);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 100);
    assert_eq!(answer["errors"][99], json!({ "line": 100, "code": "line_malformed" }));
}

#[tokio::test]
async fn a_batch_of_one_name_counts_once() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    let body = release(A) + "x\n";
    let first = town.batch("2026-11-23", &body).await;
    let expected = json!({ "accepted": 2, "unchanged": 0, "rejected": 1, "corrections": 1, "held": 0,
                           "errors": [{ "line": 3, "code": "line_malformed" }] });
    assert_eq!((first.status, first.json()), (200, expected.clone()));
    let again = town.batch("2026-11-23", &body).await;
    assert_eq!((again.status, again.json()), (200, expected), "the same words, not `unchanged`");
    let other = town.batch("2026-11-23", &release(B)).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused".into()));
    assert_eq!(town.batch("2026-11-24", &body).await.json()["unchanged"], 2);
    for key in ["", &"k".repeat(256)] {
        assert_eq!(town.batch(key, &body).await.code(), (400, "field_malformed".into()));
    }
    assert_eq!((town.feed().await.len(), town.staged_files()), (1, 0));

    // Another operator's key of the same name is another name.
    let cucc = town.service.operator_key("cucc").await;
    let request = town.upload(TENURES, &cucc, NDJSON, &line(8_613_000_130_000, "activated", "2025-03-01"));
    let answer = answered(request.header("Idempotency-Key", "2026-11-23")).await;
    assert_eq!(answer.json(), told(1, 0, 0, 0, 0));
}

#[tokio::test]
async fn a_release_that_labels_contradict_goes_no_further_than_the_former_holders_end() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    let other = town.service.provider_key("baidu").await;
    let since = mark(A, "2025-02-20");
    accepted(&answered(town.upload(LABELS, &other, NDJSON, &since)).await);
    assert_eq!(town.tenures(&release(A)).await, told(2, 0, 0, 1, 0));
    let feed = town.feed().await;
    assert_eq!((feed.len(), &feed[0]["void_before"]), (1, &json!("2024-11-02")));
    // Its own provider takes it back: the rest was none of anybody's.
    let none = format!("{{\"number\":\"+{A}\",\"kind\":\"category\",\"category\":\"none\"}}\n");
    accepted(&answered(town.upload(LABELS, &other, NDJSON, &none)).await);
    town.labels(&mark(A, "2024-06-01")).await;
    assert_eq!(town.feed().await[1]["void_before"], "2025-03-01");
}

#[tokio::test]
async fn a_release_corrects_old_labels_before_the_answer() {
    let town = Town::new().await;
    town.labels(&(mark(A, "2024-05-01") + &mark(B, "2025-04-01"))).await;
    assert_eq!(town.tenures(&(release(A) + &release(B))).await, told(4, 0, 0, 1, 0));
    let expected = json!({
        "seq": 0, "v": 1, "number": "+8613800138000", "void_before": "2025-03-01", "name_action": "keep",
        "name": null, "name_until": null, "reason": "released", "assurance": "operator",
        "withdrawn": false, "supersedes": null, "at": "2026-11-23T03:04:05Z"
    });
    assert_eq!(town.feed().await, [expected]);

    // The next holder's beginning supersedes it.
    let next = line(A, "disconnected", "2026-01-01") + &line(A, "activated", "2026-06-01");
    assert_eq!(town.tenures(&next).await, told(2, 0, 0, 1, 0));
    let newest = &town.feed().await[1];
    assert_eq!((&newest["void_before"], &newest["supersedes"]), (&json!("2026-06-01"), &json!(0)));
}

#[tokio::test]
async fn a_number_is_decided_on_all_lines_of_an_upload() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    // In this order the first two lines alone would prove a rest.
    let shuffled = line(A, "activated", "2026-06-01")
        + &line(A, "disconnected", "2024-11-01")
        + &line(A, "disconnected", "2026-05-30")
        + &line(A, "activated", "2024-12-01");
    assert_eq!(town.tenures(&shuffled).await, told(4, 0, 0, 0, 0));
    assert!(town.feed().await.is_empty());
}

#[tokio::test]
async fn without_rest_nothing_is_published() {
    let town = Town::new().await;
    town.labels(&mark(A, "2024-05-01")).await;
    let early = line(A, "disconnected", "2025-01-01") + &line(A, "activated", "2025-03-31");
    assert_eq!(town.tenures(&early).await, told(2, 0, 0, 0, 0));
    assert!(town.feed().await.is_empty());
}

#[tokio::test]
async fn beyond_the_daily_limit_releases_are_held() {
    let town = Town::with(Settings { releases_per_operator_per_day: 1, ..settings() }).await;
    town.labels(&(mark(A, "2024-05-01") + &mark(B, "2024-05-01"))).await;
    let body = release(A) + &release(B) + "x\n";
    let answer = town.batch("batch", &body).await.json();
    let counted =
        |answer: &Value| ["accepted", "held", "corrections", "rejected"].map(|name| answer[name].clone());
    assert_eq!(counted(&answer), [3, 1, 1, 1].map(Value::from));
    assert_eq!(town.feed().await.len(), 1);
    let held = town.open_batches().await;
    assert_eq!((held.len(), held[0].state, held[0].tally.held), (1, BatchState::Held, 1));
    assert_eq!(held[0].tally.lines, 5);
    assert_eq!(town.batch("batch", &body).await.json(), answer);
}

/// Many numbers, which take several chunks.
fn many() -> impl Iterator<Item = u64> {
    A..A + 600
}

/// The chunk that is made while another is committed counts what that one lets
/// through.
#[tokio::test]
async fn the_daily_limit_holds_over_many_chunks() {
    let town = Town::with(Settings { releases_per_operator_per_day: 300, ..settings() }).await;
    town.labels(&many().map(|digits| mark(digits, "2024-05-01")).collect::<String>()).await;
    let body: String = many().map(release).collect();
    // The end of the former tenure is no release.
    assert_eq!(town.tenures(&body).await, told(900, 0, 0, 300, 300));
    assert_eq!(town.open_batches().await[0].tally.held, 300);
}

/// Each makes stale what the other has prepared.
#[tokio::test]
async fn two_uploads_of_the_same_numbers_at_once_come_to_all_of_both() {
    let town = Town::new().await;
    town.labels(&many().map(|digits| mark(digits, "2024-05-01")).collect::<String>()).await;
    let all = |event, on| many().map(|digits| line(digits, event, on)).collect::<String>();
    let (ends, begins) = (all("disconnected", "2024-11-01"), all("activated", "2025-03-01"));
    let (one, other) = tokio::join!(town.tenures(&ends), town.tenures(&begins));
    let sum = |name: &str| one[name].as_u64().unwrap() + other[name].as_u64().unwrap();
    assert_eq!([sum("accepted"), sum("corrections"), sum("rejected")], [1_200, 600, 0]);
    assert_eq!(town.feed().await.len(), 600);
    assert_eq!(town.tenures(&(ends + &begins)).await, told(0, 1_200, 0, 0, 0));
}

/// More lines than are decided at once: the rest waits for the commit.
#[tokio::test]
async fn a_number_with_very_many_lines_is_split() {
    let town = Town::new().await;
    town.labels(&mark(A, "1995-05-01")).await;
    let lines: String = (0..100)
        .flat_map(|year| {
            let (year, rested) = (1_990 + year / 4, year % 4 * 3 + 1);
            [
                line(A, "transferred", &format!("{year}-{rested:02}-01")),
                line(A, "transferred", &format!("{year}-{rested:02}-15")),
            ]
        })
        .collect();
    assert_eq!(town.tenures(&(lines.clone() + &release(B))).await, told(202, 0, 0, 0, 0));
    assert_eq!(town.tenures(&lines).await, told(0, 200, 0, 0, 0));
}
