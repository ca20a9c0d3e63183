//! The database knows the secret key that it is used with by its fingerprint:
//! under another one every token that people hold would be void, every code on
//! its way wrong and every document unreadable, without a word.

use crate::casework::{Casework, Result};
use crate::domain::hex::hex;
use crate::store::{Changeset, Claim};

const CLAIM: &str = "fingerprint:secret.key";

impl Casework {
    /// Whether the database is used with this secret; the first one to ask
    /// leaves its mark.
    pub async fn knows_secret(&self) -> Result<bool> {
        let ours = hex(&self.parts.secret.derive("fingerprint", &[]));
        self.retrying(|| async {
            if let Some(known) = self.store().load::<Claim>(&CLAIM.to_owned()).await? {
                return Ok(known.value.value == ours);
            }
            let mut changeset = Changeset::default();
            changeset.put_new(Claim { name: CLAIM.to_owned(), value: ours.clone(), expires_at: None });
            self.commit(changeset).await?;
            Ok(true)
        })
        .await
    }
}
