//! Every "no" that a caller can meet, each with a stable code.
//!
//! A `Refusal` says what was refused and why in words that may be shown to
//! the caller. It knows nothing of statuses: `http` keeps that table.

use crate::domain::number::NumberError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // --- malformed input -------------------------------------------------
    #[error("the number is malformed: {0}")]
    NumberMalformed(NumberError),
    #[error("{field} is malformed: {why}")]
    FieldMalformed { field: &'static str, why: String },
    #[error("the Idempotency-Key header is missing")]
    IdempotencyKeyMissing,

    // --- who is asking ---------------------------------------------------
    #[error("a credential is missing, unknown, expired or revoked")]
    Unauthenticated,
    #[error("this credential does not open this")]
    Forbidden,
    #[error("the proof of work is missing, wrong, expired or already used")]
    ProofOfWork,
    #[error("name, password or code is wrong")]
    LoginWrong,
    #[error("there is no such thing here")]
    NotFound,

    // --- control of a number ---------------------------------------------
    #[error(
        "numbers of this kind receive no SMS; an enterprise files for them with POST /v1/filings, under a contact that does"
    )]
    SmsUnreachable,
    #[error("this way of proving control is not offered")]
    MethodNotOffered,
    #[error("the code is wrong; {attempts_left} attempts are left")]
    CodeWrong { attempts_left: u8 },
    #[error("this verification is used up or has expired")]
    VerificationSpent,

    // --- filing ----------------------------------------------------------
    #[error("say since when the number is yours: no operator has told us")]
    OpenedNeeded,
    #[error("name at least one displayed name that is not yours")]
    LabelNeeded,
    #[error("the unified social credit code is wrong: {0}")]
    UsccWrong(&'static str),
    #[error("a dispute of this number for this reason is open already")]
    DisputeOpen,
    #[error("too many filings for this number and reason")]
    FilingsExhausted,
    #[error("the Idempotency-Key was used before with another body")]
    IdempotencyKeyReused,
    #[error("the first request with this Idempotency-Key is still under way")]
    IdempotencyKeyInUse,

    // --- a dispute's life ------------------------------------------------
    #[error("a dispute that is {status} does not take this")]
    WrongState { status: &'static str },
    #[error("the dispute has changed since it was read")]
    Stale,
    #[error("this needs a second person")]
    SamePerson,
    #[error("the case is not leased to you, or the lease has run out")]
    LeaseMissing,
    #[error("the number was never shown to be under this holder's control afresh")]
    FreshControlNeeded,

    // --- documents ---------------------------------------------------------
    #[error("send JPEG or PNG pictures, or PDF documents")]
    DocumentType,
    #[error("the document is too large: at most {most}")]
    DocumentTooLarge { most: &'static str },
    #[error("at most {documents_max} documents can be handed in each time they are asked for")]
    DocumentsTooMany { documents_max: usize },
    #[error("the document cannot be read: {why}")]
    DocumentUnreadable { why: &'static str },
    #[error("the document was deleted, as all are some time after the dispute is closed")]
    DocumentPurged,
    #[error("the stored document is missing or damaged, or was stored under another secret key")]
    DocumentDamaged,

    // --- corrections and the feed ----------------------------------------
    #[error("no correction is published yet")]
    NotPublished,
    #[error("entries up to {oldest} are no longer kept; take a snapshot")]
    CursorExpired { oldest: u64 },
    #[error("the log has only {size} entries")]
    CursorAhead { size: u64 },
    #[error("the root is not ours at this size")]
    Diverged,
    #[error("a correction that is no longer in force cannot be reverted")]
    NotInForce,

    // --- limits ----------------------------------------------------------
    #[error("too many {what}; try again in {retry_after_s} s")]
    TooMany { what: &'static str, retry_after_s: u64 },
}

/// A code for each refusal and, out of the same lines, the list of them all.
macro_rules! codes {
    ($($refusal:pat => $code:literal,)+) => {
        /// Every code there is.
        pub const CODES: &[&str] = &[$($code),+];

        /// The stable snake_case code that clients may program against.
        pub fn code(&self) -> &'static str {
            match self {
                $($refusal => $code,)+
            }
        }
    };
}

impl Refusal {
    codes! {
        Self::NumberMalformed(NumberError::Unsupported) => "number_unsupported",
        Self::NumberMalformed(_) => "number_malformed",
        Self::FieldMalformed { .. } => "field_malformed",
        Self::IdempotencyKeyMissing => "idempotency_key_missing",
        Self::Unauthenticated => "unauthenticated",
        Self::Forbidden => "forbidden",
        Self::ProofOfWork => "proof_of_work",
        Self::LoginWrong => "login_wrong",
        Self::NotFound => "not_found",
        Self::SmsUnreachable => "sms_unreachable",
        Self::MethodNotOffered => "method_not_offered",
        Self::CodeWrong { .. } => "code_wrong",
        Self::VerificationSpent => "verification_spent",
        Self::OpenedNeeded => "opened_needed",
        Self::LabelNeeded => "label_needed",
        Self::UsccWrong(_) => "uscc_wrong",
        Self::DisputeOpen => "dispute_open",
        Self::FilingsExhausted => "filings_exhausted",
        Self::IdempotencyKeyReused => "idempotency_key_reused",
        Self::IdempotencyKeyInUse => "idempotency_key_in_use",
        Self::WrongState { .. } => "wrong_state",
        Self::Stale => "stale",
        Self::SamePerson => "same_person",
        Self::LeaseMissing => "lease_missing",
        Self::FreshControlNeeded => "fresh_control_needed",
        Self::DocumentType => "document_type",
        Self::DocumentTooLarge { .. } => "document_too_large",
        Self::DocumentsTooMany { .. } => "documents_too_many",
        Self::DocumentUnreadable { .. } => "document_unreadable",
        Self::DocumentPurged => "document_purged",
        Self::DocumentDamaged => "document_damaged",
        Self::NotPublished => "not_published",
        Self::CursorExpired { .. } => "cursor_expired",
        Self::CursorAhead { .. } => "cursor_ahead",
        Self::Diverged => "diverged",
        Self::NotInForce => "not_in_force",
        Self::TooMany { .. } => "too_many_requests",
    }
}
