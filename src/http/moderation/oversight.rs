//! An eye on the work of all: the cases that wait, reversals with one
//! signature and what they would do, and a search in the audit.
//!
//! Absent: signing (`signatures`), the whole audit from its beginning (`audit`).

use http::StatusCode;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::Filter;

use crate::casework::auditing::AuditFilter;
use crate::casework::signatures::PendingReversal;
use crate::casework::waiting::{WaitingCase, WaitingFilter};
use crate::domain::correction::{Entry, InForce};
use crate::domain::day::parse_day;
use crate::domain::dispute::{Flag, Status};
use crate::domain::number_file::ReversalAsked;
use crate::domain::refusal::Refusal;
use crate::http::call::{Call, call};
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Routes, Service, private, with};
use crate::http::{query, reply};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

pub(super) fn routes(app: &App) -> Routes {
    let waiting = warp::path!("v1" / "moderation" / "queue" / "cases")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: waiting(&app, call) }) });
    let reversals = warp::path!("v1" / "moderation" / "reversals")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: reversals(&app, call) }) });
    let look = warp::path!("v1" / "moderation" / "reversals" / u64)
        .and(with(app))
        .and(call())
        .then(|seq, app: App, call: Call| async move { by_method!(call => { GET: look(&app, seq, call) }) });
    let discard =
        warp::path!("v1" / "moderation" / "reversals" / u64 / "discard").and(with(app)).and(call()).then(
            |seq, app: App, call: Call| async move { by_method!(call => { POST: discard(&app, seq, call) }) },
        );
    let of_number = warp::path!("v1" / "moderation" / "numbers" / String / "corrections")
        .and(with(app))
        .and(call())
        .then(|digits: String, app: App, call: Call| async move {
            by_method!(call => { GET: corrections_of(&app, &digits, call) })
        });
    let search = warp::path!("v1" / "moderation" / "audit" / "search")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: search(&app, call) }) });
    let signatures = reversals.or(look).unify().or(discard).unify().or(of_number).unify();
    waiting.or(signatures).unify().or(search).unify().boxed()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    status: Option<Status>,
    flag: Option<Flag>,
    after: Option<String>,
}

async fn waiting(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Waiting { status, flag, after } = call.query()?;
    let filter = WaitingFilter { status, flag };
    let after = query::cursor(after.as_deref())?;
    let found = app.casework.waiting_cases(&moderator, filter, after).await?;
    let cases: Vec<_> = found.cases.iter().map(waiting_case).collect();
    let body = json!({ "cases": cases, "next": query::next(found.next) });
    private(&paid, reply::json(StatusCode::OK, &body))
}

fn waiting_case(case: &WaitingCase) -> Value {
    json!({
        "id": case.id,
        "number": case.number,
        "reason": case.reason,
        "status": case.status,
        "flags": case.flags,
        "filed_at": case.filed_at,
        "age_days": case.age_days,
        "due_on": case.due_on,
        "overdue": case.overdue,
        "leased_by": case.lease.as_ref().map(|lease| &lease.by),
        "lease_until": case.lease.as_ref().map(|lease| lease.until),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default = "limit_default")]
    limit: usize,
    after: Option<String>,
}

fn limit_default() -> usize {
    LIMIT_DEFAULT
}

fn checked(limit: usize) -> Result<usize, Problem> {
    let wrong = || Problem::query_malformed(format!("limit is 1 to {LIMIT_MAX}"));
    (1..=LIMIT_MAX).contains(&limit).then_some(limit).ok_or_else(wrong)
}

async fn reversals(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Page { limit, after } = call.query()?;
    let (limit, after) = (checked(limit)?, query::cursor(after.as_deref())?);
    let (pending, next) = app.casework.pending_reversals(&moderator, after, limit).await?;
    let pending: Vec<_> = pending.iter().map(pending_view).collect();
    private(&paid, reply::json(StatusCode::OK, &json!({ "reversals": pending, "next": query::next(next) })))
}

fn pending_view(pending: &PendingReversal) -> Value {
    json!({
        "seq": pending.seq,
        "number": pending.number,
        "published": published_view(&pending.entry),
        "asked": asked_view(&pending.asked),
        "may_sign": pending.may_sign,
    })
}

fn asked_view(asked: &ReversalAsked) -> Value {
    json!({ "by": asked.by, "at": asked.at, "reason": asked.reason })
}

/// What an entry said, without its number.
fn published_view(entry: &Entry) -> Value {
    json!({
        "at": entry.at,
        "reason": entry.reason,
        "assurance": entry.assurance,
        "void_before": entry.void_before,
        "name_action": entry.name_action,
        "name": entry.name,
        "name_until": entry.name_until,
    })
}

async fn look(app: &Service, seq: u64, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let look = app.casework.look_at_reversal(&moderator, seq).await?;
    let body = json!({
        "seq": look.seq,
        "version": look.version,
        "number": look.number,
        "published": published_view(&look.entry),
        "ground": look.ground,
        "asked": look.asked.as_ref().map(asked_view),
        "may_sign": look.may_sign,
        "in_force": look.in_force.as_ref().map(in_force_view),
        "after": look.after.as_ref().map(in_force_view),
        "others": look.others,
        "strikes": look.strikes,
    });
    private(&paid, reply::json(StatusCode::OK, &body))
}

fn in_force_view(correction: &InForce) -> Value {
    let InForce { void_before, name_action, name, name_until, assurance } = correction;
    json!({
        "void_before": void_before,
        "name_action": name_action,
        "name": name,
        "name_until": name_until,
        "assurance": assurance,
    })
}

async fn discard(app: &Service, seq: u64, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    app.casework.discard_reversal(&moderator, seq).await?;
    private(&paid, reply::json(StatusCode::OK, &json!({ "status": "discarded" })))
}

async fn corrections_of(app: &Service, digits: &str, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let number = app.casework.reference().numbering.parse_digits(digits);
    let number = number.map_err(Refusal::NumberMalformed)?;
    let standing = app.casework.corrections_of(&moderator, number).await?;
    private(&paid, reply::json(StatusCode::OK, &json!({ "number": number, "standing": standing })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    actor: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<u64>,
    #[serde(default = "limit_default")]
    limit: usize,
}

async fn search(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Search { actor, action, subject, from, to, before, limit } = call.query()?;
    let filter = AuditFilter { actor, action, subject, from: day(from)?, to: day(to)? };
    let found = app.casework.search_audit(&moderator, &filter, before, checked(limit)?).await?;
    let body = json!({
        "lines": found.lines,
        "searched": { "from": found.searched.start, "to": found.searched.end },
        "chain_broken_at": found.broken_at,
        // The `before` of the search that goes on from here.
        "next": found.is_cut.then_some(found.searched.start),
    });
    private(&paid, reply::json(StatusCode::OK, &body))
}

fn day(text: Option<String>) -> Result<Option<Date>, Problem> {
    let wrong = || Problem::query_malformed("from and to are days: YYYY-MM-DD");
    text.map(|text| parse_day(&text).ok_or_else(wrong)).transpose()
}
