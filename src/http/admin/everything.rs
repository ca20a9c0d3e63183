//! All that the store holds, as lines for the command line: a stream that goes
//! as fast as it is read, and ends early with the service.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use warp::{Filter, Reply};

use super::owner::owner;
use crate::http::call::{Call, call};
use crate::http::problem::Answer;
use crate::http::service::{App, Routes};

/// Pages that are read ahead of who takes them.
const PAGES_AHEAD: usize = 2;

pub(super) fn routes(app: &App) -> Routes {
    let app = app.clone();
    let everything = warp::path!("owner" / "everything").and(call()).then(move |call: Call| {
        let app = app.clone();
        async move { by_method!(call => { POST: everything(&app, call) }) }
    });
    everything.boxed()
}

async fn everything(app: &App, call: Call) -> Answer {
    let mut lines = app.casework.everything(owner(app, &call)?).await?;
    let (pages, taken) = mpsc::channel(PAGES_AHEAD);
    let draining = call.draining().clone();
    tokio::spawn(async move {
        while let Some(Some(page)) = draining.run_until_cancelled(lines.next()).await {
            // Whoever asked has gone: nobody reads on.
            if pages.send(Bytes::from(page)).await.is_err() {
                return;
            }
        }
    });
    let chunks = stream::unfold(taken, |mut taken| async {
        let page = taken.recv().await?;
        Some((Ok::<_, Infallible>(page), taken))
    });
    Ok(warp::reply::stream(chunks).into_response())
}
