//! What the houses that we ask may answer: operators over CAMARA and at Alibaba
//! Cloud, servers of tokens, providers. Each body is read as an answer of each,
//! under each status; unknown is never read as yes or as no.

use std::sync::{Arc, LazyLock};

use ::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zhengming::casework::ports::{NoAnswer, Reply, Unavailable};
use zhengming::domain::evidence::{Answer, Question};
use zhengming::domain::lines::{LabelSaid, LineFormat};
use zhengming::domain::number::Number;
use zhengming::domain::uscc::Uscc;
use zhengming::gateway::aliyun::{self, Call};
use zhengming::gateway::lookup::baidu::BaiduLookUp;
use zhengming::gateway::lookup::http::HttpLookUp;
use zhengming::gateway::{Received, camara};

use super::REFERENCE;

const DAY: Date = date(2025, 3, 1);
const TODAY: Date = date(2026, 11, 23);
const STATUSES: [u16; 8] = [200, 400, 401, 403, 404, 422, 429, 503];
const ADDRESS: &str = "http://127.0.0.1/";

static NUMBER: LazyLock<Number> = LazyLock::new(|| REFERENCE.numbering.parse("+8613800138000").unwrap());
static HTTP: LazyLock<HttpLookUp> =
    LazyLock::new(|| HttpLookUp::new("tencent".parse().unwrap(), ADDRESS, "key").unwrap());
static BAIDU: LazyLock<BaiduLookUp> =
    LazyLock::new(|| BaiduLookUp::new(ADDRESS, "id secret appkey", Arc::new(now)).unwrap());

fn now() -> Timestamp {
    "2026-11-23T03:04:05Z".parse().unwrap()
}

pub fn run(data: &[u8]) {
    let value = said(data);
    for status in STATUSES {
        let received = Received {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after_s: (status == 429).then_some(3),
            body: data.to_vec(),
        };
        of_camara(&received, &value);
        of_aliyun(&received, &value);
        if let Err(why) = camara::read_token(&received, now()) {
            says_nothing(&why);
        } else {
            assert_eq!(status, 200);
            assert!(value["access_token"].as_str().is_some_and(|token| !token.is_empty()));
        }
        of_providers(&received);
    }
}

/// The fields that are asked for: what is wrong with others is passed over.
fn said(data: &[u8]) -> Value {
    #[derive(Default, Deserialize, Serialize)]
    #[serde(default)]
    struct Said {
        #[serde(rename = "tenureDateCheck")]
        tenure: Value,
        #[serde(rename = "phoneNumberRecycled")]
        recycled: Value,
        #[serde(rename = "nameMatch")]
        name: Value,
        #[serde(rename = "idDocumentMatch")]
        document: Value,
        code: Value,
        #[serde(rename = "Code")]
        code_of_aliyun: Value,
        #[serde(rename = "Data")]
        data: DataSaid,
        access_token: Value,
    }
    #[derive(Default, Deserialize, Serialize)]
    #[serde(default)]
    struct DataSaid {
        #[serde(rename = "VerifyResult")]
        result: Value,
    }
    let text = String::from_utf8_lossy(data);
    // `Data` may be anything where it is not asked for.
    let said = serde_json::from_str::<Said>(&text)
        .unwrap_or_else(|_| serde_json::from_str(&text.replace("\"Data\"", "\"data\"")).unwrap_or_default());
    serde_json::to_value(said).unwrap()
}

fn of_camara(received: &Received, value: &Value) {
    let name = || "厦门某某科技有限公司".to_owned();
    let uscc = Uscc::parse("91350211M000100Y46").unwrap();
    let questions = [
        (Question::HeldSince { day: DAY }, value["tenureDateCheck"].as_bool()),
        (Question::ChangedAfter { day: DAY }, value["phoneNumberRecycled"].as_bool()),
        (Question::NameIs { name: name() }, matches(&value["nameMatch"])),
        (Question::EnterpriseIs { name: name(), uscc }, matches(&value["nameMatch"])),
    ];
    for (question, said) in questions {
        let is_ok = received.status == StatusCode::OK;
        match camara::read(&question, received) {
            Ok(Reply { answer: Answer::Yes, .. }) => assert!(is_ok && said == Some(true), "{question:?}"),
            Ok(Reply { answer: Answer::No, .. }) if is_ok => {
                let differs = said == Some(false) || matches(&value["idDocumentMatch"]) == Some(false);
                assert!(differs, "{question:?}");
            }
            Ok(Reply { answer: Answer::No, .. }) => {
                assert!(value["code"].as_str().is_some_and(|code| code.ends_with("ID_DOCUMENT_MISMATCH")));
            }
            Ok(Reply { detail, .. }) => repeats_no_digits(&detail.unwrap_or_default()),
            Err(why) => says_nothing(&why),
        }
    }
}

fn matches(said: &Value) -> Option<bool> {
    said.as_str().and_then(|said| said.parse().ok())
}

fn of_aliyun(received: &Received, value: &Value) {
    for call in [Call::TwiceTelVerify { after: DAY }, Call::OnlineTime { day: DAY }] {
        match aliyun::read(call, received, TODAY) {
            Ok(Reply { answer: Answer::Unknown, detail }) => repeats_no_digits(&detail.unwrap_or_default()),
            Ok(_) => {
                assert_eq!(received.status, StatusCode::OK);
                assert_eq!(value["Code"], "OK");
                assert!(!value["Data"]["VerifyResult"].is_null());
            }
            Err(why) => says_nothing(&why),
        }
    }
}

/// A status and perhaps a code, and nothing else of what was said: that may
/// have the number in it, or a name.
fn says_nothing(why: &Unavailable) {
    assert!(why.why.chars().count() < 160, "{why:?}");
    repeats_no_digits(&why.why);
}

fn repeats_no_digits(text: &str) {
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(longest.unwrap_or_default() <= 5, "{text}");
}

/// Lines as of an upload, of the number that was asked about.
fn of_providers(received: &Received) {
    for answer in [HTTP.read(*NUMBER, received), BAIDU.read(*NUMBER, received)] {
        let lines = match answer {
            Ok(lines) => lines,
            Err(NoAnswer::Unavailable(why)) => {
                repeats_no_digits(&why.why);
                continue;
            }
            Err(_) => continue,
        };
        assert_eq!(received.status, StatusCode::OK);
        assert!(lines.len() <= 8);
        for line in lines {
            let provider = "tencent".parse().unwrap();
            let (numbering, labels) = (&REFERENCE.numbering, &REFERENCE.labels);
            let said =
                LabelSaid::parse(line.as_bytes(), &LineFormat::Json, &provider, numbering, labels, |_| TODAY);
            assert!(said.is_err() || said.is_ok_and(|said| said.number == *NUMBER), "{line}");
        }
    }
}
