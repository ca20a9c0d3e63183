//! Uploads line by line, for NDJSON and CSV of any length in constant memory.

use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};

use super::{BodyError, BodyStream};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line longer than the reader holds. The rest of the upload is still read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line has more than {bytes_max} bytes")]
pub struct LineTooLong {
    pub bytes_max: usize,
}

/// Cuts a body at its line ends. Lines come without `\n` or `\r\n`, numbered
/// from 1; blank ones are counted and left out. A quoted line break inside a
/// CSV field ends the line like any other: no field of ours may hold one.
#[derive(Debug)]
pub struct Lines {
    body: BodyStream,
    line_bytes_max: usize,
    body_bytes_max: u64,
    bytes_seen: u64,
    lines_seen: u64,
    digest: Sha256,
    /// What came and was not cut yet.
    chunk: Bytes,
    /// The beginning of a line whose end has not come.
    begun: BytesMut,
    /// The line at hand grew too long: its bytes are dropped up to its end.
    skipping: bool,
    at_end: bool,
}

impl Lines {
    pub fn new(body: BodyStream, line_bytes_max: usize, body_bytes_max: u64) -> Self {
        Self {
            body,
            line_bytes_max,
            body_bytes_max,
            bytes_seen: 0,
            lines_seen: 0,
            digest: Sha256::new(),
            chunk: Bytes::new(),
            begun: BytesMut::new(),
            skipping: false,
            at_end: false,
        }
    }

    /// The next line with its number; `None` only at the body's true end. An
    /// error means that the upload is not whole and must not be taken.
    #[allow(clippy::type_complexity)]
    pub async fn next(&mut self) -> Result<Option<(u64, Result<Bytes, LineTooLong>)>, BodyError> {
        loop {
            let Some(line) = self.next_raw().await? else { return Ok(None) };
            self.lines_seen += 1;
            match line {
                Ok(bytes) => {
                    let bytes = trimmed(bytes, self.lines_seen == 1);
                    if !bytes.is_empty() {
                        return Ok(Some((self.lines_seen, Ok(bytes))));
                    }
                }
                Err(too_long) => return Ok(Some((self.lines_seen, Err(too_long)))),
            }
        }
    }

    /// SHA-256 of the bytes that came: of the whole body, once `next` has
    /// returned `None`.
    pub fn digest(self) -> [u8; 32] {
        self.digest.finalize().into()
    }

    async fn next_raw(&mut self) -> Result<Option<Result<Bytes, LineTooLong>>, BodyError> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.chunk) {
                let rest = self.chunk.split_to(end);
                self.chunk.advance(1);
                return Ok(Some(self.finish(rest)));
            }
            let rest = std::mem::take(&mut self.chunk);
            if !self.refill().await? {
                let has_last_line = !rest.is_empty() || !self.begun.is_empty() || self.skipping;
                return Ok(has_last_line.then(|| self.finish(rest)));
            }
            self.keep(&rest);
        }
    }

    /// Completes the line at hand with its last part.
    fn finish(&mut self, rest: Bytes) -> Result<Bytes, LineTooLong> {
        if self.begun.is_empty() && !self.skipping && rest.len() <= self.line_bytes_max {
            return Ok(rest);
        }
        self.keep(&rest);
        if std::mem::take(&mut self.skipping) {
            return Err(LineTooLong { bytes_max: self.line_bytes_max });
        }
        Ok(self.begun.split().freeze())
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skipping || self.begun.len() + part.len() > self.line_bytes_max {
            self.skipping = true;
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(part);
        }
    }

    /// Whether another chunk came.
    async fn refill(&mut self) -> Result<bool, BodyError> {
        if self.at_end {
            return Ok(false);
        }
        let Some(chunk) = self.body.next().await? else {
            self.at_end = true;
            return Ok(false);
        };
        self.bytes_seen += chunk.len() as u64;
        if self.bytes_seen > self.body_bytes_max {
            return Err(BodyError::TooLarge { bytes_max: self.body_bytes_max });
        }
        self.digest.update(&chunk);
        self.chunk = chunk;
        Ok(true)
    }
}

fn trimmed(mut line: Bytes, is_first: bool) -> Bytes {
    if is_first && line.starts_with(BYTE_ORDER_MARK) {
        line.advance(BYTE_ORDER_MARK.len());
    }
    if line.ends_with(b"\r") {
        line.truncate(line.len() - 1);
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{body, broken_body};
    use super::*;

    async fn all(mut lines: Lines) -> Result<Vec<(u64, Option<String>)>, BodyError> {
        let mut seen = Vec::new();
        while let Some((line_no, line)) = lines.next().await? {
            seen.push((line_no, line.ok().map(|line| String::from_utf8(line.to_vec()).unwrap())));
        }
        Ok(seen)
    }

    fn ok(line_no: u64, text: &str) -> (u64, Option<String>) {
        (line_no, Some(text.to_owned()))
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_chunks_end() {
        let lines = Lines::new(body(&["\u{feff}a", "b\r", "\n\nc\nd", "", "e"]), 10, 100);
        assert_eq!(all(lines).await.unwrap(), [ok(1, "ab"), ok(3, "c"), ok(4, "de")]);
        assert_eq!(all(Lines::new(body(&[]), 10, 100)).await.unwrap(), []);
        assert_eq!(all(Lines::new(body(&["a\n"]), 10, 100)).await.unwrap(), [ok(1, "a")]);
    }

    #[tokio::test]
    async fn a_long_line_is_one_error_and_the_rest_is_read() {
        let lines = Lines::new(body(&["abcd\nabcde\nab", "cd", "ef", "gh\nx\nabcdefg"]), 4, 100);
        assert_eq!(all(lines).await.unwrap(), [ok(1, "abcd"), (2, None), (3, None), ok(4, "x"), (5, None)]);
    }

    #[tokio::test]
    async fn a_half_sent_upload_is_an_error_not_an_end() {
        assert_eq!(all(Lines::new(broken_body(&["a\nb\n"]), 10, 100)).await, Err(BodyError::Incomplete));
    }

    #[tokio::test]
    async fn the_digest_is_of_every_byte() {
        let digest_of = async |pieces| {
            let mut lines = Lines::new(body(pieces), 4, 100);
            while lines.next().await.unwrap().is_some() {}
            lines.digest()
        };
        let whole: [u8; 32] = Sha256::digest("\u{feff}a\r\n\ntoo long\nb").into();
        assert_eq!(digest_of(&["\u{feff}a\r\n\ntoo long\nb"]).await, whole);
        assert_eq!(digest_of(&["\u{feff}a", "\r\n\ntoo", " long\nb"]).await, whole);
        assert_ne!(digest_of(&["\u{feff}a\r\n\ntoo wrong\nb"]).await, whole);
    }

    #[tokio::test]
    async fn the_whole_is_capped() {
        let capped = Lines::new(body(&["a\nb\n", "c\n"]), 10, 5);
        assert_eq!(all(capped).await, Err(BodyError::TooLarge { bytes_max: 5 }));
    }

    proptest! {
        /// However a text is cut into chunks, the same lines come out.
        #[test]
        fn chunking_does_not_matter(text in "[ab\n]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let text: &'static str = Box::leak(text.into_boxed_str());
            let pieces: Vec<&'static str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            let expected: Vec<(u64, Option<String>)> = (1u64..)
                .zip(text.split('\n'))
                .filter(|(_, line)| !line.is_empty())
                .map(|(line_no, line)| (line_no, (line.len() <= 5).then(|| line.to_owned())))
                .collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let seen = runtime.block_on(all(Lines::new(body(&pieces), 5, 1000))).unwrap();
            prop_assert_eq!(seen, expected);
        }
    }
}
