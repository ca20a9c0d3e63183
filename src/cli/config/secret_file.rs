//! Files with secrets that partners gave us. They are named here, and read at
//! the start (`cli::secrets`).

use std::fmt;
use std::path::PathBuf;

/// Shown as whoever wrote the configuration looks for it:
/// `zhengming.toml:12: sms.hmac_key_file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    pub path: PathBuf,
    pub key: String,
    /// `file:line`, or the name of a variable.
    pub place: String,
}

impl fmt::Display for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.key)
    }
}
