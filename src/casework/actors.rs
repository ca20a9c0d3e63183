//! Who is asking. An actor can only be made here, out of a credential.
//!
//! A holder's proof is good for the tenure in which it was given: one that
//! is older than a tenure's known beginning was another holder's, and dies.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::casework::{Casework, Result};
use crate::domain::dispute::{Control, Dispute};
use crate::domain::id::{DisputeId, FilingId, ModeratorName, OperatorId, ProviderId};
use crate::domain::language::Language;
use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::store::{AccessKey, Filing, Moderator, Session, Verification, VerificationStatus, Versioned};
pub use crate::store::{Grant, Role};

/// Has the number in hand: proved by SMS.
#[derive(Debug, Clone)]
pub struct Holder {
    number: Number,
    proved_at: Timestamp,
    language: Language,
}

impl Holder {
    pub fn number(&self) -> Number {
        self.number
    }

    pub fn proved_at(&self) -> Timestamp {
        self.proved_at
    }

    /// Of messages about what is filed.
    pub fn language(&self) -> Language {
        self.language
    }
}

/// Holds the token of one dispute.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    dispute: DisputeId,
    number: Number,
    proved_at: Timestamp,
}

impl Claimant {
    pub fn dispute(&self) -> DisputeId {
        self.dispute
    }

    pub fn number(&self) -> Number {
        self.number
    }

    pub fn proved_at(&self) -> Timestamp {
        self.proved_at
    }
}

/// Holds the token of a list that an enterprise filed, or has its contact in
/// hand.
#[derive(Debug, Clone, Copy)]
pub struct Filer {
    filing: FilingId,
    contact: Number,
    proved_at: Timestamp,
}

impl Filer {
    pub fn filing(&self) -> FilingId {
        self.filing
    }

    pub fn contact(&self) -> Number {
        self.contact
    }

    pub fn proved_at(&self) -> Timestamp {
        self.proved_at
    }
}

#[derive(Debug, Clone)]
pub struct ProviderActor {
    id: ProviderId,
    /// The owner, on its behalf.
    is_owner: bool,
}

impl ProviderActor {
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    pub fn is_owner(&self) -> bool {
        self.is_owner
    }
}

#[derive(Debug, Clone)]
pub struct OperatorActor {
    id: OperatorId,
}

impl OperatorActor {
    pub fn id(&self) -> &OperatorId {
        &self.id
    }
}

#[derive(Debug, Clone)]
pub struct ModeratorActor {
    name: ModeratorName,
    role: Role,
}

impl ModeratorActor {
    pub fn name(&self) -> &ModeratorName {
        &self.name
    }

    pub fn role(&self) -> Role {
        self.role
    }

    /// Refuses whoever ranks below `role`.
    pub fn at_least(&self, role: Role) -> std::result::Result<(), Refusal> {
        if self.role >= role { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// May open any case, and look numbers up.
    pub fn sees_all(&self) -> bool {
        self.role >= Role::Senior
    }

    #[cfg(test)]
    pub(super) fn of_test(name: &str, role: Role) -> Self {
        Self { name: name.parse().expect("a name that a test chose"), role }
    }

    /// A number of a case that is not in hand: its middle is hidden from whom
    /// that case would not be shown.
    pub fn sees(&self, number: Number) -> String {
        if self.sees_all() { number.to_string() } else { number.masked() }
    }
}

/// The SMS gateway, which hands over what holders send and says what became
/// of what they are sent.
#[derive(Debug, Clone, Copy)]
pub struct GatewayActor(());

/// Whoever runs the service: at its command line, or an admin at the console.
#[derive(Debug, Clone)]
pub struct Owner {
    /// `None`: at the command line.
    admin: Option<ModeratorName>,
}

impl Owner {
    /// For the composition root alone: it has the configuration and the keys.
    pub fn at_the_command_line() -> Self {
        Self { admin: None }
    }

    /// As the audit names them.
    pub(super) fn audited(&self) -> String {
        self.admin.as_ref().map_or_else(|| "cli".to_owned(), |name| format!("moderator:{name}"))
    }

    /// Nobody locks themselves out.
    pub(super) fn is_not(&self, name: &ModeratorName) -> std::result::Result<(), Refusal> {
        if self.admin.as_ref() == Some(name) { Err(Refusal::SamePerson) } else { Ok(()) }
    }
}

impl ModeratorActor {
    /// Admins run the service.
    pub fn as_owner(&self) -> std::result::Result<Owner, Refusal> {
        self.at_least(Role::Admin)?;
        Ok(Owner { admin: Some(self.name.clone()) })
    }
}

impl Casework {
    pub async fn holder(&self, token: &str) -> Result<Holder> {
        let id = self.parts.secret.read_holder_token(token).ok_or(Refusal::Unauthenticated)?;
        let found = self.store().load::<Verification>(&id).await?;
        let verification = found.ok_or(Refusal::Unauthenticated)?.value;
        let VerificationStatus::Confirmed { at: proved_at } = verification.status else {
            return Err(Refusal::Unauthenticated.into());
        };
        if verification.expires_at <= self.now() {
            return Err(Refusal::Unauthenticated.into());
        }
        self.still_theirs(verification.number, proved_at).await?;
        let language = Language::of_code(&verification.language);
        Ok(Holder { number: verification.number, proved_at, language })
    }

    /// The bearer of a dispute's token, for that dispute only.
    pub async fn claimant(&self, token: &str, dispute: DisputeId) -> Result<Claimant> {
        let read = self.parts.secret.read_dispute_token(token);
        let (named, proved_at) = read.ok_or(Refusal::Unauthenticated)?;
        if named != dispute {
            return Err(Refusal::Forbidden.into());
        }
        let found = self.dispute(dispute).await?.value;
        let number = found.number;
        match &found.control {
            Control::Code => self.still_theirs(number, proved_at).await?,
            Control::Enterprise { .. } => {
                self.still_theirs(found.contact.unwrap_or(number), proved_at).await?;
                // Who never proved control is not told that it is another's now.
                if found.is_control_proved() {
                    self.still_theirs(number, found.filed_at).await?;
                }
            }
        }
        Ok(Claimant { dispute, number, proved_at })
    }

    /// A dispute's token, as fresh as the holder's proof, for who filed it: for
    /// their number, or as the contact of a list that it is on.
    pub async fn token_of(&self, holder: &Holder, dispute: DisputeId) -> Result<Option<String>> {
        let Some(found) = self.store().load::<Dispute>(&dispute).await? else { return Ok(None) };
        let Dispute { number, contact, filed_at, control, .. } = found.value;
        let filer = if control.is_code() { number } else { contact.unwrap_or(number) };
        if filer != holder.number || self.still_theirs(filer, filed_at).await.is_err() {
            return Ok(None);
        }
        Ok(Some(self.parts.secret.dispute_token(dispute, holder.proved_at)))
    }

    /// The bearer of a list's token, or of its contact's proof of control, for
    /// that list only.
    pub async fn filer(&self, token: &str, filing: FilingId) -> Result<Filer> {
        let (number, proved_at) = match self.parts.secret.read_filing_token(token) {
            Some((named, proved_at)) if named == filing => (None, proved_at),
            Some(_) => return Err(Refusal::Forbidden.into()),
            None => {
                let holder = self.holder(token).await?;
                (Some(holder.number()), holder.proved_at())
            }
        };
        let Filing { contact, filed_at, .. } = self.filing(filing).await?.value;
        // Whether a list exists is told to its contact alone, and not to who
        // has the contact's number now.
        if let Some(number) = number
            && (number != contact || self.still_theirs(contact, filed_at).await.is_err())
        {
            return Err(Refusal::NotFound.into());
        }
        self.still_theirs(contact, proved_at).await?;
        Ok(Filer { filing, contact, proved_at })
    }

    pub async fn provider(&self, key: &str) -> Result<ProviderActor> {
        let key = self.access_key(key).await?;
        match key.grant {
            Grant::Provider(id) => {
                self.seen.note(&id, self.now());
                Ok(ProviderActor { id, is_owner: false })
            }
            Grant::Operator(_) => Err(Refusal::Forbidden.into()),
        }
    }

    pub async fn operator(&self, key: &str) -> Result<OperatorActor> {
        let key = self.access_key(key).await?;
        match key.grant {
            Grant::Operator(id) => Ok(OperatorActor { id }),
            Grant::Provider(_) => Err(Refusal::Forbidden.into()),
        }
    }

    /// Nobody, where no inbound SMS is taken.
    pub fn gateway(&self, token: &str) -> Result<GatewayActor> {
        let is_right = self.texting.as_ref().is_some_and(|texting| texting.token_is(token));
        if is_right { Ok(GatewayActor(())) } else { Err(Refusal::Unauthenticated.into()) }
    }

    /// An operator or provider on whose behalf the owner loads a file.
    pub fn operator_for(&self, _: Owner, id: OperatorId) -> OperatorActor {
        OperatorActor { id }
    }

    pub fn provider_for(&self, _: Owner, id: ProviderId) -> ProviderActor {
        ProviderActor { id, is_owner: true }
    }

    pub async fn moderator(&self, token: &str) -> Result<ModeratorActor> {
        let session = self.parts.secret.read_session_token(token).ok_or(Refusal::Unauthenticated)?;
        let found = self.store().load::<Session>(&session).await?;
        let found = found.filter(|found| self.now() < found.value.expires_at);
        let session = found.ok_or(Refusal::Unauthenticated)?.value;
        let Session { moderator: name, totp_generation, started_at, .. } = session;
        let found = self.store().load::<Moderator>(&name).await?;
        let is_same = |account: &Moderator| {
            !account.disabled
                && account.totp_generation == totp_generation
                && account.sessions_ended_at.is_none_or(|ended_at| ended_at < started_at)
        };
        let found = found.filter(|found| is_same(&found.value));
        let role = found.ok_or(Refusal::Unauthenticated)?.value.role;
        Ok(ModeratorActor { name, role })
    }

    pub(super) async fn dispute(&self, id: DisputeId) -> Result<Versioned<Dispute>> {
        Ok(self.store().load::<Dispute>(&id).await?.ok_or(Refusal::NotFound)?)
    }

    async fn access_key(&self, key: &str) -> Result<AccessKey> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let found = self.store().load::<AccessKey>(&hash).await?;
        let key = found.ok_or(Refusal::Unauthenticated)?.value;
        if key.is_good(self.now()) { Ok(key) } else { Err(Refusal::Unauthenticated.into()) }
    }

    pub(super) async fn still_theirs(&self, number: Number, proved_at: Timestamp) -> Result<()> {
        let file = self.number_file(number).await?.value;
        let proved_on = self.day_of(number, proved_at);
        if file.ledger.was_anothers(proved_on, proved_at) {
            return Err(Refusal::Unauthenticated.into());
        }
        Ok(())
    }
}
