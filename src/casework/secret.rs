//! What is derived from the service's secret key: codes, tokens, signatures.
//!
//! Nothing of these is stored, so a stolen database opens nothing, and what
//! has to be said again later (a code in a retried SMS, the token of a
//! repeated request) comes out the same.
//!
//! | token | bytes behind the prefix, in base64url |
//! |---|---|
//! | `zmh_` holder | verification id (16), MAC (16) |
//! | `zmd_` dispute | dispute id (16), microsecond of the proof of control (8), MAC (16) |
//! | `zmf_` list | filing id (16), microsecond of the proof of control (8), MAC (16) |
//! | `zms_` moderator | session id (16), MAC (16) |
//!
//! A MAC is the first half of HMAC-SHA-256, so 128 bits.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::domain::hex::hex;
use crate::domain::id::{DisputeId, FilingId, SessionId, VerificationId, WebhookId};
use crate::domain::number::Number;
use crate::domain::phrase::Phrase;

pub const SECRET_BYTES: usize = 32;
const MAC_BYTES: usize = 16;
const CODE_DIGITS: usize = 6;

pub struct Secret([u8; SECRET_BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA-256 over the purpose and the parts, each led by its length.
    pub fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The code of a verification: six digits.
    pub fn code(&self, verification: VerificationId) -> String {
        let bytes = self.derive("code", &[verification.0.as_bytes()]);
        let [a, b, c, d, e, f, g, h, ..] = bytes;
        // 2^64 codes over 10^6: the bias is below 1 in 10^13.
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % 10u64.pow(CODE_DIGITS as u32);
        format!("{number:0width$}", width = CODE_DIGITS)
    }

    /// Compares in constant time.
    pub fn code_is(&self, verification: VerificationId, code: &str) -> bool {
        self.code(verification).as_bytes().ct_eq(code.as_bytes()).into()
    }

    /// The phrase that proves control when it is sent from the number.
    pub fn phrase(&self, verification: VerificationId) -> Phrase {
        let bytes = self.derive("phrase", &[verification.0.as_bytes()]);
        Phrase::from_bits(*bytes.first_chunk().expect("a MAC is longer than five bytes"))
    }

    /// The claim under which a phrase of a number is found. The database tells
    /// nobody what to send.
    pub fn phrase_claim(&self, number: Number, phrase: Phrase) -> String {
        let (number, phrase) = (number.digits().to_be_bytes(), phrase.to_string());
        format!("phrase:{}", hex(&self.derive("phrase_claim", &[&number, phrase.as_bytes()])))
    }

    /// Goes out with a message; whoever brings it back may say what became of
    /// that message.
    pub fn message_seal(&self, message: &str) -> String {
        let mac = self.derive("message", &[message.as_bytes()]);
        URL_SAFE_NO_PAD.encode(&mac[..MAC_BYTES])
    }

    /// Compares in constant time.
    pub fn message_seal_is(&self, message: &str, seal: &str) -> bool {
        self.message_seal(message).as_bytes().ct_eq(seal.as_bytes()).into()
    }

    pub fn holder_token(&self, verification: VerificationId) -> String {
        self.seal("zmh_", verification.0.as_bytes())
    }

    pub fn read_holder_token(&self, token: &str) -> Option<VerificationId> {
        let id: [u8; 16] = self.unseal("zmh_", token)?;
        Some(VerificationId(Uuid::from_bytes(id)))
    }

    pub fn session_token(&self, session: SessionId) -> String {
        self.seal("zms_", session.0.as_bytes())
    }

    pub fn read_session_token(&self, token: &str) -> Option<SessionId> {
        let id: [u8; 16] = self.unseal("zms_", token)?;
        Some(SessionId(Uuid::from_bytes(id)))
    }

    pub fn dispute_token(&self, dispute: DisputeId, control_proved_at: Timestamp) -> String {
        self.seal_proved("zmd_", dispute.0, control_proved_at)
    }

    pub fn read_dispute_token(&self, token: &str) -> Option<(DisputeId, Timestamp)> {
        self.unseal_proved("zmd_", token).map(|(id, proved_at)| (DisputeId(id), proved_at))
    }

    pub fn filing_token(&self, filing: FilingId, control_proved_at: Timestamp) -> String {
        self.seal_proved("zmf_", filing.0, control_proved_at)
    }

    pub fn read_filing_token(&self, token: &str) -> Option<(FilingId, Timestamp)> {
        self.unseal_proved("zmf_", token).map(|(id, proved_at)| (FilingId(id), proved_at))
    }

    /// What a webhook's messages are signed with.
    pub fn webhook_secret(&self, webhook: WebhookId) -> [u8; 32] {
        self.derive("webhook", &[webhook.0.as_bytes()])
    }

    /// One for each size that a webhook is told, however often.
    pub fn webhook_message_id(&self, webhook: WebhookId, size: u64) -> [u8; MAC_BYTES] {
        let mac = self.derive("webhook_message", &[webhook.0.as_bytes(), &size.to_be_bytes()]);
        *mac.first_chunk().expect("a MAC is longer than its half")
    }

    fn seal_proved(&self, prefix: &str, id: Uuid, proved_at: Timestamp) -> String {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(id.as_bytes());
        bytes[16..].copy_from_slice(&proved_at.as_microsecond().to_be_bytes());
        self.seal(prefix, &bytes)
    }

    fn unseal_proved(&self, prefix: &str, token: &str) -> Option<(Uuid, Timestamp)> {
        let bytes: [u8; 24] = self.unseal(prefix, token)?;
        let (id, microsecond) = bytes.split_first_chunk::<16>()?;
        let microsecond = i64::from_be_bytes(microsecond.try_into().ok()?);
        Some((Uuid::from_bytes(*id), Timestamp::from_microsecond(microsecond).ok()?))
    }

    fn seal(&self, prefix: &str, bytes: &[u8]) -> String {
        let mac = self.derive(prefix, &[bytes]);
        let sealed = [bytes, &mac[..MAC_BYTES]].concat();
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(sealed))
    }

    fn unseal<const N: usize>(&self, prefix: &str, token: &str) -> Option<[u8; N]> {
        let sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(prefix)?).ok()?;
        let (bytes, mac) = sealed.split_first_chunk::<N>()?;
        let right = self.derive(prefix, &[bytes]);
        bool::from(right[..MAC_BYTES].ct_eq(mac)).then_some(*bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_token_opens_only_what_it_was_made_for() {
        let secret = Secret::new([1; 32]);
        let token = secret.holder_token(VerificationId(ID));
        assert_eq!(secret.read_holder_token(&token), Some(VerificationId(ID)));
        assert_eq!(secret.read_session_token(&token.replace("zmh_", "zms_")), None);
        assert_eq!(Secret::new([2; 32]).read_holder_token(&token), None);
        for cut in 0..token.len() {
            assert_eq!(secret.read_holder_token(&token[..cut]), None);
        }
        assert_eq!(secret.read_holder_token(&format!("{token}A")), None);
    }

    #[test]
    fn a_dispute_token_carries_the_time_of_the_proof() {
        let secret = Secret::new([1; 32]);
        let at: Timestamp = "2026-11-23T03:04:05.678901234Z".parse().unwrap();
        let token = secret.dispute_token(DisputeId(ID), at);
        let (id, proved_at) = secret.read_dispute_token(&token).unwrap();
        assert_eq!((id.0, proved_at.to_string().as_str()), (ID, "2026-11-23T03:04:05.678901Z"));
    }

    #[test]
    fn a_phrase_is_claimed_for_one_number() {
        let (secret, number) = (Secret::new([1; 32]), |digits| Number::from_digits(digits).unwrap());
        let phrase = secret.phrase(VerificationId(ID));
        assert_ne!(phrase, secret.phrase(VerificationId(Uuid::from_u128(8))));
        let claim = secret.phrase_claim(number(8_613_800_138_000), phrase);
        assert_ne!(claim, secret.phrase_claim(number(8_613_800_138_001), phrase));
        assert_ne!(claim, Secret::new([2; 32]).phrase_claim(number(8_613_800_138_000), phrase));
        assert!(!claim.contains(&phrase.to_string()) && !claim.contains("13800138000"), "{claim}");
    }

    #[test]
    fn a_seal_is_one_messages() {
        let secret = Secret::new([1; 32]);
        let seal = secret.message_seal("code-1");
        assert!(secret.message_seal_is("code-1", &seal));
        assert!(!secret.message_seal_is("code-2", &seal) && !secret.message_seal_is("code-1", ""));
    }

    #[test]
    fn codes_are_six_digits_and_differ_by_verification() {
        let secret = Secret::new([1; 32]);
        let codes: Vec<String> = (0..50).map(|n| secret.code(VerificationId(Uuid::from_u128(n)))).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(codes.windows(2).any(|pair| pair[0] != pair[1]));
        assert!(secret.code_is(VerificationId(Uuid::from_u128(3)), &codes[3]));
        assert!(!secret.code_is(VerificationId(Uuid::from_u128(3)), "12345"));
    }
}
