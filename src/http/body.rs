//! Reading request bodies: whole JSON documents, and uploads line by line.
//!
//! Bytes are counted as they come, so that chunked bodies meet the same caps.
//! A body that stalls or breaks off is an error that the caller sees, never a
//! short body.

use std::fmt;
use std::pin::Pin;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::accept::Stalled;
use super::problem::Problem;

mod json;
mod lines;
pub use lines::{LineTooLong, Lines};

/// How much of a file is read at once.
const READ_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body did not arrive in time")]
    Stalled,
    #[error("the body ended before its announced end")]
    Incomplete,
    #[error("the body has more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Stalled => Self::body_stalled(),
            BodyError::Incomplete => Self::body_incomplete(),
            BodyError::TooLarge { bytes_max } => Self::body_too_large(bytes_max),
        }
    }
}

/// The bytes of a request as they come in.
pub struct BodyStream(Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send + Sync>>);

impl BodyStream {
    /// Takes warp's stream, and with it the error of the guard that the accept
    /// loop put around every body.
    pub fn new<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static) -> Self {
        Self(Box::pin(stream.map(|chunk| match chunk {
            Ok(mut chunk) => Ok(chunk.copy_to_bytes(chunk.remaining())),
            Err(error) => Err(cause_of(&error)),
        })))
    }

    /// A file in the place of a body, for whoever loads one at the machine. One
    /// that cannot be read to its end is as good as half sent.
    pub fn from_reader(reader: impl AsyncRead + Send + Sync + 'static) -> Self {
        let chunks = ReaderStream::with_capacity(reader, READ_BYTES);
        Self(Box::pin(chunks.map(|chunk| chunk.map_err(|_| BodyError::Incomplete))))
    }

    pub fn empty() -> Self {
        Self(Box::pin(futures_util::stream::empty()))
    }

    /// The next chunk; `None` only at the body's true end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.0.next().await.transpose()
    }

    /// The stream itself, for parsers that want one.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + Sync + 'static {
        self.0
    }

    /// The whole body in memory, at most `bytes_max` of it.
    pub async fn collect(mut self, bytes_max: u64) -> Result<Bytes, BodyError> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let mut whole = BytesMut::from(first);
        loop {
            if whole.len() as u64 > bytes_max {
                return Err(BodyError::TooLarge { bytes_max });
            }
            match self.next().await? {
                Some(chunk) => whole.extend_from_slice(&chunk),
                None => return Ok(whole.freeze()),
            }
        }
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}

fn cause_of(error: &(dyn std::error::Error + 'static)) -> BodyError {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    if causes.any(|cause| cause.is::<Stalled>()) { BodyError::Stalled } else { BodyError::Incomplete }
}

/// A JSON document of at most `bytes_max`, as a `T`. For requests whose
/// unknown fields are to be refused, `T` says `deny_unknown_fields`.
pub async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: BodyStream,
    bytes_max: u64,
) -> Result<T, Problem> {
    json_and_bytes(headers, body, bytes_max).await.map(|(value, _)| value)
}

/// The same together with the bytes that it was read from.
pub async fn json_and_bytes<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: BodyStream,
    bytes_max: u64,
) -> Result<(T, Bytes), Problem> {
    expect_media_type(headers, &["application/json"])?;
    expect_body(headers, bytes_max)?;
    let bytes = body.collect(bytes_max).await?;
    Ok((json::parse(&bytes)?, bytes))
}

/// A body of another kind, whole.
pub async fn whole(headers: &HeaderMap, body: BodyStream, bytes_max: u64) -> Result<Bytes, Problem> {
    expect_body(headers, bytes_max)?;
    Ok(body.collect(bytes_max).await?)
}

/// The media type of the body, out of those that a route reads. Parameters
/// are allowed and mean nothing here: text is UTF-8.
pub fn expect_media_type(headers: &HeaderMap, read: &[&'static str]) -> Result<&'static str, Problem> {
    let unsupported = || Problem::media_type_unsupported(read);
    let sent = headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).ok_or_else(unsupported)?;
    let essence = sent.split(';').next().unwrap_or(sent).trim();
    let is_sent = |candidate: &&&'static str| candidate.eq_ignore_ascii_case(essence);
    read.iter().find(is_sent).copied().ok_or_else(unsupported)
}

/// Refuses by its head alone what need not be read: no body at all, a coded
/// one, one that announces too many bytes.
pub fn expect_body(headers: &HeaderMap, bytes_max: u64) -> Result<(), Problem> {
    let coding = headers.get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::encoding_unsupported());
    }
    let Some(length) = headers.get(CONTENT_LENGTH) else {
        let is_chunked = headers.contains_key(TRANSFER_ENCODING);
        return if is_chunked { Ok(()) } else { Err(Problem::length_required()) };
    };
    let length = length.to_str().ok().and_then(|length| length.parse::<u64>().ok());
    let is_fine = length.is_some_and(|length| length <= bytes_max);
    if is_fine { Ok(()) } else { Err(Problem::body_too_large(bytes_max)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    /// A body that comes in these pieces.
    pub(crate) fn body(pieces: &[&'static str]) -> BodyStream {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        BodyStream(Box::pin(futures_util::stream::iter(pieces)))
    }

    /// A body that breaks off after these pieces.
    pub(crate) fn broken_body(pieces: &[&'static str]) -> BodyStream {
        let end = futures_util::stream::iter([Err(BodyError::Incomplete)]);
        BodyStream(Box::pin(body(pieces).0.chain(end)))
    }

    fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    async fn read(fields: &[(HeaderName, &'static str)], body: BodyStream) -> Result<u8, u16> {
        json::<u8>(&headers(fields), body, 8).await.map_err(|problem| problem.status().as_u16())
    }

    #[tokio::test]
    async fn json_is_read_by_length_or_chunked() {
        let by_length = [(CONTENT_TYPE, "application/json; charset=utf-8"), (CONTENT_LENGTH, "2")];
        assert_eq!(read(&by_length, body(&["4", "2"])).await, Ok(42));
        let chunked = [(CONTENT_TYPE, "Application/JSON"), (TRANSFER_ENCODING, "chunked")];
        assert_eq!(read(&chunked, body(&["42"])).await, Ok(42));
    }

    #[tokio::test]
    async fn a_file_is_read_like_a_body() {
        let whole = BodyStream::from_reader(&b"a\nb"[..]).collect(3).await.unwrap();
        assert_eq!(whole, &b"a\nb"[..]);
        let folder = tokio::fs::File::open("/").await.unwrap();
        assert_eq!(BodyStream::from_reader(folder).collect(3).await, Err(BodyError::Incomplete));
    }

    #[tokio::test]
    async fn what_is_no_plain_json_is_refused_by_its_head() {
        assert_eq!(read(&[(CONTENT_LENGTH, "2")], body(&["42"])).await, Err(415));
        let text = [(CONTENT_TYPE, "text/plain"), (CONTENT_LENGTH, "2")];
        assert_eq!(read(&text, body(&["42"])).await, Err(415));
        let gzip = [(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "2"), (CONTENT_ENCODING, "gzip")];
        assert_eq!(read(&gzip, body(&["42"])).await, Err(415));
        assert_eq!(read(&[(CONTENT_TYPE, "application/json")], BodyStream::empty()).await, Err(411));
    }

    #[tokio::test]
    async fn too_many_bytes_are_refused_announced_or_not() {
        let announced = [(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "9")];
        assert_eq!(read(&announced, body(&["        1"])).await, Err(413));
        let chunked = [(CONTENT_TYPE, "application/json"), (TRANSFER_ENCODING, "chunked")];
        assert_eq!(read(&chunked, body(&["      ", "  1"])).await, Err(413));
        assert_eq!(read(&chunked, body(&["      ", " 1"])).await, Ok(1));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let chunked = [(CONTENT_TYPE, "application/json"), (TRANSFER_ENCODING, "chunked")];
        assert_eq!(read(&chunked, broken_body(&["4"])).await, Err(400));
    }
}
