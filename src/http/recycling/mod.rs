//! CAMARA Number Recycling v0.2 as a server, for providers and app vendors:
//! has this number another subscriber than on that day?
//!
//! It follows the definition of that API, not the habits of this service:
//! errors are its `ErrorInfo`, and each answer has an `x-correlator`. Keys stand
//! for two-legged tokens, so that a request always names its number.
//!
//! Absent: what is answered (`domain::recycling`).

mod correlator;
mod error_info;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use warp::Filter;
use warp::reply::Response;

use self::correlator::Correlator;
use self::error_info::ErrorInfo;
use super::call::{Call, call, other_method};
use super::problem::Problem;
use super::reply;
use super::service::{App, Routes, private, with};
use crate::casework::{self, Casework};
use crate::domain::day::parse_day;
use crate::domain::number::Number;
use crate::domain::recycling::Recycled;
use crate::domain::refusal::Refusal;

const BODY_BYTES_MAX: u64 = 4 * 1024;
/// By the definition's pattern for a phone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

pub fn routes(app: &App) -> Routes {
    warp::path!("number-recycling" / "v0.2" / "check")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move {
            let correlator = Correlator::of(&call);
            let answer = match call.method {
                Method::POST => check(&app, call, &correlator).await,
                Method::OPTIONS => Ok(other_method(&call.method, &[Method::POST])),
                _ => Err(Problem::method_not_allowed(&[Method::POST]).into()),
            };
            correlator.tell(answer.unwrap_or_else(ErrorInfo::into_response))
        })
        .boxed()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    phone_number: Option<String>,
    specified_date: String,
}

async fn check(app: &App, mut call: Call, correlator: &Correlator) -> Result<Response, ErrorInfo> {
    let (provider, paid) = app.provider(&call).await?;
    if correlator.is_malformed() {
        return Err(ErrorInfo::invalid("x-correlator: it is not of the pattern that the definition gives"));
    }
    let asked: Asked = call.json(BODY_BYTES_MAX).await?;
    let day = parse_day(&asked.specified_date);
    let day = day.ok_or_else(|| ErrorInfo::invalid("specifiedDate: YYYY-MM-DD is expected"))?;
    let number = asked.phone_number.ok_or_else(ErrorInfo::missing_identifier)?;
    let number = parse_number(&app.casework, &number)?;
    let recycled = app.casework.check_recycling(&provider, number, day).await;
    let recycled = match recycled {
        Err(casework::Error::Refused(refusal @ Refusal::TooMany { .. })) => {
            return Err(ErrorInfo::from(Problem::from(refusal)).named("QUOTA_EXCEEDED"));
        }
        recycled => recycled.map_err(Problem::from)?,
    };
    let is_recycled = match recycled {
        Recycled::Yes => true,
        Recycled::No => false,
        Recycled::OutOfRange => return Err(ErrorInfo::out_of_range()),
        Recycled::Unknown => return Err(ErrorInfo::not_applicable()),
        Recycled::NothingKnown => return Err(ErrorInfo::not_found()),
    };
    let told = json!({ "phoneNumberRecycled": is_recycled });
    Ok(private(&paid, reply::json(StatusCode::OK, &told))?)
}

/// A number of the definition's pattern that is not in our plan is nobody's
/// that we know of.
fn parse_number(casework: &Casework, text: &str) -> Result<Number, ErrorInfo> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = PHONE_DIGITS.contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if !fits {
        return Err(ErrorInfo::invalid(
            "phoneNumber: + and 5 to 15 digits are expected, the first one not 0",
        ));
    }
    casework.reference().numbering.parse(text).map_err(|_| ErrorInfo::not_found())
}
