//! ACS3-HMAC-SHA256: how a request to Alibaba Cloud's OpenAPI is signed (V3),
//! for calls of the RPC style without a body.
//!
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::domain::hex::hex;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

pub(super) struct ToSign<'a> {
    pub host: &'a str,
    pub action: &'a str,
    pub version: &'a str,
    /// In UTC, to the second: `2023-10-26T10:22:32Z`.
    pub date: &'a str,
    /// Used once.
    pub nonce: &'a str,
    /// As `query` makes it.
    pub query: &'a str,
}

/// Parameters in their order, encoded as RFC 3986 says.
pub(super) fn query(parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let pairs: Vec<String> =
        sorted.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

impl ToSign<'_> {
    /// The headers to send, `host` left out: whoever sends sets it.
    pub fn headers(&self, access_key_id: &str, access_key_secret: &str) -> [(&'static str, String); 6] {
        let content_hash = hex(&Sha256::digest(b""));
        let signed = [
            ("host", self.host),
            ("x-acs-action", self.action),
            ("x-acs-content-sha256", content_hash.as_str()),
            ("x-acs-date", self.date),
            ("x-acs-signature-nonce", self.nonce),
            ("x-acs-version", self.version),
        ];
        let names = signed.map(|(name, _)| name).join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n{}\n{lines}\n{names}\n{content_hash}", self.query);
        let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(access_key_secret.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(to_sign.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        [
            (
                "authorization",
                format!("{ALGORITHM} Credential={access_key_id},SignedHeaders={names},Signature={signature}"),
            ),
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", content_hash),
            ("x-acs-date", self.date.to_owned()),
            ("x-acs-signature-nonce", self.nonce.to_owned()),
            ("x-acs-version", self.version.to_owned()),
        ]
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the documentation, "Signature method" and
    /// "Sample signature with fixed parameters":
    /// <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>
    #[test]
    fn the_published_example() {
        let query = query(&[
            ("RegionId", "cn-shanghai"),
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
        ]);
        assert_eq!(query, "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai");
        let to_sign = ToSign {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            date: "2023-10-26T10:22:32Z",
            nonce: "3156853299f313e23d1673dc12e1703d",
            query: &query,
        };
        let headers = to_sign.headers("YourAccessKeyId", "YourAccessKeySecret");
        assert_eq!(
            headers[0].1,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
        assert_eq!(
            headers[2].1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "the documentation's hash of an empty body"
        );
    }

    #[test]
    fn values_are_encoded_as_the_documentation_says() {
        assert_eq!(
            query(&[("b", "2018-01-01 00:00:00"), ("a", "*~号+/=&")]),
            "a=%2A~%E5%8F%B7%2B%2F%3D%26&b=2018-01-01%2000%3A00%3A00"
        );
    }
}
