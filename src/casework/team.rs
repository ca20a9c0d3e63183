//! Who the moderators are, for the admins among them; and what each may do
//! with their own account.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::actors::{ModeratorActor, Owner, Role};
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::id::ModeratorName;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Listing, Moderator};

/// RFC 6238 §5.2.
const TOTP_STEP_S: i64 = 30;
const PASSWORD_BYTES: usize = 15;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: ModeratorName,
    pub role: Role,
    pub disabled: bool,
    /// To the half minute; `None`: never.
    pub logged_in_at: Option<Timestamp>,
    pub decided_in_7_days: u32,
}

impl Casework {
    /// By name.
    pub async fn team(&self, moderator: &ModeratorActor) -> Result<Vec<Member>> {
        moderator.at_least(Role::Admin)?;
        let accounts = self.store().all::<Moderator>(&Listing::Moderators).await?;
        let today = self.home_day(self.now());
        Ok(accounts.into_iter().map(|account| Member::of(account.value, today)).collect())
    }

    /// One that nobody guesses, for an account's first log-in.
    pub fn new_password(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random::<PASSWORD_BYTES>())
    }

    pub async fn enable_moderator(&self, owner: Owner, name: &ModeratorName) -> Result<()> {
        self.retrying(|| async {
            let mut account = self.account(name).await?;
            account.value.disabled = false;
            self.change_account(&owner, account, "moderator_enabled").await
        })
        .await
    }

    /// All of somebody's sessions.
    pub async fn end_sessions(&self, owner: Owner, name: &ModeratorName) -> Result<()> {
        self.retrying(|| async {
            let mut account = self.account(name).await?;
            account.value.sessions_ended_at = Some(self.now());
            self.change_account(&owner, account, "sessions_ended").await
        })
        .await
    }

    /// All of one's own, this one too.
    pub async fn end_my_sessions(&self, moderator: &ModeratorActor) -> Result<()> {
        self.retrying(|| async {
            let mut account = self.account(moderator.name()).await?;
            account.value.sessions_ended_at = Some(self.now());
            let mut changeset = Changeset::default();
            changeset.put(account);
            changeset.audit.push(self.of_own(moderator, "sessions_ended"));
            self.commit(changeset).await
        })
        .await
    }

    /// Wants the old password and a fresh code, whoever sits at the desk; all
    /// sessions end with it.
    pub async fn change_password(
        &self,
        moderator: &ModeratorActor,
        old: &str,
        totp: &str,
        new: &str,
    ) -> Result<()> {
        let account = self.account(moderator.name()).await?;
        let mut account = self.shown_both(Some(account), old, totp).await?;
        account.value.password_hash = self.password_hash(new).await?;
        account.value.sessions_ended_at = Some(self.now());
        let mut changeset = Changeset::default();
        changeset.put(account);
        changeset.audit.push(self.of_own(moderator, "password_changed"));
        match self.commit(changeset).await {
            // The same code at another place at the same time: a replay.
            Err(Error::Stale) => Err(Refusal::LoginWrong.into()),
            done => done,
        }
    }

    fn of_own(&self, moderator: &ModeratorActor, action: &str) -> crate::store::AuditDraft {
        let who = format!("moderator:{}", moderator.name());
        audit(self.now(), who.clone(), action, who)
    }
}

impl Member {
    fn of(account: Moderator, today: Date) -> Self {
        let step = i64::try_from(account.totp_step_used).ok().filter(|step| *step > 0);
        let logged_in_at = step.and_then(|step| Timestamp::from_second(step * TOTP_STEP_S).ok());
        let decided_in_7_days = account.decided_in_week(today);
        let Moderator { name, role, disabled, .. } = account;
        Self { name, role, disabled, logged_in_at, decided_in_7_days }
    }
}
