//! Snapshots: where the newest one is, and the files of each, whole or from
//! where a download has ended.

use std::io::{self, ErrorKind};
use std::ops::Range;

use futures_util::stream;
use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderName, HeaderValue, LOCATION,
};
use sha2::{Digest, Sha256};
use warp::reply::Response;
use warp::{Filter, Reply};

use super::{keyed, keyed_for_ever, tagged};
use crate::domain::hex::hex;
use crate::env::files;
use crate::feed::checkpoint::decimal;
use crate::feed::snapshot::{Form, Found, Log, Snapshot, SnapshotFile};
use crate::feed::{Coding, FeedError};
use crate::http::call::{Call, call};
use crate::http::negotiate::{coding, holds, media_type, not_modified};
use crate::http::problem::{Answer, Code, Problem};
use crate::http::range::{Wanted, content_range, wanted};
use crate::http::service::{App, Routes, with};

const NEWEST: &str = "/feed/v1/snapshot";

/// The media types to ask for, the default first.
const MEDIA_TYPES: [(&str, Form); 4] = [
    ("application/x-ndjson", Form::Ndjson),
    ("text/csv", Form::Csv),
    ("application/vnd.zhengming.zms", Form::Zms),
    ("application/octet-stream", Form::Zms),
];

pub(super) fn routes(app: &App) -> Routes {
    let newest = warp::path!("feed" / "v1" / "snapshot").and(with(app)).and(call());
    let newest =
        newest.then(|app: App, call: Call| async move { by_method!(call => { GET: send_on(&app, &call) }) });
    let file = warp::path!("feed" / "v1" / "snapshots" / String).and(with(app)).and(call());
    let file = file.then(|name: String, app: App, call: Call| async move {
        by_method!(call => { GET: named(&app, &name, &call) })
    });
    newest.or(file).unify().boxed()
}

async fn send_on(app: &App, call: &Call) -> Answer {
    let (_, paid) = app.provider(call).await?;
    let chosen = media_type(&call.headers, &MEDIA_TYPES.map(|(media_type, _)| media_type))?;
    let form = MEDIA_TYPES.iter().find(|(media_type, _)| *media_type == chosen);
    let (_, form) = form.expect("it was chosen out of these");
    let newest = app.snapshots.newest().ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, Code::NO_SNAPSHOT, "there is no snapshot yet; begin with after=0")
    })?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    put(&mut response, LOCATION, &format!("/feed/v1/snapshots/{}.{}", newest.sum.size, form.name()));
    Ok(keyed(&paid, response))
}

async fn named(app: &App, name: &str, call: &Call) -> Answer {
    let (provider, mut paid) = app.provider(call).await?;
    let (size, kind) = name.split_once('.').ok_or_else(Problem::not_found)?;
    let size = decimal(size).ok_or_else(Problem::not_found)?;
    let form = Form::of_name(kind);
    if form.is_none() && kind != "sum" {
        return Err(Problem::not_found());
    }
    let snapshot = match app.snapshots.find(size) {
        Found::Here(snapshot) => snapshot,
        Found::Gone => return Err(gone()),
        // This instance has still to make it.
        Found::Never if is_agreed(app, size).await? => return Err(Problem::busy()),
        Found::Never => return Err(Problem::not_found()),
    };
    let Some(form) = form else { return Ok(keyed_for_ever(&paid, sum(call, &snapshot))) };
    let file = FormFile::open(app, &snapshot, form, call).await?;
    if holds(&call.headers, &file.tag) {
        return Ok(keyed_for_ever(&paid, not_modified(&file.tag)));
    }
    let response = if call.is_head() {
        // A range is of GET alone.
        file.head(None)
    } else {
        let part = file.wanted(call)?;
        paid = app.downloader(&provider, paid)?;
        file.part(app, part).await?
    };
    Ok(keyed_for_ever(&paid, response))
}

async fn is_agreed(app: &App, size: u64) -> Result<bool, FeedError> {
    Ok(app.feed.agreed().await?.is_some_and(|agreed| agreed.iter().any(|one| one.size == size)))
}

fn sum(call: &Call, snapshot: &Snapshot) -> Response {
    let tag = format!("\"{}\"", hex(&Sha256::digest(&snapshot.note)[..16]));
    if holds(&call.headers, &tag) {
        return not_modified(&tag);
    }
    let mut response = Response::new(snapshot.note.clone().into());
    put(&mut response, CONTENT_TYPE, "text/plain; charset=utf-8");
    tagged(&tag, response)
}

/// One form in the coding that the caller prefers.
struct FormFile {
    file: SnapshotFile,
    tag: String,
    size: u64,
    form: Form,
    coding: Option<&'static str>,
}

impl FormFile {
    async fn open(app: &App, snapshot: &Snapshot, form: Form, call: &Call) -> Result<Self, Problem> {
        let names: Vec<&str> = form.codings().iter().map(|coding| coding.name()).collect();
        let coding = coding(&call.headers, &names);
        let held = Coding::ALL.into_iter().find(|held| Some(held.name()) == coding);
        let size = snapshot.sum.size;
        let file = match app.snapshots.file(snapshot, form, held).await {
            Ok(file) => file,
            // Retired since it was found.
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(gone()),
            Err(error) => return Err(unreadable(app, size, &error).await),
        };
        let bytes = file.bytes();
        // The digest is of the form as it is; another release may code it into
        // other bytes, and then hardly into as many.
        let digest = snapshot.sum.digest(form).expect("a snapshot that is kept has every form");
        let tag = format!("\"{}-{}-{bytes}\"", hex(&digest[..16]), coding.unwrap_or("identity"));
        Ok(Self { file, tag, size, form, coding })
    }

    /// `None`: all of it.
    fn wanted(&self, call: &Call) -> Result<Option<Range<u64>>, Problem> {
        match wanted(&call.headers, &self.tag, self.file.bytes()) {
            Wanted::All => Ok(None),
            Wanted::Part(part) => Ok(Some(part)),
            Wanted::Nothing => {
                let detail = format!("there are {} bytes", self.file.bytes());
                Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::RANGE_NOT_SATISFIABLE, detail)
                    .header(CONTENT_RANGE, format!("bytes */{}", self.file.bytes())))
            }
        }
    }

    /// Its first bytes are read before anything is answered.
    async fn part(self, app: &App, part: Option<Range<u64>>) -> Answer {
        let (head, _) = self.head(part.as_ref()).into_parts();
        let Range { start, end } = part.unwrap_or(0..self.file.bytes());
        if let Err(error) = self.file.read(start).await {
            return Err(unreadable(app, self.size, &error).await);
        }
        let app = app.clone();
        let bytes = stream::try_unfold(start, move |at| {
            let (file, app) = (self.file.clone(), app.clone());
            async move {
                let mut bytes = match file.read(at).await {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        unreadable(&app, self.size, &error).await;
                        // The answer ends here, too short.
                        return Err(error);
                    }
                };
                bytes.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
                let next = at + bytes.len() as u64;
                io::Result::Ok((!bytes.is_empty()).then_some((bytes, next)))
            }
        });
        let (_, body) = warp::reply::stream(bytes).into_response().into_parts();
        Ok(Response::from_parts(head, body))
    }

    fn head(&self, part: Option<&Range<u64>>) -> Response {
        let mut response = Response::default();
        let content_type = match self.form {
            Form::Ndjson => "application/x-ndjson",
            Form::Csv => "text/csv; charset=utf-8",
            Form::Zms => "application/vnd.zhengming.zms",
        };
        put(&mut response, CONTENT_TYPE, content_type);
        put(
            &mut response,
            CONTENT_DISPOSITION,
            &format!("attachment; filename=\"{}.{}\"", self.size, self.form.name()),
        );
        put(&mut response, ACCEPT_RANGES, "bytes");
        if let Some(coding) = self.coding {
            put(&mut response, CONTENT_ENCODING, coding);
        }
        let length = part.map_or(self.file.bytes(), |part| part.end - part.start);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        if let Some(part) = part {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            put(&mut response, CONTENT_RANGE, &content_range(part, self.file.bytes()));
        }
        tagged(&self.tag, response)
    }
}

fn gone() -> Problem {
    Problem::new(StatusCode::GONE, Code::SNAPSHOT_GONE, "there are newer snapshots, and this one was removed")
        .with("snapshot", NEWEST)
}

/// A snapshot that is damaged is offered to nobody any more.
async fn unreadable(app: &App, size: u64, error: &io::Error) -> Problem {
    if let Some(what) = files::shortage(error) {
        tracing::warn!(what, "a snapshot cannot be read now");
        return Problem::busy();
    }
    tracing::error!(%error, size, "a snapshot could not be read");
    if error.kind() == ErrorKind::InvalidData
        && let Err(error) = app.snapshots.drop_damaged(size).await
    {
        tracing::error!(%error, "a damaged snapshot could not be removed");
    }
    Problem::internal()
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("digits and words of our own are visible ASCII");
    response.headers_mut().insert(name, value);
}
