//! Requests as they come over the wire: heads, queries, cookies, bodies, to any
//! route. Whatever is asked, it is answered in good order.

use ::http::StatusCode;
use serde_json::Value;

use super::town::ask;

/// Every field that we ever send, so that nobody makes us send another.
const FIELDS: &[&str] = &[
    "accept-ranges",
    "allow",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "location",
    "permissions-policy",
    "ratelimit",
    "ratelimit-policy",
    "referrer-policy",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-correlator",
    "x-frame-options",
    "x-request-id",
    "zhengming-next",
    "zhengming-size",
    "content-range",
];

/// An answer, as far as it has to be understood here.
pub struct Answer<'a> {
    pub status: u16,
    fields: Vec<(String, &'a str)>,
    pub body: &'a [u8],
}

pub fn run(data: &[u8]) {
    let answered = ask(data);
    let Some(mut answer) = Answer::first(&answered) else {
        // Closed without a word: that is no HTTP.
        assert!(answered.is_empty(), "{}", String::from_utf8_lossy(&answered));
        return;
    };
    if data.starts_with(b"HEAD ") {
        // What follows is the next answer.
        answer.body = b"";
    }
    answer.is_in_order();
}

/// How a request is answered; `None`: not at all.
pub fn status(data: &[u8]) -> Option<u16> {
    Answer::first(&ask(data)).map(|answer| answer.status)
}

impl<'a> Answer<'a> {
    /// The first of what came back.
    pub fn first(answered: &'a [u8]) -> Option<Self> {
        let end = memchr::memmem::find(answered, b"\r\n\r\n")?;
        let head = str::from_utf8(&answered[..end]).expect("heads are ASCII");
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let field = |line: &'a str| {
            let (name, value) = line.split_once(": ").expect("a field has a name");
            (name.to_ascii_lowercase(), value)
        };
        let mut answer = Self { status, fields: lines.map(field).collect(), body: &answered[end + 4..] };
        if let Some(length) = answer.field("content-length") {
            answer.body = &answer.body[..answer.body.len().min(length.parse().expect("a length"))];
        }
        Some(answer)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body).expect("it is JSON")
    }

    /// Well refused, or done; never broken.
    pub fn is_in_order(&self) {
        let said = String::from_utf8_lossy(self.body);
        assert!((200..500).contains(&self.status), "{} {said}", self.status);
        for (name, value) in &self.fields {
            assert!(FIELDS.contains(&name.as_str()), "{name}: {value}");
        }
        // What is no HTTP is refused before it is a request.
        let is_the_protocols = [400, 414, 431].contains(&self.status) && self.body.is_empty();
        assert!(is_the_protocols || self.field("x-request-id").is_some(), "{} {said}", self.status);
        if self.field("content-type") == Some("application/problem+json") && !self.body.is_empty() {
            self.is_a_problem();
        }
    }

    fn is_a_problem(&self) {
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(StatusCode::from_u16(self.status).is_ok_and(|status| status.is_client_error()));
        let code = problem["code"].as_str().expect("a problem has a code");
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{code}");
        assert!(problem["detail"].as_str().is_none_or(|detail| detail.chars().count() < 1_000));
    }
}
