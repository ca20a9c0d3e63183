//! Who looked, and when, across every document that a moderator is shown: a
//! copy that gets about tells whose it was.

mod pdf;
mod picture;

use jiff::Timestamp;

use super::safe::picture::{decoded, encoded};
use crate::domain::document::DocumentKind;
use crate::domain::id::ModeratorName;
use crate::domain::refusal::Refusal;

/// A kept document with its mark.
pub fn marked(kind: DocumentKind, kept: &[u8], mark: &str) -> Result<Vec<u8>, Refusal> {
    match kind {
        DocumentKind::Jpeg | DocumentKind::Png => {
            let mut picture = decoded(kind, kept)?.into_rgb8();
            picture::draw(&mut picture, mark);
            encoded(kind, &picture.into())
        }
        DocumentKind::Pdf => pdf::marked(kept, mark),
    }
}

/// Plain ASCII, as names of moderators are.
pub(super) fn mark_of(moderator: &ModeratorName, at: Timestamp) -> String {
    format!("{moderator} {} UTC", at.strftime("%Y-%m-%d %H:%M"))
}
