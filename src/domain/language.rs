//! The languages that holders are spoken to in.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Zh,
    En,
}

impl Language {
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// Chinese, where it is none of ours.
    pub fn of_code(code: &str) -> Self {
        if code == Self::En.code() { Self::En } else { Self::Zh }
    }

    /// For records, which leave it out then.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn is_zh(&self) -> bool {
        *self == Self::Zh
    }
}
