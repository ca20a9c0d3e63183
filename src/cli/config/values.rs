//! The shapes of single values. Each refusal is the end of a sentence that
//! begins with the key: `store: expected sled:PATH, …`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use tokio_postgres::config::Host;

/// Where records are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    Memory,
    Sled(PathBuf),
    /// The whole URL, which may hold a password: shown without it.
    Postgres(String),
}

impl StoreUrl {
    /// The whole URL, where there is a password in it.
    pub fn with_password(&self) -> Option<&str> {
        let Self::Postgres(text) = self else { return None };
        let database = text.parse::<tokio_postgres::Config>().unwrap_or_default();
        database.get_password().map(|_| text.as_str())
    }
}

impl FromStr for StoreUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sled:") {
            return self::path(path).map(Self::Sled);
        }
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        match text.parse::<tokio_postgres::Config>() {
            Ok(database) if is_url && !database.get_hosts().is_empty() => Ok(Self::Postgres(text.into())),
            // Not repeated in the message: it may hold a password.
            _ => Err("expected sled:PATH, memory: or postgres://USER@HOST/DATABASE".into()),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sled(path) => write!(f, "sled:{}", path.display()),
            Self::Postgres(text) => {
                let database = text.parse::<tokio_postgres::Config>().unwrap_or_default();
                let ports = database.get_ports();
                let mut said = Vec::new();
                for (nth, host) in database.get_hosts().iter().enumerate() {
                    let host = match host {
                        Host::Tcp(name) => name.clone(),
                        Host::Unix(path) => path.display().to_string(),
                    };
                    // One port may be that of all.
                    let port = ports.get(nth).or_else(|| ports.first());
                    said.push(port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")));
                }
                write!(f, "postgres://{}/{}", said.join(","), database.get_dbname().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One address, or a net of them.
pub(super) fn net(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| format!("expected an IP address or a net such as 10.0.0.0/8, found {text:?}"))
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address such as 127.0.0.1:8080, found {text:?}"))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a path is not empty".into()) } else { Ok(text.into()) }
}

/// An empty one is none.
pub(super) fn optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok(if text.is_empty() { None } else { Some(text.into()) })
}

pub(super) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("a text is not empty and has no control characters".into());
    }
    Ok(text.into())
}

pub(super) fn url(text: &str) -> Result<String, String> {
    let wrong = || format!("expected a URL such as https://example.org/path, found {text:?}");
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let is_fine = matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none();
    let has_password = !url.username().is_empty() || url.password().is_some();
    if has_password {
        return Err("credentials do not belong in a URL".into());
    }
    if is_fine { Ok(text.trim().into()) } else { Err(wrong()) }
}

/// A URL to put paths behind.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let url = url(text)?;
    if url.contains('?') {
        return Err(format!("paths are put behind this URL, so it has no query: {text:?}"));
    }
    Ok(url.trim_end_matches('/').into())
}

/// A log's name is a key name of signed notes, which ends at a space or `+`.
pub fn origin(text: &str) -> Result<String, String> {
    let is_fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    if !(1..=255).contains(&text.len()) || !text.chars().all(is_fine) {
        return Err(format!("a log's name has 1 to 255 bytes, no spaces and no '+', found {text:?}"));
    }
    Ok(text.into())
}

pub(super) fn access_number(text: &str) -> Result<String, String> {
    if !((3..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("expected 3 to 20 digits, found {text:?}"));
    }
    Ok(text.into())
}
