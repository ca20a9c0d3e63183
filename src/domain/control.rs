//! How control of a number is proved by SMS: a code that the service sends, or
//! a phrase that the holder sends; and what becomes of a message on its way.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A code is sent to the number, and typed in.
    #[default]
    SmsCode,
    /// A phrase is shown, and sent from the number.
    SendSms,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SmsCode => "sms_code",
            Self::SendSms => "send_sms",
        }
    }
}

/// How far a message has come. Reports overtake each other: what came of it in
/// the end stays, whatever is said later of its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// A gateway has taken it.
    Accepted,
    /// The telephone has it.
    Delivered,
    Failed,
}

impl MessageState {
    /// Whether a message of which this is reported had come as far before.
    pub fn is_old_news(self, before: Option<Self>) -> bool {
        match before {
            None => false,
            Some(Self::Accepted) => self == Self::Accepted,
            Some(Self::Delivered | Self::Failed) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageState::{Accepted, Delivered, Failed};

    #[test]
    fn the_end_of_a_message_stays() {
        for (before, reported, is_old) in [
            (None, Accepted, false),
            (None, Failed, false),
            (Some(Accepted), Accepted, true),
            (Some(Accepted), Delivered, false),
            (Some(Accepted), Failed, false),
            (Some(Delivered), Accepted, true),
            (Some(Delivered), Failed, true),
            (Some(Failed), Delivered, true),
        ] {
            assert_eq!(reported.is_old_news(before), is_old, "{before:?} {reported:?}");
        }
    }
}
