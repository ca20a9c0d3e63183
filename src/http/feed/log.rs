//! The transparency log as static files (C2SP tlog-tiles): checkpoint, key and
//! hash tiles for everybody, entry bundles for providers.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use warp::Filter;
use warp::path::Tail;
use warp::reply::Response;

use super::{keyed_for_ever, tagged};
use crate::domain::hex::hex;
use crate::feed::checkpoint::decimal;
use crate::feed::tiles::TilePlace;
use crate::feed::{Body, Coding};
use crate::http::call::{Call, call};
use crate::http::negotiate::{coding, holds, not_modified};
use crate::http::problem::{Answer, Problem};
use crate::http::service::{App, Paid, Routes, with};

/// Levels that a log of 2^64 entries has.
const TILE_LEVEL_MAX: u64 = 7;

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const BYTES: &str = "application/octet-stream";
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What a log consists of, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Checkpoint,
    Key,
    Tile(u32, TilePlace),
    Bundle(TilePlace),
}

impl Part {
    pub fn parse(path: &str) -> Option<Self> {
        match path {
            "checkpoint" => return Some(Self::Checkpoint),
            "key" => return Some(Self::Key),
            _ => {}
        }
        let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
        let place = TilePlace::parse(place)?;
        if level == "entries" {
            return Some(Self::Bundle(place));
        }
        let level = decimal(level).filter(|level| *level <= TILE_LEVEL_MAX)?;
        Some(Self::Tile(level as u32, place))
    }
}

pub(super) fn routes(app: &App) -> Routes {
    let checkpoint = warp::path!("feed" / "v1" / "checkpoint").and(with(app)).and(call()).then(
        |app: App, call: Call| async move { by_method!(call => { GET: part(&app, "checkpoint", &call) }) },
    );
    let key = warp::path!("feed" / "v1" / "key")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move { by_method!(call => { GET: part(&app, "key", &call) }) });
    // A place has as many segments as its number wants.
    let tiles = warp::path!("feed" / "v1" / "tile" / ..).and(warp::path::tail()).and(with(app)).and(call());
    let tiles = tiles.then(|path: Tail, app: App, call: Call| async move {
        let path = format!("tile/{}", path.as_str());
        by_method!(call => { GET: part(&app, &path, &call) })
    });
    checkpoint.or(key).unify().or(tiles).unify().boxed()
}

async fn part(app: &App, path: &str, call: &Call) -> Answer {
    let feed = &app.feed;
    let part = Part::parse(path).ok_or_else(Problem::not_found)?;
    if let Part::Bundle(place) = part {
        let (_, paid) = app.provider(call).await?;
        let coding = coding_wanted(call);
        let body = feed.bundle(place, coding).await?.ok_or_else(Problem::not_found)?;
        return Ok(bundle_response(&paid, call, body, coding));
    }
    let paid = app.anyone(call)?;
    let (body, media_type, cache) = match part {
        Part::Checkpoint => (feed.newest().note.as_bytes().to_vec().into(), TEXT, "max-age=1"),
        Part::Key => (format!("{}\n", feed.verifier()).into_bytes().into(), TEXT, "public, max-age=3600"),
        Part::Tile(level, place) => {
            (feed.tile(level, place).await?.ok_or_else(Problem::not_found)?, BYTES, FOR_EVER)
        }
        Part::Bundle(_) => return Err(Problem::not_found()),
    };
    Ok(open_to_all(&paid, call, body, media_type, cache))
}

/// The coding to serve a bundle in; `None` is plain.
pub(super) fn coding_wanted(call: &Call) -> Option<Coding> {
    let chosen = coding(&call.headers, &Coding::ALL.map(Coding::name));
    Coding::ALL.into_iter().find(|coding| Some(coding.name()) == chosen)
}

pub(super) fn bundle_response(paid: &Paid, call: &Call, body: Body, coding: Option<Coding>) -> Response {
    let mut response = whole_or_known(call, body, BYTES);
    if let Some(coding) = coding.filter(|_| response.status() == StatusCode::OK) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    keyed_for_ever(paid, response)
}

pub(super) fn open_to_all(
    paid: &Paid,
    call: &Call,
    body: Body,
    media_type: &'static str,
    cache: &'static str,
) -> Response {
    let mut response = whole_or_known(call, body, media_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    paid.tell(response)
}

/// 304 to who holds these very bytes.
fn whole_or_known(call: &Call, body: Body, media_type: &'static str) -> Response {
    let tag = format!("\"{}\"", hex(&body.digest[..16]));
    if holds(&call.headers, &tag) {
        return not_modified(&tag);
    }
    let mut response = Response::new(body.bytes.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    tagged(&tag, response)
}
