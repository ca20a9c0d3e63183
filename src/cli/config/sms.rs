//! `[sms]`: how messages leave, and how holders' messages come in.

use std::path::{Path, PathBuf};

use super::reader::Section;
use super::{ConfigError, SecretFile, values};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsConfig {
    pub gateway: SmsGateway,
    /// Where holders send their text.
    pub access_number: String,
    /// Authenticates the gateway's inbound call; without it none is taken.
    pub inbound_token_file: Option<SecretFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmsGateway {
    /// One line of JSON for each message, at the end of a file.
    Outbox {
        outbox_file: PathBuf,
    },
    Kannel {
        send_url: String,
        username: String,
        password_file: SecretFile,
    },
    Http {
        url: String,
        hmac_key_file: SecretFile,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Outbox,
    Kannel,
    Http,
}

impl SmsConfig {
    /// Keys of the gateways that are not chosen may stay in the file.
    pub(super) fn read(mut section: Section, data_dir: &Path) -> Result<Self, ConfigError> {
        let default = Self::in_folder(data_dir);
        let outbox = section.parsed("outbox_file", outbox_file(data_dir), values::path)?;
        let kinds = [("outbox", Kind::Outbox), ("kannel", Kind::Kannel), ("http", Kind::Http)];
        let gateway = match section.choice("gateway", &kinds)? {
            Kind::Outbox => SmsGateway::Outbox { outbox_file: outbox },
            Kind::Kannel => SmsGateway::Kannel {
                send_url: section.required("send_url", "gateway = \"kannel\"", values::url)?,
                username: section.required("username", "gateway = \"kannel\"", values::text)?,
                password_file: section.required_secret("password_file", "gateway = \"kannel\"")?,
            },
            Kind::Http => SmsGateway::Http {
                url: section.required("url", "gateway = \"http\"", values::url)?,
                hmac_key_file: section.required_secret("hmac_key_file", "gateway = \"http\"")?,
            },
        };
        section.pass_over(&["send_url", "username", "password_file", "url", "hmac_key_file"]);
        let config = Self {
            gateway,
            access_number: section.parsed("access_number", default.access_number, values::access_number)?,
            inbound_token_file: section.secret("inbound_token_file")?,
        };
        section.finish()?;
        Ok(config)
    }

    /// The defaults, with the outbox in the given folder.
    pub(super) fn in_folder(data_dir: &Path) -> Self {
        Self {
            gateway: SmsGateway::Outbox { outbox_file: outbox_file(data_dir) },
            access_number: "10690000".into(),
            inbound_token_file: None,
        }
    }
}

fn outbox_file(data_dir: &Path) -> PathBuf {
    data_dir.join("outbox.ndjson")
}
