//! Reading `multipart/form-data` part by part, each part bounded.
//!
//! The parser takes from a stream whatever is ready, and looks for the end of
//! a part's head for as long as it takes. So it gets the body one piece at a
//! time, and only so many of them before it has to come to a part.
//!
//! Absent: names and types that a sender gives its files; nobody reads them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};

use super::body::{self, BodyError, BodyStream};
use super::problem::Problem;

/// What stands between two parts: a boundary and a head, and what comes in one
/// piece with it.
const BETWEEN_BYTES_MAX: u64 = 256 * 1024;

/// RFC 2046 §5.1.1.
const BOUNDARY_CHARS_MAX: usize = 70;

/// The parts of a body.
pub struct Parts {
    parts: Multipart<'static>,
    /// Of what may still come before a part begins, or the rest of one.
    allowance: Arc<AtomicU64>,
}

/// Says what the body is made of, before any of it is read.
pub fn boundary(headers: &HeaderMap, body_bytes_max: u64) -> Result<String, Problem> {
    body::expect_media_type(headers, &["multipart/form-data"])?;
    body::expect_body(headers, body_bytes_max)?;
    let media_type = headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(media_type).ok();
    let is_fine = |boundary: &String| (1..=BOUNDARY_CHARS_MAX).contains(&boundary.len());
    boundary
        .filter(is_fine)
        .ok_or_else(|| Problem::request_malformed("Content-Type: multipart/form-data needs a boundary"))
}

impl Parts {
    pub fn new(body: BodyStream, boundary: String, body_bytes_max: u64) -> Self {
        let allowance = Arc::new(AtomicU64::new(BETWEEN_BYTES_MAX));
        let pieces =
            Pieces { body: Box::pin(body.into_stream()), has_given: false, allowance: allowance.clone() };
        let limits = SizeLimit::new().whole_stream(body_bytes_max);
        let constraints = Constraints::new().size_limit(limits);
        Self { parts: Multipart::with_constraints(pieces, boundary, constraints), allowance }
    }

    /// The next part, which has to be called `name`.
    pub async fn next(&mut self, name: &str) -> Result<Option<Field<'static>>, Problem> {
        self.allowance.store(BETWEEN_BYTES_MAX, Ordering::Relaxed);
        let part = self.parts.next_field().await.map_err(problem)?;
        match part {
            Some(part) if part.name() != Some(name) => {
                Err(Problem::field_unknown(format!("each part has to be called \"{name}\"")))
            }
            part => Ok(part),
        }
    }

    /// All of a part: `None` if it has more bytes than that.
    pub async fn whole(
        &self,
        mut part: Field<'static>,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let mut whole = Vec::new();
        loop {
            self.allowance.store(BETWEEN_BYTES_MAX, Ordering::Relaxed);
            match part.chunk().await.map_err(problem)? {
                Some(chunk) if whole.len() + chunk.len() > bytes_max => return Ok(None),
                Some(chunk) => whole.extend_from_slice(&chunk),
                None => return Ok(Some(whole)),
            }
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// A body that lets its reader work between two pieces.
struct Pieces<S> {
    body: Pin<Box<S>>,
    has_given: bool,
    allowance: Arc<AtomicU64>,
}

#[derive(Debug, thiserror::Error)]
enum PiecesError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("no part begins within {BETWEEN_BYTES_MAX} bytes")]
    Endless,
}

impl<S: Stream<Item = Result<Bytes, BodyError>>> Stream for Pieces<S> {
    type Item = Result<Bytes, PiecesError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_given) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Poll::Ready(piece) = self.body.as_mut().poll_next(cx) else { return Poll::Pending };
        let Some(piece) = piece else { return Poll::Ready(None) };
        self.has_given = true;
        let bytes = piece.as_ref().map_or(0, Bytes::len) as u64;
        let left = self.allowance.load(Ordering::Relaxed).checked_sub(bytes);
        self.allowance.store(left.unwrap_or_default(), Ordering::Relaxed);
        Poll::Ready(Some(match left {
            None => Err(PiecesError::Endless),
            Some(_) => piece.map_err(PiecesError::from),
        }))
    }
}

#[allow(clippy::needless_pass_by_value)]
fn problem(error: multer::Error) -> Problem {
    match &error {
        multer::Error::StreamSizeExceeded { limit } => Problem::body_too_large(*limit),
        multer::Error::StreamReadFailed(cause) => match cause.downcast_ref::<PiecesError>() {
            Some(PiecesError::Body(error)) => (*error).into(),
            _ => Problem::body_malformed("the body is no multipart/form-data: its parts have no beginning"),
        },
        _ => Problem::body_malformed("the body is no multipart/form-data, or breaks off"),
    }
}
