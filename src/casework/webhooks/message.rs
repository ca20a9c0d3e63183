//! What a receiver is told, and how it knows that it was us: a thin payload,
//! signed as https://www.standardwebhooks.com says.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;

use crate::casework::ports::WebhookMessage;
use crate::casework::secret::Secret;
use crate::domain::webhook::signature;
use crate::store::{Telling, Webhook};

/// The fields in their order on the wire.
#[derive(Serialize)]
struct Body {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data,
}

#[derive(Serialize)]
struct Data {
    size: u64,
}

/// A webhook's secret as its receiver wants it.
pub(super) fn secret_text(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// An attempt, made now: every one of them has the same id and body.
pub(super) fn message(
    secret: &Secret,
    webhook: &Webhook,
    telling: Telling,
    now: Timestamp,
) -> WebhookMessage {
    let id = secret.webhook_message_id(webhook.id, telling.size);
    let id = format!("msg_{}", URL_SAFE_NO_PAD.encode(id));
    let data = Data { size: telling.size };
    let body = Body { r#type: "checkpoint.published", timestamp: telling.since, data };
    let body = serde_json::to_string(&body).expect("a text, an instant and a number always serialize");
    let timestamp = now.as_second();
    let signature = signature(&secret.webhook_secret(webhook.id), &id, timestamp, &body);
    WebhookMessage { url: webhook.url.clone(), id, timestamp, signature, body }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// From the standard's own libraries.
    #[test]
    fn the_standards_test_vector() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret_text(&key), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }
}
