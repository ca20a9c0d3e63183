//! Providers: how far behind each is, and which labels have come back.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::casework::actors::ModeratorActor;
use crate::casework::providers::KnownProvider;
use crate::domain::catalog::LabelCatalog;
use crate::domain::id::ProviderId;
use crate::domain::progress::Stage;
use crate::feed::Lag;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::regressed::{Wanted, told};
use crate::http::reply;
use crate::http::service::{Service, private};

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

pub(super) async fn regressed(app: &Service, call: Call) -> Answer {
    let (moderator, paid) = app.moderator(&call).await?;
    let wanted: Wanted = call.query()?;
    let (limit, after) = wanted.page()?;
    let (labels, next) = app.casework.regressed(&moderator, wanted.provider, after, limit).await?;
    private(&paid, told(&labels, next, &app.casework.reference().labels))
}
