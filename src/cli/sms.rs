//! How messages leave and come in, out of `[sms]`; its secrets are read here,
//! at the start.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::casework::ports::Sms;
use crate::casework::texting::Texting;
use crate::cli::config::{Config, SecretFile, SmsConfig, SmsGateway};
use crate::cli::house::{World, now_of};
use crate::cli::{Failed, secrets};
use crate::gateway::Misconfigured;
use crate::gateway::kannel::{Kannel, KannelConfig};
use crate::gateway::outbox::Outbox;
use crate::gateway::sms_post::SmsPost;

/// Fewer bytes can be guessed.
const SECRET_BYTES_MIN: usize = 16;

pub fn gateway(config: &Config, world: &World) -> Result<Arc<dyn Sms>, Failed> {
    let wrong = |error: Misconfigured| Failed::new("sms", &error);
    match &config.sms.gateway {
        SmsGateway::Outbox { outbox_file: file } => {
            let outbox = Outbox::open(file, now_of(world));
            let outbox =
                outbox.map_err(|error| Failed::new(&format!("the outbox {}", file.display()), &error))?;
            Ok(Arc::new(outbox))
        }
        SmsGateway::Kannel { send_url, username, password_file } => {
            let kannel = Kannel::new(&KannelConfig {
                send_url: send_url.clone(),
                username: username.clone(),
                // Kannel's, and as long as they made it.
                password: secrets::read(password_file)?,
                access_number: config.sms.access_number.clone(),
                report_url: format!("{}/v1/sms/delivery", config.public_url),
            });
            Ok(Arc::new(kannel.map_err(wrong)?))
        }
        SmsGateway::Http { url, hmac_key_file } => {
            let key = key(&secret(hmac_key_file)?)
                .ok_or_else(|| secrets::wrong(hmac_key_file, "no base64 follows whsec_"))?;
            Ok(Arc::new(SmsPost::new(url, key, now_of(world)).map_err(wrong)?))
        }
    }
}

/// Inbound SMS is taken where there is a token for it.
pub fn texting(config: &SmsConfig) -> Result<Option<Texting>, Failed> {
    let Some(file) = &config.inbound_token_file else { return Ok(None) };
    let token = secret(file)?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(secrets::wrong(file, "a token is printable ASCII without spaces"));
    }
    Ok(Some(Texting::new(config.access_number.clone(), &token)))
}

/// As receivers of webhooks have it, `whsec_` and base64; anything else is the
/// key itself.
fn key(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    }
}

fn secret(file: &SecretFile) -> Result<String, Failed> {
    let secret = secrets::read(file)?;
    if secret.len() < SECRET_BYTES_MIN {
        tracing::warn!(
            key = file.key,
            bytes_min = SECRET_BYTES_MIN,
            "a secret is short enough to be guessed"
        );
    }
    Ok(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_text_or_base64() {
        assert_eq!(key("whsec_AAEC").unwrap(), [0, 1, 2]);
        assert_eq!(key("AAEC").unwrap(), b"AAEC");
        assert_eq!(key("whsec_*"), None);
    }
}
