//! Control proved the other way round (上行短信): a phrase is shown, and the
//! holder sends it from the number to ours. For whom no code reaches.
//!
//! A pending phrase is a claim, named by number and phrase: what comes in is
//! looked up, never searched for. Whoever sends what nobody waits for learns
//! nothing, and neither does the gateway.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::casework::actors::GatewayActor;
use crate::casework::control::{HOLDER_TOKEN_MINUTES, Language};
use crate::casework::{Casework, Result};
use crate::domain::control::Method;
use crate::domain::day::later;
use crate::domain::id::VerificationId;
use crate::domain::numbering::Numbering;
use crate::domain::phrase::Phrase;
use crate::store::{Changeset, Claim, SecretHash, Verification, VerificationStatus};

/// How far a gateway's clock may be from ours.
const CLOCKS_APART_S_MAX: i64 = 60;

/// Where holders send their text, and what the gateway shows when it hands
/// one over.
#[derive(Debug)]
pub struct Texting {
    access_number: String,
    token_hash: SecretHash,
}

/// What a holder is to send, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub send_to: String,
    pub text: String,
}

/// A text message as the gateway has it.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub text: &'a str,
    /// When it was sent, by the gateway's clock.
    pub at: Timestamp,
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is for nobody's log.
        f.debug_struct("Received").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Texting {
    pub fn new(access_number: String, token: &str) -> Self {
        Self { access_number, token_hash: Sha256::digest(token).into() }
    }

    /// Of hashes, so that not even the length can be told by the time it takes.
    pub(super) fn token_is(&self, token: &str) -> bool {
        let hash: SecretHash = Sha256::digest(token).into();
        hash.ct_eq(&self.token_hash).into()
    }

    /// With or without the country's code before it.
    fn is_ours(&self, to: &str, numbering: &Numbering) -> bool {
        let to = to.trim();
        let digits = to.strip_prefix('+').or_else(|| to.strip_prefix("00")).unwrap_or(to);
        let at_home = digits.strip_prefix(numbering.calling_code_at_home());
        digits == self.access_number || at_home == Some(&self.access_number)
    }
}

impl Casework {
    pub fn offers_texting(&self) -> bool {
        self.texting.is_some()
    }

    /// What the holder is shown.
    pub(super) fn wanted(&self, id: VerificationId, language: Language) -> Option<Wanted> {
        let service = match language {
            Language::Zh => "正名",
            Language::En => "Zhengming",
        };
        let text = format!("{service} {}", self.parts.secret.phrase(id));
        self.texting.as_ref().map(|texting| Wanted { send_to: texting.access_number.clone(), text })
    }

    /// By which a text from the number finds its verification.
    pub(super) fn phrase_claim(&self, verification: &Verification) -> Claim {
        let Verification { id, number, expires_at, .. } = *verification;
        let phrase = self.parts.secret.phrase(id);
        Claim {
            name: self.parts.secret.phrase_claim(number, phrase),
            value: id.to_string(),
            expires_at: Some(expires_at),
        }
    }

    /// Takes a text; confirms the verification that waits for it, if one does.
    /// Handed over again, it changes nothing.
    pub async fn receive_text(&self, _: &GatewayActor, received: Received<'_>) -> Result<()> {
        let outcome = match self.named_claim(received) {
            Ok(claim) => self.retrying(|| self.try_receive(&claim, received.at)).await?,
            Err(why) => why,
        };
        // Whoever sets up a gateway has only this to go by.
        tracing::info!(outcome, "a text came in");
        Ok(())
    }

    /// The claim that the text would be found under.
    fn named_claim(&self, received: Received<'_>) -> std::result::Result<String, &'static str> {
        let numbering = &self.reference().numbering;
        let is_ours = self.texting.as_ref().is_some_and(|texting| texting.is_ours(received.to, numbering));
        if !is_ours {
            return Err("it was sent to another number");
        }
        let number = numbering.parse_sender(received.from).map_err(|_| "its sender is no number")?;
        let phrase = Phrase::read(received.text).ok_or("it has no phrase")?;
        Ok(self.parts.secret.phrase_claim(number, phrase))
    }

    async fn try_receive(&self, claim: &String, at: Timestamp) -> Result<&'static str> {
        const UNKNOWN: &str = "nobody waits for it";
        let Some(claim) = self.store().load::<Claim>(claim).await? else { return Ok(UNKNOWN) };
        let Ok(id) = claim.value.value.parse::<VerificationId>() else { return Ok(UNKNOWN) };
        let found = self.store().load::<Verification>(&id).await?;
        let Some(mut verification) = found else { return Ok(UNKNOWN) };
        let (value, now) = (&mut verification.value, self.now());
        if value.method != Method::SendSms || value.status != VerificationStatus::Pending {
            return Ok(UNKNOWN);
        }
        if value.expires_at <= now {
            return Ok("it came too late");
        }
        let apart = SignedDuration::from_secs(CLOCKS_APART_S_MAX);
        if at < value.started_at - apart || later(now, apart) < at {
            return Ok("its time is not of this verification");
        }
        value.status = VerificationStatus::Confirmed { at: now };
        value.expires_at = later(now, SignedDuration::from_mins(HOLDER_TOKEN_MINUTES));
        let mut changeset = Changeset::default();
        changeset.delete(&claim);
        changeset.put(verification);
        self.commit(changeset).await?;
        Ok("it confirmed a verification")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::Reference;

    #[test]
    fn ours_with_or_without_the_countrys_code() {
        let (texting, reference) = (Texting::new("10690000".to_owned(), "token"), Reference::built_in());
        for to in ["10690000", "+8610690000", "8610690000", "008610690000", " 10690000"] {
            assert!(texting.is_ours(to, &reference.numbering), "{to}");
        }
        for to in ["", "1069000", "106900001", "+10690001", "868610690000"] {
            assert!(!texting.is_ours(to, &reference.numbering), "{to}");
        }
        assert!(texting.token_is("token") && !texting.token_is("toke") && !texting.token_is(""));
    }
}
