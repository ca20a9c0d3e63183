//! Telephone numbers and the numbering plan (placeholder until the next commit).

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("numbers of this country are not served")]
    Unsupported,
}
