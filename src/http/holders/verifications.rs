//! Control of a number: a code is sent to it and comes back, or a phrase is
//! shown and comes from it.

use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::casework::control::{Confirmed, Method, VerificationStatus};
use crate::domain::id::VerificationId;
use crate::domain::refusal::Refusal;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::reply;
use crate::http::service::{Service, language, private};

/// A solved challenge is the longest thing in it.
const BODY_BYTES_MAX: u64 = 8 * 1024;
/// Also where none is wanted.
const ALTCHA_CHARS_MAX: usize = 2_048;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    number: String,
    method: Method,
    altcha: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

pub(super) async fn challenge(app: &Service, call: Call) -> Answer {
    let paid = app.anyone(&call)?;
    private(&paid, reply::json(StatusCode::OK, &app.casework.challenge()))
}

pub(super) async fn start(app: &Service, mut call: Call) -> Answer {
    let paid = app.verifier(&call)?;
    let Start { number, method, altcha } = call.json(BODY_BYTES_MAX).await?;
    if altcha.as_ref().is_some_and(|altcha| altcha.chars().count() > ALTCHA_CHARS_MAX) {
        let why = format!("altcha: it has more than {ALTCHA_CHARS_MAX} characters");
        return Err(Problem::field_malformed("altcha", why));
    }
    let number = app.casework.reference().numbering.parse(&number).map_err(Refusal::NumberMalformed)?;
    let words = language(&call.headers);
    let started = app.casework.start_verification(number, method, words, altcha.as_deref()).await?;
    let mut body = json!({ "id": started.id, "method": method.as_str(), "expires_at": started.expires_at });
    if let Some(wanted) = started.wanted {
        body["send_to"] = wanted.send_to.into();
        body["text"] = wanted.text.into();
    }
    private(&paid, created(&format!("/v1/verifications/{}", started.id), &body))
}

pub(super) async fn show(app: &Service, id: VerificationId, call: Call) -> Answer {
    let paid = app.anyone(&call)?;
    // A token that nobody reads is not handed out.
    let (standing, confirmed) = match call.is_head() {
        true => (app.casework.verification(id).await?, None),
        false => app.casework.take_token(id).await?,
    };
    let mut body = confirmed.map_or_else(|| json!({}), told);
    body["status"] = match standing.status {
        VerificationStatus::Pending => "pending",
        VerificationStatus::Confirmed { .. } => "confirmed",
        VerificationStatus::Spent => "spent",
    }
    .into();
    if let Some(delivery) = standing.delivery {
        body["delivery"] = json!(delivery);
    }
    private(&paid, reply::json(StatusCode::OK, &body))
}

pub(super) async fn confirm(app: &Service, id: VerificationId, mut call: Call) -> Answer {
    let paid = app.anyone(&call)?;
    let Code { code } = call.json(BODY_BYTES_MAX).await?;
    let confirmed = app.casework.confirm_verification(id, &code).await?;
    let body = told(confirmed);
    private(&paid, reply::json(StatusCode::OK, &body))
}

fn told(confirmed: Confirmed) -> Value {
    let Confirmed { token, number, expires_at } = confirmed;
    json!({ "token": token, "number": number, "expires_at": expires_at })
}

pub(super) fn created(location: &str, body: &Value) -> Answer {
    let mut response = reply::json(StatusCode::CREATED, body)?;
    let location = HeaderValue::from_str(location).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
