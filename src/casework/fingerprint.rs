//! What the database is used with, known by fingerprints. Under another secret
//! key every token that people hold would be void, every code on its way wrong
//! and every document unreadable, without a word; with another folder for what
//! instances share, one would not find what another was given.

use crate::casework::{Casework, Result};
use crate::domain::hex::hex;
use crate::store::{Changeset, Claim};

const SECRET: &str = "fingerprint:secret.key";
const SHARED_DIR: &str = "fingerprint:shared_dir";

impl Casework {
    /// Whether the database is used with this secret.
    pub async fn knows_secret(&self) -> Result<bool> {
        let ours = hex(&self.parts.secret.derive("fingerprint", &[]));
        self.knows(SECRET, &ours).await
    }

    /// Whether the other instances have the folder with this mark in it.
    pub async fn knows_shared_dir(&self, mark: &[u8]) -> Result<bool> {
        self.knows(SHARED_DIR, &hex(mark)).await
    }

    /// The first one to ask leaves its mark.
    async fn knows(&self, what: &str, ours: &str) -> Result<bool> {
        self.retrying(|| async {
            if let Some(known) = self.store().load::<Claim>(&what.to_owned()).await? {
                return Ok(known.value.value == ours);
            }
            let mut changeset = Changeset::default();
            changeset.put_new(Claim { name: what.to_owned(), value: ours.to_owned(), expires_at: None });
            self.commit(changeset).await?;
            Ok(true)
        })
        .await
    }
}
