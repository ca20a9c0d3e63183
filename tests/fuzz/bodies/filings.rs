//! Lists of numbers that an enterprise files: a JSON object, or CSV. No number
//! is lost: each is taken or rejected.

use super::http::Answer;
use super::town::ask;

const QUERY: &str = "reason=name_mismatch&name=%E5%8E%A6%E9%97%A8%E6%9F%90%E6%9F%90%E7%A7%91%E6%8A%80%E6%9C%89%E9%99%90%E5%85%AC%E5%8F%B8\
    &uscc=91350211M000100Y46";

pub fn run(data: &[u8]) {
    if data.len() > 256 * 1024 {
        return;
    }
    let is_json = data.trim_ascii_start().starts_with(b"{");
    let (query, media_type) = if is_json { ("", "application/json") } else { (QUERY, "text/csv") };
    let key = crc32fast::hash(data);
    let head = format!(
        "POST /v1/filings?{query} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {{holder}}\r\n\
         content-type: {media_type}\r\nidempotency-key: {key}\r\ncontent-length: {{length}}\r\n\r\n"
    );
    let answered = ask(&[head.as_bytes(), data].concat());
    let answer = Answer::first(&answered).expect("it is HTTP");
    answer.is_in_order();
    if answer.status != 201 {
        return;
    }
    let filed = answer.json();
    let accepted = filed["accepted"].as_u64().expect("a count");
    let rejected = filed["rejected"].as_array().expect("a list");
    assert!((1..=500).contains(&(accepted + rejected.len() as u64)), "{filed}");
    for line in rejected {
        // Nothing is repeated that is not like a number.
        let number = line["number"].as_str().unwrap_or_default();
        assert!(number.len() <= 16 && number.bytes().all(|b| b.is_ascii_digit() || b == b'+'), "{line}");
    }
}
