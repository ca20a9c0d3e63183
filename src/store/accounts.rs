//! Records of who may enter: keys of providers and operators, moderators and
//! their sessions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::id::{KeyId, ModeratorName, OperatorId, ProviderId, SessionId};

/// SHA-256 of a secret; what is kept instead of it.
pub type SecretHash = [u8; 32];

/// A provider's or operator's key, found by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    pub id: KeyId,
    pub hash: SecretHash,
    pub grant: Grant,
    pub name: String,
    pub issued_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// Another has taken its place, and it is good until then.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to", content = "id")]
pub enum Grant {
    Provider(ProviderId),
    Operator(OperatorId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Moderator,
    Senior,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderator {
    pub name: ModeratorName,
    pub role: Role,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// The number of times the TOTP secret was derived anew; the secret itself
    /// is derived from the service's secret, the name and this.
    pub totp_generation: u32,
    /// The last TOTP step that was used, so that no code opens twice.
    pub totp_step_used: u64,
    pub disabled: bool,
    /// Sessions that had begun by then are over.
    #[serde(default)]
    pub sessions_ended_at: Option<Timestamp>,
    /// Cases that they decided, by civil day at home.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decided: BTreeMap<Date, u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub moderator: ModeratorName,
    /// Of the account when it logged in: a reset ends what came before it.
    pub totp_generation: u32,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Moderator {
    /// A new account, that has done nothing yet.
    pub fn new(name: ModeratorName, role: Role, password_hash: String) -> Self {
        Self {
            name,
            role,
            password_hash,
            totp_generation: 0,
            totp_step_used: 0,
            disabled: false,
            sessions_ended_at: None,
            decided: BTreeMap::new(),
        }
    }
}

impl AccessKey {
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.ends_at.is_none_or(|end| now < end)
    }
}
