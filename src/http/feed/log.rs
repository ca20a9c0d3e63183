//! The transparency log as static files (C2SP tlog-tiles): checkpoint, key and
//! hash tiles for everybody, entry bundles for providers.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use sha2::{Digest, Sha256};
use warp::Filter;
use warp::path::Tail;
use warp::reply::Response;

use super::{keyed_for_ever, tagged};
use crate::domain::hex::hex;
use crate::feed::Coding;
use crate::feed::checkpoint::decimal;
use crate::feed::tiles::TilePlace;
use crate::http::call::{Call, call};
use crate::http::negotiate::{coding, holds, not_modified};
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Paid, Routes, with};

/// Levels that a log of 2^64 entries has.
const TILE_LEVEL_MAX: u64 = 7;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

pub(super) fn routes(app: &App) -> Routes {
    let checkpoint = warp::path!("feed" / "v1" / "checkpoint").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { GET: async { checkpoint(&app, &call) } }) },
    );
    let key = warp::path!("feed" / "v1" / "key")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: async { key(&app, &call) } }) });
    // A place has as many segments as its number wants.
    let tiles = warp::path!("feed" / "v1" / "tile" / ..).and(warp::path::tail()).and(with(app)).and(call());
    let tiles = tiles.then(|path: Tail, app: App, call: Call| async move {
        by_method!(call => { GET: tile(&app, path.as_str(), &call) })
    });
    checkpoint.or(key).unify().or(tiles).unify().boxed()
}

fn checkpoint(app: &App, call: &Call) -> Answer {
    let paid = app.anyone(call)?;
    let note = app.feed.newest().note;
    Ok(open_to_all(&paid, call, note.as_bytes(), TEXT, "max-age=1"))
}

fn key(app: &App, call: &Call) -> Answer {
    let paid = app.anyone(call)?;
    let line = format!("{}\n", app.feed.verifier());
    Ok(open_to_all(&paid, call, line.as_bytes(), TEXT, "public, max-age=3600"))
}

async fn tile(app: &App, path: &str, call: &Call) -> Answer {
    let (level, place) = path.split_once('/').ok_or_else(Problem::not_found)?;
    let place = TilePlace::parse(place).ok_or_else(Problem::not_found)?;
    if level == "entries" {
        return bundle(app, place, call).await;
    }
    let level = decimal(level).filter(|level| *level <= TILE_LEVEL_MAX).ok_or_else(Problem::not_found)?;
    let paid = app.anyone(call)?;
    let hashes = app.feed.tile(level as u32, place)?.ok_or_else(Problem::not_found)?;
    Ok(open_to_all(&paid, call, &hashes, BYTES, "public, max-age=31536000, immutable"))
}

async fn bundle(app: &App, place: TilePlace, call: &Call) -> Answer {
    let (_, paid) = app.provider(call).await?;
    let chosen = coding(&call.headers, &Coding::ALL.map(Coding::name));
    let chosen = Coding::ALL.into_iter().find(|coding| Some(coding.name()) == chosen);
    let bytes = app.feed.bundle(place, chosen).await?.ok_or_else(Problem::not_found)?;
    let mut response = whole_or_known(call, &bytes, BYTES);
    if let Some(coding) = chosen.filter(|_| response.status() == StatusCode::OK) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    Ok(keyed_for_ever(&paid, response))
}

fn open_to_all(
    paid: &Paid,
    call: &Call,
    body: &[u8],
    media_type: &'static str,
    cache: &'static str,
) -> Response {
    let mut response = whole_or_known(call, body, media_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    paid.tell(response)
}

/// 304 to who holds these very bytes.
fn whole_or_known(call: &Call, body: &[u8], media_type: &'static str) -> Response {
    let tag = format!("\"{}\"", hex(&Sha256::digest(body)[..16]));
    if holds(&call.headers, &tag) {
        return not_modified(&tag);
    }
    let mut response = Response::new(body.to_vec().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    tagged(&tag, response)
}
