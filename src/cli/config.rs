//! The configuration: one TOML file, overridden by `ZHENGMING_…` variables.
//!
//! Every key has a default; `fixtures/zhengming.toml` shows them all. A key
//! that is not known is refused with its line, so that a typing error cannot
//! switch a limit off. `ZHENGMING_LISTEN` overrides a key at the top,
//! `ZHENGMING_FEED__ORIGIN` one of a section (lists are divided by commas);
//! arrays of tables are set in the file only. Variables that name no section
//! and no key are left alone: container platforms invent some from a
//! service's name.
//!
//! Relative paths are relative to the working directory, as on a command line.
//!
//! Absent: reading files and the environment, and opening what is configured.

mod feed;
mod limits;
mod partners;
mod reader;
mod secret_file;
mod sms;
mod values;

pub(super) use values::origin;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

pub use feed::{FeedConfig, PublishReleases};
pub use limits::LimitsConfig;
pub use partners::{AliyunApi, LookupKind, OperatorApi, OperatorConfig, OperatorGateway, ProviderConfig};
pub use secret_file::SecretFile;
pub use sms::{SmsConfig, SmsGateway};
pub use values::StoreUrl;

use reader::Section;

/// A configuration that cannot be used: `zhengming.toml:12: unknown key "feeed"; is feed meant?`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// `file:line`, or the name of a variable.
    pub place: String,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    /// Health, metrics, and the command line's way in.
    pub admin_listen: SocketAddr,
    /// Without a slash at its end.
    pub public_url: String,
    pub data_dir: PathBuf,
    /// What all instances have to see: uploads under way, documents. `None`:
    /// the data folder.
    pub shared_dir: Option<PathBuf>,
    /// How many share the database: each has its part of the rates.
    pub instances: u32,
    /// Overrides the reference data that is built in.
    pub reference_dir: Option<PathBuf>,
    pub disk_free_bytes_min: u64,
    pub store: StoreUrl,
    /// `X-Forwarded-For` is believed only from these.
    pub trusted_proxies: Vec<IpNet>,
    pub feed: FeedConfig,
    pub sms: SmsConfig,
    pub operators: Vec<OperatorConfig>,
    pub providers: Vec<ProviderConfig>,
    pub altcha: AltchaConfig,
    pub limits: LimitsConfig,
}

/// More than one machine needs; a typing error is not a fleet.
const INSTANCES_MAX: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AltchaConfig {
    /// How much work a proof takes; 0 switches it off.
    pub max_number: u32,
}

impl Config {
    /// `file_name` is used in messages only. Of `env`, what does not begin
    /// with `ZHENGMING_` is passed over.
    pub fn load(
        text: &str,
        file_name: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut root = Section::root(text, file_name, env)?;
        let default = Self::default();

        let listen = root.parsed("listen", default.listen, values::address)?;
        let admin_listen = root.parsed("admin_listen", default.admin_listen, |text| {
            let admin = values::address(text)?;
            let is_taken = admin == listen && admin.port() != 0;
            if is_taken { Err("listen has the same address already".to_owned()) } else { Ok(admin) }
        })?;
        let data_dir = root.parsed("data_dir", default.data_dir, values::path)?;
        let config = Self {
            listen,
            admin_listen,
            public_url: root.parsed("public_url", default.public_url, values::base_url)?,
            shared_dir: root.parsed("shared_dir", None, values::optional_path)?,
            instances: root.whole("instances", default.instances, 1..=INSTANCES_MAX)?,
            reference_dir: root.parsed("reference_dir", None, values::optional_path)?,
            disk_free_bytes_min: root.whole(
                "disk_free_bytes_min",
                default.disk_free_bytes_min,
                0..=u64::MAX,
            )?,
            store: root.parsed("store", StoreUrl::Sled(data_dir.join("db")), str::parse)?,
            trusted_proxies: root.list("trusted_proxies", values::net)?,
            feed: FeedConfig::read(root.section("feed")?)?,
            sms: SmsConfig::read(root.section("sms")?, &data_dir)?,
            operators: partners::operators(root.tables("operators")?)?,
            providers: partners::providers(root.tables("providers")?)?,
            altcha: AltchaConfig::read(root.section("altcha")?)?,
            limits: LimitsConfig::read(root.section("limits")?)?,
            data_dir,
        };
        root.finish()?;
        Ok(config)
    }
}

impl Default for Config {
    fn default() -> Self {
        let data_dir = PathBuf::from("./zhengming-data");
        Self {
            listen: loopback(8080),
            admin_listen: loopback(9090),
            public_url: "http://127.0.0.1:8080".into(),
            shared_dir: None,
            instances: 1,
            reference_dir: None,
            disk_free_bytes_min: 256 * 1024 * 1024,
            store: StoreUrl::Sled(data_dir.join("db")),
            trusted_proxies: Vec::new(),
            feed: FeedConfig::default(),
            sms: SmsConfig::in_folder(&data_dir),
            operators: Vec::new(),
            providers: Vec::new(),
            altcha: AltchaConfig::default(),
            limits: LimitsConfig::default(),
            data_dir,
        }
    }
}

impl AltchaConfig {
    fn read(mut section: Section) -> Result<Self, ConfigError> {
        let default = Self::default();
        let config = Self { max_number: section.whole("max_number", default.max_number, 0..=u32::MAX)? };
        section.finish()?;
        Ok(config)
    }
}

impl Default for AltchaConfig {
    fn default() -> Self {
        Self { max_number: 50_000 }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
