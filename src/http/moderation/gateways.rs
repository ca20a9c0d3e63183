//! How the ways out of the house are doing, for those who answer for it.

use http::StatusCode;

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::reply;
use crate::http::service::{Service, private};

pub(super) async fn list(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let gateways = app.casework.gateways(&moderator)?;
    private(&paid, reply::json(StatusCode::OK, &gateways))
}
