//! Every row for `name_mismatch`, an enterprise's own name included.

use serde_json::{Value, json};

use super::wire::{Door, Mood};
use super::{Ends, NUMBER, TIMEOUT_MS, clock, ends, keeps_evidence, knows_company, world};
use crate::support::day;

const SHOP: &str = "老王烧烤";
const COMPANY: &str = "厦门某某科技有限公司";
const USCC: &str = "91350211M000100Y46";

struct Row {
    tale: &'static str,
    subscriber: Option<&'static str>,
    uscc: Option<&'static str>,
    shown: &'static str,
    source: &'static str,
    show: Option<(&'static str, &'static str)>,
    mood: Option<(u16, &'static str)>,
    says: Option<&'static str>,
    questions: usize,
    ends: Ends,
}

const PLAIN: Row = Row {
    tale: "no: a business's name that is not the subscriber's",
    subscriber: Some("张三"),
    uscc: None,
    shown: SHOP,
    source: "business",
    show: None,
    mood: None,
    says: None,
    questions: 1,
    ends: Ends::Clears,
};

const ENTERPRISE: Row = Row {
    tale: "yes: name and code are the enterprise's",
    subscriber: Some(COMPANY),
    uscc: Some(USCC),
    show: Some((COMPANY, USCC)),
    ends: Ends::Sets(COMPANY),
    ..PLAIN
};

const TABLE: [Row; 16] = [
    PLAIN,
    Row { tale: "no: a partner's name", source: "partner", ..PLAIN },
    Row { tale: "yes: it is theirs", subscriber: Some(SHOP), ends: Ends::Refused("names_agree"), ..PLAIN },
    Row {
        tale: "unknown: no subscriber is known",
        subscriber: None,
        ends: Ends::Review("operator_unknown"),
        ..PLAIN
    },
    Row {
        tale: "unknown: not_available",
        says: Some(r#"{"nameMatch":"not_available"}"#),
        ends: Ends::Review("operator_unknown"),
        ..PLAIN
    },
    Row { tale: "near is still no", says: Some(r#"{"nameMatch":"false","nameMatchScore":99}"#), ..PLAIN },
    Row {
        tale: "a crowd's name",
        source: "crowd",
        questions: 0,
        ends: Ends::Review("name_source_unknown"),
        ..PLAIN
    },
    Row {
        tale: "a name of unknown source",
        source: "unknown",
        questions: 0,
        ends: Ends::Review("name_source_unknown"),
        ..PLAIN
    },
    Row {
        tale: "a warning in the shape of a name",
        shown: "冒充客服",
        questions: 0,
        ends: Ends::Review("name_is_warning"),
        ..PLAIN
    },
    ENTERPRISE,
    Row {
        tale: "no: another enterprise's number",
        subscriber: Some("福州某某科技有限公司"),
        ends: Ends::Refused("identity_mismatch"),
        ..ENTERPRISE
    },
    Row {
        tale: "no: another code",
        uscc: Some("91350100M000100Y43"),
        ends: Ends::Refused("identity_mismatch"),
        ..ENTERPRISE
    },
    Row {
        tale: "no: the operator wants the document first",
        mood: Some((403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH")),
        ends: Ends::Refused("identity_mismatch"),
        ..ENTERPRISE
    },
    Row {
        tale: "unknown: the operator keeps no code",
        uscc: None,
        ends: Ends::Review("operator_unknown"),
        ..ENTERPRISE
    },
    Row {
        tale: "unknown: no subscriber is known",
        subscriber: None,
        ends: Ends::Review("operator_unknown"),
        ..ENTERPRISE
    },
    Row {
        tale: "their name is there already",
        shown: "厦门某某科技",
        questions: 0,
        ends: Ends::Refused("names_agree"),
        ..ENTERPRISE
    },
];

#[tokio::test]
async fn every_row_from_the_holder_to_the_feed() {
    for row in TABLE {
        println!("{}", row.tale);
        let clock = clock();
        let door = Door::open(&clock, day("2000-01-01")).await;
        let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
        if let Some(subscriber) = row.subscriber {
            knows_company(&door, &world, subscriber, row.uscc);
        }
        if let Some((status, code)) = row.mood {
            door.is(Mood::Says(status, code, None));
        }
        if let Some(body) = row.says {
            door.is(Mood::Writes(body.to_owned()));
        }
        let provider = world.provider("dianhuabang").await;
        let label = json!({ "number": NUMBER, "kind": "name", "name": row.shown, "source": row.source });
        assert_eq!(provider.uploads(&label).await["accepted"], 1);
        let show = row.show.map_or(Value::Null, |(name, uscc)| json!({ "name": name, "uscc": uscc }));
        let body = json!({ "reason": "name_mismatch", "show": show,
            "labels": [{ "provider": "dianhuabang", "name": row.shown }] });
        let dispute = world.holder(NUMBER).await.files(body).await;
        ends(&world, &dispute, NUMBER, row.ends).await;
        let correlators = door.correlators();
        assert_eq!(correlators.len(), row.questions, "nothing is asked that is not needed");
        keeps_evidence(&world, &dispute, "cmcc", &correlators).await;
    }
}
