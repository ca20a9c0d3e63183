//! Whom we ask, out of `[[operators]]` and `[[providers]]`.

use std::sync::Arc;

use crate::casework::AskedOperator;
use crate::casework::lookups::AskedProvider;
use crate::casework::ports::{LookUp, Operator};
use crate::cli::config::{
    AliyunApi, LookupKind, OperatorApi, OperatorConfig, OperatorGateway, ProviderConfig,
};
use crate::cli::house::{World, now_of};
use crate::cli::{Failed, secrets};
use crate::gateway::aliyun::{Aliyun, AliyunConfig};
use crate::gateway::camara::{Camara, CamaraConfig};
use crate::gateway::lookup::baidu::BaiduLookUp;
use crate::gateway::lookup::http::HttpLookUp;

/// The answer of an operator is a few hundred bytes.
const OPERATOR_RESPONSE_BYTES_MAX: usize = 64 * 1024;

pub(super) fn operators(configured: &[OperatorConfig], world: &World) -> Result<Vec<AskedOperator>, Failed> {
    let mut operators = Vec::new();
    for operator in configured {
        let name = format!("operator {}", operator.id);
        let api: Arc<dyn Operator> = match &operator.gateway {
            // Its lines are in the numbers' files; there is nobody to ask.
            OperatorGateway::Ledger => continue,
            OperatorGateway::Camara(api) => Arc::new(camara(&name, api, world)?),
            OperatorGateway::Aliyun(api) => Arc::new(aliyun(&name, api, world)?),
        };
        operators.push(AskedOperator { id: operator.id.clone(), follows_ports: operator.follows_ports, api });
    }
    Ok(operators)
}

pub(super) fn lookups(configured: &[ProviderConfig], world: &World) -> Result<Vec<AskedProvider>, Failed> {
    let asked = |provider: &ProviderConfig| {
        let name = format!("provider {}", provider.id);
        let key = secrets::read(&provider.lookup_key_file)?;
        let (id, url) = (provider.id.clone(), &provider.lookup_url);
        let api: Result<Arc<dyn LookUp>, _> = match provider.lookup {
            LookupKind::Http => HttpLookUp::new(id.clone(), url, &key).map(|api| Arc::new(api) as _),
            LookupKind::Baidu => BaiduLookUp::new(url, &key, now_of(world)).map(|api| Arc::new(api) as _),
        };
        Ok(AskedProvider { id, api: api.map_err(|error| Failed::new(&name, &error))? })
    };
    configured.iter().map(asked).collect()
}

fn camara(name: &str, api: &OperatorApi, world: &World) -> Result<Camara, Failed> {
    let config = CamaraConfig {
        base_url: api.base_url.clone(),
        token_url: api.token_url.clone(),
        client_id: api.client_id.clone(),
        client_secret: secrets::read(&api.client_secret_file)?,
        timeout_ms: api.timeout_ms,
        response_bytes_max: OPERATOR_RESPONSE_BYTES_MAX,
    };
    Camara::new(&config, now_of(world)).map_err(|error| Failed::new(name, &error))
}

fn aliyun(name: &str, api: &AliyunApi, world: &World) -> Result<Aliyun, Failed> {
    let config = AliyunConfig {
        endpoint: api.endpoint.clone(),
        access_key_id: api.access_key_id.clone(),
        access_key_secret: secrets::read(&api.access_key_secret_file)?,
        auth_code: api.auth_code.clone(),
        online_time_auth_code: api.online_time_auth_code.clone(),
        timeout_ms: api.timeout_ms,
        response_bytes_max: OPERATOR_RESPONSE_BYTES_MAX,
    };
    Aliyun::new(config, now_of(world)).map_err(|error| Failed::new(name, &error))
}
