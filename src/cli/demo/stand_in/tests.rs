//! The CAMARA gateway against the stand-in operator, over real sockets.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::casework::ports::{Operator, Reply, Unavailable};
use crate::domain::evidence::Answer::{No, Unknown, Yes};
use crate::domain::evidence::{Answer, Question};
use crate::domain::opened::Opened;
use crate::domain::window::Window;
use crate::gateway::camara::{Camara, CamaraConfig};

const REST_DAYS: i32 = 90;
const USCC: &str = "91350211M000100Y46";

/// The operator, our gateway to it, and the time that both go by:
/// 23 November 2026 in Shanghai.
struct Line {
    operator: StandInOperator,
    camara: Camara,
    time: Arc<Mutex<Timestamp>>,
}

impl Line {
    async fn open() -> Self {
        let time = Arc::new(Mutex::new("2026-11-22T16:30:00Z".parse().unwrap()));
        let clock = Arc::clone(&time);
        let now: Now = Arc::new(move || *clock.lock().unwrap());
        let config = StandInConfig {
            client_id: "zheng ming&co".to_owned(),
            client_secret: "s:cret=+".to_owned(),
            token_life_s: 60,
            records_from: date(2000, 1, 1),
            now: Arc::clone(&now),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operator = StandInOperator::start(listener, config).unwrap();
        let camara = Camara::new(&config_for(&operator, "s:cret=+"), now).unwrap();
        Self { operator, camara, time }
    }

    async fn ask(&self, question: Question) -> Result<Reply, Unavailable> {
        self.camara.ask(number(), &question, "c-1").await
    }

    async fn answer(&self, question: Question) -> Answer {
        self.ask(question).await.unwrap().answer
    }

    /// The three questions of the window around March 2025, in their order.
    async fn window(&self) -> [Answer; 3] {
        let opened = Opened::Month { year: 2025, month: 3 };
        let window = Window::around(opened, date(2026, 11, 23), REST_DAYS);
        [
            self.answer(Question::HeldSince { day: window.until }).await,
            self.answer(Question::ChangedAfter { day: window.after }).await,
            self.answer(Question::ChangedAfter { day: window.rest_began_by(REST_DAYS) }).await,
        ]
    }
}

fn config_for(operator: &StandInOperator, secret: &str) -> CamaraConfig {
    CamaraConfig {
        base_url: operator.base_url(),
        token_url: operator.token_url(),
        client_id: "zheng ming&co".to_owned(),
        client_secret: secret.to_owned(),
        timeout_ms: 30_000,
        response_bytes_max: 4096,
    }
}

fn number() -> Number {
    Number::from_digits(8_613_800_138_000).unwrap()
}

fn contract(holder: &str, from: Date, until: Option<Date>) -> Contract {
    let uscc = (holder == "shop").then(|| USCC.parse().unwrap());
    Contract { holder: holder.to_owned(), name: format!("{holder}'s name"), uscc, from, until }
}

#[tokio::test]
async fn the_window_of_four_numbers() {
    let long = vec![contract("lin", date(2016, 5, 1), None)];
    let released = vec![
        contract("li", date(2016, 5, 1), Some(date(2024, 12, 1))),
        contract("lin", date(2025, 3, 8), None),
    ];
    let reinstated = vec![
        contract("lin", date(2016, 5, 1), Some(date(2025, 1, 20))),
        contract("lin", date(2025, 3, 8), None),
    ];
    for (story, history, answers) in [
        ("long tenure", long, [Yes, No, No]),
        ("released recently", released, [Yes, Yes, Yes]),
        ("reinstated by the same holder within the rest", reinstated, [Yes, Yes, No]),
        ("unknown number", vec![], [Unknown, Unknown, Unknown]),
    ] {
        let line = Line::open().await;
        line.operator.set(number(), history);
        assert_eq!(line.window().await, answers, "{story}");
    }
}

#[tokio::test]
async fn names_and_documents() {
    let line = Line::open().await;
    let name_is = |name: &str| Question::NameIs { name: name.to_owned() };
    let enterprise_is =
        |name: &str| Question::EnterpriseIs { name: name.to_owned(), uscc: USCC.parse().unwrap() };
    line.operator.set(number(), vec![contract("shop", date(2020, 1, 1), None)]);
    assert_eq!(line.answer(name_is(" shop's name ")).await, Yes);
    assert_eq!(line.answer(name_is("another's name")).await, No);
    assert_eq!(line.answer(enterprise_is("shop's name")).await, Yes);
    assert_eq!(line.answer(enterprise_is("another's name")).await, No);
    line.operator.set(number(), vec![contract("lin", date(2020, 1, 1), None)]);
    assert_eq!(line.answer(enterprise_is("lin's name")).await, Unknown);
}

#[tokio::test]
async fn dates_outside_the_records_and_numbers_at_rest() {
    let line = Line::open().await;
    line.operator
        .set(number(), vec![contract("li", date(2016, 5, 1), None), contract("x", date(2026, 11, 24), None)]);
    let detail = async |question| line.ask(question).await.unwrap().detail.unwrap();
    assert_eq!(detail(Question::ChangedAfter { day: date(1999, 12, 31) }).await, "400 OUT_OF_RANGE");
    assert_eq!(detail(Question::HeldSince { day: date(2026, 11, 24) }).await, "400 OUT_OF_RANGE");
    assert_eq!(line.answer(Question::HeldSince { day: date(2026, 11, 23) }).await, Yes);

    let at_rest = contract("li", date(2016, 5, 1), Some(date(2026, 11, 1)));
    line.operator.set(number(), vec![at_rest]);
    assert_eq!(detail(Question::HeldSince { day: date(2026, 1, 1) }).await, "404 IDENTIFIER_NOT_FOUND");
    assert_eq!(line.answer(Question::ChangedAfter { day: date(2026, 1, 1) }).await, Yes);
}

#[tokio::test]
async fn what_was_asked_is_remembered() {
    let line = Line::open().await;
    assert_eq!((line.operator.asked_count(), line.operator.asked()), (0, vec![]));
    let day = date(2025, 1, 29);
    line.answer(Question::ChangedAfter { day }).await;
    line.answer(Question::NameIs { name: "x".to_owned() }).await;
    let asked = |api, day| Asked { api, number: number(), day, correlator: Some("c-1".to_owned()) };
    assert_eq!(line.operator.asked(), [asked(Api::Recycling, Some(day)), asked(Api::Match, None)]);
    assert_eq!(line.operator.asked_count(), 2);
}

#[tokio::test]
async fn failures_come_and_go() {
    let line = Line::open().await;
    line.operator.set(number(), vec![contract("lin", date(2020, 1, 1), None)]);
    let question = || Question::HeldSince { day: date(2021, 1, 1) };
    for (status, retry_after_s, alarm) in [
        (500, None, false),
        (503, Some(1), false),
        (429, Some(1), false),
        (403, None, true),
        (401, None, true),
    ] {
        line.operator.answer_with_status(number(), StatusCode::from_u16(status).unwrap());
        let error = line.ask(question()).await.unwrap_err();
        assert_eq!((error.retry_after_s, error.alarm), (retry_after_s, alarm), "{status}");
    }
    line.operator.answer_again(number());
    assert_eq!(line.answer(question()).await, Yes);
}

#[tokio::test]
async fn tokens_expire_are_revoked_and_need_the_secret() {
    let line = Line::open().await;
    line.operator.set(number(), vec![contract("lin", date(2020, 1, 1), None)]);
    let question = || Question::HeldSince { day: date(2021, 1, 1) };
    assert_eq!(line.answer(question()).await, Yes);
    line.operator.revoke_tokens();
    assert_eq!(line.answer(question()).await, Yes);
    *line.time.lock().unwrap() += SignedDuration::from_secs(61);
    assert_eq!(line.answer(question()).await, Yes);

    let clock = Arc::clone(&line.time);
    let stranger =
        Camara::new(&config_for(&line.operator, "guessed"), Arc::new(move || *clock.lock().unwrap()))
            .unwrap();
    let error = stranger.ask(number(), &question(), "c-1").await.unwrap_err();
    assert_eq!((error.why.as_str(), error.alarm), ("token: 401 invalid_client", true));
}

#[tokio::test]
async fn malformed_questions_are_refused_by_the_definitions_codes() {
    let line = Line::open().await;
    let client = crate::env::calls::client().no_proxy().tls_certs_only([]).build().unwrap();
    let form = "grant_type=client_credentials&scope=kyc-tenure:check-tenure%20kyc-match:match";
    let token: Value = client
        .post(line.operator.token_url())
        .basic_auth("zheng+ming%26co", Some("s%3Acret%3D%2B"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let bearer = token["access_token"].as_str().unwrap().to_owned();
    let asked = |phone: &str, field: &str, day: &str| json!({"phoneNumber": phone, field: day});
    let (phone, day) = ("+8613800138000", "2025-03-01");
    let (tenure, bearer) = ("tenureDate", bearer.as_str());
    let missing = "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION";
    for (api, token, body, status, code) in [
        (Api::Tenure, bearer, json!({}), 400, "INVALID_ARGUMENT"),
        (Api::Tenure, bearer, json!([]), 400, "INVALID_ARGUMENT"),
        (Api::Tenure, bearer, asked(phone, tenure, "2025-02-30"), 400, "INVALID_ARGUMENT"),
        (Api::Tenure, bearer, asked(phone, tenure, "20250301"), 400, "INVALID_ARGUMENT"),
        (Api::Tenure, bearer, asked("138", tenure, day), 400, "INVALID_ARGUMENT"),
        (Api::Tenure, bearer, json!({"tenureDate": day}), 422, "MISSING_IDENTIFIER"),
        (Api::Tenure, bearer, asked("+12345", tenure, day), 404, "IDENTIFIER_NOT_FOUND"),
        (Api::Tenure, "t", asked(phone, tenure, day), 401, "UNAUTHENTICATED"),
        (Api::Recycling, bearer, asked(phone, "specifiedDate", day), 403, "PERMISSION_DENIED"),
        (Api::Match, bearer, json!({"phoneNumber": phone}), 400, missing),
    ] {
        line.operator.set(number(), vec![contract("lin", date(2020, 1, 1), None)]);
        let response = client
            .post(format!("{}{}", line.operator.base_url(), api.path()))
            .bearer_auth(token)
            .header("x-correlator", "c-9")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{body}");
        assert_eq!(response.headers()["x-correlator"], "c-9");
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["status"], &error["code"]), (&json!(status), &json!(code)), "{body}");
    }
}

#[tokio::test]
async fn dropped_it_closes_and_never_serves_the_world() {
    let Line { operator, camara, .. } = Line::open().await;
    let question = Question::HeldSince { day: date(2021, 1, 1) };
    assert_eq!(camara.ask(number(), &question, "c-1").await.unwrap().answer, Unknown);
    let address = operator.address;
    drop(operator);
    // The listener goes as soon as the server's task has had its turn.
    while std::net::TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!camara.ask(number(), &question, "c-1").await.unwrap_err().alarm);

    let public = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = StandInConfig {
        client_id: String::new(),
        client_secret: String::new(),
        token_life_s: 60,
        records_from: date(2000, 1, 1),
        now: Arc::new(|| Timestamp::UNIX_EPOCH),
    };
    assert!(StandInOperator::start(public, config).is_err());
}
