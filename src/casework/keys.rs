//! Keys of providers and operators. Only their hashes are kept; a key is shown
//! once, when it is issued.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::casework::actors::Owner;
use crate::casework::{Casework, Result, audit};
use crate::domain::id::KeyId;
use crate::domain::name::parse_name;
use crate::domain::refusal::Refusal;
use crate::store::{AccessKey, Changeset, Grant, Listing};

const KEY_BYTES: usize = 32;

impl Casework {
    /// Issues a key and returns it, for this once.
    pub async fn issue_key(&self, _: Owner, grant: Grant, name: &str) -> Result<(KeyId, String)> {
        let malformed = |why: &str| Refusal::FieldMalformed { field: "name", why: why.to_owned() };
        let name = parse_name(name).map_err(malformed)?;
        let prefix = match &grant {
            Grant::Provider(_) => "zmp_",
            Grant::Operator(_) => "zmo_",
        };
        let key = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.random::<KEY_BYTES>()));
        let id = KeyId(self.new_uuid());
        let now = self.now();
        let mut changeset = Changeset::default();
        changeset.put_new(AccessKey {
            id,
            hash: Sha256::digest(key.as_bytes()).into(),
            grant,
            name,
            issued_at: now,
            revoked_at: None,
        });
        changeset.audit.push(audit(now, "cli", "key_issued", format!("key:{id}")));
        self.commit(changeset).await?;
        Ok((id, key))
    }

    pub async fn keys(&self, _: Owner) -> Result<Vec<AccessKey>> {
        Ok(self
            .store()
            .all::<AccessKey>(&Listing::AccessKeys)
            .await?
            .into_iter()
            .map(|key| key.value)
            .collect())
    }

    /// A provider without a key is told nothing more either: its webhooks are
    /// disabled in the same commit.
    pub async fn revoke_key(&self, _: Owner, id: KeyId) -> Result<()> {
        self.retrying(|| self.try_revoke(id)).await
    }

    async fn try_revoke(&self, id: KeyId) -> Result<()> {
        let mut keys = self.store().all::<AccessKey>(&Listing::AccessKeys).await?;
        let place = keys.iter().position(|key| key.value.id == id).ok_or(Refusal::NotFound)?;
        let mut key = keys.swap_remove(place);
        if key.value.revoked_at.is_some() {
            return Ok(());
        }
        let now = self.now();
        let mut changeset = Changeset::default();
        let is_last = !keys
            .iter()
            .any(|other| other.value.grant == key.value.grant && other.value.revoked_at.is_none());
        if let (Grant::Provider(provider), true) = (&key.value.grant, is_last) {
            self.disable_webhooks(&mut changeset, provider, "its last key was revoked").await?;
        }
        key.value.revoked_at = Some(now);
        changeset.put(key);
        changeset.audit.push(audit(now, "cli", "key_revoked", format!("key:{id}")));
        self.commit(changeset).await
    }
}
