//! The owner's orders and imports, from the command line to a running service.

use serde::Deserialize;
use warp::{Filter, Reply};

use crate::casework::actors::Owner;
use crate::casework::owner::Order;
use crate::domain::id::{OperatorId, ProviderId};
use crate::domain::lines::{LabelSaid, TenureSaid};
use crate::domain::refusal::Refusal;
use crate::http::call::{Call, call};
use crate::http::negotiate::bearer;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Routes};
use crate::http::uploads::{
    Form, LINE_BYTES_MAX, SaidLines, UPLOAD_BYTES_MAX, receive_labels, receive_tenures, time_to_apply,
};

const ORDER_BYTES_MAX: u64 = 16 * 1024;

pub(super) fn routes(app: &App) -> Routes {
    let (with_orders, with_labels, with_tenures) = (app.clone(), app.clone(), app.clone());
    let orders = warp::path!("owner" / "orders").and(call()).then(move |call: Call| {
        let app = with_orders.clone();
        async move { by_method!(call => { POST: order(&app, call) }) }
    });
    let labels = warp::path!("owner" / "labels").and(call()).then(move |call: Call| {
        let app = with_labels.clone();
        async move { by_method!(call => { POST: import_labels(&app, call) }) }
    });
    let tenures = warp::path!("owner" / "tenures").and(call()).then(move |call: Call| {
        let app = with_tenures.clone();
        async move { by_method!(call => { POST: import_tenures(&app, call) }) }
    });
    orders.or(labels).unify().or(tenures).unify().boxed()
}

pub(super) fn owner(app: &App, call: &Call) -> Result<Owner, Problem> {
    let credential = bearer(&call.headers).ok_or(Refusal::Unauthenticated)?;
    let path = match call.raw_query() {
        "" => call.path().to_owned(),
        query => format!("{}?{query}", call.path()),
    };
    Ok(app.casework.owner(credential, &path)?)
}

async fn order(app: &App, mut call: Call) -> Answer {
    let owner = owner(app, &call)?;
    let order: Order = call.json(ORDER_BYTES_MAX).await?;
    let outcome = app.casework.carry_out(owner, order).await?;
    Ok(warp::reply::json(&outcome).into_response())
}

async fn import_labels(app: &App, mut call: Call) -> Answer {
    #[derive(Deserialize)]
    struct Of {
        provider: ProviderId,
    }
    let owner = owner(app, &call)?;
    let provider = app.casework.provider_for(owner, call.query::<Of>()?.provider);
    let mut lines = lines(&mut call, LabelSaid::COLUMNS).await?;
    let upload = receive_labels(&app.casework, &provider, &mut lines).await?;
    call.deadline().extend(time_to_apply(lines.taken()));
    Ok(warp::reply::json(&upload.finish().await?).into_response())
}

async fn import_tenures(app: &App, mut call: Call) -> Answer {
    #[derive(Deserialize)]
    struct Of {
        operator: OperatorId,
    }
    let owner = owner(app, &call)?;
    let operator = app.casework.operator_for(owner, call.query::<Of>()?.operator);
    let mut lines = lines(&mut call, TenureSaid::COLUMNS).await?;
    let upload = receive_tenures(&app.casework, &operator, None, &mut lines).await?;
    call.deadline().extend(time_to_apply(lines.taken()));
    Ok(warp::reply::json(&upload.finish(lines.digest()).await?).into_response())
}

async fn lines(call: &mut Call, columns: &[&str]) -> Result<SaidLines, Problem> {
    let form = Form::of(&call.headers)?;
    let lines = call.lines(LINE_BYTES_MAX, UPLOAD_BYTES_MAX)?;
    SaidLines::begin(form, lines, columns).await
}
