//! The log in pages, for who has the beginning of it.

use crate::domain::refusal::Refusal;
use crate::feed::kept::{Body, What};
use crate::feed::render::PageForm;
use crate::feed::{Feed, FeedError};
use crate::store::LOG_ENTRIES_MAX;

/// A stretch of the log that can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOfEntries {
    /// The sequence number of its first entry.
    pub first: u64,
    /// How many entries somebody has who has these: the next cursor.
    pub next: u64,
    /// How many there are to be had.
    pub size: u64,
}

impl Feed {
    /// At most `limit` entries for somebody who has `after` of them.
    pub async fn page(&self, after: u64, limit: usize) -> Result<PageOfEntries, FeedError> {
        if after > self.size() {
            // Perhaps it was published elsewhere a moment ago.
            self.look_again().await?;
        }
        let size = self.size();
        within(after, self.oldest(), size)?;
        let next = size.min(after.saturating_add(limit.min(LOG_ENTRIES_MAX) as u64));
        Ok(PageOfEntries { first: after, next, size })
    }

    /// What is in a page.
    pub async fn leaves_of(&self, page: &PageOfEntries) -> Result<Vec<Vec<u8>>, FeedError> {
        self.all_leaves(page.first, page.next).await
    }

    /// A page as it is sent.
    pub async fn page_body(&self, page: &PageOfEntries, form: PageForm) -> Result<Body, FeedError> {
        let what = What::Page { first: page.first, next: page.next, form };
        self.kept
            .body(what, async {
                let leaves = self.leaves_of(page).await?;
                let entries: Vec<_> = (page.first..).zip(leaves.iter().map(Vec::as_slice)).collect();
                Ok(form.render(&entries)?)
            })
            .await
    }
}

/// A cursor that cannot be served is refused, never moved.
fn within(after: u64, oldest: u64, size: u64) -> Result<(), Refusal> {
    if after > size {
        Err(Refusal::CursorAhead { size })
    } else if after < oldest {
        Err(Refusal::CursorExpired { oldest })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_within_what_is_handed_out_or_refused() {
        assert_eq!(within(255, 256, 512), Err(Refusal::CursorExpired { oldest: 256 }));
        assert_eq!(within(256, 256, 512), Ok(()));
        assert_eq!(within(512, 256, 512), Ok(()));
        assert_eq!(within(513, 256, 512), Err(Refusal::CursorAhead { size: 512 }));
    }
}
