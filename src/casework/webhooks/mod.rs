//! Webhooks: whom a provider wants to be told of new checkpoints. They are a
//! hint to come and pull; whoever misses one loses nothing but time.
//!
//! Absent: the call itself (`gateway`), and what is told beyond a size.

mod message;
mod schedule;
mod telling;

#[cfg(test)]
mod tests;

use crate::casework::actors::Owner;
use crate::casework::{Casework, Result, audit};
use crate::domain::id::{ProviderId, WebhookId};
use crate::domain::refusal::Refusal;
use crate::domain::webhook::WebhookUrl;
use crate::store::{AccessKey, Changeset, Disabled, Grant, Key, Listing, Versioned, Webhook};

pub const WEBHOOKS_PER_PROVIDER_MAX: u8 = 4;

impl Casework {
    /// Adds a webhook, or enables one anew, and returns its secret, for this
    /// once.
    pub async fn add_webhook(&self, owner: Owner, provider: &ProviderId, url: &WebhookUrl) -> Result<String> {
        let id = self.retrying(|| self.take_a_place(&owner, provider, url)).await?;
        self.webhook_added.notify_one();
        Ok(message::secret_text(&self.parts.secret.webhook_secret(id)))
    }

    pub async fn remove_webhook(&self, owner: Owner, provider: &ProviderId, url: &WebhookUrl) -> Result<()> {
        self.retrying(|| async {
            let places = self.places_of(provider).await?;
            let found = places.into_iter().flatten().find(|webhook| webhook.value.url == *url);
            let webhook = found.ok_or(Refusal::NotFound)?;
            let mut changeset = Changeset::default();
            changeset.delete(&webhook);
            changeset.audit.push(audit(
                self.now(),
                owner.audited(),
                "webhook_removed",
                subject(webhook.value.id),
            ));
            self.commit(changeset).await
        })
        .await
    }

    /// All of them, by provider.
    pub async fn webhooks(&self, _: Owner) -> Result<Vec<Webhook>> {
        let found = self.store().all::<Webhook>(&Listing::Webhooks).await?;
        Ok(found.into_iter().map(|webhook| webhook.value).collect())
    }

    /// All that a provider has; they can be added again.
    pub(super) async fn disable_webhooks(
        &self,
        changeset: &mut Changeset,
        owner: &Owner,
        provider: &ProviderId,
        why: &str,
    ) -> Result<()> {
        for mut webhook in self.places_of(provider).await?.into_iter().flatten() {
            if webhook.value.disabled.is_none() {
                webhook.value.disabled = Some(Disabled { at: self.now(), why: why.to_owned() });
                changeset.audit.push(audit(
                    self.now(),
                    owner.audited(),
                    "webhook_disabled",
                    subject(webhook.value.id),
                ));
                changeset.put(webhook);
            }
        }
        Ok(())
    }

    async fn take_a_place(
        &self,
        owner: &Owner,
        provider: &ProviderId,
        url: &WebhookUrl,
    ) -> Result<WebhookId> {
        let mut changeset = Changeset::default();
        let key = self.valid_key_of(provider).await?;
        changeset.expect(Key::AccessKey(key.value.hash), key.version);
        let places = self.places_of(provider).await?;
        let (mut mine, mut free) = (None, None);
        for (place, webhook) in (0..).zip(places) {
            // Whoever adds at the same time has seen another picture than we.
            let version = webhook.as_ref().map_or(0, |webhook| webhook.version);
            changeset.expect(Key::Webhook((provider.clone(), place)), version);
            match webhook {
                Some(webhook) if webhook.value.url == *url => mine = Some(webhook),
                Some(_) => {}
                None => free = free.or(Some(place)),
            }
        }
        let (version, place) = match &mine {
            Some(webhook) if webhook.value.disabled.is_none() => {
                return Err(wrong("url", "is there already"));
            }
            Some(webhook) => (webhook.version, webhook.value.place),
            None => (0, free.ok_or_else(|| wrong("url", "the provider has as many as it may have"))?),
        };
        let (id, now) = (WebhookId(self.new_uuid()), self.now());
        let value = Webhook {
            id,
            provider: provider.clone(),
            place,
            url: url.clone(),
            added_at: now,
            // The present size is told at once: a word that all is well.
            told_size: 0,
            telling: None,
            next_at: now,
            failing: None,
            disabled: None,
        };
        changeset.put(Versioned { version, value });
        changeset.audit.push(audit(now, owner.audited(), "webhook_added", subject(id)));
        self.commit(changeset).await?;
        Ok(id)
    }

    async fn valid_key_of(&self, provider: &ProviderId) -> Result<Versioned<AccessKey>> {
        let grant = Grant::Provider(provider.clone());
        let keys = self.store().all::<AccessKey>(&Listing::AccessKeys).await?;
        let mut valid = keys.into_iter().filter(|key| key.value.revoked_at.is_none());
        valid.find(|key| key.value.grant == grant).ok_or_else(|| wrong("provider", "it has no valid key"))
    }

    /// What is in each of a provider's places.
    async fn places_of(&self, provider: &ProviderId) -> Result<Vec<Option<Versioned<Webhook>>>> {
        let mut places = Vec::new();
        for place in 0..WEBHOOKS_PER_PROVIDER_MAX {
            places.push(self.store().load::<Webhook>(&(provider.clone(), place)).await?);
        }
        Ok(places)
    }
}

fn wrong(field: &'static str, why: &str) -> crate::casework::Error {
    Refusal::FieldMalformed { field, why: why.to_owned() }.into()
}

fn subject(id: WebhookId) -> String {
    format!("webhook:{id}")
}
