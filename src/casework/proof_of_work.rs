//! ALTCHA proof of work (altcha.org, version 1): a page that wants an SMS sent
//! first finds the number whose hash with a salt is the challenge. Costs a
//! visitor a moment and a bomber a machine: more, the more codes are asked for.
//! Spent once, as a claim.
//!
//! What is signed is the hash of salt and number, so the salt says by itself
//! where it ends: else `…expires=17` with 64 would be `…expires=176` with 4.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::casework::{Casework, Result};
use crate::domain::effort;
use crate::domain::hex::hex;
use crate::domain::refusal::Refusal;
use crate::store::Claim;

const ALGORITHM: &str = "SHA-256";
const SOLUTION_BYTES_MAX: usize = 2_048;

/// What the widget is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    pub algorithm: String,
    pub challenge: String,
    pub maxnumber: u64,
    pub salt: String,
    pub signature: String,
}

/// What the widget answers, as base64 of this JSON.
#[derive(Debug, Deserialize)]
struct Solution {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

/// What a salt says behind its random beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Terms {
    expires_s: i64,
    max_number: u64,
}

impl Casework {
    /// Whether a code has to be paid for with work.
    pub fn wants_work(&self) -> bool {
        self.parts.settings.altcha_max_number > 0
    }

    pub fn challenge(&self) -> Challenge {
        let maxnumber = self.max_number_now();
        let secret_number = u64::from_be_bytes(self.random()) % maxnumber.saturating_add(1);
        let expires_s = self.now().as_second() + effort::GOOD_FOR_S;
        let nonce = URL_SAFE_NO_PAD.encode(self.random::<12>());
        let salt = Terms { expires_s, max_number: maxnumber }.salt(&nonce);
        let challenge = hash(&salt, secret_number);
        let signature = self.signature(&challenge);
        Challenge { algorithm: ALGORITHM.to_owned(), challenge, maxnumber, salt, signature }
    }

    /// Checks a solution. The claim is to be committed with what it pays for,
    /// and fails there when the solution was spent before.
    pub(super) fn proof_of_work(&self, solution: Option<&str>) -> Result<Option<Claim>> {
        if self.parts.settings.altcha_max_number == 0 {
            return Ok(None);
        }
        let claim = solution.and_then(|solution| self.solved(solution)).ok_or(Refusal::ProofOfWork)?;
        Ok(Some(claim))
    }

    fn solved(&self, solution: &str) -> Option<Claim> {
        let json = (solution.len() <= SOLUTION_BYTES_MAX).then(|| STANDARD.decode(solution).ok())??;
        let Solution { algorithm, challenge, number, salt, signature } =
            serde_json::from_slice(&json).ok()?;
        let signed: bool = self.signature(&challenge).as_bytes().ct_eq(signature.as_bytes()).into();
        let Terms { expires_s, max_number } = Terms::of(&salt)?;
        let holds = algorithm == ALGORITHM && signed && hash(&salt, number) == challenge;
        let good_for_s = effort::good_for_s(max_number, self.max_number_now());
        let issued_s = expires_s.saturating_sub(effort::GOOD_FOR_S);
        let in_time = self.now().as_second() < issued_s.saturating_add(good_for_s);
        let expires_at = Timestamp::from_second(expires_s).ok()?;
        // Kept for as long as it could be good, should the effort fall again.
        (holds && in_time).then(|| Claim {
            name: format!("altcha:{challenge}"),
            value: String::new(),
            expires_at: expires_at.checked_add(SignedDuration::from_mins(1)).ok(),
        })
    }

    fn max_number_now(&self) -> u64 {
        let settings = &self.parts.settings;
        // The others are asked as often.
        let started = self.load.per_minute(self.now()).saturating_mul(self.instances);
        effort::max_number(settings.altcha_max_number, started, settings.sms_per_minute)
    }

    fn signature(&self, challenge: &str) -> String {
        hex(&self.parts.secret.derive("altcha", &[challenge.as_bytes()]))
    }
}

fn hash(salt: &str, number: u64) -> String {
    hex(&Sha256::digest(format!("{salt}{number}")))
}

impl Terms {
    /// With a number of six digits behind it, one block of SHA-256.
    fn salt(self, nonce: &str) -> String {
        let Self { expires_s, max_number } = self;
        format!("{nonce}?expires={expires_s}&max={max_number}&")
    }

    /// Of a salt that is written as ours are.
    fn of(salt: &str) -> Option<Self> {
        let (nonce, rest) = salt.split_once("?expires=")?;
        let (expires, rest) = rest.split_once("&max=")?;
        let max_number = rest.strip_suffix('&')?.parse().ok()?;
        let terms = Self { expires_s: expires.parse().ok()?, max_number };
        (terms.salt(nonce) == salt).then_some(terms)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_read_in_one_way_only() {
        let terms = Terms { expires_s: 1_764_000_000, max_number: 50_000 };
        let salt = terms.salt("0123456789abcdef");
        assert_eq!(Terms::of(&salt), Some(terms));
        assert!(salt.len() + 6 <= 55, "one block");
        let bare = salt.strip_suffix('&').unwrap();
        for wrong in [
            "",
            bare,
            // Digits of the number taken over into the salt.
            &format!("{salt}12"),
            &format!("{bare}12"),
            &format!("{salt}12&"),
            "a?expires=+1764000000&max=50000&",
            "a?expires=01764000000&max=50000&",
            "a?expires=1764000000&max=5e4&",
            "a?expires=9223372036854775808&max=1&",
        ] {
            assert_eq!(Terms::of(wrong), None, "{wrong}");
        }
    }
}
