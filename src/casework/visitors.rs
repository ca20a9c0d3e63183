//! Browsers: named at random, so that a form that one of them was given is
//! not taken from another. One in which a moderator logged in is known again
//! (OWASP's device cookies): who guesses elsewhere does not keep them out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::casework::Casework;
use crate::domain::id::ModeratorName;

impl Casework {
    pub fn new_visitor(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random::<16>())
    }

    /// What a browser's forms carry: nobody else can know it.
    pub fn form_token(&self, visitor: &str) -> String {
        let mac = self.parts.secret.derive("form", &[visitor.as_bytes()]);
        URL_SAFE_NO_PAD.encode(&mac[..16])
    }

    pub(super) fn device_token(&self, name: &ModeratorName) -> String {
        let mac = self.parts.secret.derive("device", &[name.as_str().as_bytes()]);
        URL_SAFE_NO_PAD.encode(&mac[..16])
    }

    pub fn device_token_is(&self, name: &ModeratorName, token: &str) -> bool {
        self.form_token_is(&self.device_token(name), token)
    }

    /// Compares in constant time.
    pub fn form_token_is(&self, ours: &str, theirs: &str) -> bool {
        ours.as_bytes().ct_eq(theirs.as_bytes()).into()
    }
}
