//! ALTCHA proof of work (altcha.org, version 1): a page that wants an SMS sent
//! first finds the number whose hash with a salt is the challenge. Costs a
//! visitor a moment and a bomber a machine. Spent once, as a claim.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::casework::{Casework, Result};
use crate::domain::hex::hex;
use crate::domain::refusal::Refusal;
use crate::store::Claim;

const ALGORITHM: &str = "SHA-256";
const GOOD_FOR_MINUTES: i64 = 10;
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

impl Casework {
    pub fn challenge(&self) -> Challenge {
        let maxnumber = self.parts.settings.altcha_max_number;
        let secret_number = u64::from_be_bytes(self.random()) % maxnumber.saturating_add(1);
        let expires = self.now().as_second() + GOOD_FOR_MINUTES * 60;
        // The expiry is part of the salt, and so of what is signed.
        let salt = format!("{}?expires={expires}", hex(&self.random::<12>()));
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
        let expires_at = expiry(&salt)?;
        let holds = algorithm == ALGORITHM && signed && hash(&salt, number) == challenge;
        (holds && self.now() < expires_at).then(|| Claim {
            name: format!("altcha:{challenge}"),
            value: String::new(),
            expires_at: expires_at.checked_add(SignedDuration::from_mins(1)).ok(),
        })
    }

    fn signature(&self, challenge: &str) -> String {
        hex(&self.parts.secret.derive("altcha", &[challenge.as_bytes()]))
    }
}

fn hash(salt: &str, number: u64) -> String {
    hex(&Sha256::digest(format!("{salt}{number}")))
}

fn expiry(salt: &str) -> Option<Timestamp> {
    let (_, second) = salt.split_once("?expires=")?;
    Timestamp::from_second(second.parse().ok()?).ok()
}
