//! `GET /feed/v1/regressed`: what came back to a provider although it serves a
//! correction that says otherwise, as after an import of old data.

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::regressed::{Wanted, told};
use crate::http::service::{App, private};

pub(super) async fn get(app: &App, call: Call) -> Answer {
    let (provider, paid) = app.provider(&call).await?;
    let wanted: Wanted = call.query()?;
    let (limit, after) = wanted.page()?;
    let (labels, next) = match wanted.provider {
        // Another's are nobody's here.
        Some(other) if other != *provider.id() => (Vec::new(), None),
        _ => app.casework.regressed_at(&provider, after, limit).await?,
    };
    private(&paid, told(&labels, next, &app.casework.reference().labels))
}
