//! Control of a number: a code is sent to it, and comes back.

use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use serde::Deserialize;
use serde_json::json;

use crate::casework::control::{Method, VerificationStatus};
use crate::domain::id::VerificationId;
use crate::domain::refusal::Refusal;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::reply;
use crate::http::service::{Service, language, private};

/// A solved challenge is the longest thing in it.
const BODY_BYTES_MAX: u64 = 8 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    number: String,
    method: MethodName,
    altcha: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum MethodName {
    SmsCode,
    SendSms,
}

impl MethodName {
    fn as_str(self) -> &'static str {
        match self {
            Self::SmsCode => "sms_code",
            Self::SendSms => "send_sms",
        }
    }
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
    let number = app.casework.reference().numbering.parse(&number).map_err(Refusal::NumberMalformed)?;
    let by = match method {
        MethodName::SmsCode => Method::SmsCode,
        MethodName::SendSms => Method::SendSms,
    };
    let words = language(&call.headers);
    let started = app.casework.start_verification(number, by, words, altcha.as_deref()).await?;
    let body = json!({ "id": started.id, "method": method.as_str(), "expires_at": started.expires_at });
    private(&paid, created(&format!("/v1/verifications/{}", started.id), &body))
}

pub(super) async fn show(app: &Service, id: VerificationId, call: Call) -> Answer {
    let paid = app.anyone(&call)?;
    let status = match app.casework.verification(id).await? {
        VerificationStatus::Pending => "pending",
        VerificationStatus::Confirmed { .. } => "confirmed",
        VerificationStatus::Spent => "spent",
    };
    private(&paid, reply::json(StatusCode::OK, &json!({ "status": status })))
}

pub(super) async fn confirm(app: &Service, id: VerificationId, mut call: Call) -> Answer {
    let paid = app.anyone(&call)?;
    let Code { code } = call.json(BODY_BYTES_MAX).await?;
    let confirmed = app.casework.confirm_verification(id, &code).await?;
    let body = json!({
        "token": confirmed.token,
        "number": confirmed.number,
        "expires_at": confirmed.expires_at,
    });
    private(&paid, reply::json(StatusCode::OK, &body))
}

pub(super) fn created(location: &str, body: &serde_json::Value) -> Answer {
    let mut response = reply::json(StatusCode::CREATED, body)?;
    let location = HeaderValue::from_str(location).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
