//! Control of a number (控制权): proved by a code sent to it. Never a proof
//! of identity, and the same answer whether or not the number is known.

use jiff::{SignedDuration, Timestamp};

use crate::casework::actors::Owner;
use crate::casework::ports::Message;
use crate::casework::{Casework, Error, Result};
use crate::domain::day::later;
use crate::domain::id::VerificationId;
use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Claim, CodeCount, Stored, Task, TaskKind, Verification, Versioned};

pub use crate::store::VerificationStatus;

const CODE_MINUTES: i64 = 10;
const TRIES_MAX: u8 = 5;
/// How long a proved control opens the number's file.
const HOLDER_TOKEN_MINUTES: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    SmsCode,
    SendSms,
}

/// The language of messages to the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Zh,
    En,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub id: VerificationId,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    pub token: String,
    pub number: Number,
    pub expires_at: Timestamp,
}

impl Casework {
    pub async fn start_verification(
        &self,
        number: Number,
        method: Method,
        language: Language,
        solution: Option<&str>,
    ) -> Result<Started> {
        if method == Method::SendSms {
            return Err(Refusal::MethodNotOffered.into());
        }
        if !self.reference().numbering.kind(number).receives_sms() {
            return Err(Refusal::SmsUnreachable.into());
        }
        let paid = self.proof_of_work(solution)?;
        let started = self.retrying(|| self.try_start(number, language, paid.clone())).await?;
        self.wake_worker();
        Ok(started)
    }

    async fn try_start(&self, number: Number, language: Language, paid: Option<Claim>) -> Result<Started> {
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
        let sends = self.count_code(number, now, &mut changeset).await?;
        if sends {
            changeset.put_new(Task { kind: TaskKind::SendCode(id), run_at: now, attempts: 0 });
        }
        let language = match language {
            Language::Zh => "zh",
            Language::En => "en",
        };
        changeset.put_new(Verification {
            id,
            number,
            sends,
            language: language.to_owned(),
            tries: 0,
            status: VerificationStatus::Pending,
            started_at: now,
            expires_at,
        });
        self.commit(changeset).await?;
        Ok(Started { id, expires_at })
    }

    /// Counts a code for the number, unless a day's codes are used up.
    async fn count_code(&self, number: Number, now: Timestamp, changeset: &mut Changeset) -> Result<bool> {
        let most = self.parts.settings.codes_per_number_per_day as usize;
        if most == 0 {
            return Ok(true);
        }
        let found = self.store().load::<CodeCount>(&number).await?;
        let mut count = found
            .unwrap_or_else(|| Versioned::new(CodeCount { number, sent_at: Vec::new(), expires_at: now }));
        let day = SignedDuration::from_hours(24);
        count.value.sent_at.retain(|sent_at| now.duration_since(*sent_at) < day);
        if count.value.sent_at.len() >= most {
            changeset.expect(count.value.key(), count.version);
            return Ok(false);
        }
        count.value.sent_at.push(now);
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
    pub async fn verification(&self, id: VerificationId) -> Result<VerificationStatus> {
        let found = self.store().load::<Verification>(&id).await?.ok_or(Refusal::NotFound)?.value;
        let over = found.status == VerificationStatus::Pending && found.expires_at <= self.now();
        Ok(if over { VerificationStatus::Spent } else { found.status })
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
            let Verification { number, language, .. } = verification.value;
            let text = code_text(&language, &self.parts.secret.code(id));
            return self.send(task, Message { id: format!("code-{id}"), to: number, text }).await;
        }
        self.finish(task).await
    }

    /// Sends a task's message, now or when the service may and the gateway can.
    pub(super) async fn send(&self, task: &Versioned<Task>, message: Message) -> Result<()> {
        if let Err(next) = self.sending.take(self.now(), self.parts.settings.sms_per_minute) {
            return self.put_off(task, next).await;
        }
        match self.parts.sms.send(&message).await {
            Ok(()) => self.finish(task).await,
            Err(unavailable) => self.postpone(task, &unavailable).await,
        }
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
