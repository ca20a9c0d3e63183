//! Forms with files. The first line is the Content-Type, the rest the body: it
//! is read the same in pieces of any size.

use ::http::HeaderMap;
use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use tokio::runtime::Builder;
use zhengming::http::multipart::{Parts, boundary};

use super::lines;

const BODY_BYTES_MAX: u64 = 1 << 20;
const PART_BYTES_MAX: usize = 64 * 1024;
const NAME: &str = "file";

pub fn run(data: &[u8]) {
    let Some(end) = data.iter().position(|b| *b == b'\n') else { return };
    let (media_type, body) = (data[..end].trim_ascii(), &data[end + 1..]);
    let Ok(media_type) = HeaderValue::from_bytes(media_type) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, body.len().into());
    let Ok(boundary) = boundary(&headers, BODY_BYTES_MAX) else { return };
    let whole = parts(body, &boundary, 64 * 1024);
    assert_eq!(parts(body, &boundary, 5), whole);
    if let Ok(parts_read) = whole
        && parts_read.iter().all(|part| !part.as_ref().is_some_and(|part| has(part, boundary.as_bytes())))
    {
        let parts_read: Vec<Vec<u8>> = parts_read.into_iter().flatten().collect();
        let written = written(&parts_read, &boundary);
        let again: Vec<_> = parts_read.into_iter().map(Some).collect();
        assert_eq!(parts(&written, &boundary, 64 * 1024), Ok(again));
    }
}

/// Each part, `None` for one that is too long; or why it is no form.
fn parts(body: &[u8], boundary: &str, piece: usize) -> Result<Vec<Option<Vec<u8>>>, &'static str> {
    // The reader lets others work between two pieces, and wakes itself.
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut parts = Parts::new(lines::body(body, piece), boundary.to_owned(), BODY_BYTES_MAX);
        let mut read = Vec::new();
        while let Some(part) = parts.next(NAME).await.map_err(|problem| problem.code())? {
            let part = parts.whole(part, PART_BYTES_MAX).await.map_err(|problem| problem.code())?;
            assert!(part.as_ref().is_none_or(|part| part.len() <= PART_BYTES_MAX));
            read.push(part);
        }
        Ok(read)
    })
}

fn written(parts: &[Vec<u8>], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{NAME}\"\r\n\r\n");
        body.extend([head.as_bytes(), part, b"\r\n"].concat());
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    body
}

fn has(part: &[u8], boundary: &[u8]) -> bool {
    memchr::memmem::find(part, boundary).is_some()
}
