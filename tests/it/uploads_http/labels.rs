//! Providers' labels.

use serde_json::json;
use zhengming::domain::label::LabelKind;

use super::{A, B, CSV, LABELS, Town, accepted, mark, release};
use crate::support::service::answered;

#[tokio::test]
async fn labels_are_upserted_by_number_and_kind() {
    let town = Town::new().await;
    let unchanged = json!({ "accepted": 0, "unchanged": 1, "rejected": 0, "errors": [] });
    let one = json!({ "accepted": 1, "unchanged": 0, "rejected": 0, "errors": [] });
    assert_eq!(town.labels(&mark(A, "2025-05-01")).await, one);
    assert_eq!(town.labels(&mark(A, "2025-05-01")).await, unchanged);
    assert_eq!(town.labels(&mark(A, "2025-05-02")).await, one);
    let name =
        format!("{{\"number\":\"+{A}\",\"kind\":\"name\",\"name\":\"某某外卖\",\"source\":\"partner\"}}\n");
    assert_eq!(town.labels(&name).await, one);
    assert_eq!(town.label(A, LabelKind::Name).await.unwrap().name.as_deref(), Some("某某外卖"));
    let mark = town.label(A, LabelKind::Category).await.unwrap();
    assert_eq!((mark.category.unwrap().as_str(), mark.count), ("express", Some(20)));

    let none = format!("{{\"number\":\"+{A}\",\"kind\":\"category\",\"category\":\"none\"}}\n");
    let no_name = format!("{{\"number\":\"+{A}\",\"kind\":\"name\",\"name\":null}}\n");
    let gone = town.labels(&(none.clone() + &no_name + &none)).await;
    assert_eq!((&gone["accepted"], &gone["unchanged"]), (&json!(2), &json!(1)));
    assert_eq!(town.label(A, LabelKind::Category).await, None);
    assert_eq!(town.label(A, LabelKind::Name).await, None);
    assert_eq!(town.staged_files(), 0);
}

#[tokio::test]
async fn a_providers_own_codes_are_mapped() {
    let town = Town::new().await;
    let csv = format!(
        "number,kind,code,text,count,first_marked_on\n\
         +{A},category,54,被30人标记为诈骗电话,30,2025-05-01\n\
         +{B},category,999,,,\n\
         +8613900139001,category,0,,,\n\
         +8613900139002,category,房产中介,\"中介, 很烦\",3,\n"
    );
    let answer = accepted(&answered(town.upload(LABELS, &town.tencent, CSV, &csv)).await);
    let expected = json!({ "accepted": 2, "unchanged": 1, "rejected": 1,
                           "errors": [{ "line": 3, "code": "code_unknown" }] });
    assert_eq!(answer, expected);
    let fraud = town.label(A, LabelKind::Category).await.unwrap();
    assert_eq!(fraud.category.unwrap().as_str(), "fraud");
    assert_eq!((fraud.code.as_deref(), fraud.count), (Some("54"), Some(30)));
    assert_eq!(fraud.text.as_deref(), Some("被30人标记为诈骗电话"));
    let agent = town.label(8_613_900_139_002, LabelKind::Category).await.unwrap();
    assert_eq!(
        (agent.category.unwrap().as_str(), agent.text.as_deref()),
        ("house_agent", Some("中介, 很烦"))
    );
    assert_eq!(town.label(B, LabelKind::Category).await, None);
}

#[tokio::test]
async fn bad_labels_are_rejected_one_by_one() {
    let town = Town::new().await;
    let label = |rest: &str| format!("{{\"number\":\"+{A}\",{rest}}}\n");
    let body = [
        label("\"kind\":\"category\""),
        label("\"kind\":\"category\",\"category\":\"rude\""),
        label("\"kind\":\"category\",\"category\":\"fraud\",\"first_marked_on\":\"2026-11-24\""),
        label("\"kind\":\"category\",\"category\":\"fraud\",\"last_marked_on\":\"yesterday\""),
        label("\"kind\":\"name\",\"name\":\"a\\u0000b\""),
        label("\"kind\":\"range\""),
        // A store of text has no place for a zero.
        label("\"kind\":\"category\",\"category\":\"fraud\",\"text\":\"a\\u0000b\""),
        label("\"kind\":\"category\",\"category\":\"fraud\",\"code\":\"\\u0000\""),
        label(&format!("\"kind\":\"name\",\"name\":\"a\",\"code\":\"{}\"", "1".repeat(65))),
    ];
    let answer = town.labels(&body.concat()).await;
    let codes: Vec<&str> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    let expected = [
        "category_unknown",
        "category_unknown",
        "in_future",
        "date_malformed",
        "name_malformed",
        "line_malformed",
        "text_malformed",
        "text_malformed",
        "code_unknown",
    ];
    assert_eq!(codes, expected);
    assert_eq!(town.label(A, LabelKind::Category).await, None);
    assert_eq!(town.label(A, LabelKind::Name).await, None);
}

#[tokio::test]
async fn a_label_from_before_a_proven_tenure_is_corrected_as_it_arrives() {
    let town = Town::new().await;
    town.tenures(&(release(A) + &release(B))).await;
    assert!(town.feed().await.is_empty(), "no label, no correction");
    let told = town.labels(&(mark(A, "2024-05-01") + &mark(B, "2025-03-01"))).await;
    let plain = json!({ "accepted": 2, "unchanged": 0, "rejected": 0, "errors": [] });
    assert_eq!(told, plain, "the answer does not tell of it");
    let feed = town.feed().await;
    assert_eq!(feed.len(), 1, "marks of the present tenure stay");
    assert_eq!(feed[0]["number"], "+8613800138000");
    assert_eq!((&feed[0]["void_before"], &feed[0]["reason"]), (&json!("2025-03-01"), &json!("released")));
    town.labels(&mark(A, "2023-05-01")).await;
    assert_eq!(town.feed().await.len(), 1, "it is said already");
}
