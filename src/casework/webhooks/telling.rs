//! Telling webhooks: each is told the newest size, one call at a time. What
//! was told and what failed is in its record, so that a crash repeats a call
//! at most, under the same message id.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{message, schedule, subject};
use crate::casework::ports::Delivery;
use crate::casework::{Casework, Error, Result, audit};
use crate::store::{Changeset, Listing, Telling, Versioned, Webhook};

/// Calls under way at once.
const CALLS_AT_ONCE_MAX: usize = 32;
/// How long to look away at most: another process may have added a webhook,
/// and clocks are set.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long to look away when a call could not be noted down.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Casework {
    /// Tells webhooks of each size that is published, until told to stop or
    /// until the store fails. Calls under way are left then, and made again.
    pub async fn tell_webhooks(
        &self,
        mut published: watch::Receiver<u64>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut calls = JoinSet::new();
        loop {
            let size = *published.borrow_and_update();
            let pause = match self.begin_calls(size, &mut calls).await {
                // The store is away.
                Err(Error::Busy(_)) => LOOK_AGAIN,
                begun => begun?,
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(ended) = calls.join_next() => match ended {
                    Ok(noted) => noted?,
                    Err(error) => tracing::error!(%error, "a webhook's call broke"),
                },
                Ok(()) = published.changed() => {}
                () = self.webhook_added.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Begins all calls that are due; says when to look for the next ones.
    pub(super) async fn begin_calls(&self, size: u64, calls: &mut JoinSet<Result<()>>) -> Result<Duration> {
        let mut pause = LOOK_EVERY;
        for webhook in self.store().all::<Webhook>(&Listing::Webhooks).await? {
            let Some(wait) = schedule::wait(&webhook.value, size, self.now()) else { continue };
            if !wait.is_zero() {
                pause = pause.min(wait);
            } else if calls.len() == CALLS_AT_ONCE_MAX {
                break; // The end of one of them brings us here again.
            } else if let Some((webhook, telling)) = self.claim(webhook, size).await? {
                let this = self.clone();
                calls.spawn(async move { this.call(&webhook, telling).await });
            } else {
                pause = pause.min(LOOK_AGAIN);
            }
        }
        Ok(pause)
    }

    /// Notes down that a call begins, so that nobody else makes it too.
    async fn claim(&self, mut webhook: Versioned<Webhook>, size: u64) -> Result<Option<(Webhook, Telling)>> {
        let telling = schedule::begin(&mut webhook.value, size, self.now());
        let claimed = webhook.value.clone();
        let mut changeset = Changeset::default();
        changeset.put(webhook);
        match self.commit(changeset).await {
            Ok(()) => Ok(Some((claimed, telling))),
            Err(Error::Fatal(why)) => Err(Error::Fatal(why)),
            // Changed or removed meanwhile, or too much to do.
            Err(_) => Ok(None),
        }
    }

    /// Errors are fatal ones only.
    async fn call(&self, webhook: &Webhook, telling: Telling) -> Result<()> {
        let message = message::message(&self.parts.secret, webhook, telling, self.now());
        let delivery = self.parts.webhooks.post(&message).await;
        match self.retrying(|| self.note(webhook, telling, &delivery)).await {
            Err(Error::Fatal(why)) => Err(Error::Fatal(why)),
            Err(error) => {
                tracing::warn!(provider = %webhook.provider, %error, "a webhook's call was not noted");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn note(&self, called: &Webhook, telling: Telling, delivery: &Delivery) -> Result<()> {
        let found = self.store().load::<Webhook>(&(called.provider.clone(), called.place)).await?;
        // It may have been removed meanwhile, and another taken its place.
        let Some(mut webhook) = found.filter(|found| found.value.id == called.id) else { return Ok(()) };
        let was_failing = webhook.value.failing.is_some();
        let (now, chance) = (self.now(), u64::from_be_bytes(self.random()));
        schedule::end(&mut webhook.value, telling, delivery, now, chance);
        let Webhook { id, provider, failing, disabled, .. } = webhook.value.clone();
        let mut changeset = Changeset::default();
        changeset.put(webhook);
        if disabled.is_some() {
            changeset.audit.push(audit(now, "rule", "webhook_disabled", subject(id)));
        }
        self.commit(changeset).await?;
        // Not the URL: its receiver may keep a secret in it.
        match (disabled, failing) {
            (Some(disabled), _) => tracing::warn!(%provider, why = disabled.why, "webhook disabled"),
            (None, Some(failing)) if !was_failing => {
                let hours = schedule::GIVE_UP_AFTER.as_hours();
                tracing::warn!(%provider, why = failing.why, hours, "webhook failing; trying again");
            }
            (None, _) => {}
        }
        Ok(())
    }
}
