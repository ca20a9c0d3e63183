//! Cookies: read from a request, written for an answer. All of them are for
//! our own pages only (`HttpOnly`, `SameSite=Strict`), and where the service
//! is reached over TLS they never travel without it.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// A cookie by its name, where it is sent to, and for how long it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookie<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub seconds_max: i64,
}

/// Over TLS the name itself says that nobody else can have set it.
fn full_name(name: &str, path: &str, secure: bool) -> String {
    match (secure, path) {
        (true, "/") => format!("__Host-zm_{name}"),
        (true, _) => format!("__Secure-zm_{name}"),
        (false, _) => format!("zm_{name}"),
    }
}

impl Cookie<'_> {
    pub fn read<'h>(&self, headers: &'h HeaderMap, secure: bool) -> Option<&'h str> {
        self.read_all(headers, secure).next()
    }

    /// Several paths may have one of the name, and all are sent.
    pub fn read_all<'h>(
        &self,
        headers: &'h HeaderMap,
        secure: bool,
    ) -> impl Iterator<Item = &'h str> + use<'h> {
        let name = full_name(self.name, self.path, secure);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    /// `value` is one of ours: base64url and the like.
    pub fn set(&self, value: &str, secure: bool) -> HeaderValue {
        self.line(value, self.seconds_max, secure)
    }

    pub fn remove(&self, secure: bool) -> HeaderValue {
        self.line("", 0, secure)
    }

    fn line(&self, value: &str, seconds: i64, secure: bool) -> HeaderValue {
        let name = full_name(self.name, self.path, secure);
        let only_tls = if secure { "; Secure" } else { "" };
        let path = self.path;
        let line =
            format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{only_tls}");
        HeaderValue::from_str(&line).expect("our cookies' values are visible ASCII")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOLDER: Cookie<'_> = Cookie { name: "holder", path: "/", seconds_max: 60 };

    #[test]
    fn a_cookie_is_read_back_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; zm_holder=one; xzm_holder=two"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-zm_holder=three"));
        assert_eq!(HOLDER.read(&headers, false), Some("one"));
        assert_eq!(HOLDER.read(&headers, true), Some("three"), "over TLS only what TLS set");
        let absent = Cookie { name: "draft", ..HOLDER };
        assert_eq!(absent.read(&headers, false), None);
    }

    #[test]
    fn a_cookie_is_for_our_pages_only() {
        let plain = "zm_holder=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict";
        assert_eq!(HOLDER.set("x", false), plain);
        let within = Cookie { path: "/d/1", ..HOLDER };
        let gone = "__Secure-zm_holder=; Path=/d/1; Max-Age=0; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(within.remove(true), gone);
    }
}
