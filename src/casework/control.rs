//! Control of a number (控制权): proved by a code sent to it, or by a phrase
//! sent from it (`texting`). Never a proof of identity, and the same answer
//! whether or not the number is known.

use jiff::{SignedDuration, Timestamp};

use crate::casework::actors::Owner;
use crate::casework::meters::Cap;
use crate::casework::ports::Message;
use crate::casework::texting::Wanted;
use crate::casework::worker::new_task;
use crate::casework::{Casework, Error, Result, health};
use crate::domain::control::MessageState;
use crate::domain::day::later;
use crate::domain::id::VerificationId;
use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Claim, CodeCount, Stored, Task, TaskKind, Verification, Versioned};

pub use crate::domain::control::Method;
pub use crate::domain::language::Language;
pub use crate::store::VerificationStatus;

const CODE_MINUTES: i64 = 10;
const TRIES_MAX: u8 = 5;
/// How long a proved control opens the number's file.
pub(super) const HOLDER_TOKEN_MINUTES: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub id: VerificationId,
    pub expires_at: Timestamp,
    /// What to send, where that is the method.
    pub wanted: Option<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    pub token: String,
    pub number: Number,
    pub expires_at: Timestamp,
}

/// What a page shows while it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub number: Number,
    /// What to send, where that is the method.
    pub wanted: Option<Wanted>,
    pub delivery: Option<MessageState>,
}

/// Where a verification stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub status: VerificationStatus,
    /// How far the message with the code has come.
    pub delivery: Option<MessageState>,
}

impl Casework {
    pub async fn start_verification(
        &self,
        number: Number,
        method: Method,
        language: Language,
        solution: Option<&str>,
    ) -> Result<Started> {
        if !self.reference().numbering.kind(number).receives_sms() {
            return Err(Refusal::SmsUnreachable.into());
        }
        if method == Method::SendSms && self.texting.is_none() {
            return Err(Refusal::MethodNotOffered.into());
        }
        // What the holder sends costs nobody else anything.
        let paid = match method {
            Method::SmsCode => self.proof_of_work(solution)?,
            Method::SendSms => None,
        };
        let started = self.retrying(|| self.try_start(number, method, language, paid.clone())).await?;
        self.load.count(self.now());
        self.wake_worker();
        Ok(started)
    }

    async fn try_start(
        &self,
        number: Number,
        method: Method,
        language: Language,
        paid: Option<Claim>,
    ) -> Result<Started> {
        let now = self.now();
        let id = VerificationId(self.new_uuid());
        let expires_at = later(now, SignedDuration::from_mins(CODE_MINUTES));
        let mut changeset = Changeset::default();
        if let Some(claim) = paid {
            if self.store().load::<Claim>(&claim.name).await?.is_some() {
                return Err(Refusal::ProofOfWork.into());
            }
            changeset.put_new(claim);
        }
        let sends = self.count_attempt(number, method, now, &mut changeset).await?;
        let verification = Verification {
            id,
            number,
            method,
            sends,
            language: language.code().to_owned(),
            tries: 0,
            status: VerificationStatus::Pending,
            started_at: now,
            expires_at,
            token_told: false,
            delivery: None,
        };
        match method {
            Method::SmsCode if sends => {
                changeset.put_new(new_task(TaskKind::SendCode(id), now));
            }
            Method::SendSms if sends => changeset.put_new(self.phrase_claim(&verification)),
            Method::SmsCode | Method::SendSms => {}
        }
        changeset.put_new(verification);
        self.commit(changeset).await?;
        if method == Method::SmsCode && !sends {
            self.meters.held(Cap::Number);
        }
        let wanted = (method == Method::SendSms).then(|| self.wanted(id, language)).flatten();
        Ok(Started { id, expires_at, wanted })
    }

    /// Counts a code sent to the number, or a phrase shown for it, unless a
    /// day's are used up. Phrases cost nothing, but would pile up.
    async fn count_attempt(
        &self,
        number: Number,
        method: Method,
        now: Timestamp,
        changeset: &mut Changeset,
    ) -> Result<bool> {
        let most = self.parts.settings.codes_per_number_per_day as usize;
        if most == 0 {
            return Ok(true);
        }
        let found = self.store().load::<CodeCount>(&number).await?;
        let none = || CodeCount { number, sent_at: Vec::new(), shown_at: Vec::new(), expires_at: now };
        let mut count = found.unwrap_or_else(|| Versioned::new(none()));
        let day = SignedDuration::from_hours(24);
        let before = match method {
            Method::SmsCode => &mut count.value.sent_at,
            Method::SendSms => &mut count.value.shown_at,
        };
        before.retain(|at| now.duration_since(*at) < day);
        if before.len() >= most {
            changeset.expect(count.value.key(), count.version);
            return Ok(false);
        }
        before.push(now);
        count.value.expires_at = later(now, day);
        changeset.put(count);
        Ok(true)
    }

    pub async fn confirm_verification(&self, id: VerificationId, code: &str) -> Result<Confirmed> {
        self.retrying(|| self.try_confirm(id, code)).await
    }

    async fn try_confirm(&self, id: VerificationId, code: &str) -> Result<Confirmed> {
        let now = self.now();
        let found = self.store().load::<Verification>(&id).await?;
        let mut verification = found.ok_or(Refusal::NotFound)?;
        let value = &mut verification.value;
        if value.method != Method::SmsCode {
            return Err(Refusal::MethodNotOffered.into());
        }
        if value.status != VerificationStatus::Pending || value.expires_at <= now {
            return Err(Refusal::VerificationSpent.into());
        }
        let right = self.parts.secret.code_is(id, code) && value.sends;
        let outcome = if right {
            value.status = VerificationStatus::Confirmed { at: now };
            value.expires_at = later(now, SignedDuration::from_mins(HOLDER_TOKEN_MINUTES));
            let token = self.parts.secret.holder_token(id);
            Ok(Confirmed { token, number: value.number, expires_at: value.expires_at })
        } else {
            value.tries += 1;
            if value.tries >= TRIES_MAX {
                value.status = VerificationStatus::Spent;
            }
            Err(Refusal::CodeWrong { attempts_left: TRIES_MAX.saturating_sub(value.tries) })
        };
        let mut changeset = Changeset::default();
        changeset.put(verification);
        self.commit(changeset).await?;
        outcome.map_err(Error::from)
    }

    /// Where a verification stands.
    pub async fn verification(&self, id: VerificationId) -> Result<Standing> {
        let found = self.store().load::<Verification>(&id).await?.ok_or(Refusal::NotFound)?.value;
        Ok(found.standing(self.now()))
    }

    /// A verification that is under way, for the page that waits for it.
    pub async fn pending(&self, id: VerificationId, language: Language) -> Result<Option<Pending>> {
        let Some(found) = self.store().load::<Verification>(&id).await? else { return Ok(None) };
        let Standing { status, delivery } = found.value.standing(self.now());
        if status != VerificationStatus::Pending {
            return Ok(None);
        }
        let by_text = found.value.method == Method::SendSms;
        let wanted = by_text.then(|| self.wanted(id, language)).flatten();
        Ok(Some(Pending { number: found.value.number, wanted, delivery }))
    }

    /// The same, and the token of a phrase that has come, to the first who
    /// asks and to nobody else.
    pub async fn take_token(&self, id: VerificationId) -> Result<(Standing, Option<Confirmed>)> {
        self.retrying(|| self.try_take(id)).await
    }

    async fn try_take(&self, id: VerificationId) -> Result<(Standing, Option<Confirmed>)> {
        let mut found = self.store().load::<Verification>(&id).await?.ok_or(Refusal::NotFound)?;
        let (value, now) = (&mut found.value, self.now());
        let standing = value.standing(now);
        let is_confirmed = matches!(value.status, VerificationStatus::Confirmed { .. });
        let is_due = value.method == Method::SendSms && is_confirmed && now < value.expires_at;
        if !is_due || value.token_told {
            return Ok((standing, None));
        }
        value.token_told = true;
        let Verification { number, expires_at, .. } = *value;
        let token = self.parts.secret.holder_token(id);
        let mut changeset = Changeset::default();
        changeset.put(found);
        self.commit(changeset).await?;
        Ok((standing, Some(Confirmed { token, number, expires_at })))
    }

    /// The code of a pending verification, for an outbox that only the owner
    /// reads: the demo.
    pub fn code_for(&self, _: Owner, id: VerificationId) -> String {
        self.parts.secret.code(id)
    }

    /// The worker's part: hands the code to the SMS gateway.
    pub(super) async fn send_code(&self, task: &Versioned<Task>, id: VerificationId) -> Result<()> {
        let found = self.store().load::<Verification>(&id).await?;
        let waiting = found.filter(|found| {
            found.value.status == VerificationStatus::Pending && self.now() < found.value.expires_at
        });
        if let Some(verification) = waiting {
            let text = code_text(&verification.value.language, &self.parts.secret.code(id));
            let message = self.code_message(id, verification.value.number, text);
            return match self.send(task, &message).await? {
                true => self.finish_code(task, verification).await,
                false => Ok(()),
            };
        }
        self.finish(task).await
    }

    /// A task that is one message: sent, it is done.
    pub(super) async fn tell(
        &self,
        task: &Versioned<Task>,
        id: String,
        to: Number,
        text: &str,
    ) -> Result<()> {
        if !self.send(task, &self.message(id, to, text.to_owned())).await? {
            return Ok(());
        }
        let mut changeset = Changeset::default();
        changeset.delete(task);
        self.finish_sent(changeset).await
    }

    /// Sends a task's message, or puts the task off until the service may and
    /// the gateway can. Whether it was sent.
    async fn send(&self, task: &Versioned<Task>, message: &Message) -> Result<bool> {
        if let Err(next) = self.may_send().await? {
            self.meters.held(Cap::Service);
            self.put_off(task, next).await?;
            return Ok(false);
        }
        let sent = self.parts.sms.send(message).await;
        self.meters.message(sent.is_ok());
        match sent {
            Ok(()) => {
                self.health.ok(health::SMS);
                Ok(true)
            }
            Err(unavailable) => {
                self.health.unavailable(health::SMS, &unavailable);
                self.postpone(task, &unavailable).await?;
                Ok(false)
            }
        }
    }
}

impl Verification {
    fn standing(&self, now: Timestamp) -> Standing {
        let is_over = self.status == VerificationStatus::Pending && self.expires_at <= now;
        let status = if is_over { VerificationStatus::Spent } else { self.status };
        Standing { status, delivery: self.delivery }
    }
}

fn code_text(language: &str, code: &str) -> String {
    match language {
        "en" => format!(
            "[Zhengming] Your code is {code}, good for {CODE_MINUTES} minutes. It shows that this number is in \
             your hands. Never pass it on, whoever asks."
        ),
        _ => format!(
            "【正名】验证码 {code}，{CODE_MINUTES} 分钟内有效，仅用于确认本号码由您使用。请勿告诉任何人，包括自称工作人员的人。"
        ),
    }
}
