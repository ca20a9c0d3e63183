//! Names of things: providers, operators, moderators, disputes.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest provider, operator or moderator name.
pub const SLUG_CHARS_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 32 characters out of a-z, 0-9, '-' and '_', the first one a letter or digit")]
pub struct IdMalformed;

/// By the time that an id carries (RFC 9562 §5.7); one that carries none is
/// not one of ours.
pub fn made_before(id: Uuid, end: Timestamp) -> bool {
    let made_at = id.get_timestamp().map(|time| time.to_unix().0);
    let made_at = made_at.and_then(|second| Timestamp::from_second(i64::try_from(second).ok()?).ok());
    made_at.is_none_or(|made_at| made_at <= end)
}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first_is_fine = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first_is_fine
        && text.len() <= SLUG_CHARS_MAX
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdMalformed;
            fn from_str(text: &str) -> Result<Self, IdMalformed> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(IdMalformed) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdMalformed;
            fn try_from(text: String) -> Result<Self, IdMalformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug! {
    /// A caller-ID vendor (标记服务商).
    ProviderId
}
slug! {
    /// A network operator (运营商), or the porting registry.
    OperatorId
}
slug! {
    /// A moderator's login name (审核员).
    ModeratorName
}

impl OperatorId {
    /// The key that may push `ported_in` and `ported_out` for any number.
    pub const REGISTRY: &'static str = "registry";

    pub fn is_registry(&self) -> bool {
        self.as_str() == Self::REGISTRY
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// One holder, one number, one reason (申诉).
    DisputeId
}
uuid_id! {
    /// One attempt to prove control of a number (控制权).
    VerificationId
}
uuid_id! {
    /// An issued provider or operator key; not the key itself.
    KeyId
}
uuid_id! {
    /// An operator's upload of tenure lines.
    BatchId
}
uuid_id! {
    /// A list of numbers that an enterprise filed at once.
    FilingId
}
uuid_id! {
    /// A document that a holder handed in (材料).
    DocumentId
}
uuid_id! {
    /// A moderator's login.
    SessionId
}
uuid_id! {
    /// One agreement to call a URL; its secret hangs on it.
    WebhookId
}
