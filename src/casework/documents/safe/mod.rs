//! Making a harmless document out of what somebody sent: nothing of it is kept
//! as it came. Pictures are decoded and encoded anew, of a PDF the pages are
//! copied into a new one, so that neither what is hidden in a file (where a
//! picture was taken, scripts, attached files, a second file behind the first)
//! nor what is wrong with it comes through.
//!
//! Everything here is bounded by the constants of these files, in memory and
//! in work; none of it waits, reads or writes.

mod jpeg;
mod pdf;
pub(super) mod picture;

use crate::domain::document::DocumentKind;
use crate::domain::policy::DOCUMENT_BYTES_MAX;
use crate::domain::refusal::Refusal;

/// What is made of a document may be a little larger than what was sent.
const SAFE_BYTES_MAX: usize = 2 * DOCUMENT_BYTES_MAX;

/// The harmless document.
pub fn made_of(kind: DocumentKind, sent: &[u8]) -> Result<Vec<u8>, Refusal> {
    let made = match kind {
        DocumentKind::Jpeg | DocumentKind::Png => {
            picture::decoded(kind, sent).and_then(|picture| picture::encoded(kind, &picture))
        }
        DocumentKind::Pdf => pdf::rewritten(sent),
    }?;
    if made.len() > SAFE_BYTES_MAX {
        return Err(Refusal::DocumentTooLarge { most: "8 MiB" });
    }
    Ok(made)
}

fn unreadable(why: &'static str) -> Refusal {
    Refusal::DocumentUnreadable { why }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
