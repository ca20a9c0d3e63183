//! Holders: a proof of work, a code, a look at the labels; most of them file,
//! and then look how it goes.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::date;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use zhengming::cli::demo::stand_in::Contract;
use zhengming::domain::number::Number;

use super::caller::{Call, Caller};
use super::{Filed, Soak, mix};
use crate::fill;

/// No request, but what a holder waits for.
const CODE_CAME: &str = "until the code is on the telephone";
/// A code that has not come by then is an error.
const CODE_WITHIN: Duration = Duration::from_secs(20);
const POLL_PAUSE: Duration = Duration::from_secs(2);

/// Who knows a number's tenure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KnownBy {
    Api,
    Ledger,
    /// So that a moderator has to see to it.
    Nobody,
}

/// One after the other, whether those before are done or not.
pub async fn come(soak: Rc<Soak>) {
    let (mut nth, mut due) = (0, Instant::now());
    let mut under_way = tokio::task::JoinSet::new();
    while due < soak.ends {
        under_way.spawn_local(holder(soak.clone(), nth));
        nth += 1;
        due += mix::period(mix::VERIFICATIONS_PER_HOUR);
        sleep_until(due).await;
    }
    under_way.join_all().await;
}

async fn holder(soak: Rc<Soak>, nth: u64) {
    let mut caller = Caller::new(&soak.place, nth);
    if let Some((id, token)) = control_and_file(&soak, nth, &mut caller).await {
        soak.filed.borrow_mut().push(Filed { id: id.clone(), token: token.clone() });
        let path = format!("/v1/disputes/{id}");
        for _ in 0..mix::STATE_POLLS_PER_FILING {
            if Instant::now() + POLL_PAUSE > soak.ends {
                break;
            }
            sleep(POLL_PAUSE).await;
            caller.hang_up();
            caller.ask("GET /v1/disputes/{id}", Call::get(&path).bearer(&token)).await;
        }
    }
    for (route, path) in [("GET /stats", "/stats"), ("GET /docs", "/docs")] {
        caller.hang_up();
        caller.ask(route, Call::get(path)).await;
    }
}

/// The dispute's id and token, if there is one.
async fn control_and_file(soak: &Soak, nth: u64, caller: &mut Caller) -> Option<(String, String)> {
    let (known, number) = number(soak, nth);
    caller.ask("GET /", Call::get("/")).await?;
    caller.ask("GET /assets/{name}", Call::get("/assets/style.css")).await?;
    caller.ask("GET /assets/{name}", Call::get("/assets/proof-of-work-worker.js")).await?;
    let holder = prove_control(soak, number, caller).await?;
    caller.ask("GET /v1/labels", Call::get("/v1/labels").bearer(&holder)).await?;
    if nth % 5 >= mix::FILERS_OF_FIVE {
        return None;
    }
    let opened = (known != KnownBy::Ledger).then_some("2025-03");
    let body = json!({
        "reason": "reassigned",
        "opened": opened,
        "labels": [{ "provider": "tencent", "category": "express" }],
        "note": "三月新办的号码，一直被标记为快递送餐。",
    });
    let file = Call::post("/v1/disputes", &body).bearer(&holder);
    let file = file.field("idempotency-key", &format!("soak-{nth}"));
    let filed = caller.ask("POST /v1/disputes", file).await?;
    Some((filed.text("id"), filed.text("token")))
}

/// A token of who has the number in hand.
async fn prove_control(soak: &Soak, number: Number, caller: &mut Caller) -> Option<String> {
    let challenge = caller.ask("GET /v1/challenge", Call::get("/v1/challenge")).await?.json();
    let solution = tokio::task::spawn_blocking(move || solved(&challenge)).await.expect("it has one");
    // That may have taken longer than a connection is kept.
    caller.hang_up();
    let code = soak.phones.code_to(number);
    let start = json!({ "number": number, "method": "sms_code", "altcha": solution });
    let started = caller.ask("POST /v1/verifications", Call::post("/v1/verifications", &start)).await?;
    let asked = Instant::now();
    let came = timeout(CODE_WITHIN, code).await;
    let Ok(Ok(code)) = came else {
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "no code came");
        soak.place.record.broke("POST /v1/verifications", &late);
        return None;
    };
    soak.place.record.answered(CODE_CAME, asked.elapsed(), 200, &[]);
    let path = format!("/v1/verifications/{}/confirm", started.text("id"));
    let confirm = Call::post(&path, &json!({ "code": code }));
    Some(caller.ask("POST /v1/verifications/{id}/confirm", confirm).await?.text("token"))
}

/// Each number has one holder.
fn number(soak: &Soak, nth: u64) -> (KnownBy, Number) {
    let of_ten = nth % 10;
    let (known, digits) = if of_ten < mix::CASES_OF_TEN_FILINGS {
        (KnownBy::Nobody, 8_615_600_000_000 + spread(nth))
    } else if of_ten < mix::CASES_OF_TEN_FILINGS + 2 {
        (KnownBy::Ledger, fill::number(nth % soak.corrections))
    } else {
        (KnownBy::Api, 8_613_300_000_000 + spread(nth))
    };
    let number = Number::from_digits(digits).expect("thirteen digits");
    if known == KnownBy::Api {
        soak.operator.set(number, contracts());
    }
    (known, number)
}

/// In no order, and no two alike.
fn spread(nth: u64) -> u64 {
    nth * 61_803_399 % 100_000_000
}

/// Given up by one in November, signed by another in March.
fn contracts() -> Vec<Contract> {
    let of = |holder: &str, from, until| Contract {
        holder: holder.to_owned(),
        name: holder.to_owned(),
        uscc: None,
        from,
        until,
    };
    let before = of("one", date(2021, 6, 1), Some(date(2024, 11, 20)));
    vec![before, of("another", date(2025, 3, 12), None)]
}

/// What the page's worker finds.
fn solved(challenge: &Value) -> String {
    let text = |field: &str| challenge[field].as_str().expect("the contract has it");
    let (salt, wanted) = (text("salt"), text("challenge"));
    let most = challenge["maxnumber"].as_u64().expect("the contract has it");
    let is_it = |number: &u64| {
        let digest = Sha256::digest(format!("{salt}{number}"));
        zhengming::domain::hex::hex(&digest) == wanted
    };
    let mut solution = challenge.clone();
    solution["number"] = json!((0..=most).find(is_it).expect("every challenge has one"));
    STANDARD.encode(solution.to_string())
}
