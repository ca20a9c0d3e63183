//! Logging in.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::BODY_BYTES_MAX;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::reply;
use crate::http::service::{Service, private};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    name: String,
    password: String,
    totp: String,
}

pub(super) async fn log_in(app: &Service, mut call: Call) -> Answer {
    let paid = app.login(&call)?;
    let LogIn { name, password, totp } = call.json(BODY_BYTES_MAX).await?;
    app.login_to(&name, None)?;
    let session = app.casework.log_in(&name, &password, &totp).await?;
    let body = json!({
        "token": session.token,
        "role": session.role,
        "expires_at": session.expires_at,
    });
    private(&paid, reply::json(StatusCode::OK, &body))
}
