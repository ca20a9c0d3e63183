//! What whoever runs the service orders from the command line, as plain data:
//! run at once while the service is down, or sent to it while it runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::casework::actors::Owner;
use crate::casework::secret::Secret;
use crate::casework::{Casework, Result};
use crate::domain::hex::hex;
use crate::domain::id::{KeyId, ModeratorName, ProviderId};
use crate::domain::refusal::Refusal;
use crate::domain::webhook::WebhookUrl;
use crate::store::{AccessKey, Disabled, Failing, Grant, Role, Webhook};

/// How far the two clocks may be apart.
const CREDENTIAL_SECONDS: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum Order {
    IssueKey { grant: Grant, name: String },
    ListKeys,
    RevokeKey { id: KeyId },
    AddModerator { name: ModeratorName, role: Role, password: String },
    ResetModerator { name: ModeratorName, password: String },
    DisableModerator { name: ModeratorName },
    AddWebhook { provider: ProviderId, url: WebhookUrl },
    RemoveWebhook { provider: ProviderId, url: WebhookUrl },
    ListWebhooks,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "value")]
pub enum Outcome {
    Done,
    Key { id: KeyId, key: String },
    Keys(Vec<KeyLine>),
    OtpauthUri(String),
    WebhookSecret(String),
    Webhooks(Vec<WebhookLine>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    pub id: KeyId,
    pub grant: Grant,
    pub name: String,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookLine {
    pub provider: ProviderId,
    pub url: WebhookUrl,
    pub state: WebhookState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum WebhookState {
    Working,
    Failing { since: Timestamp, why: String },
    Disabled { at: Timestamp, why: String },
}

impl From<AccessKey> for KeyLine {
    fn from(key: AccessKey) -> Self {
        let AccessKey { id, grant, name, issued_at, revoked_at, ends_at, .. } = key;
        Self { id, grant, name, issued_at, revoked_at, ends_at }
    }
}

impl From<Webhook> for WebhookLine {
    fn from(webhook: Webhook) -> Self {
        let state = match (webhook.disabled, webhook.failing) {
            (Some(Disabled { at, why }), _) => WebhookState::Disabled { at, why },
            (None, Some(Failing { since, why, .. })) => WebhookState::Failing { since, why },
            (None, None) => WebhookState::Working,
        };
        Self { provider: webhook.provider, url: webhook.url, state }
    }
}

/// Proves that the caller can read the secret file: a MAC over the second and
/// the path with its query. For the admin listener, which is not public.
pub fn owner_credential(secret: &Secret, now: Timestamp, path: &str) -> String {
    let second = now.as_second();
    format!("{second}.{}", hex(&secret.derive("owner", &[&second.to_be_bytes(), path.as_bytes()])))
}

impl Casework {
    pub fn owner(&self, credential: &str, path: &str) -> Result<Owner> {
        let second = credential.split_once('.').and_then(|(second, _)| second.parse::<i64>().ok());
        let signed_at = second.and_then(|second| Timestamp::from_second(second).ok());
        let signed_at = signed_at.ok_or(Refusal::Unauthenticated)?;
        let right = owner_credential(&self.parts.secret, signed_at, path);
        let fresh = (self.now().as_second() - signed_at.as_second()).abs() <= CREDENTIAL_SECONDS;
        if fresh && bool::from(right.as_bytes().ct_eq(credential.as_bytes())) {
            Ok(Owner::at_the_command_line())
        } else {
            Err(Refusal::Unauthenticated.into())
        }
    }

    pub async fn carry_out(&self, owner: Owner, order: Order) -> Result<Outcome> {
        Ok(match order {
            Order::IssueKey { grant, name } => {
                let (id, key) = self.issue_key(owner, grant, &name).await?;
                Outcome::Key { id, key }
            }
            Order::ListKeys => {
                Outcome::Keys(self.keys(owner).await?.into_iter().map(KeyLine::from).collect())
            }
            Order::RevokeKey { id } => {
                self.revoke_key(owner, id).await?;
                Outcome::Done
            }
            Order::AddModerator { name, role, password } => {
                Outcome::OtpauthUri(self.add_moderator(owner, &name, role, &password).await?)
            }
            Order::ResetModerator { name, password } => {
                Outcome::OtpauthUri(self.reset_moderator(owner, &name, &password).await?)
            }
            Order::DisableModerator { name } => {
                self.disable_moderator(owner, &name).await?;
                Outcome::Done
            }
            Order::AddWebhook { provider, url } => {
                Outcome::WebhookSecret(self.add_webhook(owner, &provider, &url).await?)
            }
            Order::RemoveWebhook { provider, url } => {
                self.remove_webhook(owner, &provider, &url).await?;
                Outcome::Done
            }
            Order::ListWebhooks => {
                let webhooks = self.webhooks(owner).await?;
                Outcome::Webhooks(webhooks.into_iter().map(WebhookLine::from).collect())
            }
        })
    }
}
