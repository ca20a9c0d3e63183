//! Keys of providers and operators. Only their hashes are kept; a key is shown
//! once, when it is issued.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::casework::actors::Owner;
use crate::casework::{Casework, Result, audit};
use crate::domain::day::later;
use crate::domain::id::KeyId;
use crate::domain::name::parse_name;
use crate::domain::refusal::Refusal;
use crate::store::{AccessKey, Changeset, Grant, Listing};

const KEY_BYTES: usize = 32;
/// A key that was replaced is good for this long at most.
pub const OVERLAP_DAYS_MAX: i64 = 90;

impl Casework {
    /// Issues a key and returns it, for this once.
    pub async fn issue_key(&self, owner: Owner, grant: Grant, name: &str) -> Result<(KeyId, String)> {
        let malformed = |why: &str| Refusal::FieldMalformed { field: "name", why: why.to_owned() };
        let name = parse_name(name).map_err(malformed)?;
        let mut changeset = Changeset::default();
        let issued = self.issue(&mut changeset, &owner, grant, name);
        self.commit(changeset).await?;
        Ok(issued)
    }

    /// A new key in the place of one that is good for some days more, so that
    /// whoever uses it has the time to change.
    pub async fn rotate_key(&self, owner: Owner, id: KeyId, overlap_days: i64) -> Result<(KeyId, String)> {
        if !(1..=OVERLAP_DAYS_MAX).contains(&overlap_days) {
            let why = format!("is 1 to {OVERLAP_DAYS_MAX}");
            return Err(Refusal::FieldMalformed { field: "overlap_days", why }.into());
        }
        self.retrying(|| async {
            let now = self.now();
            let keys = self.store().all::<AccessKey>(&Listing::AccessKeys).await?;
            let old = keys.into_iter().find(|key| key.value.id == id && key.value.is_good(now));
            let mut old = old.ok_or(Refusal::NotFound)?;
            let end = later(now, SignedDuration::from_hours(24 * overlap_days));
            old.value.ends_at = Some(old.value.ends_at.map_or(end, |earlier| earlier.min(end)));
            let mut changeset = Changeset::default();
            let issued = self.issue(&mut changeset, &owner, old.value.grant.clone(), old.value.name.clone());
            changeset.audit.push(audit(now, owner.audited(), "key_rotated", format!("key:{id}")));
            changeset.put(old);
            self.commit(changeset).await?;
            Ok(issued)
        })
        .await
    }

    fn issue(&self, changeset: &mut Changeset, owner: &Owner, grant: Grant, name: String) -> (KeyId, String) {
        let prefix = match &grant {
            Grant::Provider(_) => "zmp_",
            Grant::Operator(_) => "zmo_",
        };
        let key = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.random::<KEY_BYTES>()));
        let id = KeyId(self.new_uuid());
        let now = self.now();
        changeset.put_new(AccessKey {
            id,
            hash: Sha256::digest(key.as_bytes()).into(),
            grant,
            name,
            issued_at: now,
            revoked_at: None,
            ends_at: None,
        });
        changeset.audit.push(audit(now, owner.audited(), "key_issued", format!("key:{id}")));
        (id, key)
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
    pub async fn revoke_key(&self, owner: Owner, id: KeyId) -> Result<()> {
        self.retrying(|| self.try_revoke(&owner, id)).await
    }

    async fn try_revoke(&self, owner: &Owner, id: KeyId) -> Result<()> {
        let mut keys = self.store().all::<AccessKey>(&Listing::AccessKeys).await?;
        let place = keys.iter().position(|key| key.value.id == id).ok_or(Refusal::NotFound)?;
        let mut key = keys.swap_remove(place);
        if key.value.revoked_at.is_some() {
            return Ok(());
        }
        let now = self.now();
        let mut changeset = Changeset::default();
        let is_last =
            !keys.iter().any(|other| other.value.grant == key.value.grant && other.value.is_good(now));
        if let (Grant::Provider(provider), true) = (&key.value.grant, is_last) {
            self.disable_webhooks(&mut changeset, owner, provider, "its last key was revoked").await?;
        }
        key.value.revoked_at = Some(now);
        changeset.put(key);
        changeset.audit.push(audit(now, owner.audited(), "key_revoked", format!("key:{id}")));
        self.commit(changeset).await
    }
}
