//! Lists of numbers that enterprises file at once, as JSON or as a CSV file,
//! and what became of them.

mod body;

pub(in crate::http) use body::{EnterpriseBody, Head, Listing};

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::filing::idempotency_key;
use super::verifications::created;
use crate::casework::filing::Idempotency;
use crate::casework::filings::{ListView, ListedDispute};
use crate::domain::id::FilingId;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::reply;
use crate::http::service::{Service, private};

/// A dispute that is filed and not made yet.
const PENDING: &str = "pending";

pub(super) async fn file(app: &Service, mut call: Call) -> Answer {
    let (holder, paid) = app.holder(&call).await?;
    let key = idempotency_key(&call.headers)?;
    let (list, said) = body::read(&mut call, &app.casework.reference().numbering).await?;
    let idempotency = Idempotency { key, body_digest: Sha256::digest(said).into() };
    let from = call.client().prefix().to_string();
    let filed = app.casework.file_list(&holder, list, &idempotency, Some(&from)).await?;
    let body = json!({
        "id": filed.filing.id,
        "token": filed.token,
        "accepted": filed.filing.accepted,
        "rejected": filed.filing.rejected,
        "disputes": disputes(&filed.disputes),
    });
    private(&paid, created(&format!("/v1/filings/{}", filed.filing.id), &body))
}

/// At most as many as a list has: that is one page.
pub(super) async fn show(app: &Service, id: FilingId, call: Call) -> Answer {
    let (filer, paid) = app.filer(&call, id).await?;
    let ListView { filing, token, disputes: listed, overtaken } = app.casework.my_list(&filer).await?;
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for dispute in &listed {
        *by_status.entry(status(dispute)).or_default() += 1;
    }
    let rejected = filing.rejected.iter().map(|line| json!(line));
    let overtaken = overtaken.iter().map(|(number, code)| json!({ "number": number, "code": code }));
    let body = json!({
        "id": filing.id,
        "token": token,
        "reason": filing.reason,
        "enterprise": filing.enterprise,
        "show_name": filing.show_name,
        "filed_at": filing.filed_at,
        "accepted": listed.len(),
        "by_status": by_status,
        "rejected": rejected.chain(overtaken).collect::<Vec<_>>(),
        "disputes": disputes(&listed),
        "next": null,
    });
    private(&paid, reply::json(http::StatusCode::OK, &body))
}

fn disputes(listed: &[ListedDispute]) -> Vec<Value> {
    let view = |dispute: &ListedDispute| {
        json!({
            "number": dispute.number,
            "id": dispute.id,
            "token": dispute.token,
            "status": status(dispute),
        })
    };
    listed.iter().map(view).collect()
}

fn status(dispute: &ListedDispute) -> &'static str {
    dispute.status.map_or(PENDING, |status| status.as_str())
}
