//! What providers show for one's own number.

use http::StatusCode;
use serde::Serialize;

use super::view::{CorrectionView, LabelView, correction_of};
use crate::domain::id::ProviderId;
use crate::domain::number::Number;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::reply;
use crate::http::service::{Service, private};
use jiff::civil::Date;

#[derive(Serialize)]
struct Labels<'a> {
    number: Number,
    labels: Vec<LabelView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenure_began_on: Option<Date>,
    correction: Option<CorrectionView>,
    /// Providers that were asked and did not answer.
    missing: Vec<Missing<'a>>,
}

#[derive(Serialize)]
struct Missing<'a> {
    provider: &'a ProviderId,
    why: &'static str,
}

pub async fn list(app: &Service, call: Call) -> Answer {
    let (holder, paid) = app.holder(&call).await?;
    let mine = app.casework.my_labels(&holder).await?;
    let catalog = &app.casework.reference().labels;
    let body = Labels {
        number: mine.number,
        labels: mine.labels.iter().map(|label| LabelView::of(label, catalog)).collect(),
        tenure_began_on: mine.tenure_began_on,
        correction: correction_of(app, mine.number).await?,
        missing: mine.missing.iter().map(|(provider, why)| Missing { provider, why: why.as_str() }).collect(),
    };
    private(&paid, reply::json(StatusCode::OK, &body))
}
