//! `GET /feed/v1/events`: word of each new checkpoint, as server-sent events.
//! A hint to come and pull, without data; `Last-Event-ID` is the size that
//! the caller knows of.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::sync::watch;
use tokio::time::timeout;
use warp::Reply;

use crate::domain::id::ProviderId;
use crate::http::call::Call;
use crate::http::limits::Place;
use crate::http::negotiate::media_type;
use crate::http::problem::Answer;
use crate::http::service::{App, private};

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Shorter than what proxies and address translators forget a connection in.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Then the client comes anew, with its key and the size it knows of: so few
/// bytes go this way that one who reads none of them is noticed no sooner.
const STREAM_FOR_MAX: Duration = Duration::from_secs(3_600);

pub(super) async fn get(app: &App, call: Call) -> Answer {
    let (provider, paid) = app.provider(&call).await?;
    media_type(&call.headers, &[EVENT_STREAM])?;
    let place = app.limits.event_streams_by_provider.take(provider.id())?;
    let known = call.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let draining = call.draining().clone();
    let ended = async move {
        // Which of the two it was makes no difference.
        let _ = timeout(STREAM_FOR_MAX, draining.cancelled_owned()).await;
    };
    let pieces = pieces(Listener { published: app.feed.published(), known, _place: place });
    let mut response = warp::reply::stream(pieces.take_until(Box::pin(ended))).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    private(&paid, Ok(response))
}

struct Listener {
    published: watch::Receiver<u64>,
    /// The size that it was told last.
    known: Option<u64>,
    _place: Place<ProviderId>,
}

/// What is not read yet is not made either: growth meanwhile is one event.
fn pieces(listener: Listener) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(listener, |mut listener| async {
        let piece = listener.next().await?;
        Some((Ok(piece), listener))
    })
}

impl Listener {
    /// Nothing where the feed has ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let size = *self.published.borrow_and_update();
            if self.known != Some(size) {
                self.known = Some(size);
                // Browsers pass on no event that has no data line.
                return Some(format!("event: checkpoint\nid: {size}\ndata:\n\n").into());
            }
            match timeout(KEEP_ALIVE_EVERY, self.published.changed()).await {
                Ok(changed) => changed.ok()?,
                Err(_) => return Some(Bytes::from_static(b": keep-alive\n\n")),
            }
        }
    }
}
