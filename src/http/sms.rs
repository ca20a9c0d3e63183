//! What the SMS gateway tells us: texts that holders sent, and what became of
//! the messages that we sent. Either as JSON with a bearer token, or as GET
//! with a query, the way Kannel calls: it can set no header but that of a
//! user and password in the URL, so the token comes as the password, or in
//! the query.
//!
//! Nothing is answered but 204: the gateway has nothing to try again, and
//! whatever Kannel got as a body it would send to the holder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use warp::Filter;

use super::call::{Call, call};
use super::negotiate::bearer;
use super::problem::{Answer, Problem};
use super::reply::no_content;
use super::service::{App, Routes, Service, with};
use crate::casework::texting::Received;
use crate::domain::control::MessageState;
use crate::domain::refusal::Refusal;

/// The longest SMS there is, in the widest spelling.
const BODY_BYTES_MAX: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    from: String,
    to: String,
    text: String,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextQuery {
    /// Looked at before the rest is believed.
    #[serde(rename = "token")]
    _token: Option<IgnoredAny>,
    from: String,
    to: String,
    text: String,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    id: String,
    status: MessageState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportQuery {
    id: String,
    seal: String,
    /// Kannel's: 1 delivered to the phone, 2 not; 4 queued, 8 taken by the
    /// SMS centre, 16 not taken.
    status: u8,
}

pub fn routes(app: &App) -> Routes {
    let inbound = warp::path!("v1" / "sms" / "inbound").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            by_method!(call => { GET: text_by_query(&app, call), POST: text(&app, call) })
        },
    );
    let delivery = warp::path!("v1" / "sms" / "delivery").and(with(app)).and(call()).then(
        |app: App, call: Call| async move {
            by_method!(call => { GET: report_by_query(&app, call), POST: report(&app, call) })
        },
    );
    inbound.or(delivery).unify().boxed()
}

async fn text(app: &Service, mut call: Call) -> Answer {
    let gateway = app.gateway(&call, bearer(&call.headers))?;
    let Text { from, to, text, at } = call.json(BODY_BYTES_MAX).await?;
    let received = Received { from: &from, to: &to, text: &text, at: instant(&at)? };
    app.casework.receive_text(&gateway, received).await?;
    no_content()
}

async fn text_by_query(app: &Service, call: Call) -> Answer {
    let in_query = form_urlencoded::parse(call.raw_query().as_bytes()).find(|(name, _)| name == "token");
    let password = password(&call.headers);
    let shown = bearer(&call.headers).or(password.as_deref());
    let gateway = app.gateway(&call, shown.or(in_query.as_ref().map(|(_, token)| &**token)))?;
    let TextQuery { from, to, text, at, _token } = call.query()?;
    let received = Received { from: &from, to: &to, text: &text, at: instant(&at)? };
    app.casework.receive_text(&gateway, received).await?;
    no_content()
}

async fn report(app: &Service, mut call: Call) -> Answer {
    let gateway = app.gateway(&call, bearer(&call.headers))?;
    let Report { id, status } = call.json(BODY_BYTES_MAX).await?;
    app.casework.report_delivery_as(&gateway, &id, status).await?;
    no_content()
}

/// The seal that went out with the message is the credential.
async fn report_by_query(app: &Service, call: Call) -> Answer {
    let ReportQuery { id, seal, status } = match call.query() {
        Ok(query) => query,
        Err(problem) => return Err(app.anyone(&call).err().unwrap_or(problem)),
    };
    let state = match status {
        1 => MessageState::Delivered,
        2 | 16 => MessageState::Failed,
        4 | 8 => MessageState::Accepted,
        _ => return Err(malformed("status", "a delivery report's status is 1, 2, 4, 8 or 16")),
    };
    let reported = app.casework.report_delivery(&id, &seal, state).await;
    reported.map_err(|error| app.refused(&call, error))?;
    no_content()
}

/// Of Basic authentication, whoever the user is.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials =
        STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let credentials = String::from_utf8(credentials).ok()?;
    credentials.split_once(':').map(|(_, password)| password.to_owned())
}

/// RFC 3339; seconds since 1970, as Kannel's %T; or its %t, which is in UTC.
fn instant(text: &str) -> Result<Timestamp, Problem> {
    let seconds = || text.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let at = text.parse().ok().or_else(seconds).or_else(civil);
    at.ok_or_else(|| {
        malformed("at", "expected an instant such as 2026-11-23T03:04:05Z, or seconds since 1970")
    })
}

fn malformed(field: &'static str, why: &str) -> Problem {
    Refusal::FieldMalformed { field, why: why.to_owned() }.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn instants_come_in_the_spellings_of_gateways() {
        let wanted: Timestamp = "2026-11-24T01:53:59Z".parse().unwrap();
        for text in ["2026-11-24T01:53:59Z", "2026-11-24T09:53:59+08:00", "1795485239", "2026-11-24 01:53:59"]
        {
            assert_eq!(instant(text).unwrap(), wanted, "{text}");
        }
        for text in ["", "now", "1795485239.5", "99999999999999", "2026-11-24T25:00:00Z", "%T"] {
            assert_eq!(instant(text).unwrap_err().code(), "field_malformed", "{text}");
        }
    }

    #[test]
    fn a_password_is_read_and_anything_else_is_none() {
        let read = |value: &'static str| {
            password(&HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]))
        };
        assert_eq!(read("Basic a2FubmVsOmE6Yg==").as_deref(), Some("a:b"));
        for wrong in ["Bearer a2FubmVsOmE6Yg==", "Basic", "Basic ", "Basic *", "Basic YQ==", "Basic /zo="] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
