//! What becomes of the messages that we send: the gateway takes one, and
//! reports later whether it arrived. A holder who waits for a code can be told
//! that it will not come. Whether a number is known to us, it does not say.

use crate::casework::actors::GatewayActor;
use crate::casework::ports::Message;
use crate::casework::{Casework, Error, Result};
use crate::domain::control::MessageState;
use crate::domain::id::VerificationId;
use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Task, Verification, Versioned};

/// The messages' ids say what they are about.
const CODE: &str = "code-";

impl Casework {
    pub(super) fn message(&self, id: String, to: Number, text: String) -> Message {
        let seal = self.parts.secret.message_seal(&id);
        Message { id, to, text, seal }
    }

    pub(super) fn code_message(&self, verification: VerificationId, to: Number, text: String) -> Message {
        self.message(format!("{CODE}{verification}"), to, text)
    }

    /// Ends the task of a code that the gateway has taken.
    pub(super) async fn finish_code(
        &self,
        task: &Versioned<Task>,
        mut verification: Versioned<Verification>,
    ) -> Result<()> {
        let mut changeset = Changeset::default();
        if !MessageState::Accepted.is_old_news(verification.value.delivery) {
            verification.value.delivery = Some(MessageState::Accepted);
            changeset.put(verification);
        }
        changeset.delete(task);
        match self.finish_sent(changeset).await {
            // Its holder or a report was faster. The message is not sent twice
            // for that.
            Err(Error::Stale) => self.finish(task).await,
            done => done,
        }
    }

    /// A report by whoever was given the message.
    pub async fn report_delivery(&self, message: &str, seal: &str, state: MessageState) -> Result<()> {
        if !self.parts.secret.message_seal_is(message, seal) {
            return Err(Refusal::Unauthenticated.into());
        }
        self.note_delivery(message, state).await
    }

    /// A report by the gateway.
    pub async fn report_delivery_as(
        &self,
        _: &GatewayActor,
        message: &str,
        state: MessageState,
    ) -> Result<()> {
        self.note_delivery(message, state).await
    }

    async fn note_delivery(&self, message: &str, state: MessageState) -> Result<()> {
        if state == MessageState::Failed {
            let about = if message.starts_with(CODE) { "code" } else { "status" };
            tracing::warn!(about, "a message was not delivered");
        }
        let Some(id) = message.strip_prefix(CODE).and_then(|id| id.parse().ok()) else { return Ok(()) };
        self.retrying(|| self.try_note(id, state)).await
    }

    async fn try_note(&self, id: VerificationId, state: MessageState) -> Result<()> {
        let found = self.store().load::<Verification>(&id).await?;
        let Some(mut verification) = found.filter(|found| !state.is_old_news(found.value.delivery)) else {
            return Ok(());
        };
        verification.value.delivery = Some(state);
        let mut changeset = Changeset::default();
        changeset.put(verification);
        self.commit(changeset).await
    }
}
