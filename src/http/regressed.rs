//! Labels that have come back, page by page: to moderators all of them, to a
//! provider its own.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use warp::reply::Response;

use super::problem::Problem;
use super::reply;
use crate::domain::catalog::LabelCatalog;
use crate::domain::id::ProviderId;
use crate::domain::label::{Label, LabelKind};
use crate::domain::number::Number;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Which page is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Of one provider; who is a provider sees only its own.
    pub provider: Option<ProviderId>,
    #[serde(default = "limit_default")]
    limit: usize,
    /// Where the page before ended.
    after: Option<String>,
}

fn limit_default() -> usize {
    LIMIT_DEFAULT
}

impl Wanted {
    /// How many labels at most, and after what.
    pub(super) fn page(&self) -> Result<(usize, Option<Vec<u8>>), Problem> {
        if !(1..=LIMIT_MAX).contains(&self.limit) {
            return Err(Problem::query_malformed(format!("limit is 1 to {LIMIT_MAX}")));
        }
        let after = self.after.as_ref().map(|after| URL_SAFE_NO_PAD.decode(after)).transpose();
        let after = after.map_err(|_| Problem::query_malformed("after is what `next` said"))?;
        Ok((self.limit, after))
    }
}

#[derive(Debug, Serialize)]
struct RegressedView<'a> {
    provider: &'a ProviderId,
    provider_name: &'a str,
    number: Number,
    kind: LabelKind,
    text: &'a str,
    /// The correction that the provider serves.
    seq: Option<u64>,
    regressed_at: Option<Timestamp>,
    observed_at: Timestamp,
}

pub(super) fn told(
    labels: &[Label],
    next: Option<Vec<u8>>,
    catalog: &LabelCatalog,
) -> Result<Response, Problem> {
    let views: Vec<_> = labels.iter().map(|label| RegressedView::of(label, catalog)).collect();
    let next = next.map(|next| URL_SAFE_NO_PAD.encode(next));
    reply::json(StatusCode::OK, &json!({ "regressed": views, "next": next }))
}

impl<'a> RegressedView<'a> {
    fn of(label: &'a Label, catalog: &'a LabelCatalog) -> Self {
        Self {
            provider: &label.provider,
            provider_name: catalog.provider_name(&label.provider),
            number: label.number,
            kind: label.kind,
            text: label.shown_text(),
            seq: label.regressed.map(|regressed| regressed.seq),
            regressed_at: label.regressed.map(|regressed| regressed.seen_at),
            observed_at: label.observed_at,
        }
    }
}
