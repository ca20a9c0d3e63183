//! Logs that were kept before this one: the same static files under
//! `/feed/v1/logs/{key id}/`.

use warp::Filter;
use warp::path::Tail;

use super::log::{Part, bundle_response, coding_wanted, open_to_all};
use crate::feed::{FeedError, FormerLog};
use crate::http::call::{Call, call};
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Routes, with};

pub(super) fn routes(app: &App) -> Routes {
    let list = warp::path!("feed" / "v1" / "logs")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: async { list(&app, &call) } }) });
    let parts = warp::path!("feed" / "v1" / "logs" / String / ..);
    let parts = parts.and(warp::path::tail()).and(with(app)).and(call());
    let parts = parts.then(|id: String, path: Tail, app: App, call: Call| async move {
        by_method!(call => { GET: part(&app, &id, path.as_str(), &call) })
    });
    list.or(parts).unify().boxed()
}

/// The keys of all of them, one a line.
fn list(app: &App, call: &Call) -> Answer {
    let paid = app.anyone(call)?;
    let lines = app.feed.all_former().map(|log| format!("{}\n", log.verifier()));
    let lines = lines.collect::<String>();
    Ok(open_to_all(&paid, call, lines.into_bytes().into(), super::log::TEXT, "max-age=60"))
}

async fn part(app: &App, id: &str, path: &str, call: &Call) -> Answer {
    let log = app.feed.former(id).ok_or_else(Problem::not_found)?;
    let part = Part::parse(path).ok_or_else(Problem::not_found)?;
    if let Part::Bundle(place) = part {
        let (_, paid) = app.provider(call).await?;
        let coding = coding_wanted(call);
        let bytes = log.bundle(place, coding).map_err(FeedError::from)?.ok_or_else(Problem::not_found)?;
        return Ok(bundle_response(&paid, call, bytes.into(), coding));
    }
    let paid = app.anyone(call)?;
    let (bytes, media_type) = public_part(log, part)?.ok_or_else(Problem::not_found)?;
    // It has ended: nothing of it changes.
    Ok(open_to_all(&paid, call, bytes.into(), media_type, super::log::FOR_EVER))
}

fn public_part(log: &FormerLog, part: Part) -> Result<Option<(Vec<u8>, &'static str)>, FeedError> {
    Ok(match part {
        Part::Checkpoint => Some((log.note().into(), super::log::TEXT)),
        Part::Key => Some((format!("{}\n", log.verifier()).into_bytes(), super::log::TEXT)),
        Part::Tile(level, place) => log.tile(level, place)?.map(|tile| (tile, super::log::BYTES)),
        Part::Bundle(_) => None,
    })
}
