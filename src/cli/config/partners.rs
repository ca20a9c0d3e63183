//! `[[operators]]` and `[[providers]]`: whom to ask, and how.
//!
//! Who has no entry may still push tenures or labels with a key; an operator
//! then answers from its ledger, a provider is not asked.

use crate::domain::id::{OperatorId, ProviderId};

use super::reader::Section;
use super::{ConfigError, SecretFile, values};

const ALIYUN_ENDPOINT: &str = "https://dytnsapi.aliyuncs.com";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorConfig {
    pub id: OperatorId,
    pub name: String,
    pub gateway: OperatorGateway,
    /// Its answers see through porting.
    pub follows_ports: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorGateway {
    /// The tenures that this operator pushed.
    Ledger,
    Camara(OperatorApi),
    Aliyun(AliyunApi),
}

/// Where an operator's API is and how one is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorApi {
    /// Without a slash at its end.
    pub base_url: String,
    pub token_url: String,
    pub client_id: String,
    pub client_secret_file: SecretFile,
    pub timeout_ms: u64,
}

/// The access to Alibaba Cloud's number service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliyunApi {
    /// Without a slash at its end.
    pub endpoint: String,
    pub access_key_id: String,
    pub access_key_secret_file: SecretFile,
    /// 授权码.
    pub auth_code: String,
    /// Default: `auth_code`.
    pub online_time_auth_code: String,
    pub timeout_ms: u64,
}

/// How to ask a provider what it shows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    pub id: ProviderId,
    pub lookup: LookupKind,
    /// Without a slash at its end; the API's path, or `/` and the digits, follow.
    pub lookup_url: String,
    pub lookup_key_file: SecretFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    Http,
    Baidu,
}

#[derive(Clone, Copy)]
enum Kind {
    Ledger,
    Camara,
    Aliyun,
}

pub(super) fn operators(tables: Vec<Section>) -> Result<Vec<OperatorConfig>, ConfigError> {
    let mut operators: Vec<OperatorConfig> = Vec::new();
    for section in tables {
        let header = section.place();
        let operator = operator(section)?;
        if operators.iter().any(|other| other.id == operator.id) {
            return Err(twice(header, operator.id.as_str()));
        }
        operators.push(operator);
    }
    Ok(operators)
}

pub(super) fn providers(tables: Vec<Section>) -> Result<Vec<ProviderConfig>, ConfigError> {
    let mut providers: Vec<ProviderConfig> = Vec::new();
    for section in tables {
        let header = section.place();
        let provider = provider(section)?;
        if providers.iter().any(|other| other.id == provider.id) {
            return Err(twice(header, provider.id.as_str()));
        }
        providers.push(provider);
    }
    Ok(providers)
}

fn operator(mut section: Section) -> Result<OperatorConfig, ConfigError> {
    let id: OperatorId = section.required("id", "[[operators]]", str::parse)?;
    let name = section.parsed("name", id.to_string(), values::text)?;
    let kinds = [("ledger", Kind::Ledger), ("camara", Kind::Camara), ("aliyun", Kind::Aliyun)];
    let gateway = match section.choice("gateway", &kinds)? {
        Kind::Ledger => OperatorGateway::Ledger,
        Kind::Camara => OperatorGateway::Camara(operator_api(&mut section, "gateway = \"camara\"")?),
        Kind::Aliyun => OperatorGateway::Aliyun(aliyun_api(&mut section, "gateway = \"aliyun\"")?),
    };
    section.pass_over(&["base_url", "token_url", "client_id", "client_secret_file", "timeout_ms"]);
    section.pass_over(&["endpoint", "access_key_id", "access_key_secret_file"]);
    section.pass_over(&["auth_code", "online_time_auth_code"]);
    let follows_ports = section.flag("follows_ports", false)?;
    section.finish()?;
    Ok(OperatorConfig { id, name, gateway, follows_ports })
}

fn operator_api(section: &mut Section, by: &str) -> Result<OperatorApi, ConfigError> {
    Ok(OperatorApi {
        base_url: section.required("base_url", by, values::base_url)?,
        token_url: section.required("token_url", by, values::url)?,
        client_id: section.required("client_id", by, values::text)?,
        client_secret_file: section.required_secret("client_secret_file", by)?,
        timeout_ms: section.whole("timeout_ms", 3_000, 1..=60_000)?,
    })
}

fn aliyun_api(section: &mut Section, by: &str) -> Result<AliyunApi, ConfigError> {
    let auth_code = section.required("auth_code", by, values::text)?;
    Ok(AliyunApi {
        endpoint: section.parsed("endpoint", ALIYUN_ENDPOINT.to_owned(), values::base_url)?,
        access_key_id: section.required("access_key_id", by, values::text)?,
        access_key_secret_file: section.required_secret("access_key_secret_file", by)?,
        online_time_auth_code: section.parsed("online_time_auth_code", auth_code.clone(), values::text)?,
        auth_code,
        timeout_ms: section.whole("timeout_ms", 3_000, 1..=60_000)?,
    })
}

fn provider(mut section: Section) -> Result<ProviderConfig, ConfigError> {
    let provider = ProviderConfig {
        id: section.required("id", "[[providers]]", str::parse)?,
        lookup: section.choice("lookup", &[("http", LookupKind::Http), ("baidu", LookupKind::Baidu)])?,
        lookup_url: section.required("lookup_url", "[[providers]]", values::base_url)?,
        lookup_key_file: section.required_secret("lookup_key_file", "[[providers]]")?,
    };
    section.finish()?;
    Ok(provider)
}

fn twice(place: String, id: &str) -> ConfigError {
    ConfigError { place, message: format!("{id:?} is configured twice") }
}
