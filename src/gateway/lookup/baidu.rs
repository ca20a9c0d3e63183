//! 百度号码标记 (SPNS `phone-tag/1.0`), built from its public documentation:
//! <https://cloud.baidu.com/doc/SPNS/s/vknsozsfl>, signed as all of 百度智能云 is:
//! <https://cloud.baidu.com/doc/Reference/s/njwvz1yfu>.
//!
//! It tells of mobiles (by the SHA-1 of their digits) one code, without count
//! or dates, and of names nothing. Landlines want a cipher whose key its support
//! hands out and whose encoding is not documented: they are not asked about.

use std::fmt;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::RESPONSE_BYTES_MAX;
use crate::casework::ports::{LookUp, NoAnswer};
use crate::domain::hex::hex;
use crate::domain::label::LabelKind;
use crate::domain::number::Number;
use crate::gateway::exchange::{self, Received, alarm, later};
use crate::gateway::{Misconfigured, Now};

const PATH: &str = "/haoma-cloud/openapi/phone-tag/1.0";
const SIGNED_FOR_S: u32 = 1_800;
const SIGNED_HEADERS: &str = "host;x-bce-date";
/// 中国, without which its numbers have 11 digits that begin with a 1.
const COUNTRY: &str = "86";
const MOBILE_DIGITS: usize = 11;

pub struct BaiduLookUp {
    client: Client,
    url: Url,
    keys: Keys,
    now: Now,
}

/// Access Key ID, Secret Access Key, and what the service was opened with.
#[derive(Clone)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    appkey: String,
}

impl BaiduLookUp {
    /// `keys`: the three of them, in the order of their documentation, with
    /// space or newlines between.
    pub fn new(lookup_url: &str, keys: &str, now: Now) -> Result<Self, Misconfigured> {
        let wrong = |key, why: &str| Misconfigured { key, why: why.to_owned() };
        let mut url = exchange::url("lookup_url", lookup_url)?;
        let client = exchange::client("lookup_url", &[&url])?;
        url.set_path(&format!("{}{PATH}", url.path().trim_end_matches('/')));
        let words: Vec<&str> = keys.split_whitespace().collect();
        let [access_key_id, secret_access_key, appkey] = words.as_slice() else {
            return Err(wrong("lookup_key_file", "it needs access key id, secret access key and appkey"));
        };
        let keys = Keys {
            access_key_id: (*access_key_id).to_owned(),
            secret_access_key: (*secret_access_key).to_owned(),
            appkey: (*appkey).to_owned(),
        };
        Ok(Self { client, url, keys, now })
    }

    /// What came back for a number, as lines of an upload.
    pub fn read(&self, number: Number, received: &Received) -> Result<Vec<String>, NoAnswer> {
        let phone = hashed_mobile(number).ok_or(NoAnswer::Unsupported)?;
        read(super::body(received)?, &phone, number)
    }

    /// As it goes into the `Host` field.
    fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))
    }
}

#[async_trait]
impl LookUp for BaiduLookUp {
    fn kinds(&self) -> &'static [LabelKind] {
        &[LabelKind::Category]
    }

    async fn ask(&self, number: Number) -> Result<Vec<String>, NoAnswer> {
        let phone = hashed_mobile(number).ok_or(NoAnswer::Unsupported)?;
        let date = Timestamp::from_second((self.now)().as_second()).map_err(|_| NoAnswer::Malformed)?;
        let date = date.to_string();
        let headers = [("host", self.host()), ("x-bce-date", date.clone())];
        let authorization = self.keys.sign("POST", self.url.path(), "", &headers, SIGNED_HEADERS, &date);
        let body = json!({ "appkey": self.keys.appkey, "phone": phone }).to_string();
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("x-bce-date", &date)
            .header(AUTHORIZATION, authorization)
            .body(body);
        let received = exchange::exchange(request, RESPONSE_BYTES_MAX).await?;
        self.read(number, &received)
    }
}

impl Keys {
    /// `bce-auth-v1`: a key for this moment, and with it the request's
    /// canonical form. Paths and queries come as they are sent.
    fn sign(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, String)],
        signed: &str,
        date: &str,
    ) -> String {
        let prefix = format!("bce-auth-v1/{}/{date}/{SIGNED_FOR_S}", self.access_key_id);
        let signing_key = mac(&self.secret_access_key, &prefix);
        let line = |(name, value): &(&str, String)| format!("{name}:{}", percent_encoded(value.trim()));
        let headers: Vec<String> = headers.iter().map(line).collect();
        let canonical = format!("{method}\n{path}\n{query}\n{}", headers.join("\n"));
        format!("{prefix}/{signed}/{}", mac(&signing_key, &canonical))
    }
}

fn mac(key: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    hex(&mac.chain_update(text).finalize().into_bytes())
}

/// RFC 3986's unreserved characters stay.
fn percent_encoded(text: &str) -> String {
    let encoded = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(encoded).collect()
}

fn hashed_mobile(number: Number) -> Option<String> {
    let digits = number.digits().to_string();
    let national = digits.strip_prefix(COUNTRY)?;
    let is_mobile = national.len() == MOBILE_DIGITS && national.starts_with('1');
    is_mobile.then(|| hex(&Sha1::digest(national)))
}

#[derive(Deserialize)]
struct Answer {
    code: Value,
    result: Option<Tagged>,
}

#[derive(Deserialize)]
struct Tagged {
    phone: String,
    remark_types: Option<Remark>,
}

#[derive(Deserialize)]
struct Remark {
    code: Option<Value>,
    code_type: Option<String>,
}

fn read(body: &[u8], phone: &str, number: Number) -> Result<Vec<String>, NoAnswer> {
    let Answer { code, result } = serde_json::from_slice(body).map_err(|_| NoAnswer::Malformed)?;
    match plain(&code).ok_or(NoAnswer::Malformed)?.as_str() {
        "10000" => {}
        "20001" => return Err(later("20001").into()),
        // Our request, our account or our address is not to their liking.
        code @ ("10001" | "10002" | "20002" | "30001") => return Err(alarm(code).into()),
        _ => return Err(NoAnswer::Malformed),
    }
    let Tagged { phone: told, remark_types } = result.ok_or(NoAnswer::Malformed)?;
    if !told.eq_ignore_ascii_case(phone) {
        return Err(NoAnswer::Malformed);
    }
    let remark = remark_types.and_then(|remark| Some((remark.code?, remark.code_type)));
    let Some((code, text)) = remark else { return Ok(Vec::new()) };
    let code = plain(&code).ok_or(NoAnswer::Malformed)?;
    if code.is_empty() {
        return Ok(Vec::new());
    }
    let number = number.to_string();
    Ok(vec![json!({ "number": number, "kind": "category", "code": code, "text": text }).to_string()])
}

/// Codes are documented as texts, and read also where they come as numbers.
fn plain(code: &Value) -> Option<String> {
    match code {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl fmt::Debug for BaiduLookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaiduLookUp").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of 百度's own SDKs.
    #[test]
    fn signs_as_the_documentation_says() {
        let keys = Keys {
            access_key_id: "0b0f67dfb88244b289b72b142befad0c".into(),
            secret_access_key: "bad522c2126a4618a8125f4b6cf6356f".into(),
            appkey: String::new(),
        };
        let date = "2015-04-27T08:23:49Z";
        let headers = [
            ("content-length", "8".to_owned()),
            ("content-md5", "0a52730597fb4ffa01fc117d9e71e3a9".to_owned()),
            ("content-type", "text/plain".to_owned()),
            ("host", "bj.bcebos.com".to_owned()),
            ("x-bce-date", date.to_owned()),
        ];
        let signed = "content-length;content-md5;content-type;host;x-bce-date";
        let query = "partNumber=9&uploadId=VXBsb2FkIElpZS5tMnRzIHVwbG9hZA";
        assert_eq!(
            keys.sign("PUT", "/v1/test/myfolder/readme.txt", query, &headers, signed, date),
            format!(
                "bce-auth-v1/0b0f67dfb88244b289b72b142befad0c/{date}/1800/{signed}/\
                 a19e6386e990691aca1114a20357c83713f1cb4be3d74942bb4ed37469ecdacf"
            )
        );
    }
}
