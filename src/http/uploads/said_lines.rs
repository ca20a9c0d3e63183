//! The loop under every upload: from a body, or a file, to what its lines say.

use http::{HeaderMap, StatusCode};

use crate::domain::lines::{LineError, LineFormat};
use crate::http::body::{Lines, expect_media_type};
use crate::http::problem::{Code, Problem};

/// Longer lines are refused each for itself; any of ours has a tenth of it.
pub const LINE_BYTES_MAX: usize = 4 * 1024;
/// Ten million lines of 200 bytes.
pub const UPLOAD_BYTES_MAX: u64 = 2_000_000_000;
const LINES_MAX: u64 = 10_000_000;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// How an upload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Ndjson,
    /// With a header.
    Csv,
}

impl Form {
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let sent = expect_media_type(headers, &[NDJSON, CSV])?;
        Ok(if sent == CSV { Self::Csv } else { Self::Ndjson })
    }
}

/// The lines of an upload in the order in which they were sent, each as what
/// it says or why it says nothing. Numbers of lines are those an editor shows.
#[derive(Debug)]
pub struct SaidLines {
    lines: Lines,
    format: LineFormat,
    taken: u64,
    lines_max: u64,
}

impl SaidLines {
    /// Reads the header, where the form has one.
    pub async fn begin(form: Form, mut lines: Lines, columns: &[&str]) -> Result<Self, Problem> {
        let format = match form {
            Form::Ndjson => LineFormat::Json,
            Form::Csv => {
                let header = lines.next().await?.and_then(|(_, header)| header.ok());
                let header = header.ok_or_else(|| Problem::body_malformed("the CSV header is missing"))?;
                LineFormat::csv(&header, columns).map_err(Problem::body_malformed)?
            }
        };
        Ok(Self { lines, format, taken: 0, lines_max: LINES_MAX })
    }

    /// The next line with its number; `None` only at the upload's true end. An
    /// error means that the upload is not whole, and nothing of it counts.
    pub async fn next<T>(
        &mut self,
        parse: impl FnOnce(&[u8], &LineFormat) -> Result<T, LineError>,
    ) -> Result<Option<(u64, Result<T, LineError>)>, Problem> {
        let Some((number, line)) = self.lines.next().await? else { return Ok(None) };
        if self.taken == self.lines_max {
            return Err(too_many_lines(self.lines_max));
        }
        self.taken += 1;
        let said = line.map_err(|_| LineError::LineTooLong).and_then(|line| parse(&line, &self.format));
        Ok(Some((number, said)))
    }

    /// How many lines there were, good and bad.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// SHA-256 of the upload's bytes, once `next` has returned `None`.
    pub fn digest(self) -> [u8; 32] {
        self.lines.digest()
    }
}

fn too_many_lines(lines_max: u64) -> Problem {
    let detail = format!("an upload may have {lines_max} lines at most; send the rest in another");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TOO_MANY_LINES, detail).with("lines_max", lines_max)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::body::BodyStream;

    async fn begin(form: Form, text: &'static str) -> Result<SaidLines, Problem> {
        let lines = Lines::new(BodyStream::from_reader(text.as_bytes()), 12, 1_000);
        SaidLines::begin(form, lines, &["a", "b"]).await
    }

    fn length(line: &[u8], _: &LineFormat) -> Result<usize, LineError> {
        if line == b"bad" { Err(LineError::LineMalformed) } else { Ok(line.len()) }
    }

    async fn all(mut lines: SaidLines) -> Vec<(u64, Result<usize, LineError>)> {
        let mut seen = Vec::new();
        while let Some(said) = lines.next(length).await.unwrap() {
            seen.push(said);
        }
        assert_eq!(lines.taken(), seen.len() as u64);
        seen
    }

    #[tokio::test]
    async fn each_line_counts_for_itself() {
        let lines = begin(Form::Ndjson, "\u{feff}{}\n\nbad\nfar too long a line\n{}").await.unwrap();
        let expected =
            [(1, Ok(2)), (3, Err(LineError::LineMalformed)), (4, Err(LineError::LineTooLong)), (5, Ok(2))];
        assert_eq!(all(lines).await, expected);
    }

    #[tokio::test]
    async fn the_header_is_line_one() {
        let lines = begin(Form::Csv, "\u{feff}b,a\r\n1,2\r\n").await.unwrap();
        assert_eq!(all(lines).await, [(2, Ok(3))]);
        for text in ["", "\n\n", "a very long header\n1", "a,c\n"] {
            assert_eq!(begin(Form::Csv, text).await.unwrap_err().status(), 400, "{text:?}");
        }
    }

    #[tokio::test]
    async fn one_line_too_many_ends_it() {
        let mut lines = begin(Form::Ndjson, "{}\nbad\n\n{}").await.unwrap();
        lines.lines_max = 2;
        assert!(lines.next(length).await.unwrap().is_some());
        assert!(lines.next(length).await.unwrap().is_some());
        let problem = lines.next(length).await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.code()), (413, "too_many_lines"));
    }
}
