//! Moderators' accounts and log-ins: password (Argon2id) and TOTP (RFC 6238).
//!
//! The TOTP secret is derived from the service's secret, so that the database
//! alone logs nobody in; a reset derives the next one.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use jiff::{SignedDuration, Timestamp};
use totp_rs::{Builder, Totp};

use crate::casework::actors::Owner;
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::day::later;
use crate::domain::id::{ModeratorName, SessionId};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Moderator, Role, Session, Versioned};

pub const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_BYTES_MAX: usize = 1_024;
const SESSION_HOURS: i64 = 12;
const ISSUER: &str = "Zhengming";
/// What a wrong name's password is checked against, so that it takes as long
/// as a right one's.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$Jj5qYz3W3GCGl9lGhkr3o8hHAfRBiEz1fGMVaBmy2hE";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    pub token: String,
    pub role: Role,
    pub expires_at: Timestamp,
    /// Shows that somebody logged in to this account from where it is kept.
    pub device: String,
}

impl Casework {
    /// Makes an account and returns its otpauth URI.
    pub async fn add_moderator(
        &self,
        owner: Owner,
        name: &ModeratorName,
        role: Role,
        password: &str,
    ) -> Result<String> {
        let moderator = Moderator::new(name.clone(), role, self.password_hash(password).await?);
        let uri = otpauth_uri(&self.totp(&moderator))?;
        let mut changeset = Changeset::default();
        changeset.put_new(moderator);
        changeset.audit.push(audit(
            self.now(),
            owner.audited(),
            "moderator_added",
            format!("moderator:{name}"),
        ));
        match self.commit(changeset).await {
            Err(Error::Stale) => {
                Err(Refusal::FieldMalformed { field: "name", why: "is taken".to_owned() }.into())
            }
            done => done.map(|()| uri),
        }
    }

    /// A new password and a new TOTP secret; also enables a disabled account.
    /// Sessions from before end at once.
    pub async fn reset_moderator(
        &self,
        owner: Owner,
        name: &ModeratorName,
        password: &str,
    ) -> Result<String> {
        owner.is_not(name)?;
        let password_hash = self.password_hash(password).await?;
        self.retrying(|| async {
            let mut moderator = self.account(name).await?;
            moderator.value.password_hash.clone_from(&password_hash);
            moderator.value.totp_generation += 1;
            moderator.value.totp_step_used = 0;
            moderator.value.disabled = false;
            let uri = otpauth_uri(&self.totp(&moderator.value))?;
            self.change_account(&owner, moderator, "moderator_reset").await?;
            Ok(uri)
        })
        .await
    }

    /// Sessions of a disabled account end at once.
    pub async fn disable_moderator(&self, owner: Owner, name: &ModeratorName) -> Result<()> {
        owner.is_not(name)?;
        self.retrying(|| async {
            let mut moderator = self.account(name).await?;
            moderator.value.disabled = true;
            self.change_account(&owner, moderator, "moderator_disabled").await
        })
        .await
    }

    pub async fn log_in(&self, name: &str, password: &str, totp: &str) -> Result<LoggedIn> {
        let account = match name.parse::<ModeratorName>() {
            Ok(name) => self.store().load::<Moderator>(&name).await?,
            Err(_) => None,
        };
        let account = self.shown_both(account, password, totp).await?;
        let now = self.now();
        let role = account.value.role;
        let session = Session {
            id: SessionId(self.new_uuid()),
            moderator: account.value.name.clone(),
            totp_generation: account.value.totp_generation,
            started_at: now,
            expires_at: later(now, SignedDuration::from_hours(SESSION_HOURS)),
        };
        let token = self.parts.secret.session_token(session.id);
        let expires_at = session.expires_at;
        let device = self.device_token(&session.moderator);
        let mut changeset = Changeset::default();
        let who = format!("moderator:{}", session.moderator);
        changeset.audit.push(audit(now, who.clone(), "logged_in", who));
        changeset.put(account);
        changeset.put_new(session);
        match self.commit(changeset).await {
            // Two log-ins with one code: one of them is a replay.
            Err(Error::Stale) => Err(Refusal::LoginWrong.into()),
            done => done.map(|()| LoggedIn { token, role, expires_at, device }),
        }
    }

    /// Whose password and code these are, with the code used up.
    pub(super) async fn shown_both(
        &self,
        account: Option<Versioned<Moderator>>,
        password: &str,
        totp: &str,
    ) -> Result<Versioned<Moderator>> {
        let hash = account.as_ref().map_or(NOBODY, |account| &account.value.password_hash);
        let right = password_is(password.to_owned(), hash.to_owned()).await?;
        let account = account.filter(|account| right && !account.value.disabled);
        let mut account = account.ok_or(Refusal::LoginWrong)?;
        let second = u64::try_from(self.now().as_second()).unwrap_or(0);
        let step = self.totp(&account.value).check(totp, second);
        let step = step.filter(|step| *step > account.value.totp_step_used).ok_or(Refusal::LoginWrong)?;
        account.value.totp_step_used = step;
        Ok(account)
    }

    /// Ends one session, at once and for good.
    pub async fn log_out(&self, session: &str) -> Result<()> {
        let id = self.parts.secret.read_session_token(session).ok_or(Refusal::Unauthenticated)?;
        self.retrying(|| async {
            let Some(session) = self.store().load::<Session>(&id).await? else { return Ok(()) };
            let who = format!("moderator:{}", session.value.moderator);
            let mut changeset = Changeset::default();
            changeset.delete(&session);
            changeset.audit.push(audit(self.now(), who.clone(), "logged_out", who));
            self.commit(changeset).await
        })
        .await
    }

    /// The code that an account's authenticator shows now, for the owner: the
    /// demo and the tests log in with it.
    pub async fn totp_now(&self, _: Owner, name: &ModeratorName) -> Result<String> {
        let account = self.account(name).await?;
        let second = u64::try_from(self.now().as_second()).unwrap_or(0);
        Ok(self.totp(&account.value).generate(second).to_string())
    }

    pub(super) async fn account(&self, name: &ModeratorName) -> Result<Versioned<Moderator>> {
        Ok(self.store().load::<Moderator>(name).await?.ok_or(Refusal::NotFound)?)
    }

    pub(super) async fn change_account(
        &self,
        owner: &Owner,
        moderator: Versioned<Moderator>,
        action: &str,
    ) -> Result<()> {
        let subject = format!("moderator:{}", moderator.value.name);
        let mut changeset = Changeset::default();
        changeset.put(moderator);
        changeset.audit.push(audit(self.now(), owner.audited(), action, subject));
        self.commit(changeset).await
    }

    fn totp(&self, moderator: &Moderator) -> Totp {
        let generation = moderator.totp_generation.to_be_bytes();
        let secret = self.parts.secret.derive("totp", &[moderator.name.as_str().as_bytes(), &generation]);
        Builder::new()
            .with_secret(secret[..20].to_vec())
            .with_account_name(moderator.name.as_str())
            .with_issuer(Some(ISSUER))
            .build()
            .expect("a secret of 20 bytes, a slug and a fixed issuer make a valid TOTP")
    }

    pub(super) async fn password_hash(&self, password: &str) -> Result<String> {
        let chars = password.chars().count();
        if chars < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
            let why = format!(
                "has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes"
            );
            return Err(Refusal::FieldMalformed { field: "password", why }.into());
        }
        let (password, salt) = (password.to_owned(), self.random::<16>());
        let hashing = move || {
            let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| Error::Fatal(format!("argon2: {error}")))
        };
        tokio::task::spawn_blocking(hashing).await.map_err(|error| Error::Fatal(error.to_string()))?
    }
}

async fn password_is(password: String, hash: String) -> Result<bool> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let checking = move || Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok();
    tokio::task::spawn_blocking(checking).await.map_err(|error| Error::Fatal(error.to_string()))
}

fn otpauth_uri(totp: &Totp) -> Result<String> {
    totp.to_url().map_err(|error| Error::Fatal(format!("otpauth: {error}")))
}
