//! Providers: how far behind each is, and which labels have come back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::casework::actors::ModeratorActor;
use crate::casework::providers::KnownProvider;
use crate::domain::catalog::LabelCatalog;
use crate::domain::id::ProviderId;
use crate::domain::label::{Label, LabelKind};
use crate::domain::number::Number;
use crate::domain::progress::Stage;
use crate::feed::Lag;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::reply;
use crate::http::service::{Service, private};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Debug, Serialize)]
struct ProviderView<'a> {
    provider: &'a ProviderId,
    provider_name: &'a str,
    received: u64,
    applied: u64,
    serving: u64,
    entries_behind: u64,
    seconds_behind: u64,
    last_seen_at: Option<Timestamp>,
    software: Option<&'a str>,
    refused: u64,
    regressed: usize,
}

pub(super) async fn list(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let at_work = providers_at_work(app, &moderator).await?;
    let catalog = &app.casework.reference().labels;
    let views: Vec<_> = at_work.iter().map(|(known, lag)| ProviderView::of(known, lag, catalog)).collect();
    private(&paid, reply::json(StatusCode::OK, &views))
}

/// Who has a key, or has acknowledged something once.
pub(in crate::http) async fn providers_at_work(
    app: &Service,
    moderator: &ModeratorActor,
) -> Result<Vec<(KnownProvider, Lag)>, Problem> {
    let now = app.casework.now();
    let mut at_work = Vec::new();
    for known in app.casework.providers(moderator).await? {
        let lag = app.feed.lag(&known.id, now).await?;
        if known.has_key || lag.state.is_some() {
            at_work.push((known, lag));
        }
    }
    Ok(at_work)
}

impl<'a> ProviderView<'a> {
    fn of(known: &'a KnownProvider, lag: &'a Lag, catalog: &'a LabelCatalog) -> Self {
        let state = lag.state.as_ref();
        Self {
            provider: &known.id,
            provider_name: catalog.provider_name(&known.id),
            received: lag.size(Stage::Received),
            applied: lag.size(Stage::Applied),
            serving: lag.size(Stage::Serving),
            entries_behind: lag.entries_behind,
            seconds_behind: lag.seconds_behind,
            last_seen_at: known.seen_at.max(state.map(|state| state.acked_at)),
            software: state.and_then(|state| state.software.as_deref()),
            refused: state.map_or(0, |state| state.refused),
            regressed: known.regressed,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    provider: Option<ProviderId>,
    #[serde(default = "limit_default")]
    limit: usize,
    /// Where the page before ended.
    after: Option<String>,
}

fn limit_default() -> usize {
    LIMIT_DEFAULT
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

pub(super) async fn regressed(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let Wanted { provider, limit, after } = call.query()?;
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::query_malformed(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let after = after.map(|after| URL_SAFE_NO_PAD.decode(after)).transpose();
    let after = after.map_err(|_| Problem::query_malformed("after is what `next` said"))?;
    let (labels, next) = app.casework.regressed(&moderator, provider, after, limit).await?;
    let catalog = &app.casework.reference().labels;
    let views: Vec<_> = labels.iter().map(|label| RegressedView::of(label, catalog)).collect();
    let next = next.map(|next| URL_SAFE_NO_PAD.encode(next));
    private(&paid, reply::json(StatusCode::OK, &json!({ "regressed": views, "next": next })))
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
